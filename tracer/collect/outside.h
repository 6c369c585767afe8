/* What of the outside could end a process's waits, noted in the trace while the process can still
 * be asked: signals it handles itself, and threads the probe does not see (those of the C library's
 * timers, for example). Whoever judges the trace later cannot ask any more. */
#ifndef REEL_COLLECT_OUTSIDE_H
#define REEL_COLLECT_OUTSIDE_H

#include "tracer/collect/processes.h"

/* Asks again when it is time to: more rarely when `alive` processes have to be asked. */
bool reel_outside_look(struct reel_trace *trace, struct reel_region *region,
                       struct reel_process *process, unsigned alive, uint64_t now_ns,
                       struct reel_error *error);

#endif
