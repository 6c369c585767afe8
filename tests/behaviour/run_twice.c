/* The judge of the "no footprint" suite: runs one case of one program bare and recorded, and
 * demands the same exit status, the same output and the same errors; then reads the trace to its
 * end. The two runs see the same folder, emptied between them.
 *
 *   run_twice REEL PROGRAM CASE */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tracer/store/merge.h"

struct outcome {
    int status; /* as a shell says it: 128+N for signal N */
    char *output, *errors;
};

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    return walk->level == 0 ? 0 : remove(path);
}

static void empty(const char *folder)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

static char *contents(const char *path)
{
    char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return g_strdup("(unreadable)");
    return text;
}

static struct outcome run(char *const argv[], const char *work, const char *kept)
{
    g_autofree char *out = g_strdup_printf("%s/output", kept);
    g_autofree char *err = g_strdup_printf("%s/errors", kept);
    pid_t child = fork();
    if (child == 0) {
        int zero = open("/dev/null", O_RDONLY);
        int one = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0666);
        int two = open(err, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0666);
        dup2(zero, 0);
        dup2(one, 1);
        dup2(two, 2);
        closefrom(3);
        if (chdir(work) != 0)
            _exit(124);
        setpgid(0, 0);
        clearenv();
        setenv("PATH", "/usr/bin:/bin", 1);
        setenv("HOME", "/", 1);
        setenv("EMPTY", "", 1);
        execv(argv[0], argv);
        _exit(124);
    }
    int status;
    waitpid(child, &status, 0);
    struct outcome outcome = {
        .status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status),
        .output = contents(out),
        .errors = contents(err),
    };
    empty(work);
    return outcome;
}

static bool same(const char *what, const char *bare, const char *recorded)
{
    if (strcmp(bare, recorded) == 0)
        return true;
    printf("%s differs\n--- bare\n%s--- recorded\n%s---\n", what, bare, recorded);
    return false;
}

/* Everything in the trace decodes, and no event waits for one that never came. */
static bool trace_is_whole(const char *path)
{
    struct reel_error error = {0};
    struct reel_trace *trace = reel_trace_open(path, REEL_TRACE_READ, &error);
    struct reel_merge *merge = trace ? reel_merge_new(trace, &error) : NULL;
    while (merge && reel_merge_next(merge, &error))
        ;
    bool whole = merge && !error.code;
    if (!whole)
        printf("the trace cannot be read: %s\n", error.message);
    else if (reel_merge_statistics(merge)->orders_broken) {
        char *lost = reel_trace_meta(trace, "lost");
        whole = lost && strcmp(lost, "0") != 0;
        if (!whole)
            printf("%llu orders broken, although nothing was lost\n",
                   (unsigned long long)reel_merge_statistics(merge)->orders_broken);
        sqlite3_free(lost);
    }
    reel_merge_free(merge);
    reel_trace_close(trace, NULL);
    return whole;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 99;
    char kept[] = "/tmp/reel-behaviour-XXXXXX";
    if (!mkdtemp(kept))
        return 99;
    g_autofree char *work = g_strdup_printf("%s/work", kept);
    g_autofree char *trace = g_strdup_printf("%s/trace.reel", kept);
    /* Others (a program that dropped its privileges) must get here too. */
    chmod(kept, 0755);
    mkdir(work, 0777);
    chmod(work, 0777);
    char *reel = realpath(argv[1], NULL), *target = realpath(argv[2], NULL);
    char *bare_words[] = {target, argv[3], NULL};
    char *recorded_words[] = {reel,  "record", "--quiet", "--no-seal", "-o",
                              trace, "--",     target,    argv[3],     NULL};
    struct outcome bare = run(bare_words, work, kept);
    int result = 0;
    if (bare.status == 77) {
        result = 77;
    } else {
        struct outcome recorded = run(recorded_words, work, kept);
        if (recorded.status != bare.status) {
            printf("exit status differs: bare %d, recorded %d\n", bare.status, recorded.status);
            result = 1;
        }
        if (!same("output", bare.output, recorded.output) ||
            !same("standard error", bare.errors, recorded.errors) || !trace_is_whole(trace))
            result = 1;
    }
    if (!result)
        fputs(bare.output, stdout);
    empty(kept);
    rmdir(kept);
    return result;
}
