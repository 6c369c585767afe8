/* The flight recorder: of a recording without end, only the last seconds are kept. */
#ifndef REEL_COLLECT_FLIGHT_H
#define REEL_COLLECT_FLIGHT_H

#include "tracer/store/trace.h"

/* Removes the chunks whose last event is older than `before_ns`. *dropped: events in them. The file
 * does not shrink, but what is free in it is used again. */
bool reel_flight_drop(struct reel_trace *trace, uint64_t before_ns, uint64_t *dropped,
                      struct reel_error *error);

#endif
