/* Lock order as a run shows it: *dependencies*, each of them a thread that asked for a lock while
 * it held others. What deadlock prediction searches. After Havelund (2000), with what later work
 * added: acquisitions that need not block make none; a dependency is kept once for each distinct
 * (thread, lock, mode, held locks, places), however often it happens, with a bounded number of
 * witnesses in time; locks that a thread's creator held count as gates.
 *
 * "Lock" here is whatever can be waited for while it is held: mutexes, rwlocks, spin locks, file
 * locks, once routines, semaphores used as mutexes, and the end of a thread (REEL_LOCK_END), which
 * that thread holds while it lives and a join waits for. A wait for a condition is a dependency on
 * each lock that its signallers need (lock_conditions.h). */
#ifndef REEL_DETECT_LOCK_ORDER_H
#define REEL_DETECT_LOCK_ORDER_H

#include "tracer/detect/happens_before.h"

#define REEL_LOCK_END 0x80000000u /* | thread: its end, as a lock */

struct reel_held_lock {
    uint32_t lock, stack;
    uint32_t hold; /* number of this hold */
    uint32_t file; /* descriptor of a file lock, by flock; 0 otherwise */
    bool shared;
    uint8_t class;
};

/* One moment at which the dependency was seen. */
struct reel_lock_witness {
    uint64_t time_ns;
    uint64_t held_ns;          /* since when the innermost held lock was */
    struct reel_clock *must;   /* what its thread had heard of others by then */
    struct reel_clock *replay; /* the same, with reads of annotated data */
    uint32_t position, edges;
};

#define REEL_LOCK_WITNESSES 64u

/* A lock was taken by who signalled a condition then. */
struct reel_lock_signalling {
    uint64_t taken_ns, signal_ns;
    uint32_t thread, taken_stack, signal_stack, position;
    struct reel_clock *must; /* when it was taken */
};

#define REEL_LOCK_SIGNALLINGS 16u

/* A lock that whoever signals a condition needs. See lock_conditions.h. */
struct reel_lock_need {
    uint32_t lock;
    uint32_t seen;                     /* signals */
    struct reel_lock_signalling fresh; /* taken after the wait began; `thread` 0: none yet */
    struct reel_lock_signalling some[REEL_LOCK_SIGNALLINGS]; /* the first half, and the newest */
};

struct reel_lock_dependency {
    uint32_t thread, process;
    uint32_t lock, stack;
    uint32_t object; /* what `lock` is in the trace: the joined thread's object for an end, the
                        condition when its signallers need the lock */
    const struct reel_lock_need *need; /* why; NULL when the thread itself asks for it */
    uint8_t class, call;
    bool shared;
    bool rereads; /* a reader asks again for what it reads, and writers go first */
    uint32_t file;
    uint32_t held_count;
    struct reel_held_lock *held; /* in the order of acquisition */
    uint32_t witness_count, witness_capacity, stride, skipped;
    struct reel_lock_witness *witness; /* in order; REEL_LOCK_WITNESSES at most */
    uint64_t occurrences;
};

/* A lock that the thread's creator held, and held on to while it lived. */
struct reel_lock_gate {
    uint32_t lock, hold, owner;
    bool shared;
};

/* One critical section: for telling whether a reordering is possible at all. */
struct reel_critical_section {
    uint32_t lock, thread;
    uint32_t acquired, released; /* positions; UINT32_MAX: not released */
    uint32_t order;              /* of the acquisition among all */
    bool shared;
    uint8_t class;
    struct reel_clock *replay; /* at the release */
};

struct reel_lock_order;

struct reel_lock_order *reel_lock_order_new(const struct reel_detect_context *context);
void reel_lock_order_free(struct reel_lock_order *order);

void reel_lock_order_event(struct reel_lock_order *order, const struct reel_event *event,
                           uint32_t object, uint32_t other);
void reel_lock_order_interval(struct reel_lock_order *order, const struct reel_interval *interval);
/* What is still waited for at the end is a dependency too. Before the world is finished, or not at
 * all. */
void reel_lock_order_end(struct reel_lock_order *order);

/* All dependencies but those on locks that turned out to be signals. */
size_t reel_lock_order_count(const struct reel_lock_order *order);
const struct reel_lock_dependency *reel_lock_order_at(const struct reel_lock_order *order,
                                                      size_t index);
/* Waits for conditions under a lock that their signallers need: dependencies whose lock is held. */
size_t reel_lock_order_starving_count(const struct reel_lock_order *order);
const struct reel_lock_dependency *reel_lock_order_starving_at(const struct reel_lock_order *order,
                                                               size_t index);

/* Does anything keep these two from happening at the same time: one thread, a lock that both hold,
 * a gate, or an order that holds in every run? */
bool reel_lock_order_excludes(const struct reel_lock_order *order,
                              const struct reel_lock_dependency *a,
                              const struct reel_lock_witness *at,
                              const struct reel_lock_dependency *b,
                              const struct reel_lock_witness *bt);
/* The same for what does not depend on the moment. */
bool reel_lock_order_always_excludes(const struct reel_lock_order *order,
                                     const struct reel_lock_dependency *a,
                                     const struct reel_lock_dependency *b);

/* Does the thread tell others about what it does under the lock: signal a condition while it holds
 * it? Then whoever joins it under that lock has probably been told that it will not come again. */
bool reel_lock_order_speaks(const struct reel_lock_order *order, uint32_t thread, uint32_t lock);
/* Does the thread join another one each time it holds the lock? Else what it finds there decides,
 * a note perhaps that the other one is done, and that is not in the trace. */
bool reel_lock_order_joins_always(const struct reel_lock_order *order, uint32_t thread,
                                  uint32_t lock);

/* All critical sections, in the order of acquisition; `complete` is false when there were more than
 * are kept. */
const struct reel_critical_section *reel_lock_order_sections(const struct reel_lock_order *order,
                                                             size_t *count, bool *complete);
/* The order that a reordering of this run keeps. Borrowed. */
const struct reel_happens_before *reel_lock_order_replay(const struct reel_lock_order *order);

#endif
