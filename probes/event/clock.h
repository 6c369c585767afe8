/* Time stamps, read the same way on both sides: raw ticks, converted to nanoseconds by the
 * collector. The time-stamp counter where the kernel itself trusts it (the collector looked), else
 * CLOCK_MONOTONIC through the vDSO. */
#ifndef REEL_EVENT_CLOCK_H
#define REEL_EVENT_CLOCK_H

#include <stdint.h>
#include <time.h>

#include "probes/event/region.h"

static inline uint64_t reel_clock_read(uint32_t clock)
{
#if defined(__x86_64__)
    if (__builtin_expect(clock == REEL_CLOCK_TSC, 1))
        return __builtin_ia32_rdtsc();
#endif
    (void)clock;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#endif
