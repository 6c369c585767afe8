/* Happens-before: which events are ordered in every run, as far as the recorded synchronisation
 * tells. Vector clocks, sparse: a clock holds only the threads it has heard of, clocks are shared
 * and never change, so that a thousand threads which never meet cost nothing.
 *
 * *Must* happen before (the default): create → start, end → join, fork → child, exec → new image,
 * exit → waitpid, a signal → the wait it really woke, post → take of a semaphore that is no lock,
 * arrivals → departures of a barrier's round, a once routine → those who waited for it, write →
 * read of a pipe, eventfd or message queue, or of the other end of a socket pair, put → get,
 * annotated before → after. Never release → acquire of a lock: that order was chance.
 *
 * REEL_ORDER_LOCKS adds release → acquire: all that a race detector may count as order.
 * REEL_ORDER_READS adds write → read, of annotated data and of what instrumented code told it saw
 * (SEEN): what a replay must keep.
 *
 * A position counts the events of a thread. Event (T, p) happens before an event with clock C
 * exactly if p <= C[T]. After Fidge, Mattern (1988); the representation of a release as an epoch
 * follows FastTrack (Flanagan and Freund, PLDI 2009). Not thread-safe. */
#ifndef REEL_DETECT_HAPPENS_BEFORE_H
#define REEL_DETECT_HAPPENS_BEFORE_H

#include "tracer/detect/detector.h"

enum reel_order { REEL_ORDER_MUST = 0, REEL_ORDER_LOCKS = 1, REEL_ORDER_READS = 2 };

struct reel_clock_entry {
    uint32_t thread, position;
};

/* Immutable, counted. NULL is the clock that has heard of nobody. */
struct reel_clock {
    uint32_t references, count;
    struct reel_clock_entry entry[]; /* by thread */
};

struct reel_clock *reel_clock_ref(struct reel_clock *clock);
void reel_clock_unref(struct reel_clock *clock);
/* What it has heard of that thread; 0 = nothing. */
uint32_t reel_clock_at(const struct reel_clock *clock, uint32_t thread);
/* A clock that has heard of all that `clock` has, and of `position` of `thread`, and of all that
 * `other` has. Consumes the reference to `clock`; is `clock` when that knew it all. */
struct reel_clock *reel_clock_join(struct reel_clock *clock, const struct reel_clock *other,
                                   uint32_t thread, uint32_t position);

struct reel_happens_before;

struct reel_happens_before *reel_happens_before_new(const struct reel_detect_context *context,
                                                    unsigned order);
void reel_happens_before_free(struct reel_happens_before *order);

/* Every event and interval, as detectors are told them. */
void reel_happens_before_event(struct reel_happens_before *order, const struct reel_event *event,
                               uint32_t object, uint32_t other);
void reel_happens_before_interval(struct reel_happens_before *order,
                                  const struct reel_interval *interval);

/* The position of the thread's last event; 0 before the first. */
uint32_t reel_happens_before_position(const struct reel_happens_before *order, uint32_t thread);
/* What the thread has heard of others. Borrowed: take a reference to keep it. */
struct reel_clock *reel_happens_before_clock(const struct reel_happens_before *order,
                                             uint32_t thread);
/* The same as it was just after the thread's event at `position`, or a little later when that was
 * long ago. Kept with REEL_ORDER_READS once accesses to memory are followed; before, and without,
 * what it is now. */
struct reel_clock *reel_happens_before_clock_at(const struct reel_happens_before *order,
                                                uint32_t thread, uint32_t position);
/* How often others could hear of it so far: events between which this does not change, nor the
 * clock, are ordered alike against all others. */
uint32_t reel_happens_before_edges(const struct reel_happens_before *order, uint32_t thread);

#endif
