#include "tracer/commands/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tracer/commands/probe_path.h"
#include "tracer/commands/sealing.h"

static volatile sig_atomic_t interrupts;
static const volatile pid_t *volatile running; /* the program's process id, once there is one */

/* The terminal sends Ctrl-C to the whole group: the program gets its own. A second one ends the
 * recording even if the program goes on. Sent to us alone, it is passed on. */
static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)context;
    interrupts++;
    pid_t pid = running ? *running : 0;
    if (info->si_code <= 0 && pid > 0) {
        int saved = errno;
        kill(pid, number);
        errno = saved;
    }
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        /* What is ignored (by nohup, in a shell's background) stays so, for the program too. */
        struct sigaction before;
        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(numbers[i], &action, NULL);
    }
}

unsigned reel_recording_entries(struct reel_recording_words *words, GOptionEntry *entries)
{
    *words = (struct reel_recording_words){.linger = -1, .depth = 16};
    const GOptionEntry all[] = {
        {"only", 0, 0, G_OPTION_ARG_STRING, &words->only, "Record these event families only",
         "LIST"},
        {"without", 0, 0, G_OPTION_ARG_STRING, &words->without,
         "Record all event families but these", "LIST"},
        {"stacks", 0, 0, G_OPTION_ARG_STRING, &words->stacks,
         "How to take stacks: none, caller, frames, unwind (default)", "HOW"},
        {"depth", 0, 0, G_OPTION_ARG_INT, &words->depth, "Frames of a stack at most (default 16)",
         "N"},
        {"lossless", 0, 0, G_OPTION_ARG_NONE, &words->lossless,
         "Never lose an event: make the program wait instead, as long as it takes", NULL},
        {"limit", 0, 0, G_OPTION_ARG_STRING, &words->limit, "End the recording at this trace size",
         "SIZE"},
        {"buffer", 0, 0, G_OPTION_ARG_STRING, &words->buffer,
         "Shared memory for events at most (default 512M)", "SIZE"},
        {"flight", 0, 0, G_OPTION_ARG_DOUBLE, &words->flight, "Keep the last so many seconds only",
         "SECONDS"},
        {"linger", 0, 0, G_OPTION_ARG_DOUBLE, &words->linger,
         "Wait so long for processes that outlive the program (default: until they end)",
         "SECONDS"},
        {"follow", 0, 0, G_OPTION_ARG_NONE, &words->follow, "Record children too (default)", NULL},
        {"no-follow", 0, 0, G_OPTION_ARG_NONE, &words->no_follow, "Record the first process only",
         NULL},
        {"no-scheduling", 0, 0, G_OPTION_ARG_NONE, &words->no_scheduling,
         "Do not ask the kernel for context switches", NULL},
        {"memory", 0, 0, G_OPTION_ARG_NONE, &words->memory,
         "Look for instrumented code in libraries too (programs by 'reel cc' are recognised)",
         NULL},
        {"watch", 0, 0, G_OPTION_ARG_STRING_ARRAY, &words->watch,
         "Record every access to a variable (NAME, FILE.c:NAME, LIB.so:NAME, 0xADDRESS+BYTES)",
         "WHAT"},
        {"quiet", 'q', 0, G_OPTION_ARG_NONE, &words->quiet, "No progress, no summary", NULL}};
    G_STATIC_ASSERT(G_N_ELEMENTS(all) <= REEL_RECORDING_ENTRIES);
    memcpy(entries, all, sizeof all);
    return G_N_ELEMENTS(all);
}

void reel_recording_words_clear(struct reel_recording_words *words)
{
    g_free(words->output);
    g_free(words->only);
    g_free(words->without);
    g_free(words->limit);
    g_free(words->stacks);
    g_free(words->buffer);
    g_strfreev(words->watch);
    memset(words, 0, sizeof *words);
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
                                   "annotation memory");
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

