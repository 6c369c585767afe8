#include "tracer/commands/sealing.h"

#include <stdio.h>
#include <unistd.h>

#include "tracer/model/live_table.h"
#include "tracer/symbols/sealing.h"

static bool print_progress(void *data, uint64_t done, uint64_t total)
{
    (void)data;
    fprintf(stderr, "\r\033[Kreel: sorting %.0f %% of %llu events",
            total ? 100.0 * (double)done / (double)total : 100.0, (unsigned long long)total);
    return true;
}

bool reel_seal_with_symbols(struct reel_trace *trace, bool show_progress, bool tolerant,
                            struct reel_seal_result *result, struct reel_error *error)
{
    bool terminal = show_progress && isatty(STDERR_FILENO);
    const struct reel_sealing_options options = {
        .tolerant = tolerant,
        .progress = terminal ? print_progress : NULL,
    };
    bool good = reel_seal_named(trace, &options, result, error);
    if (terminal)
        fputs("\r\033[K", stderr);
    return good;
}

struct reel_trace *reel_trace_open_for_reading(const char *path, bool may_be_unsealed,
                                               struct reel_error *error)
{
    struct reel_trace *trace = reel_trace_open(path, REEL_TRACE_READ, error);
    if (!trace || reel_trace_state(trace) == REEL_TRACE_SEALED)
        return trace;
    if (reel_trace_state(trace) == REEL_TRACE_CLOSED && access(path, W_OK) == 0) {
        reel_trace_close(trace, NULL);
        trace = reel_trace_open(path, REEL_TRACE_WRITE, error);
        if (!trace)
            return NULL;
        if (reel_seal_with_symbols(trace, true, false, NULL, error))
            return trace;
        reel_trace_close(trace, NULL);
        return NULL;
    }
    if (may_be_unsealed && reel_live_table_register(trace, error))
        return trace;
    if (!may_be_unsealed) {
        bool recording = reel_trace_state(trace) == REEL_TRACE_RECORDING;
        reel_error_set(error, REEL_ERROR_LIMIT, 0, "%s: %s", path,
                       recording ? "still being recorded, or its recorder died"
                                 : "not sealed, and not writable");
        reel_error_hint(error,
                        recording ? "If nothing records into it any more: reel recover %s"
                                  : "Copy it to where it can be written: %s",
                        path);
    }
    reel_trace_close(trace, NULL);
    return NULL;
}

int reel_command_open(const struct reel_command *command, const GOptionEntry *entries, int argc,
                      char **argv, bool may_be_unsealed, struct reel_trace **trace)
{
    struct reel_error error = {0};
    int status = reel_command_parse(command, entries, &argc, &argv, false);
    if (status >= 0)
        return status;
    if (argc != 2)
        return reel_command_usage(command, "one trace file is wanted");
    *trace = reel_trace_open_for_reading(argv[1], may_be_unsealed, &error);
    return *trace ? -1 : reel_command_fail(command, &error);
}
