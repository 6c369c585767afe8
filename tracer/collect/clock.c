#include "tracer/collect/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "probes/event/clock.h"

static uint64_t monotonic(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* A pair taken as close together as eight tries allow. */
static void take_pair(enum reel_clock clock, uint64_t *tick, uint64_t *ns)
{
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < 8; i++) {
        uint64_t before = reel_clock_read(clock);
        uint64_t now = monotonic();
        uint64_t after = reel_clock_read(clock);
        if (after - before < best) {
            best = after - before;
            *tick = before + (after - before) / 2;
            *ns = now;
        }
    }
    if (clock == REEL_CLOCK_MONOTONIC)
        *tick = *ns;
}

static enum reel_clock choose(void)
{
#if defined(__x86_64__)
    char source[32] = "";
    FILE *file = fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource", "re");
    if (file) {
        if (!fgets(source, sizeof source, file))
            source[0] = '\0';
        fclose(file);
    }
    if (strncmp(source, "tsc", 3) == 0)
        return REEL_CLOCK_TSC;
#endif
    return REEL_CLOCK_MONOTONIC;
}

void reel_clock_map_start(struct reel_clock_map *map)
{
    memset(map, 0, sizeof *map);
    map->clock = choose();
    take_pair(map->clock, &map->first_tick, &map->first_ns);
    map->anchor_tick = map->first_tick;
    map->ns_per_tick = 1.0;
    if (map->clock == REEL_CLOCK_MONOTONIC)
        return;
    struct timespec moment = {.tv_nsec = 500000};
    nanosleep(&moment, NULL);
    uint64_t tick, ns;
    take_pair(map->clock, &tick, &ns);
    map->ns_per_tick = (double)(ns - map->first_ns) / (double)(tick - map->first_tick);
}

void reel_clock_map_adjust(struct reel_clock_map *map)
{
    if (map->clock == REEL_CLOCK_MONOTONIC)
        return;
    uint64_t tick, ns;
    take_pair(map->clock, &tick, &ns);
    if (tick <= map->anchor_tick)
        return;
    double here = map->anchor_ns + (double)(tick - map->anchor_tick) * map->ns_per_tick;
    double truth = (double)(ns - map->first_ns);
    double rate = truth / (double)(tick - map->first_tick);
    /* Continue from where the line is; close the distance to the truth within the next second. */
    map->anchor_tick = tick;
    map->anchor_ns = here;
    double correction = (truth - here) * 1e-9;
    if (correction < -1e-3)
        correction = -1e-3;
    else if (correction > 1e-3)
        correction = 1e-3;
    map->ns_per_tick = rate * (1.0 + correction);
}

uint64_t reel_clock_map_ticks(const struct reel_clock_map *map)
{
    return reel_clock_read(map->clock);
}

uint64_t reel_clock_map_ns(const struct reel_clock_map *map, uint64_t ticks)
{
    if (map->clock == REEL_CLOCK_MONOTONIC)
        return ticks > map->first_tick ? ticks - map->first_tick : 0;
    double ns = map->anchor_ns + (double)(int64_t)(ticks - map->anchor_tick) * map->ns_per_tick;
    return ns > 0 ? (uint64_t)ns : 0;
}

uint64_t reel_clock_map_monotonic(const struct reel_clock_map *map, uint64_t monotonic_ns)
{
    return monotonic_ns > map->first_ns ? monotonic_ns - map->first_ns : 0;
}
