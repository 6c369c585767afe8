/* Who blocks whom: the edges of the wait-for graph, from the locks themselves and from the drained
 * events. */
#ifndef REEL_COLLECT_LIVE_OWNER_H
#define REEL_COLLECT_LIVE_OWNER_H

#include "tracer/collect/live_graph.h"
#include "tracer/collect/live_holds.h"
#include "tracer/collect/processes.h"

/* Is a wait of that class one whose blockers are threads? */
bool reel_live_has_owner(const struct reel_live_party *party);

/* Adds the blockers of every party that has been blocked, untimed, on something owned. Waits whose
 * owners cannot be told for certain get none. */
void reel_live_add_blockers(struct reel_live_graph *graph, const struct reel_live_holds *holds,
                            struct reel_processes *processes,
                            const uint64_t *handles /* pthread_t by party */);

#endif
