/* Totals: sums over all intervals and holds, made while sealing, so that a report of a trace of any
 * length is a few small tables. Each row equals what a GROUP BY over `interval` or `hold` would
 * give. */
#ifndef REEL_MODEL_TOTALS_H
#define REEL_MODEL_TOTALS_H

#include "tracer/model/world.h"
#include "tracer/store/trace.h"

struct reel_totals;

struct reel_totals *reel_totals_new(void);
void reel_totals_free(struct reel_totals *totals);

void reel_totals_interval(struct reel_totals *totals, const struct reel_interval *interval);
void reel_totals_hold(struct reel_totals *totals, const struct reel_hold *hold);

/* Writes tables thread_state, thread_wait, lock_total and lock_site, in place of what was there,
 * within the caller's transaction. */
bool reel_totals_write(struct reel_totals *totals, struct reel_trace *trace,
                       struct reel_error *error);

#endif
