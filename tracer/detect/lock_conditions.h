/* Condition variables in lock order. Who waits for a condition waits, in the end, for whatever its
 * signallers need before they signal: a *generalised dependency* (Agarwal and Stoller, "Run-time
 * detection of potential deadlocks for programs with locks, semaphores, and condition variables",
 * PADTAD 2006). Only where the trace bears it out on both sides:
 *
 *   - every signal of the condition in this trace came from a thread that had taken the lock since
 *     its last signal, or held it: whoever signals needs it;
 *   - and at least once a signal came from a thread that took the lock only after the wait it could
 *     end had begun. Without that, a thread that waits for others to finish what they are in the
 *     middle of ("no more may begin, and those under way have ended") would look the same, and is
 *     right to wait under a lock that all of them took when they began.
 *
 * The condition's own mutex is let go while waiting and does not count. Timed waits are none. */
#ifndef REEL_DETECT_LOCK_CONDITIONS_H
#define REEL_DETECT_LOCK_CONDITIONS_H

#include "tracer/detect/lock_order.h"

struct reel_lock_conditions;

struct reel_lock_conditions *reel_lock_conditions_new(const struct reel_detect_context *context);
void reel_lock_conditions_free(struct reel_lock_conditions *conditions);

/* A thread has taken a lock for itself alone, and might have had to wait for it without end: at
 * that position, when it had heard that of others. */
void reel_lock_conditions_taken(struct reel_lock_conditions *conditions,
                                const struct reel_event *event, uint32_t lock, uint32_t position,
                                struct reel_clock *must);
/* A signal or broadcast. The world has seen it already. */
void reel_lock_conditions_signal(struct reel_lock_conditions *conditions,
                                 const struct reel_event *event, uint32_t condition);
/* The condition is waited for with that mutex. */
void reel_lock_conditions_wait(struct reel_lock_conditions *conditions, uint32_t condition,
                               uint32_t mutex);

/* The locks that signallers of the condition need which `wait` is for, at a moment that no order
 * keeps from one of the wait's: calls `each` for every one. Needs live as long as the conditions.
 */
void reel_lock_conditions_needs(const struct reel_lock_conditions *conditions,
                                const struct reel_lock_dependency *wait,
                                void (*each)(void *data, const struct reel_lock_need *need),
                                void *data);

/* The dependency that the wait is on that lock. The caller frees it as its own (lock_order.c). */
struct reel_lock_dependency *
reel_lock_conditions_dependency(const struct reel_lock_dependency *wait,
                                const struct reel_lock_need *need);

#endif
