/* Races that this run hides: two accesses that only the order in which threads happened to get some
 * locks kept apart. Told as *proved* when a reordering that keeps all else reaches both at once:
 * the sync-preserving closure of what comes before them contains neither. After Mathur,
 * Pavlogiannis and Viswanathan, "Optimal prediction of synchronization-preserving races", POPL
 * 2021.
 *
 * Reads-from comes from the program, which tells what its threads see of one another's writes
 * (SEEN, probes/memory/seen.c); a program in which that cannot be seen tells no such pair. */
#ifndef REEL_DETECT_RACE_HIDDEN_H
#define REEL_DETECT_RACE_HIDDEN_H

#include "tracer/detect/race_report.h"

struct reel_race_hidden;

struct reel_race_hidden *reel_race_hidden_new(const struct reel_detect_context *context);
void reel_race_hidden_free(struct reel_race_hidden *hidden);

/* Every event and interval. */
void reel_race_hidden_event(struct reel_race_hidden *hidden, const struct reel_event *event,
                            uint32_t object, uint32_t other);
void reel_race_hidden_interval(struct reel_race_hidden *hidden,
                               const struct reel_interval *interval);

/* Two accesses to be judged at the end. The second one's thread is where it was then; the first one
 * came after its thread's event at `position`, which was its last release. */
void reel_race_hidden_add(struct reel_race_hidden *hidden, const struct reel_race *race,
                          uint32_t position);

/* Reports what is proved. */
void reel_race_hidden_finish(struct reel_race_hidden *hidden);

#endif
