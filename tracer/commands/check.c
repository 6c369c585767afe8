/* reel check: run a program, or read traces, and report what is wrong with it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tracer/commands/check_findings.h"
#include "tracer/commands/check_live.h"
#include "tracer/commands/output.h"
#include "tracer/commands/recording.h"
#include "tracer/commands/sealing.h"

#define STATUS_TIMEOUT 124 /* as timeout(1) */
/* What a test leaves running (an agent, a daemon) may never end: it is not waited for as long as
 * reel record does. */
#define LINGER_S 5.0

struct words {
    struct reel_recording_words recording;
    struct reel_check_words findings;
    char *on_deadlock;
    double grace, timeout;
    gboolean no_live;
};

/* The trace is kept where the user wants it, or when there is something to look at. */
static void keep_or_remove(const struct reel_recording *recording, bool wanted, bool found)
{
    if (!wanted && !found) {
        unlink(recording->path);
        return;
    }
    if (found || !recording->quiet)
        fprintf(stderr, "reel: trace: %s\n", recording->path);
}

static int judge(const struct reel_command *command, struct reel_recording *recording,
                 const struct words *words, struct reel_check_live *live,
                 struct reel_check_rules *rules)
{
    struct reel_error error = {0};
    struct reel_check_result result = {0};
    struct reel_finding_set *findings = reel_check_live_note(live, recording->trace, &error)
                                            ? reel_detect_trace(recording->trace, &error)
                                            : NULL;
    if (findings)
        reel_check_live_settle(live, recording->trace, findings);
    bool good =
        findings && reel_findings_write(findings, recording->trace, &error) &&
        reel_check_report(rules, recording->trace, findings,
                          words->recording.output ? recording->path : NULL, &result, &error);
    reel_finding_set_free(findings);
    if (!reel_trace_close(recording->trace, good ? &error : NULL))
        good = false;
    recording->trace = NULL;
    if (!good)
        return reel_recording_fail(command, recording, &error);
    bool timed_out = live->told && live->kind == REEL_LIVE_TIMEOUT;
    keep_or_remove(recording, words->recording.output, result.shown > 0 || timed_out);
    if (!recording->quiet && !result.shown && !timed_out)
        fprintf(stderr, "reel: no findings: %" PRIu64 " events of %u thread%s in %u process%s%s\n",
                recording->result.events, recording->result.threads,
                recording->result.threads == 1 ? "" : "s", recording->result.processes,
                recording->result.processes == 1 ? "" : "es",
                recording->result.attached ? "" : " (the program ran unrecorded)");
    if (result.failing)
        return rules->error_status;
    if (timed_out)
        return STATUS_TIMEOUT;
    return reel_recording_status(recording);
}

static int check_program(const struct reel_command *command, const struct words *words,
                         struct reel_check_rules *rules, char **argv)
{
    struct reel_recording recording;
    struct reel_check_live live;
    struct reel_error error = {0};
    enum reel_on_deadlock on_deadlock = REEL_ON_DEADLOCK_ABORT;
    if (words->on_deadlock && !reel_on_deadlock_parse(words->on_deadlock, &on_deadlock)) {
        reel_command_usage(command,
                           "--on-deadlock is one of abort, continue, core, debug, not '%s'",
                           words->on_deadlock);
        return REEL_STATUS_RECORDER;
    }
    reel_check_live_init(&live, on_deadlock, (uint64_t)(MAX(words->grace, 0) * 1e9),
                         (uint64_t)(MAX(words->timeout, 0) * 1e9));
    int status;
    if (reel_recording_prepare(&recording, &words->recording, argv[0], &error)) {
        /* A read-only folder is no reason not to check. */
        if (!words->recording.output && access(".", W_OK) != 0) {
            char *path = g_build_filename(g_get_tmp_dir(), recording.path, NULL);
            g_free(recording.path);
            recording.options.trace_path = recording.path = path;
        }
        live.pid = &recording.result.pid;
        live.terminal = !recording.quiet && isatty(STDERR_FILENO);
        live.hooks.only_timeout = words->no_live;
        struct reel_collect_hooks hooks = {.live = &live.hooks};
        status = reel_recording_run(&recording, argv, true, &hooks, &error)
                     ? judge(command, &recording, words, &live, rules)
                     : reel_recording_fail(command, &recording, &error);
    } else {
        status = reel_recording_fail(command, &recording, &error);
    }
    reel_check_live_clear(&live);
    reel_recording_finish(&recording, NULL);
    return status;
}

static bool check_trace(struct reel_check_rules *rules, const char *path,
                        struct reel_check_result *result, struct reel_error *error)
{
    struct reel_trace *trace = reel_trace_open_for_reading(path, false, error);
    if (!trace)
        return false;
    struct reel_finding_set *findings = reel_detect_trace(trace, error);
    bool good = findings && reel_check_report(rules, trace, findings, path, result, error);
    reel_finding_set_free(findings);
    reel_trace_close(trace, NULL);
    return good;
}

