/* Which locks each traced thread holds, and what objects are called, as its own events say, kept
 * while they are drained.
 *
 * One small set a thread slot: an acquisition is pushed, a release takes it off again, nearly
 * always from the top. That costs a few nanoseconds an event, and only for classes nothing else
 * tells the owner of: a glibc mutex names its owner in its own memory, so mutexes are fed only
 * where the target's memory cannot be read. Used by the collector's thread alone. */
#ifndef REEL_COLLECT_LIVE_HOLDS_H
#define REEL_COLLECT_LIVE_HOLDS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "probes/event/kinds.h"
#include "tracer/store/event.h"

struct reel_live_hold {
    uint64_t object;
    uint32_t process; /* number */
    uint8_t class, flags;
};

struct reel_live_holder {
    uint32_t thread; /* number; 0: none yet */
    uint32_t process;
    uint32_t count, capacity;
    struct reel_live_hold *hold;
    bool lost; /* events of it are missing: what it holds is not certain */
    struct reel_live_hold last_released;
};

struct reel_live_name {
    uint64_t object;
    uint32_t process;
    char text[44];
};

/* A semaphore of one process's own memory that has been a lock so far: it began with one unit, and
 * whoever took that gave it back. */
struct reel_live_semaphore {
    uint64_t object;
    uint32_t process;
    bool is_lock, returned; /* by who had taken it, once or more */
};

struct reel_live_holds {
    struct reel_live_holder *holder; /* by thread slot */
    uint32_t slots;
    uint64_t classes;       /* bit per enum reel_class that is kept */
    GHashTable *names;      /* set of struct reel_live_name */
    GHashTable *semaphores; /* set of struct reel_live_semaphore */
    GHashTable *written;    /* set of gint64: eventfds that recorded threads wrote to */
    bool spins_distrusted;  /* a spin lock was released by another thread than took it */
};

void reel_live_holds_init(struct reel_live_holds *holds, uint32_t slots);
void reel_live_holds_clear(struct reel_live_holds *holds);

/* Does an event matter here? */
static inline bool reel_live_holds_wants(const struct reel_live_holds *holds,
                                         const struct reel_event *event)
{
    const uint64_t naming = 1ull << REEL_OP_NAME | 1ull << REEL_OP_INIT | 1ull << REEL_OP_DESTROY;
    return (holds->classes >> (event->class & 63) & 1) ||
           (event->operation < 64 && naming >> event->operation & 1);
}

/* The next event of the thread in that slot that it wants. */
void reel_live_holds_event(struct reel_live_holds *holds, uint32_t slot,
                           const struct reel_event *event);

/* What the program called the object (REEL_NAME and the like); NULL: nothing. Valid until the next
 * event. */
const char *reel_live_holds_name(const struct reel_live_holds *holds, uint32_t process,
                                 uint64_t object);

/* Is it a lock as far as it was used, and has it been used so? */
bool reel_live_holds_is_lock(const struct reel_live_holds *holds, uint32_t process,
                             uint64_t semaphore);

/* Has a recorded thread written to that eventfd? */
bool reel_live_holds_has_written(const struct reel_live_holds *holds, uint64_t eventfd);

/* Keeps no mutexes from now on. */
void reel_live_holds_drop_mutexes(struct reel_live_holds *holds);

#endif
