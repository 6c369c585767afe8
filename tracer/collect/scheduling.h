/* Who ran when: the kernel's context switches of the target's threads, where it tells them.
 *
 * One software event per processor, inherited by every thread and process the target makes, with
 * PERF_RECORD_SWITCH records (perf_event_open(2), context_switch): unprivileged at the usual
 * paranoia level, nothing in the target. Where the kernel refuses, `why` says so and threads count
 * as running whenever they are not seen waiting. */
#ifndef REEL_COLLECT_SCHEDULING_H
#define REEL_COLLECT_SCHEDULING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct reel_scheduling;

struct reel_switch {
    uint64_t monotonic_ns;
    int32_t tid;
    uint32_t cpu;
    bool in;        /* got the processor; else left it */
    bool preempted; /* left it although it could have gone on */
};

/* Watches `pid` (not yet running) and all it will make. NULL: not available; `why` (at least 160
 * bytes) says for what reason. */
struct reel_scheduling *reel_scheduling_open(pid_t pid, char *why);
void reel_scheduling_close(struct reel_scheduling *scheduling);

/* Calls `each` for the switches since the last call, in order of time. Switches of the last moment
 * may be kept back until the next call, unless `final`. */
void reel_scheduling_drain(struct reel_scheduling *scheduling, bool final,
                           void (*each)(void *data, const struct reel_switch *change), void *data);
/* Switches the kernel dropped because the buffers were full. */
uint64_t reel_scheduling_lost(const struct reel_scheduling *scheduling);

#endif
