/* Quiescence: can anything still move? Every thread of every traced process is in an untimed wait
 * that only one of these threads could end. */
#ifndef REEL_COLLECT_LIVE_QUIET_H
#define REEL_COLLECT_LIVE_QUIET_H

#include "tracer/collect/live_graph.h"
#include "tracer/collect/live_holds.h"
#include "tracer/collect/processes.h"

/* Cheap, from the slots alone: is that a wait of a kind that could be part of a hang? */
bool reel_live_may_be_stuck(const struct reel_live_party *party);

/* Dear, by /proc: does the whole program stand still, with no outside that could wake it? `graph`:
 * all threads, each of which may be stuck. */
bool reel_live_is_quiet(const struct reel_live_graph *graph, const struct reel_live_holds *holds,
                        struct reel_processes *processes);

#endif
