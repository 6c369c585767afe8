/* The loop of a thread that polls: poll and select have no object of their own. */
#ifndef REEL_PRELOAD_LOOP_H
#define REEL_PRELOAD_LOOP_H

#include "probes/preload/probe.h"

static inline uint64_t reel_loop_of_thread(const struct reel_tls *tls)
{
    return 1ull << 54 | (tls->slot ? tls->slot->number : 0);
}

#endif
