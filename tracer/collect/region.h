/* The collector's side of the shared region: making it, feeding its pool, taking drained blocks
 * back. Used by the collector's thread alone. */
#ifndef REEL_COLLECT_REGION_H
#define REEL_COLLECT_REGION_H

#include <stdbool.h>

#include "tracer/collect/options.h"
#include "tracer/error.h"

struct reel_region_owner {
    struct reel_region *region;
    int descriptor;
    char path[64];         /* by which a process of the same user opens it */
    uint32_t ready_blocks; /* prefaulted so far; the rest of the capacity takes no memory yet */
    uint32_t total_blocks; /* at most */
    bool memory_exhausted; /* the kernel gave no more */
};

/* Makes the region, with `first_blocks` blocks in the pool. */
bool reel_region_open(struct reel_region_owner *owner, const struct reel_collect_options *options,
                      enum reel_clock clock, double ticks_per_ns, uint32_t first_blocks,
                      struct reel_error *error);
void reel_region_close(struct reel_region_owner *owner);

/* Keeps at least `wanted` free blocks in the pool, as far as memory and the limit allow. */
void reel_region_feed(struct reel_region_owner *owner, uint32_t wanted);

/* Gives a drained block back: zeroed, on top of the pool. */
void reel_region_recycle(struct reel_region_owner *owner, uint32_t index);

#endif
