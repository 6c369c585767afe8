/* The world: who does what, holds what and waits for what, driven by events in order. This is the
 * one place that knows what an event does; everything else asks here.
 *
 * Every thread has at any instant exactly one state, from its START (or first event) to its EXIT
 * (or the trace's end): the intervals told to the listener tile that time. Every exclusive lock has
 * at most one holder: its holds are disjoint. Where events contradict this (events were lost, the
 * file is damaged, the program did what is undefined) the world gives way to the newer event and
 * counts.
 *
 * What is inferred rather than recorded:
 *   - A signal wakes the waiter that has waited longest, unless another one comes out of its wait
 *     first; a condition wait is split there: until the signal it is cond-wait, `ended_by` the
 *     signaller; from then on it is lock-wait if somebody held the mutex at that moment, else
 *     runnable.
 *   - A lock wait is ended by the last thread that released the lock before the acquisition; a
 *     semaphore's by the last poster, a queue's or pipe's by the last one at its other end, a
 *     barrier's by the last to arrive, a join by the thread that ended.
 *   - A thread is running while nothing says otherwise. SWITCH_OUT and SWITCH_IN refine that
 * outside of waits; of a holder of a lock they say when it had no processor.
 *   - A loop's callbacks are what its thread does between two waits on the same loop.
 *
 * Not thread-safe. Pointers handed out are valid until the next event. */
#ifndef REEL_MODEL_WORLD_H
#define REEL_MODEL_WORLD_H

#include "tracer/model/identity.h"
#include "tracer/model/state.h"

struct reel_interval {
    uint64_t start_ns, end_ns;
    uint64_t ended_event; /* time of the event that ended a wait; 0: none, so it never ended */
    uint32_t thread;
    uint32_t object;   /* waited for; the loop of a callback */
    uint32_t owner;    /* thread that held it when the wait began */
    uint32_t ended_by; /* thread whose event ended the wait; 0 = not known, or nobody */
    uint32_t stack;
    uint32_t call; /* enum reel_call with REEL_CALL_TIMED */
    enum reel_state state;
    uint64_t starved_ns; /* of a wait for a lock: see `starved_ns` of its object */
};

struct reel_hold {
    uint64_t start_ns, end_ns, waited_ns;
    uint64_t waited_starved_ns; /* of `waited_ns` */
    uint64_t starved_ns;        /* of the hold: its thread could run and had no processor */
    uint32_t object, thread, stack;
    bool shared;
    bool released; /* false: still held when its thread or the trace ended */
};

struct reel_gap {
    uint64_t start_ns, end_ns;
    int64_t lost; /* events; -1 cannot be known */
    uint32_t thread, process;
    bool accesses; /* to watched memory, of whatever threads: nothing else is missing */
    const char *reason;
};

/* Told of everything that is over. Members may be NULL. A thread's intervals come in order; holds
 * in about the order of their ends. */
struct reel_world_listener {
    void *data;
    void (*interval)(void *data, const struct reel_interval *interval);
    void (*hold)(void *data, const struct reel_hold *hold);
    void (*gap)(void *data, const struct reel_gap *gap);
};

/* A lock that a thread holds. */
struct reel_held {
    uint64_t since_ns, waited_ns, waited_starved_ns;
    uint64_t starved_ns; /* of its object when it was taken; of the hold when it is over */
    uint32_t object, stack;
    uint32_t depth; /* of a recursive lock, else 1 */
    bool shared;
    bool uncertain; /* its thread lost events since: it may have been released */
};

/* A wait that a thread is in. They nest when a signal handler waits. */
struct reel_wait {
    uint64_t since_ns;
    uint64_t woken_ns;         /* time of the event that woke it; 0 = nobody yet */
    uint64_t starved_ns;       /* of the object, when the wait began */
    uint64_t woken_starved_ns; /* of `other`, when it was woken */
    uint32_t object;
    uint32_t other;       /* the mutex of a condition wait */
    uint32_t owner;       /* thread that held the object when the wait began */
    uint32_t woken_by;    /* thread */
    uint32_t woken_owner; /* thread that held `other` when it was woken */
    uint32_t stack;
    uint32_t call;
    uint8_t state;                   /* enum reel_state */
    uint8_t operation, class, flags; /* of the event that began it */
};

#define REEL_WORLD_WAITS 8u

