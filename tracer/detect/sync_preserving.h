/* Is a deadlock reachable by a reordering of this very trace? The sync-preserving closure.
 *
 * A reordering that keeps each thread's order, what each wait was woken by, what annotated reads
 * saw, and the order of the critical sections of every lock (as far as it contains them), is a run
 * that the program can have. The closure of what comes before the requests is the least such
 * prefix; when it contains none of the requested acquisitions, stopping there leaves all threads of
 * the pattern about to ask for what another of them holds: a deadlock. Sound: no false one.
 * After Tunç, Mathur, Pavlogiannis, Viswanathan, "Sound Dynamic Deadlock Prediction in Linear
 * Time", PLDI 2023, section 4; here with must-happens-before in the place of its fork, join and
 * reads-from edges, and with read locks, whose sections do not order one another. */
#ifndef REEL_DETECT_SYNC_PRESERVING_H
#define REEL_DETECT_SYNC_PRESERVING_H

#include "tracer/detect/lock_order.h"

struct reel_sync_preserving;

struct reel_sync_preserving *reel_sync_preserving_new(const struct reel_lock_order *order);
void reel_sync_preserving_free(struct reel_sync_preserving *closure);

/* Where a thread is to stand: just before `position`, the acquisition, or the request that was
 * never granted. Where that is not known exactly, it is the last one possible, and `first` the
 * earliest: what others need of the thread from there on may be too much. */
struct reel_sync_preserving_request {
    uint32_t thread, position, first;
    const struct reel_clock *replay;
};

/* True when a reordering reaches all `count` requests at once. */
bool reel_sync_preserving_reaches(struct reel_sync_preserving *closure,
                                  const struct reel_sync_preserving_request *request, size_t count);

#endif
