/* Sealing with names: what was recorded becomes plain rows, and its objects get the names that the
 * programs' symbols give them. */
#ifndef REEL_SYMBOLS_SEALING_H
#define REEL_SYMBOLS_SEALING_H

#include "tracer/model/seal.h"

struct reel_sealing_options {
    bool tolerant; /* what of the trace is damaged is left out */
    /* As in reel_seal_options. */
    bool (*progress)(void *data, uint64_t done, uint64_t total);
    void *progress_data;
};

/* Names frames, seals, names objects and threads. `trace` is open for writing. `result` may be
 * NULL.
 */
bool reel_seal_named(struct reel_trace *trace, const struct reel_sealing_options *options,
                     struct reel_seal_result *result, struct reel_error *error);

#endif