struct reel_world_thread {
    uint32_t number, process;
    bool begun, ended, created;
    bool off_processor, preempted; /* by the kernel's word */
    bool in_callback;
    bool lost_events; /* in a gap, once or more */
    enum reel_state state;
    uint64_t since_ns; /* of `state` */
    uint64_t start_ns, end_ns;
    uint32_t loop; /* of the callback it is in */
    uint32_t wait_count;
    struct reel_wait wait[REEL_WORLD_WAITS]; /* innermost last */
    struct reel_held *held;                  /* in the order of acquisition */
    uint32_t held_count, held_capacity;
    uint32_t spans; /* annotated spans it is in */
    /* A release that may yet turn out to have failed. */
    struct reel_held last_released;
    uint64_t last_released_ns;
    uint32_t foreign_release; /* object it released without holding it */
    uint64_t foreign_release_ns;
    bool unsettled; /* one of the two is set */
};

struct reel_world_object {
    uint64_t last_ns;  /* the last event that could end a wait: release, post, put, write … */
    uint64_t taken_ns; /* the last one at a queue's other end */
    /* Of a lock: how long nobody stood in the way of those who wait for it: it was free, and they
     * were not on a processor yet; or its holder could run and had none, where the kernel tells.
     * Counts from its first release; up to `starved_from_ns`, while that is set. Not of a spin
     * lock: those who wait for it take the processor that its holder lacks. */
    uint64_t starved_ns, starved_from_ns;
    int64_t depth;    /* items or bytes in a queue, value of a semaphore; may lag below 0 */
    uint32_t *waiter; /* threads, in order of arrival */
    uint32_t *reader; /* threads that hold it in shared mode */
    uint32_t waiter_count, waiter_capacity, reader_count, reader_capacity;
    uint32_t owner; /* thread that holds it exclusively */
    uint32_t last_by, taken_by;
    uint32_t arrived; /* at a barrier, this round */
    uint32_t capacity;
    uint32_t rounds;     /* of a loop */
    uint32_t process;    /* of a process: its newest image's number */
    uint32_t foreign_by; /* thread whose release of it is not settled */
    uint8_t class;
    uint8_t task_state; /* enum reel_task_state */
    bool depth_known;
    bool owner_gone; /* `owner` ended, or is another process's thread whose lock was inherited */
    bool gil;
};

struct reel_world_statistics {
    uint64_t events, intervals, holds, gaps;
    uint64_t overlaps;           /* acquired while another thread held it */
    uint64_t reacquired;         /* acquired again by its holder, though it is not recursive */
    uint64_t unheld_releases;    /* of a lock nobody held */
    uint64_t foreign_releases;   /* of a lock another thread held */
    uint64_t failed_releases;    /* RELEASE_FAILED */
    uint64_t inherited_releases; /* by a forked child, of what its parent took */
    uint64_t cut_by_gap;         /* holds whose end was lost */
    uint64_t unmatched_ends;     /* END or WAKE of a wait that never began */
    uint64_t abandoned_waits;    /* that never saw their end, though their thread went on */
    uint64_t after_exit;         /* events of a thread that had ended */
    uint64_t malformed;          /* thread or class numbers that cannot be */
    bool out_of_memory;          /* something is missing */
};

struct reel_world;

/* `identity` is used, not owned; NULL for a world that is only given resolved events. */
struct reel_world *reel_world_new(struct reel_identity *identity,
                                  const struct reel_world_listener *listener);
void reel_world_free(struct reel_world *world);

/* Applies the next event and returns its object (0 = none). */
uint32_t reel_world_apply(struct reel_world *world, const struct reel_event *event);
/* The same when the objects are known. `other`: the mutex of a condition wait; the number of the
 * process whose end a WAKE tells. */
void reel_world_apply_resolved(struct reel_world *world, const struct reel_event *event,
                               uint32_t object, uint32_t other);

/* Known from elsewhere (the recorder's tables): the thread ended then. Before `finish`. */
void reel_world_end_thread(struct reel_world *world, uint32_t thread, uint64_t end_ns);
/* Waits for this object are gil-wait. A NAME event that says "GIL" does the same. */
void reel_world_set_gil(struct reel_world *world, uint32_t object);
/* Closes everything that is open, at `end_ns` (not before the last event). Once. */
void reel_world_finish(struct reel_world *world, uint64_t end_ns);

uint64_t reel_world_now(const struct reel_world *world); /* time of the last event */
/* Threads are 1 … limit-1, with holes (NULL). */
uint32_t reel_world_thread_limit(const struct reel_world *world);
const struct reel_world_thread *reel_world_thread(const struct reel_world *world, uint32_t number);
/* The innermost wait of a thread, or NULL. */
const struct reel_wait *reel_world_wait(const struct reel_world *world, uint32_t number);
/* NULL when no event touched that object. */
const struct reel_world_object *reel_world_object(const struct reel_world *world, uint32_t id);
const struct reel_world_statistics *reel_world_statistics(const struct reel_world *world);

#endif
