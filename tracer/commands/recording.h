/* Running a program under the recorder, as `reel record` and `reel check` both do it: the options
 * that say how, the signals that come meanwhile, the progress line, sealing, the exit status. */
#ifndef REEL_COMMANDS_RECORDING_H
#define REEL_COMMANDS_RECORDING_H

#include "tracer/collect/collect.h"
#include "tracer/commands/command.h"
#include "tracer/commands/watch_spec.h"
#include "tracer/model/seal.h"

/* What the user said. Filled in by the options. */
struct reel_recording_words {
    char *output, *only, *without, *limit, *stacks, *buffer;
    char **watch; /* NULL-terminated, or NULL */
    gboolean lossless, follow, no_follow, no_scheduling, memory, quiet;
    double flight, linger;
    int depth;
};

#define REEL_RECORDING_ENTRIES 16u

/* Sets the defaults and writes the options both commands have, REEL_RECORDING_ENTRIES at most;
 * returns how many. `words` must outlive the parsing. */
unsigned reel_recording_entries(struct reel_recording_words *words, GOptionEntry *entries);
void reel_recording_words_clear(struct reel_recording_words *words);

struct reel_recording {
    struct reel_collect_options options;
    struct reel_collect_result result;
    struct reel_seal_result sealed;
    struct reel_trace *trace; /* open for writing after a good run; else NULL */
    char *path;
    char *probe_path, *memory_path;
    struct reel_watch_specs *watch; /* NULL: nothing is to be watched */
    bool quiet;
    bool started; /* the program ran */
};

/* Turns words into options and chooses the trace's path (PROGRAM-PID.reel when none was given).
 * The recording is to be finished also when this fails. */
bool reel_recording_prepare(struct reel_recording *recording,
                            const struct reel_recording_words *words, const char *program,
                            struct reel_error *error);

/* Records argv[0]… into the path, and seals it if asked. `hooks` may be NULL; its `progress` is set
 * here, and gets the recording as its data. Signals sent to this process alone are passed on to the
 * program from here on; the second one ends the recording. False: an error is set; the trace of a
 * program that never ran is removed. */
bool reel_recording_run(struct reel_recording *recording, char **argv, bool seal,
                        struct reel_collect_hooks *hooks, struct reel_error *error);
/* Closes the trace and frees. */
bool reel_recording_finish(struct reel_recording *recording, struct reel_error *error);

/* The program's own status, 128+N when it died of signal N. */
int reel_recording_status(const struct reel_recording *recording);
/* After a failure: says so, and returns 125, 126 or 127. */
int reel_recording_fail(const struct reel_command *command, const struct reel_recording *recording,
                        const struct reel_error *error);

#endif
