/* Between lock_order.c, which follows events, and lock_exclusion.c, which says what keeps two
 * dependencies apart. */
#ifndef REEL_DETECT_LOCK_ORDER_PRIVATE_H
#define REEL_DETECT_LOCK_ORDER_PRIVATE_H

#include <glib.h>

#include "tracer/detect/lock_conditions.h"
#include "tracer/detect/lock_order.h"
#include "tracer/detect/semaphores.h"

struct reel_lock_hold {
    struct reel_held_lock lock;
    uint64_t since_ns;
    uint32_t depth;
    uint32_t section; /* + 1; 0 = not kept */
    bool has_joined;  /* a thread was joined under it */
    bool is_gate;     /* children were made under it */
};

struct reel_lock_thread {
    GArray *held;  /* struct reel_lock_hold */
    GArray *gates; /* struct reel_lock_gate */
    /* What it is asking for. */
    uint32_t wanted, wanted_stack, wanted_call, wanted_file;
    uint8_t wanted_class, wanted_flags;
    uint64_t wanted_ns;
    /* Its last release, which may turn out to have failed. */
    struct reel_lock_hold released;
    uint32_t released_of; /* thread; 0 = none */
    bool released_foreign;
};

struct reel_lock_order {
    const struct reel_detect_context *context;
    struct reel_happens_before *must, *replay;
    struct reel_semaphores *semaphores;
    GPtrArray *thread;   /* struct reel_lock_thread, by number */
    GHashTable *owner;   /* lock → thread that holds it exclusively */
    GHashTable *signals; /* locks that others than the holder release: no locks */
    GHashTable *once_ns; /* once → pointer to the time its routine was done */
    GHashTable *writers_first;
    GHashTable *annotated; /* locks that the program made of others and told of */
    GHashTable *gate_end;  /* hold → struct reel_clock at its release */
    GHashTable *uses;      /* (thread, lock) → struct reel_lock_thread_use */
    GHashTable *index;     /* set of struct reel_lock_dependency */
    GPtrArray *dependency;
    GPtrArray *starving; /* struct reel_lock_dependency */
    struct reel_lock_conditions *conditions;
    GArray *section;
    uint32_t holds, acquisitions;
    bool incomplete;
};

/* What a thread does with a lock. */
struct reel_lock_thread_use {
    int64_t key; /* thread << 32 | lock */
    uint64_t sections, joins;
    bool speaks;
};

#endif
