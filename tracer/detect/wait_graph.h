/* The wait-for graph of a world as it stands: who waits, for whom, and who can never go on.
 *
 * A thread is *stuck* when it waits without a deadline for something that only stuck threads, or
 * nobody at all, could give it. With only lock-like waits counted (locks, joins, once, semaphores
 * used as locks, ends of processes) this is final: no event of any other thread changes it. The set
 * is the greatest fixed point: all that wait are taken to be stuck, and those for whom somebody can
 * act are taken out until nothing changes. */
#ifndef REEL_DETECT_WAIT_GRAPH_H
#define REEL_DETECT_WAIT_GRAPH_H

#include "tracer/detect/detector.h"
#include "tracer/detect/semaphores.h"

struct reel_wait_node {
    const struct reel_wait *wait; /* innermost; NULL: not waiting */
    uint32_t thread, process;
    uint32_t blocker; /* a stuck thread that it waits for; itself when it locked twice; 0 = none */
    bool waits;       /* a lock-like wait without a deadline */
    bool stuck;
    bool ownerless; /* stuck, for who held the lock has ended, or lives in another process */
};

struct reel_wait_graph {
    struct reel_wait_node *node; /* live threads, by number */
    size_t count;
};

/* Lock-like waits only. `robust`: may be NULL; says that a lock frees itself when its owner dies.
 * `semaphores`: may be NULL; then no semaphore is a lock. */
struct reel_wait_graph *reel_wait_graph_new(const struct reel_detect_context *context,
                                            const struct reel_semaphores *semaphores,
                                            bool (*robust)(void *data, uint32_t object),
                                            void *data);
void reel_wait_graph_free(struct reel_wait_graph *graph);
/* NULL when that thread is not alive. */
struct reel_wait_node *reel_wait_graph_node(const struct reel_wait_graph *graph, uint32_t thread);

/* The threads of a circle that `from` leads into (itself one of them or not); 0 when it ends at an
 * ownerless lock. `circle` has room for all nodes. */
size_t reel_wait_graph_circle(const struct reel_wait_graph *graph, uint32_t from, uint32_t *circle);

/* Is every live thread of the process in a wait without a deadline that only this process (or
 * others that stand as still) could end? Lock, condition, semaphore, barrier, join and once of
 * private memory, annotated queues and tasks, pipes that the program made. */
struct reel_quiescence;
struct reel_quiescence *reel_quiescence_new(const struct reel_detect_context *context);
void reel_quiescence_free(struct reel_quiescence *quiescence);
/* What it must know of the past: pipes made, children untraced. */
void reel_quiescence_event(struct reel_quiescence *quiescence, const struct reel_event *event,
                           uint32_t object);
/* Is the process still? `since_ns`: when the last of its threads came to rest. */
bool reel_quiescence_of(const struct reel_quiescence *quiescence, uint32_t process,
                        uint64_t *since_ns);

#endif
