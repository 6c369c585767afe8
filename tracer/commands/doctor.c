/* reel doctor: does recording work here? Each check says what it found and, if it is not good, what
 * to do. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tracer/collect/clock.h"
#include "tracer/collect/collect.h"
#include "tracer/collect/scheduling.h"
#include "tracer/collect/watch_registers.h"
#include "tracer/commands/command.h"
#include "tracer/commands/output.h"
#include "tracer/commands/probe_path.h"
#include "tracer/symbols/symbols.h"

struct check {
    const struct reel_output *output;
    int bad;
};

static void good(struct check *check, const char *what, const char *detail)
{
    fprintf(check->output->file, "%sok%s       %-18s %s\n",
            reel_output_style(check->output, REEL_STYLE_GOOD),
            reel_output_style(check->output, REEL_STYLE_PLAIN), what, detail);
}

static void note(struct check *check, const char *what, const char *detail, const char *mend)
{
    fprintf(check->output->file, "%snote%s     %-18s %s\n%28s%s\n",
            reel_output_style(check->output, REEL_STYLE_WARNING),
            reel_output_style(check->output, REEL_STYLE_PLAIN), what, detail, "", mend);
}

static void bad(struct check *check, const char *what, const char *detail, const char *mend)
{
    check->bad++;
    fprintf(check->output->file, "%sproblem%s  %-18s %s\n%28s%s\n",
            reel_output_style(check->output, REEL_STYLE_BAD),
            reel_output_style(check->output, REEL_STYLE_PLAIN), what, detail, "", mend);
}

static void check_recording(struct check *check)
{
    struct reel_error error = {0};
    g_autofree char *probe = reel_probe_path(&error);
    if (!probe) {
        bad(check, "probe library", error.message, error.hint);
        return;
    }
    good(check, "probe library", probe);
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "reel-doctor-XXXXXX", NULL);
    int descriptor = g_mkstemp(path);
    if (descriptor < 0) {
        bad(check, "a recording", g_strerror(errno), "Is the temporary folder writable?");
        return;
    }
    close(descriptor);
    struct reel_trace *trace = reel_trace_create(path, &error);
    char *words[] = {(char *)"/bin/true", NULL};
    struct reel_collect_options options = {
        .probe_path = probe,
        .trace_path = path,
        .families = UINT32_MAX,
        .stack_mode = REEL_STACK_UNWIND,
        .stack_depth = 16,
        .follow = true,
        .buffer_bytes = 16u << 20,
        .stall_ns = 10000000,
        .stall_permille = 50,
    };
    struct reel_collect_result result = {0};
    bool recorded = trace && reel_collect(trace, words, &options, NULL, &result, &error);
    reel_trace_close(trace, NULL);
    unlink(path);
    if (!recorded)
        bad(check, "a recording", error.message, error.hint);
    else if (!result.attached || result.events == 0)
        bad(check, "a recording", "the probe did not come up in /bin/true",
            "Is LD_PRELOAD forbidden here (hardened loader, noexec mount, another libc)?");
    else
        good(check, "a recording", "/bin/true was recorded");
}

static void check_clock(struct check *check)
{
    struct reel_clock_map map;
    reel_clock_map_start(&map);
    if (map.clock == REEL_CLOCK_TSC)
        good(check, "clock", "the processor's time-stamp counter (about 10 ns a stamp)");
    else
        note(check, "clock", "CLOCK_MONOTONIC (about 22 ns a stamp)",
             "The kernel does not use the TSC as clock source here; recording costs more.");
}

static void check_scheduling(struct check *check)
{
    char why[160];
    struct reel_scheduling *scheduling = reel_scheduling_open(getpid(), why);
    if (scheduling)
        good(check, "context switches", "the kernel tells who runs when");
    else
        note(check, "context switches", why,
             "Running will include waiting for a processor. Mend: sysctl "
             "kernel.perf_event_paranoid=2");
    reel_scheduling_close(scheduling);
}

/* Sets one of our own, as --watch does for others. */
static void check_watching(struct check *check)
{
    long word = 0;
    const struct reel_watch_range range = {.address = (uint64_t)(uintptr_t)&word, .size = 8};
    struct reel_watch_registers *registers = reel_watch_registers_new();
    int error = reel_watch_registers_arm(registers, getpid(), &range, 1);
    reel_watch_registers_free(registers);
    if (!error) {
        good(check, "watching memory", "the processor's debug registers can be set (--watch)");
        return;
    }
    g_autofree char *why = reel_watch_registers_explain(-error);
    note(check, "watching memory", why, "--watch will not work; all else does.");
}

static void check_memory(struct check *check)
{
    struct statvfs space;
    if (statvfs("/dev/shm", &space) != 0) {
        note(check, "shared memory", "/dev/shm is not mounted",
             "Not needed, but many programs' shared locks live there.");
        return;
    }
    g_autofree char *free_space = g_format_size((guint64)space.f_bavail * (guint64)space.f_frsize);
    good(check, "shared memory", free_space);
}

static void check_limits(struct check *check)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    g_autofree char *text = limit.rlim_cur == RLIM_INFINITY
                                ? g_strdup("no limit")
                                : g_strdup_printf("%llu", (unsigned long long)limit.rlim_cur);
    if (limit.rlim_cur < 256)
        note(check, "open files", text,
             "One is needed for every process recorded at a time. Mend: ulimit -n 1024");
    else
        good(check, "open files", text);
}

static void check_symbols(struct check *check)
{
    const char *server = getenv("DEBUGINFOD_URLS");
    if (access("/usr/lib/debug/.build-id", R_OK) == 0)
        good(check, "debug symbols", "/usr/lib/debug is there");
    else if (server && *server)
        good(check, "debug symbols", "debuginfod is set up");
    else
        note(check, "debug symbols", "none for system libraries",
             "Functions of your own programs get lines when built with -g.");
}

static int run(const struct reel_command *command, int argc, char **argv)
{
    int status = reel_command_parse(command, NULL, &argc, &argv, false);
    if (status >= 0)
        return status;
    if (argc != 1)
        return reel_command_usage(command, "takes no arguments");
    struct reel_output output;
    reel_output_open(&output, false);
    struct check check = {.output = &output};
    check_recording(&check);
    check_clock(&check);
    check_scheduling(&check);
    check_watching(&check);
    check_memory(&check);
    check_limits(&check);
    check_symbols(&check);
    reel_output_close(&output);
    return check.bad ? REEL_STATUS_FAILED : REEL_STATUS_OK;
}

const struct reel_command reel_command_doctor = {
    .name = "doctor",
    .arguments = "",
    .summary = "check that recording works on this machine",
    .run = run,
};