static int check_traces(const struct reel_command *command, struct reel_check_rules *rules,
                        int count, char **paths)
{
    struct reel_check_result result = {0};
    if (count > 1 && !reel_check_outputs_may_repeat(rules->outputs))
        return reel_command_usage(command, "a report in that format is about one trace");
    for (int i = 0; i < count; i++) {
        struct reel_error error = {0};
        if (!check_trace(rules, paths[i], &result, &error)) {
            int status = reel_command_fail(command, &error);
            return status == REEL_STATUS_FAILED ? REEL_STATUS_BAD_TRACE : status;
        }
    }
    return result.failing ? rules->error_status : REEL_STATUS_OK;
}

/* Is this argument a trace, rather than a program? Its name or its first bytes say so. */
static bool is_trace(const char *path)
{
    char magic[16] = "";
    FILE *file = fopen(path, "re");
    size_t length = file ? fread(magic, 1, sizeof magic, file) : 0;
    if (file)
        fclose(file);
    return g_str_has_suffix(path, ".reel") ||
           (length == sizeof magic && memcmp(magic, "SQLite format 3", 16) == 0);
}

static int parse(const struct reel_command *command, struct words *words, int *argc, char ***argv)
{
    GOptionEntry entries[REEL_RECORDING_ENTRIES + REEL_CHECK_ENTRIES + 6];
    unsigned count = reel_check_entries(&words->findings, entries);
    const GOptionEntry own[] = {
        {"on-deadlock", 0, 0, G_OPTION_ARG_STRING, &words->on_deadlock,
         "What becomes of a deadlocked or hung program: abort (default), continue, core, debug",
         "WHAT"},
        {"timeout", 0, 0, G_OPTION_ARG_DOUBLE, &words->timeout,
         "End the program after so long, and tell what its threads do (status 124)", "SECONDS"},
        {"grace", 0, 0, G_OPTION_ARG_DOUBLE, &words->grace,
         "How long everything must stand still to be a hang (default 2)", "SECONDS"},
        {"no-live", 0, 0, G_OPTION_ARG_NONE, &words->no_live,
         "Do not watch while the program runs; report at its end only", NULL},
        {"trace", 'o', 0, G_OPTION_ARG_FILENAME, &words->recording.output,
         "Keep the trace in FILE (default: PROGRAM-PID.reel, kept when there is a finding)",
         "FILE"}};
    char *kept = words->recording.output;
    memcpy(entries + count, own, sizeof own);
    count += G_N_ELEMENTS(own);
    count += reel_recording_entries(&words->recording, entries + count);
    words->recording.output = kept;
    words->recording.linger = LINGER_S;
    entries[count] = (GOptionEntry)G_OPTION_ENTRY_NULL;
    return reel_command_parse(command, entries, argc, argv, true);
}

static int run(const struct reel_command *command, int argc, char **argv)
{
    struct words words = {.grace = 2};
    struct reel_check_rules rules = {0};
    struct reel_error error = {0};
    bool separated = false;
    for (int i = 1; i < argc && !separated; i++)
        separated = strcmp(argv[i], "--") == 0;
    int usage = separated ? REEL_STATUS_RECORDER : REEL_STATUS_USAGE;
    int status = parse(command, &words, &argc, &argv);
    if (status >= 0) {
        status = status == REEL_STATUS_USAGE ? usage : status;
    } else if (argc < 2) {
        reel_command_usage(command, "no program and no trace to check");
        status = usage;
    } else if (!reel_check_rules_make(&rules, &words.findings, argv[1], &error)) {
        reel_command_fail(command, &error);
        status = usage;
    } else if (!separated && is_trace(argv[1])) {
        rules.offline = rules.kept = true;
        status = check_traces(command, &rules, argc - 1, argv + 1);
    } else {
        if (words.recording.output) {
            char *pattern = words.recording.output;
            words.recording.output = reel_check_file_name(pattern, argv[1]);
            g_free(pattern);
        }
        rules.quiet = words.recording.quiet;
        rules.kept = words.recording.output != NULL;
        status = check_program(command, &words, &rules, argv + 1);
    }
    if (status != usage && !reel_check_rules_finish(&rules, &error))
        status = reel_command_fail(command, &error);
    reel_check_rules_clear(&rules);
    reel_check_words_clear(&words.findings);
    reel_recording_words_clear(&words.recording);
    g_free(words.on_deadlock);
    return status;
}

const struct reel_command reel_command_check = {
    .name = "check",
    .arguments = "[--] PROGRAM [ARGUMENT…] | TRACE…",
    .summary =
        "find deadlocks, lock misuse and contention: live while a program runs, or in traces",
    .description =
        "Status: 66 with findings at or above --fail-on; else the program's own, 128+N when it\n"
        "died of signal N, 124 at --timeout, 125 when Reel failed, 126 when the program is not\n"
        "executable, 127 when it was not found. With traces: 0, 66, 2 usage, 3 bad input.\n"
        "Formats: text, json, sarif, junit, github, markdown. Manual: reel-check(1).\n",
    .run = run,
};
