/* How a lock was used: who held it and waited for it, how long, how often it changed hands. Shared
 * by the detectors of contention and of convoys; each keeps its own. */
#ifndef REEL_DETECT_LOCK_USE_H
#define REEL_DETECT_LOCK_USE_H

#include <glib.h>

#include "tracer/detect/detector.h"

struct reel_lock_user {
    uint64_t held_ns, waited_ns, longest_wait_ns;
    uint64_t holds, waits;
    uint64_t asked_ns, asked; /* from asking to holding */
};

/* `…starved_ns`: what of a time is not the lock's fault, for it was free or its holder had no
 * processor (see struct reel_world_object). The rest of it is. */

struct reel_lock_use {
    uint32_t object;
    uint64_t first_ns, last_ns; /* of holds */
    uint64_t held_ns, longest_hold_ns, waited_ns, longest_wait_ns;
    uint64_t held_starved_ns, waited_starved_ns, asked_starved_ns;
    uint64_t holds, waits, handoffs;
    uint64_t forced; /* holds that ended with somebody waiting, and passed to another */
    uint32_t last_holder;
    uint32_t hold_stack; /* where the longest hold began */
    uint32_t wait_stack; /* where the longest wait was */
    uint64_t longest_hold_start_ns;
    uint32_t longest_holder, longest_waiter;
    uint64_t longest_wait_start_ns;
    uint64_t asked_ns, asked, longest_asked_ns, longest_asked_start_ns; /* as of its holds */
    uint32_t longest_asker, asked_stack;
    GHashTable *user; /* thread → struct reel_lock_user */
};

/* By object. */
GHashTable *reel_lock_uses_new(void);
void reel_lock_uses_hold(GHashTable *uses, const struct reel_hold *hold);
/* Only waits for locks count. */
void reel_lock_uses_interval(GHashTable *uses, const struct reel_interval *interval);

/* A list of all, most waited for first; the caller frees the list. */
GPtrArray *reel_lock_uses_ranked(GHashTable *uses);
/* Of the time that was waited for it, what was its holders' doing. */
uint64_t reel_lock_use_blame(const struct reel_lock_use *use);
/* How many threads waited. */
unsigned reel_lock_use_waiters(const struct reel_lock_use *use);

#endif
