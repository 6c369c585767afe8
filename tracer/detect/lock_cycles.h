/* Circles in lock order: dependencies of different threads, each asking for what the next one
 * holds, that nothing keeps from happening at the same time.
 *
 * First everything that cannot be in a circle goes: dependencies on a lock that nobody holds while
 * asking, or that hold only locks nobody asks for, again and again until nothing changes (Cai and
 * Chan, "MagicFuzzer", ICSE 2012); then dependencies whose locks are not in one strongly connected
 * component of the lock graph. What is left is searched, short circles first; a circle that
 * contains the locks of a shorter one is not another finding. */
#ifndef REEL_DETECT_LOCK_CYCLES_H
#define REEL_DETECT_LOCK_CYCLES_H

#include "tracer/detect/lock_order.h"

struct reel_lock_cycle {
    const struct reel_lock_dependency *const *dependency;
    const struct reel_lock_witness *const *witness; /* one moment of each that go together */
    size_t count;
    bool proved;
};

/* Calls `found` for each circle. False when the search was given up after `steps` steps: there may
 * be more. */
bool reel_lock_cycles(const struct reel_lock_order *order, uint64_t steps,
                      void (*found)(void *data, const struct reel_lock_cycle *cycle), void *data);

#endif
