/* Sealing: a recorded trace's chunks become plain rows. Merge gives the order, identity the
 * objects, the world intervals, holds and gaps; names come last. */
#ifndef REEL_MODEL_SEAL_H
#define REEL_MODEL_SEAL_H

#include "tracer/model/names.h"
#include "tracer/model/world.h"
#include "tracer/store/merge.h"
#include "tracer/store/rows.h"

struct reel_seal_options {
    enum reel_rows_writer writer;
    bool keep_chunks;
    bool tolerant; /* leave out chunks that are damaged (merge.damaged_chunks says how many) instead
                    of failing */
    /* Called every few ten thousand events with those done and those there are; false gives up, and
     * the trace stays as it was. May be NULL. */
    bool (*progress)(void *data, uint64_t done, uint64_t total);
    void *progress_data;
    struct reel_identity_resolver identity; /* .resolve NULL: the trace's own mappings */
    struct reel_name_resolver names;        /* .symbol and .site may be NULL */
};

struct reel_seal_result {
    struct reel_merge_statistics merge;
    struct reel_world_statistics world;
    uint64_t objects;
    uint64_t end_ns; /* of the trace */
};

/* Seals `trace`, which is open for writing and not sealed, or still has its chunks. `result` may be
 * NULL. On failure the trace is unsealed and can be sealed again. */
bool reel_seal(struct reel_trace *trace, const struct reel_seal_options *options,
               struct reel_seal_result *result, struct reel_error *error);

#endif
