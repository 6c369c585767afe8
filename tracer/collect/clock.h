/* From raw ticks to nanoseconds since the recording began.
 *
 * Where the kernel's own clock source is the TSC, the target stamps with it and the rate is
 * measured here against CLOCK_MONOTONIC: with pairs taken before the target starts and every second
 * after. Between two pairs the conversion is linear, and it is continuous where they meet, so order
 * is kept. */
#ifndef REEL_COLLECT_CLOCK_H
#define REEL_COLLECT_CLOCK_H

#include <stdint.h>

#include "probes/event/region.h"

struct reel_clock_map {
    enum reel_clock clock;
    uint64_t first_tick, first_ns; /* a pair: raw ticks and CLOCK_MONOTONIC */
    uint64_t anchor_tick;
    double anchor_ns; /* since the start, at anchor_tick */
    double ns_per_tick;
};

/* Chooses the clock and takes the first pair. Takes about 1 ms to have a first rate. */
void reel_clock_map_start(struct reel_clock_map *map);
/* Takes another pair and bends the line towards it. About once a second. */
void reel_clock_map_adjust(struct reel_clock_map *map);

uint64_t reel_clock_map_ticks(const struct reel_clock_map *map);
/* Nanoseconds since the recording began; 0 for moments before it. */
uint64_t reel_clock_map_ns(const struct reel_clock_map *map, uint64_t ticks);
/* The same for a CLOCK_MONOTONIC reading. */
uint64_t reel_clock_map_monotonic(const struct reel_clock_map *map, uint64_t monotonic_ns);

#endif
