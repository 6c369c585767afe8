/* Races that instrumented code told (probes/memory): pairs of accesses that nothing in their
 * program ordered, to be judged by all synchronisation of the recording. */
#ifndef REEL_DETECT_RACE_TOLD_H
#define REEL_DETECT_RACE_TOLD_H

#include "tracer/detect/happens_before.h"

struct reel_race_told;

struct reel_race_told *reel_race_told_new(const struct reel_detect_context *context);
void reel_race_told_free(struct reel_race_told *told);

/* Every event, after `order` was told it. */
void reel_race_told_event(struct reel_race_told *told, struct reel_happens_before *order,
                          const struct reel_event *event, uint32_t object, uint32_t other);
void reel_race_told_interval(struct reel_race_told *told, const struct reel_interval *interval);
/* Judges what locks ordered, now that all is known. */
void reel_race_told_finish(struct reel_race_told *told);

/* Is this READ or WRITE one of instrumented code? */
bool reel_race_is_told(const struct reel_event *event);

#endif
