/* Semaphores as locks: who holds a unit of which. A semaphore that begins with units, and whose
 * units come back from those who took them, is a lock; one that begins empty, or is posted by
 * somebody who holds none of it, is a signal. Which one it is shows only as the run goes on. */
#ifndef REEL_DETECT_SEMAPHORES_H
#define REEL_DETECT_SEMAPHORES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tracer/store/event.h"

struct reel_semaphore_unit {
    uint64_t since_ns;
    uint32_t thread, stack;
};

struct reel_semaphore {
    int64_t initial; /* -1 = not known */
    uint64_t own_posts, foreign_posts;
    struct reel_semaphore_unit *unit; /* taken and not given back */
    size_t units;
};

struct reel_semaphores;

struct reel_semaphores *reel_semaphores_new(void);
void reel_semaphores_free(struct reel_semaphores *semaphores);

enum reel_semaphore_step {
    REEL_SEMAPHORE_NONE,   /* no event of a semaphore, or one that moves nothing */
    REEL_SEMAPHORE_TOOK,   /* a unit was taken */
    REEL_SEMAPHORE_GAVE,   /* its holder gave it back: a lock's release */
    REEL_SEMAPHORE_SIGNAL, /* a unit came from somebody who held none, or was there for no lock */
};

/* Takes note of an event; says what it was. */
enum reel_semaphore_step reel_semaphores_event(struct reel_semaphores *semaphores,
                                               const struct reel_event *event, uint32_t object);
/* NULL when no event was about it. Valid until the next event. */
const struct reel_semaphore *reel_semaphores_find(const struct reel_semaphores *semaphores,
                                                  uint32_t object);
/* Has it been used as a mutex so far: one unit at first, never posted by another? */
bool reel_semaphore_is_mutex(const struct reel_semaphore *semaphore);

#endif
