/* Misuse: what the parts of its detector share. misuse.c keeps the facts and calls the parts in
 * turn: misuse_lock.c (locks and conditions), misuse_object.c (initialisation, use, destruction),
 * misuse_thread.c (joins, detaches, threads that end or fork holding a lock). */
#ifndef REEL_DETECT_MISUSE_H
#define REEL_DETECT_MISUSE_H

#include <glib.h>

#include "tracer/detect/describe.h"
#include "tracer/model/address_map.h"

/* A moment of the past: who, when, where. */
struct reel_misuse_moment {
    uint64_t time_ns;
    uint32_t thread, stack;
};

struct reel_misuse_object {
    struct reel_misuse_moment made, destroyed, acquired; /* the last ones */
    uint32_t kind;                                       /* argument of INIT */
    uint32_t user;                                       /* first thread that used it */
    uint32_t before; /* the object that was at its address before; 0 = none */
    bool is_made, is_destroyed, is_used, told_use;
};

enum reel_misuse_bond { REEL_BOND_NONE, REEL_BOND_JOINED, REEL_BOND_DETACHED };

struct reel_misuse_thread {
    struct reel_misuse_moment bond_at;
    enum reel_misuse_bond bond;
    uint32_t wanted_call; /* of its last REQUEST or WAIT */
    struct reel_misuse_moment wanted_at;
    /* A release of what it did not hold, until it is known whether it was refused. */
    struct reel_misuse_moment release;
    uint32_t released, release_owner;
    struct reel_misuse_moment owner_took;
    bool release_in_wait, release_sure, release_shared;
};

struct reel_misuse {
    const struct reel_detect_context *context;
    GHashTable *object;             /* id → struct reel_misuse_object */
    GHashTable *thread;             /* number → struct reel_misuse_thread */
    GHashTable *forked;             /* processes that have what their parent had */
    struct reel_address_map newest; /* what is at an address of a process now */
    struct reel_hold last_hold;     /* the hold that ended last */
    GArray *cut;                    /* struct reel_hold: that ended with their thread */
    GArray *left_locked;            /* those of them whose thread ended by itself */
};

struct reel_misuse_object *reel_misuse_object_at(struct reel_misuse *misuse, uint32_t object);
struct reel_misuse_thread *reel_misuse_thread_at(struct reel_misuse *misuse, uint32_t thread);

/* A finding about `object` under a rule's name, the key made from it and the place; explained and
 * added by the caller. */
struct reel_finding *reel_misuse_finding(struct reel_misuse *misuse, const char *rule,
                                         enum reel_severity severity, uint32_t object,
                                         uint64_t time_ns, uint32_t stack);
void reel_misuse_add(struct reel_misuse *misuse, struct reel_finding *finding);

void reel_misuse_lock_event(struct reel_misuse *misuse, const struct reel_event *event,
                            uint32_t object, uint32_t other);
void reel_misuse_lock_finish(struct reel_misuse *misuse);
void reel_misuse_object_event(struct reel_misuse *misuse, const struct reel_event *event,
                              uint32_t object);
void reel_misuse_thread_event(struct reel_misuse *misuse, const struct reel_event *event,
                              uint32_t object);
void reel_misuse_thread_hold(struct reel_misuse *misuse, const struct reel_hold *hold);
void reel_misuse_thread_finish(struct reel_misuse *misuse);

#endif
