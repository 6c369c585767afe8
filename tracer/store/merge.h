/* Merge: the chunks of all streams as one sequence of events in the exact global order.
 *
 * Within a thread, events keep their order. Among the events of one object (or stripe) the sequence
 * numbers decide, never the clock: an event whose predecessor has not come yet is held back, with
 * its whole stream, until it has; if it never comes (it was lost), the oldest held-back event goes
 * on and is counted in `orders_broken`. Otherwise time decides. Times come out unique and
 * increasing: a repaired or equal time is raised to one nanosecond after the event before it. */
#ifndef REEL_STORE_MERGE_H
#define REEL_STORE_MERGE_H

#include "tracer/store/trace.h"

struct reel_merge;

struct reel_merge_statistics {
    uint64_t events;   /* delivered */
    uint64_t repaired; /* held back because the clock disagreed with the sequence */
    uint64_t largest_repair_ns;
    uint64_t orders_broken;  /* predecessors that never came */
    uint64_t damaged_chunks; /* left out; only when tolerant */
};

/* Reads every chunk of `trace`. Memory: one decoded chunk a stream. The trace must stay open. */
struct reel_merge *reel_merge_new(struct reel_trace *trace, struct reel_error *error);
/* The same, but what cannot be read is left out instead of being an error: chunks are skipped and
 * counted in `damaged_chunks`. For recovering damaged traces. */
struct reel_merge *reel_merge_new_tolerant(struct reel_trace *trace, struct reel_error *error);
/* Those left out so far: rows of `chunk`, index 0 … damaged_chunks - 1. */
int64_t reel_merge_damaged(const struct reel_merge *merge, uint32_t index);
void reel_merge_free(struct reel_merge *merge);

/* The next event, valid until the next call; NULL at the end, or on an error (then error is set).
 */
const struct reel_event *reel_merge_next(struct reel_merge *merge, struct reel_error *error);
const struct reel_merge_statistics *reel_merge_statistics(const struct reel_merge *merge);

#endif
