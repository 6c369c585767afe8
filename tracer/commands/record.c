/* reel record: run a program, keep what its threads do. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "tracer/commands/probe_path.h"
#include "tracer/commands/recording.h"

static int record(const struct reel_command *command, struct reel_recording *recording, char **argv,
                  bool seal)
{
    struct reel_error error = {0};
    bool good = reel_recording_run(recording, argv, seal, NULL, &error);
    const struct reel_collect_result *result = &recording->result;
    if (good && recording->trace && !reel_trace_close(recording->trace, &error))
        good = false;
    recording->trace = NULL;
    if (!good)
        return reel_recording_fail(command, recording, &error);
    if (!recording->quiet)
        fprintf(stderr,
                "reel: %s: %" PRIu64 " events of %u thread%s in %u process%s, %.3f s, %" PRIu64
                " lost\nreel: next: reel report %s\n",
                recording->path, result->events, result->threads, result->threads == 1 ? "" : "s",
                result->processes, result->processes == 1 ? "" : "es",
                (double)result->duration_ns / 1e9, result->lost, recording->path);
    if (!recording->quiet && result->unrecorded)
        fprintf(stderr, "reel: %u process%s %s\n", result->unrecorded,
                result->unrecorded == 1 ? "" : "es", result->unrecorded_note);
    return reel_recording_status(recording);
}

/* What ends us by the terminal is not meant for the viewer. */
static void leave_terminal(void *data)
{
    (void)data;
    setsid();
}

/* The viewer, beside us: it waits for the trace, and outlives us. */
static bool open_viewer(const char *path, struct reel_error *error)
{
    g_autofree char *viewer = reel_viewer_path(error);
    g_autoptr(GError) failed = NULL;
    if (!viewer)
        return false;
    g_autofree char *place = g_canonicalize_filename(path, NULL);
    char *arguments[] = {viewer, (char *)"--wait", place, NULL};
    if (g_spawn_async(NULL, arguments, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, leave_terminal, NULL, NULL,
                      &failed))
        return true;
    reel_error_set(error, REEL_ERROR_SYSTEM, 0, "%s", failed->message);
    return reel_error_hint(error, "Without the viewer: leave --view out.");
}

static int run(const struct reel_command *command, int argc, char **argv)
{
    struct reel_recording_words words;
    gboolean no_seal = FALSE, view = FALSE;
    GOptionEntry entries[REEL_RECORDING_ENTRIES + 4];
    unsigned count = reel_recording_entries(&words, entries);
    entries[count++] = (GOptionEntry){"output",
                                      'o',
                                      0,
                                      G_OPTION_ARG_FILENAME,
                                      &words.output,
                                      "Write the trace to FILE (default: PROGRAM-PID.reel)",
                                      "FILE"};
    entries[count++] = (GOptionEntry){"no-seal",
                                      0,
                                      0,
                                      G_OPTION_ARG_NONE,
                                      &no_seal,
                                      "Leave the events as chunks; "
                                      "'reel recover' seals later",
                                      NULL};
    entries[count++] = (GOptionEntry){
        "view", 0, 0, G_OPTION_ARG_NONE, &view, "Open the viewer at once, and watch the trace grow",
        NULL};
    entries[count] = (GOptionEntry)G_OPTION_ENTRY_NULL;
    int status = reel_command_parse(command, entries, &argc, &argv, true);
    if (status >= 0) {
        status = status == REEL_STATUS_USAGE ? REEL_STATUS_RECORDER : status;
    } else if (argc < 2) {
        reel_command_usage(command, "no program to record");
        status = REEL_STATUS_RECORDER;
    } else {
        struct reel_recording recording;
        struct reel_error error = {0};
        if (reel_recording_prepare(&recording, &words, argv[1], &error) &&
            (!view || open_viewer(recording.path, &error)))
            status = record(command, &recording, argv + 1, !no_seal);
        else
            status = reel_recording_fail(command, &recording, &error);
        reel_recording_finish(&recording, NULL);
    }
    reel_recording_words_clear(&words);
    return status;
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
