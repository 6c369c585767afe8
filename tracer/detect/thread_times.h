/* What each thread did in all: sums of its intervals, for detectors that compare time waited with
 * time worked. */
#ifndef REEL_DETECT_THREAD_TIMES_H
#define REEL_DETECT_THREAD_TIMES_H

#include <glib.h>

#include "tracer/detect/detector.h"

struct reel_thread_times {
    uint64_t state_ns[REEL_STATE_COUNT];
    uint64_t first_ns, last_ns;
};

/* By thread number: a GArray of struct reel_thread_times. */
GArray *reel_thread_times_new(void);
void reel_thread_times_add(GArray *times, const struct reel_interval *interval);
/* Zeros for a thread that did nothing. */
struct reel_thread_times reel_thread_times_at(const GArray *times, uint32_t thread);
/* On a processor, as far as is known. */
uint64_t reel_thread_times_running(const struct reel_thread_times *times);
uint64_t reel_thread_times_total(const struct reel_thread_times *times);

#endif
