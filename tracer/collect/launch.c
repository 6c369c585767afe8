#include "tracer/collect/launch.h"

#include "probes/event/note.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

/* As execvp will find it: a name without a slash in one of the folders of PATH. */
static bool is_instrumented(const char *file)
{
    const char *places = strchr(file, '/') ? "" : getenv("PATH");
    bool found = false;
    while (places) {
        size_t length = strcspn(places, ":");
        char *path = NULL;
        if (asprintf(&path, "%.*s%s%s", (int)length, places, length ? "/" : "", file) < 0)
            return false;
        int descriptor = access(path, X_OK) == 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        free(path);
        if (descriptor >= 0) {
            found = reel_note_in(descriptor, pread);
            close(descriptor);
            break;
        }
        places = places[length] ? places + length + 1 : NULL;
    }
    return found;
}

/* The shadow of memory (probes/memory/shadow.c) counts on addresses that Linux randomises by 28
 * bits at most, as it does unless told otherwise: else the program goes to where it would be
 * without. */
static void settle_addresses(void)
{
    FILE *file = fopen("/proc/sys/vm/mmap_rnd_bits", "re");
    int bits = 0;
    if (file && fscanf(file, "%d", &bits) == 1 && bits > 28)
        personality((unsigned long)personality(0xffffffff) | ADDR_NO_RANDOMIZE);
    if (file)
        fclose(file);
}

/* In the child. The environment is changed before exec only here: the probe takes it out again. */
static void become_target(char *const argv[], const struct reel_launch_libraries *libraries,
                          const char *region_path, int gate, int report)
{
    char byte;
    while (read(gate, &byte, 1) < 0 && errno == EINTR)
        ;
    if (region_path) {
        const char *theirs = getenv("LD_PRELOAD");
        bool memory = libraries->memory && (libraries->always_memory || is_instrumented(argv[0]));
        char *preload = NULL, *memory_path = NULL;
        if (asprintf(&preload, "%s%s%s%s%s", libraries->probe, memory ? ":" : "",
                     memory ? libraries->memory : "", theirs ? ":" : "",
                     theirs ? theirs : "") < 0 ||
            asprintf(&memory_path, "%s%s", libraries->always_memory ? "+" : "",
                     libraries->memory ? libraries->memory : "") < 0)
            _exit(125);
        if (libraries->memory)
            setenv("REEL_MEMORY", memory_path, 1);
        if (memory)
            settle_addresses();
        setenv("LD_PRELOAD", preload, 1);
        setenv("REEL_REGION", region_path, 1);
        /* As the probe's exec wrappers do it, see probes/preload/environment.c. */
        const char *options = getenv("ASAN_OPTIONS");
        char *added = NULL;
        if (asprintf(&added, "%s%sverify_asan_link_order=no", options ? options : "",
                     options && *options ? ":" : "") < 0)
            _exit(125);
        setenv("ASAN_OPTIONS", added, 1);
    }
    execvp(argv[0], argv);
    int cause = errno;
    if (write(report, &cause, sizeof cause) < 0)
        _exit(125);
    _exit(cause == ENOENT ? 127 : 126);
}

bool reel_launch_prepare(struct reel_launch *launch, char *const argv[],
                         const struct reel_launch_libraries *libraries, const char *region_path,
                         struct reel_error *error)
{
    int gate[2], report[2];
    if (pipe2(gate, O_CLOEXEC) != 0)
        return reel_error_set(error, REEL_ERROR_SYSTEM, errno, "cannot make a pipe: %s",
                              strerror(errno));
    if (pipe2(report, O_CLOEXEC) != 0) {
        int cause = errno;
        close(gate[0]);
        close(gate[1]);
        return reel_error_set(error, REEL_ERROR_SYSTEM, cause, "cannot make a pipe: %s",
                              strerror(cause));
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        close(gate[1]);
        become_target(argv, libraries, region_path, gate[0], report[1]);
    }
    int cause = errno;
    close(gate[0]);
    close(report[1]);
    if (pid < 0) {
        close(gate[1]);
        close(report[0]);
        return reel_error_set(error, REEL_ERROR_SYSTEM, cause, "cannot start a process: %s",
                              strerror(cause));
    }
    launch->pid = pid;
    launch->gate = gate[1];
    launch->report = report[0];
    return true;
}

int reel_launch_go(struct reel_launch *launch)
{
    close(launch->gate);
    int cause = 0;
    ssize_t got;
    do {
        got = read(launch->report, &cause, sizeof cause);
    } while (got < 0 && errno == EINTR);
    close(launch->report);
    return got == (ssize_t)sizeof cause ? cause : 0;
}
