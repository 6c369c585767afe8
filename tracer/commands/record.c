/* reel record: run a program, keep what its threads do. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tracer/collect/collect.h"
#include "tracer/commands/command.h"
#include "tracer/commands/probe_path.h"
#include "tracer/commands/sealing.h"

static volatile sig_atomic_t interrupts;
static volatile sig_atomic_t child_pid;

/* The terminal sends Ctrl-C to the whole group: the program gets its own. A second one ends the
 * recording even if the program goes on. Sent to us alone, it is passed on. */
static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)context;
    interrupts++;
    if (info->si_code <= 0 && child_pid > 0) {
        int saved = errno;
        kill(child_pid, number);
        errno = saved;
    }
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    sigaction(SIGQUIT, &action, NULL);
}

static bool parse_families(const char *list, uint32_t *families, struct reel_error *error)
{
    static const char *const names[] = {
#define FAMILY_NAME(NAME, bit, text, meaning) [bit] = text,
        REEL_FAMILIES(FAMILY_NAME)};
    *families = 0;
    g_auto(GStrv) words = g_strsplit(list, ",", -1);
    for (char **word = words; *word; word++) {
        bool known = false;
        for (unsigned bit = 0; bit < G_N_ELEMENTS(names); bit++)
            if (names[bit] && strcmp(g_strstrip(*word), names[bit]) == 0) {
                *families |= 1u << bit;
                known = true;
            }
        if (!known) {
            reel_error_set(error, REEL_ERROR_USAGE, 0, "there is no event family '%s'", *word);
            return reel_error_hint(error,
                                   "Families: thread mutex rwlock spin cond sem barrier once "
                                   "futex filelock process io queue loop sleep module "
                                   "annotation");
        }
    }
    return true;
}

/* "10", "10K", "10M", "2G" */
static bool parse_size(const char *text, uint64_t *bytes, struct reel_error *error)
{
    char *end;
    errno = 0;
    double value = g_ascii_strtod(text, &end);
    double unit = 1;
    if (*end == 'k' || *end == 'K')
        unit = 1024.0, end++;
    else if (*end == 'm' || *end == 'M')
        unit = 1048576.0, end++;
    else if (*end == 'g' || *end == 'G')
        unit = 1073741824.0, end++;
    if (end == text || *end || errno || !(value >= 0) || value * unit > 1e18)
        return reel_error_set(error, REEL_ERROR_USAGE, 0, "'%s' is not a size (examples: 500M, 2G)",
                              text);
    *bytes = (uint64_t)(value * unit);
    return true;
}

static bool parse_stacks(const char *text, enum reel_stack_mode *mode, struct reel_error *error)
{
    static const char *const names[] = {"none", "caller", "frames", "unwind"};
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(text, names[i]) == 0) {
            *mode = (enum reel_stack_mode)i;
            return true;
        }
    return reel_error_set(error, REEL_ERROR_USAGE, 0,
                          "'%s' is no way to take stacks (none, caller, frames, unwind)", text);
}

static bool show_progress(void *data, const struct reel_collect_progress *progress)
{
    bool *terminal = data;
    if (interrupts > 1)
        return false;
    if (*terminal && progress->elapsed_ns > 1000000000u)
        fprintf(stderr,
                "\r\033[Kreel: %.0f s · %u process%s · %u threads · %" PRIu64 " events · %.1f MB%s",
                (double)progress->elapsed_ns / 1e9, progress->processes,
                progress->processes == 1 ? "" : "es", progress->threads, progress->events,
                (double)progress->bytes / 1e6,
                progress->lingering ? " · waiting for what the program left running (Ctrl-C ends)"
                                    : "");
    return true;
}

/* The recorder's connection is closed first: then the file says that recording is over, whatever
 * happens while sealing. */
static bool seal(struct reel_trace **trace, const char *path, bool progress,
                 struct reel_seal_result *result, struct reel_error *error)
{
    bool closed = reel_trace_close(*trace, error);
    *trace = closed ? reel_trace_open(path, REEL_TRACE_WRITE, error) : NULL;
    return *trace && reel_seal_with_symbols(*trace, progress, result, error);
}

static int exit_status_of(const struct reel_collect_result *result)
{
    if (WIFSIGNALED(result->wait_status))
        return 128 + WTERMSIG(result->wait_status);
    return WEXITSTATUS(result->wait_status);
}

