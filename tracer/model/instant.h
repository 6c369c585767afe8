/* The world at an instant of a sealed trace, reconstructed: what every thread does and waits for,
 * who holds what, how full queues are, who waits for whom.
 *
 * Threads' states come from `interval`, which tiles their lives; what is held comes from the key
 * frame before the instant and the events since, by the same code as while sealing. An event at
 * exactly the instant has happened. */
#ifndef REEL_MODEL_INSTANT_H
#define REEL_MODEL_INSTANT_H

#include "tracer/model/state.h"
#include "tracer/store/trace.h"

struct reel_instant_thread {
    uint32_t thread, process;
    enum reel_state state;
    uint64_t since_ns, until_ns; /* of the state */
    uint32_t object;             /* waited for; 0 = none */
    uint32_t holder; /* who holds that now: the other end of "waits for"; 0 = nobody, not a lock */
    uint32_t ended_by;    /* who will end the wait */
    uint64_t ended_event; /* 0: the wait never ended */
    uint32_t stack;
    char call[24];
};

struct reel_instant_hold {
    uint32_t object, thread, stack, depth;
    uint64_t since_ns;
    bool shared;
};

struct reel_instant_queue {
    uint32_t object;
    int64_t depth; /* items, bytes, or the value of a semaphore */
};

/* `from` waits for `object`, which `to` holds; or for the end of thread `to`. */
struct reel_instant_edge {
    uint32_t from, object, to;
};

struct reel_instant {
    uint64_t time_ns;
    const struct reel_instant_thread *thread; /* those alive, by number */
    const struct reel_instant_hold *hold;     /* by thread, then in order of acquisition */
    const struct reel_instant_queue *queue;   /* those not empty, by object */
    const struct reel_instant_edge *edge;
    size_t thread_count, hold_count, queue_count, edge_count;
};

struct reel_instants;

/* Prepares to stand at instants of `trace`, which is sealed and must outlive it. */
struct reel_instants *reel_instants_new(struct reel_trace *trace, struct reel_error *error);
void reel_instants_free(struct reel_instants *instants);

/* The world after everything up to and including `time_ns`; a time beyond the trace's end means its
 * last instant. Owned by `instants`, valid until the
 * next call; NULL and an error on failure. One thread at a time. */
const struct reel_instant *reel_instants_at(struct reel_instants *instants, uint64_t time_ns,
                                            struct reel_error *error);

/* Where to stand when nobody says: the end (`end_ns`), but before a kill or exit took the threads
 * away, for what they were doing then is the question. */
uint64_t reel_instant_last(struct reel_trace *trace, uint64_t end_ns);

/* Those of `instant` that wait for `object`, in order of arrival: indexes into its threads. Returns
 * how many there are; writes at most `limit`. */
size_t reel_instant_waiters(const struct reel_instant *instant, uint32_t object, size_t *index,
                            size_t limit);

#endif
