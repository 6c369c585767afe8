/* The watch over a running program: says when a deadlock or a hang has become certain.
 *
 * Every thread publishes what it is blocked on in its slot of the region. Ten times a second the
 * watch looks at all slots; that is one pass over shared memory. Only where threads have been
 * blocked for a while on something that other threads hold does it ask who the owners are (from the
 * target's own locks, or from the drained events) and draws the wait-for graph.
 *
 *   Deadlock: a cycle of untimed waits for locks, joins or one-time initialisations, or a wait for
 * a lock whose owner exists no more. Seen in two looks with the very same waits, it is final: none
 *   of the parties can run, and nobody else may release what they hold. A semaphore of one unit
 * that was always given back by who took it is such a lock; then the cycle must stand through the
 *   grace period.
 *
 *   Hang: every thread of every traced process is in an untimed wait that only another of these
 *   threads could end: no signal handler, no descriptor that leads outside, no unknown thread or
 *   child. The same waits through the grace period.
 *
 * Where a question cannot be answered the watch stays silent: a false alarm is worse than a late
 * one. Used by the collector's thread alone. */
#ifndef REEL_COLLECT_LIVE_WATCH_H
#define REEL_COLLECT_LIVE_WATCH_H

#include "tracer/collect/live_graph.h"
#include "tracer/collect/live_holds.h"
#include "tracer/collect/processes.h"

enum reel_live_kind {
    REEL_LIVE_SUSPECT,  /* a hang unless something moves within the grace period */
    REEL_LIVE_DEADLOCK, /* final */
    REEL_LIVE_HANG,     /* final */
    REEL_LIVE_TIMEOUT,  /* the user's limit was reached: what everybody does, hung or not */
};

/* One thread of a verdict. */
struct reel_live_wait {
    uint32_t thread, process; /* numbers in the recording */
    pid_t pid, tid;
    char name[16];     /* the kernel's */
    bool blocked;      /* the rest holds */
    uint64_t since_ns; /* since the recording began */
    uint64_t object;
    const char *object_name; /* what the program calls it; NULL: nothing. Lives during the call */
    uint32_t call;           /* enum reel_call, with REEL_CALL_TIMED */
    uint8_t class;
    uint32_t blocker; /* number of the thread it waits for; 0: none in particular */
    bool owner_gone;
};

struct reel_live_verdict {
    enum reel_live_kind kind;
    uint64_t time_ns;  /* of the look that made it certain */
    uint64_t since_ns; /* when the last party began to wait: it was inevitable from then on */
    const struct reel_live_wait *wait;
    unsigned count; /* of the parties: a cycle in its order, or all threads */
};

struct reel_live_hooks {
    uint64_t grace_ns;   /* of a hang */
    uint64_t timeout_ns; /* of the whole run; 0: none */
    bool only_timeout;   /* look for nothing else */
    /* True ends the recording. The verdict lives during the call. */
    bool (*verdict)(void *data, const struct reel_live_verdict *verdict);
    /* The recording is over and was ended by a verdict; `pids` of the traced processes that still
     * run. What becomes of them is up to this. True: the first one was ended and waited for, and
     * this is its status. */
    bool (*end)(void *data, const pid_t *pids, unsigned count, int *wait_status);
    void *data;
};

struct reel_live;

struct reel_live *reel_live_new(const struct reel_live_hooks *hooks,
                                struct reel_region_owner *owner, const struct reel_clock_map *clock,
                                struct reel_processes *processes);
void reel_live_free(struct reel_live *live);

/* Wants to be told of the events of its classes, as they are drained. */
struct reel_live_holds *reel_live_holds_of(struct reel_live *live);

/* After the streams were drained. Looks if it is time to. True: end the recording. */
bool reel_live_look(struct reel_live *live, uint64_t now_ns);
/* When the recording is over: calls `end` if a verdict ended it, and returns its answer. */
bool reel_live_end(struct reel_live *live, int *wait_status);

#endif
