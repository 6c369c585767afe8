/* What is mapped where in a process, as /proc/PID/maps tells it. */
#ifndef REEL_COLLECT_MAPS_H
#define REEL_COLLECT_MAPS_H

#include "tracer/collect/processes.h"

/* Stores what a symbol or a shared object may be found in, when it changed since the last reading.
 * A process that is gone already is no error. */
bool reel_maps_read(struct reel_trace *trace, struct reel_process *process, uint64_t now_ns,
                    struct reel_error *error);

#endif
