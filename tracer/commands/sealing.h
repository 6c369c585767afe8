/* From a recorded trace to one that can be looked at: symbols, then plain rows. */
#ifndef REEL_COMMANDS_SEALING_H
#define REEL_COMMANDS_SEALING_H

#include "tracer/commands/command.h"
#include "tracer/model/seal.h"

/* Names frames, seals, names objects and threads. `trace` is open for writing. `tolerant`: what of
 * it is damaged is left out. */
bool reel_seal_with_symbols(struct reel_trace *trace, bool show_progress, bool tolerant,
                            struct reel_seal_result *result, struct reel_error *error);

/* Opens a trace to be looked at: one that is not sealed is sealed first if it may be written and
 * nobody is recording into it; `may_be_unsealed`: otherwise as it is, its events through the live
 * table. */
struct reel_trace *reel_trace_open_for_reading(const char *path, bool may_be_unsealed,
                                               struct reel_error *error);

/* How the commands that look at one trace begin: parses their options, opens the one file that is
 * left. Returns the exit status when there is nothing more to do, else -1 with `trace` open. */
int reel_command_open(const struct reel_command *command, const GOptionEntry *entries, int argc,
                      char **argv, bool may_be_unsealed, struct reel_trace **trace);

#endif