bool reel_recording_prepare(struct reel_recording *recording,
                            const struct reel_recording_words *words, const char *program,
                            struct reel_error *error)
{
    memset(recording, 0, sizeof *recording);
    recording->quiet = words->quiet;
    recording->probe_path = reel_probe_path(error);
    recording->memory_path = reel_memory_path(NULL);
    struct reel_collect_options *options = &recording->options;
    *options = (struct reel_collect_options){
        .probe_path = recording->probe_path,
        .memory_path = recording->memory_path,
        .always_memory = words->memory,
        .families = UINT32_MAX,
        .stack_mode = REEL_STACK_UNWIND,
        .stack_depth = (uint32_t)CLAMP(words->depth, 1, 64),
        .lossless = words->lossless,
        .follow = !words->no_follow,
        .scheduling = !words->no_scheduling,
        .flight_ns = (uint64_t)(MAX(words->flight, 0) * 1e9),
        .buffer_bytes = 512u << 20,
        .linger_ns = words->linger < 0 ? UINT64_MAX : (uint64_t)(words->linger * 1e9),
        .stall_ns = 10000000,
        .stall_permille = 50,
        .io_threshold_ns = 0,
    };
    uint32_t families;
    if ((words->only && !parse_families(words->only, &options->families, error)) ||
        (words->without && !parse_families(words->without, &families, error)) ||
        (words->limit && !parse_size(words->limit, &options->limit_bytes, error)) ||
        (words->buffer && !parse_size(words->buffer, &options->buffer_bytes, error)) ||
        (words->stacks && !parse_stacks(words->stacks, &options->stack_mode, error)) ||
        !recording->probe_path ||
        (words->watch && !(recording->watch = reel_watch_specs_new(words->watch, program, error))))
        return false;
    if (recording->watch && reel_watch_specs_hooks(recording->watch)->block) {
        /* In the other's place: both stand in front of malloc. */
        g_free(recording->memory_path);
        recording->memory_path = reel_block_path(error);
        if (!recording->memory_path)
            return false;
        options->memory_path = recording->memory_path;
        options->always_memory = true;
    }
    if (words->without)
        options->families &= ~families;
    if (words->output) {
        recording->path = g_strdup(words->output);
    } else {
        g_autofree char *base = g_path_get_basename(program);
        recording->path = g_strdup_printf("%s-%d.reel", base, (int)getpid());
    }
    options->trace_path = recording->path;
    return true;
}

static bool show_progress(void *data, const struct reel_collect_progress *progress)
{
    const struct reel_recording *recording = data;
    if (interrupts > 1)
        return false;
    if (!recording->quiet && isatty(STDERR_FILENO) && progress->elapsed_ns > 1000000000u)
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
static bool seal_trace(struct reel_recording *recording, struct reel_error *error)
{
    bool closed = reel_trace_close(recording->trace, error);
    recording->trace = closed ? reel_trace_open(recording->path, REEL_TRACE_WRITE, error) : NULL;
    return recording->trace && reel_seal_with_symbols(recording->trace, !recording->quiet, false,
                                                      &recording->sealed, error);
}

bool reel_recording_run(struct reel_recording *recording, char **argv, bool seal,
                        struct reel_collect_hooks *hooks, struct reel_error *error)
{
    struct reel_collect_hooks own = {0};
    if (!hooks)
        hooks = &own;
    hooks->progress = show_progress;
    hooks->data = recording;
    if (recording->watch)
        hooks->watch = reel_watch_specs_hooks(recording->watch);
    /* A standard stream that we were started without stays closed for the program, but must not
     * become the number of a file of ours. */
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR | O_CLOEXEC) < 0)
            break;
    recording->trace = reel_trace_create(recording->path, error);
    if (!recording->trace)
        return false;
    running = &recording->result.pid;
    catch_signals();
    bool ok =
        reel_collect(recording->trace, argv, &recording->options, hooks, &recording->result, error);
    running = NULL;
    recording->started = recording->result.pid && !recording->result.exec_errno;
    if (!recording->quiet && isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    if (ok && recording->watch)
        ok = reel_watch_specs_settle(recording->watch, recording->trace,
                                     recording->result.accesses_lost, error);
    if (ok && seal)
        ok = seal_trace(recording, error);
    if (!ok && recording->trace) {
        reel_trace_close(recording->trace, NULL);
        recording->trace = NULL;
    }
    if (recording->result.exec_errno)
        unlink(recording->path);
    return ok;
}

bool reel_recording_finish(struct reel_recording *recording, struct reel_error *error)
{
    bool good = !recording->trace || reel_trace_close(recording->trace, error);
    recording->trace = NULL;
    g_clear_pointer(&recording->path, g_free);
    g_clear_pointer(&recording->probe_path, g_free);
    g_clear_pointer(&recording->memory_path, g_free);
    g_clear_pointer(&recording->watch, reel_watch_specs_free);
    return good;
}

int reel_recording_status(const struct reel_recording *recording)
{
    int status = recording->result.wait_status;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int reel_recording_fail(const struct reel_command *command, const struct reel_recording *recording,
                        const struct reel_error *error)
{
    reel_command_fail(command, error);
    if (recording->result.exec_errno)
        return recording->result.exec_errno == ENOENT ? REEL_STATUS_NOT_FOUND
                                                      : REEL_STATUS_NOT_EXECUTABLE;
    return REEL_STATUS_RECORDER;
}