static int run(const struct reel_command *command, int argc, char **argv)
{
    g_autofree char *output = NULL, *only = NULL, *without = NULL, *limit = NULL, *stacks = NULL,
                    *buffer = NULL;
    gboolean lossless = FALSE, no_seal = FALSE, no_follow = FALSE, follow = FALSE, quiet = FALSE,
             no_scheduling = FALSE;
    double flight = 0, linger = -1;
    int depth = 16;
    const GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output,
         "Write the trace to FILE (default: PROGRAM-PID.reel)", "FILE"},
        {"only", 0, 0, G_OPTION_ARG_STRING, &only, "Record these event families only", "LIST"},
        {"without", 0, 0, G_OPTION_ARG_STRING, &without, "Record all event families but these",
         "LIST"},
        {"stacks", 0, 0, G_OPTION_ARG_STRING, &stacks,
         "How to take stacks: none, caller, frames, unwind (default)", "HOW"},
        {"depth", 0, 0, G_OPTION_ARG_INT, &depth, "Frames of a stack at most (default 16)", "N"},
        {"lossless", 0, 0, G_OPTION_ARG_NONE, &lossless,
         "Never lose an event: make the program wait instead, as long as it takes", NULL},
        {"limit", 0, 0, G_OPTION_ARG_STRING, &limit, "End the recording at this trace size",
         "SIZE"},
        {"buffer", 0, 0, G_OPTION_ARG_STRING, &buffer,
         "Shared memory for events at most (default 512M)", "SIZE"},
        {"flight", 0, 0, G_OPTION_ARG_DOUBLE, &flight, "Keep the last so many seconds only",
         "SECONDS"},
        {"linger", 0, 0, G_OPTION_ARG_DOUBLE, &linger,
         "Wait so long for processes that outlive the program (default: until they end)",
         "SECONDS"},
        {"follow", 0, 0, G_OPTION_ARG_NONE, &follow, "Record children too (default)", NULL},
        {"no-follow", 0, 0, G_OPTION_ARG_NONE, &no_follow, "Record the first process only", NULL},
        {"no-scheduling", 0, 0, G_OPTION_ARG_NONE, &no_scheduling,
         "Do not ask the kernel for context switches", NULL},
        {"no-seal", 0, 0, G_OPTION_ARG_NONE, &no_seal,
         "Leave the events as chunks; 'reel recover' seals later", NULL},
        {"quiet", 'q', 0, G_OPTION_ARG_NONE, &quiet, "No progress, no summary", NULL},
        G_OPTION_ENTRY_NULL};
    int status = reel_command_parse(command, entries, &argc, &argv, true);
    if (status >= 0)
        return status == REEL_STATUS_USAGE ? REEL_STATUS_RECORDER : status;
    if (argc < 2) {
        reel_command_usage(command, "no program to record");
        return REEL_STATUS_RECORDER;
    }
    struct reel_error error = {0};
    struct reel_collect_options options = {
        .families = UINT32_MAX,
        .stack_mode = REEL_STACK_UNWIND,
        .stack_depth = (uint32_t)CLAMP(depth, 1, 64),
        .lossless = lossless,
        .follow = !no_follow,
        .scheduling = !no_scheduling,
        .flight_ns = (uint64_t)(MAX(flight, 0) * 1e9),
        .buffer_bytes = 512u << 20,
        .linger_ns = linger < 0 ? UINT64_MAX : (uint64_t)(linger * 1e9),
        .stall_ns = 10000000,
        .stall_permille = 50,
        .io_threshold_ns = 0,
    };
    uint32_t families;
    g_autofree char *probe = reel_probe_path(&error);
    options.probe_path = probe;
    if ((only && !parse_families(only, &options.families, &error)) ||
        (without && !parse_families(without, &families, &error)) ||
        (limit && !parse_size(limit, &options.limit_bytes, &error)) ||
        (buffer && !parse_size(buffer, &options.buffer_bytes, &error)) ||
        (stacks && !parse_stacks(stacks, &options.stack_mode, &error)) || !probe) {
        reel_command_fail(command, &error);
        return REEL_STATUS_RECORDER;
    }
    if (without)
        options.families &= ~families;
    g_autofree char *path = NULL;
    if (output) {
        path = g_strdup(output);
    } else {
        g_autofree char *base = g_path_get_basename(argv[1]);
        path = g_strdup_printf("%s-%d.reel", base, (int)getpid());
    }
    options.trace_path = path;
    struct reel_trace *trace = reel_trace_create(path, &error);
    if (!trace) {
        reel_command_fail(command, &error);
        return REEL_STATUS_RECORDER;
    }
    catch_signals();
    bool terminal = !quiet && isatty(STDERR_FILENO);
    struct reel_collect_hooks hooks = {.progress = show_progress, .data = &terminal};
    struct reel_collect_result result;
    bool ok = reel_collect(trace, argv + 1, &options, &hooks, &result, &error);
    if (terminal)
        fputs("\r\033[K", stderr);
    struct reel_seal_result sealed = {0};
    if (ok && !no_seal)
        ok = seal(&trace, path, !quiet, &sealed, &error);
    if (!reel_trace_close(trace, ok ? &error : NULL))
        ok = false;
    if (result.exec_errno) {
        unlink(path);
        reel_command_fail(command, &error);
        return result.exec_errno == ENOENT ? REEL_STATUS_NOT_FOUND : REEL_STATUS_NOT_EXECUTABLE;
    }
    if (!ok) {
        reel_command_fail(command, &error);
        return REEL_STATUS_RECORDER;
    }
    if (!quiet)
        fprintf(stderr,
                "reel: %s: %" PRIu64 " events of %u threads in %u process%s, %.3f s, %" PRIu64
                " lost\nreel: next: reel report %s\n",
                path, result.events, result.threads, result.processes,
                result.processes == 1 ? "" : "es", (double)result.duration_ns / 1e9, result.lost,
                path);
    return exit_status_of(&result);
}

const struct reel_command reel_command_record = {
    .name = "record",
    .arguments = "[--] PROGRAM [ARGUMENT…]",
    .summary = "run a program and keep what its threads do",
    .description =
        "The exit status is the program's own; 128+N when it died of signal N; 125 when Reel "
        "failed, "
        "126 when the program is not executable, 127 when it was not found.\n"
        "Event families: thread mutex rwlock spin cond sem barrier once futex filelock process io "
        "queue loop sleep module annotation.\n",
    .run = run,
};
