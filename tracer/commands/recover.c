/* reel recover: finish a trace whose recorder died, or that was left unsealed. */
#include <inttypes.h>
#include <stdio.h>

#include "tracer/commands/command.h"
#include "tracer/commands/sealing.h"

static int run(const struct reel_command *command, int argc, char **argv)
{
    gboolean quiet = FALSE;
    const GOptionEntry entries[] = {
        {"quiet", 'q', 0, G_OPTION_ARG_NONE, &quiet, "No progress, no summary", NULL},
        G_OPTION_ENTRY_NULL};
    int status = reel_command_parse(command, entries, &argc, &argv, false);
    if (status >= 0)
        return status;
    if (argc != 2)
        return reel_command_usage(command, "one trace file is wanted");
    struct reel_error error = {0};
    struct reel_trace *trace = reel_trace_open(argv[1], REEL_TRACE_WRITE, &error);
    if (!trace)
        return reel_command_fail(command, &error);
    if (reel_trace_state(trace) == REEL_TRACE_SEALED) {
        if (!quiet)
            fprintf(stderr, "reel: %s is whole already\n", argv[1]);
        reel_trace_close(trace, NULL);
        return REEL_STATUS_OK;
    }
    struct reel_seal_result result = {0};
    bool good = reel_seal_with_symbols(trace, !quiet, true, &result, &error);
    if (!reel_trace_close(trace, good ? &error : NULL))
        good = false;
    if (!good)
        return reel_command_fail(command, &error);
    if (!quiet)
        fprintf(stderr, "reel: %s: %" PRIu64 " events, %" PRIu64 " objects\n", argv[1],
                result.merge.events, result.objects);
    if (!quiet && result.merge.damaged_chunks)
        fprintf(stderr, "reel: %" PRIu64 " damaged pieces of it were left out\n",
                (uint64_t)result.merge.damaged_chunks);
    return REEL_STATUS_OK;
}

const struct reel_command reel_command_recover = {
    .name = "recover",
    .arguments = "TRACE",
    .summary = "finish a trace whose recording was cut off",
    .run = run,
};
