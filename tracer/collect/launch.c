#include "tracer/collect/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In the child. The environment is changed before exec only here: the probe takes it out again. */
static void become_target(char *const argv[], const char *probe_path, const char *region_path,
                          int gate, int report)
{
    char byte;
    while (read(gate, &byte, 1) < 0 && errno == EINTR)
        ;
    if (region_path) {
        const char *theirs = getenv("LD_PRELOAD");
        char *preload = NULL;
        if (theirs ? asprintf(&preload, "%s:%s", probe_path, theirs) < 0
                   : asprintf(&preload, "%s", probe_path) < 0)
            _exit(125);
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

bool reel_launch_prepare(struct reel_launch *launch, char *const argv[], const char *probe_path,
                         const char *region_path, struct reel_error *error)
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
        become_target(argv, probe_path, region_path, gate[0], report[1]);
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
