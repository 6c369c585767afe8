/* The probe inside the traced program: its state, and the recording path.
 *
 * A wrapper has one shape: *enter* (is this family recorded, in this thread, now?), the *real
 * call*, *leave* (record). On that path there is no lock, no allocation and no system call, and
 * errno is untouched. A signal handler may interrupt any instruction of it and record events of its
 * own: room is reserved by one instruction, and each record is committed by itself. */
#ifndef REEL_PRELOAD_PROBE_H
#define REEL_PRELOAD_PROBE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probes/event/clock.h"
#include "probes/event/kinds.h"
#include "probes/event/region.h"
#include "probes/preload/real.h"

#define REEL_HIDDEN      __attribute__((visibility("hidden")))
#define REEL_LIKELY(x)   __builtin_expect(!!(x), 1)
#define REEL_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Marks a function that stands in front of one of the C library's. */
#define REEL_INTERPOSE __attribute__((visibility("default")))

/* This thread. In static TLS (initial-exec): no allocation at first use, async-signal-safe. */
struct reel_tls {
    union {
        struct {
            char *cursor; /* next free record; past `end` when the block is full */
            char *end;    /* of the block; NULL before the first */
        };
        _Alignas(16) __int128 room; /* both, to move them in one instruction */
    };
    struct reel_thread_slot *slot;
    uint32_t
        inside;     /* above 0: wrappers pass through (the probe is at work, or told to be blind) */
    uint32_t ended; /* EXIT was written: nothing may follow */
    uint32_t exit_reason;
    uint32_t destructor_rounds;
    uint32_t
        vforked; /* pid of the process that called vfork, while its child may be running on us */
    int32_t tid; /* as the C library knows it */
    int32_t forked_from; /* that of the thread whose copy this one is; 0: it was created */
    uint64_t lost_now;   /* events lost since `lost_since`, not yet told by a GAP */
    uint64_t lost_since;
    uint64_t stalled_ticks; /* all stalls of this thread */
    uint64_t attach_time;
    struct reel_stack_cache *stacks;
    uintptr_t stack_top; /* walks end here; 0: not known */
    uint64_t events;     /* told so far: the position of the last, as the tracer counts */
};
extern __thread struct reel_tls reel_tls REEL_HIDDEN __attribute__((tls_model("initial-exec")));

/* A page that the kernel wipes in a forked child, also one made by a raw clone: `active` is 0 there
 * until the child has attached by itself. Otherwise: a bit for every family that is recorded. */
struct reel_fork_page {
    uint32_t active;
    uint32_t attached;
    char rest[4096 - 8];
};
extern struct reel_fork_page reel_fork_page REEL_HIDDEN;

/* Follows the events of all threads from within (probes/memory): called by the thread, behind its
 * event: after an acquire, before a release. */
typedef void (*reel_follower)(struct reel_tls *tls, uint32_t kind, uint64_t object,
                              uint32_t argument);

struct reel_probe {
    struct reel_region *region; /* NULL: this process records nothing */
    struct reel_sequence_slot *sequences;
    _Atomic uint32_t *stripes;
    uint64_t sequence_mask;
    uint32_t sequence_shift;
    uint32_t clock;
    uint64_t image_prefix; /* of private objects' sequence keys */
    uint32_t stack_mode, stack_depth;
    struct reel_process_slot *process;
    uint32_t process_index;
    int32_t pid;
    bool key_made;
    pthread_key_t key;         /* its destructor tells that a thread ends */
    bool filtered;             /* seccomp is on: stalls make no system call */
    ptrdiff_t tid_offset;      /* of the kernel thread id within struct pthread; 0: not known */
    char environment[3][4352]; /* LD_PRELOAD=…, REEL_REGION=…, as an exec'd image needs them */
    char preload_original[4096]; /* LD_PRELOAD as the user had it, "" when unset */
    reel_follower follow;        /* is told each event by its thread; NULL: nobody */
};
extern struct reel_probe reel_probe REEL_HIDDEN;

/* Out of line */
struct reel_tls *reel_enter_slow(enum reel_family family) REEL_HIDDEN;
struct reel_record *reel_reserve_slow(struct reel_tls *tls, char *at, char *end,
                                      size_t bytes) REEL_HIDDEN;
struct reel_record *reel_reserve_disturbed(struct reel_tls *tls, char *at, char *before,
                                           size_t bytes) REEL_HIDDEN;
struct reel_sequence_slot *reel_sequence_find_slow(uint64_t key) REEL_HIDDEN;

/* Enter: this thread's state, or NULL when the wrapper shall just pass the call on. */
static inline struct reel_tls *reel_enter(enum reel_family family)
{
    if (REEL_UNLIKELY(!(reel_fork_page.active >> family & 1) || reel_tls.inside))
        return reel_enter_slow(family);
    return &reel_tls;
}

/* Only in the target: the collector's last beat, where reading the time-stamp counter would kill
 * (strict seccomp, PR_SET_TSC). */
#define REEL_CLOCK_COARSE 100u

static inline uint64_t reel_now(void)
{
    if (REEL_UNLIKELY(reel_probe.clock == REEL_CLOCK_COARSE))
        return atomic_load_explicit(&reel_probe.region->heartbeat, memory_order_relaxed);
    return reel_clock_read(reel_probe.clock);
}

/* Room for `records` records in a row; never NULL (a scratch record when there is none: the loss is
 * counted). One instruction moves the cursor, so a signal handler gets other records. */
static inline struct reel_record *reel_reserve(struct reel_tls *tls, size_t records)
{
    size_t bytes = records * sizeof(struct reel_record);
    char *at, *end = *(char *volatile *)&tls->end;
#if defined(__x86_64__)
    uint64_t step = bytes;
    __asm__ volatile("xaddq %0, %1" : "+r"(step), "+m"(tls->cursor) : : "cc", "memory");
    at = (char *)step;
#else
    at = (char *)__atomic_fetch_add((uintptr_t *)&tls->cursor, bytes, __ATOMIC_RELAXED);
#endif
    /* Looked at before and after: a handler in between may have moved on to another block. */
    if (REEL_UNLIKELY(end != *(char *volatile *)&tls->end))
        return reel_reserve_disturbed(tls, at, end, bytes);
    if (REEL_LIKELY(at + bytes <= end))
        return (struct reel_record *)at;
    return reel_reserve_slow(tls, at, end, bytes);
}

static inline void reel_record_fill(struct reel_record *record, uint64_t time, uint32_t kind,
                                    uint64_t object, uint32_t sequence, uint32_t argument,
                                    uint32_t stack)
{
    record->time = time;
    record->object = object;
    record->sequence = sequence;
    record->argument = argument;
    record->stack = stack;
    atomic_store_explicit(&record->kind, kind, memory_order_release);
}

/* After each event but definitions of stacks. */
static inline void reel_told(struct reel_tls *tls, uint32_t kind, uint64_t object,
                             uint32_t argument)
{
    tls->events++;
    if (REEL_UNLIKELY(reel_probe.follow))
        reel_probe.follow(tls, kind, object, argument);
}

/* Leave: one event, stamped now. */
static inline void reel_emit(struct reel_tls *tls, uint32_t kind, uint64_t object,
                             uint32_t sequence, uint32_t argument, uint32_t stack)
{
    struct reel_record *record = reel_reserve(tls, 1);
    reel_record_fill(record, reel_now(), kind, object, sequence, argument, stack);
    reel_told(tls, kind, object, argument);
}

/* The same with up to `count` words behind it (3 in each EXTRA record). */
void reel_emit_words(struct reel_tls *tls, uint32_t kind, uint64_t object, uint32_t sequence,
                     uint32_t argument, uint32_t stack, const uint64_t *words,
                     unsigned count) REEL_HIDDEN;
/* The same with a text (cut at 1000 bytes) behind `count` words. */
void reel_emit_text(struct reel_tls *tls, uint32_t kind, uint64_t object, uint32_t argument,
                    uint32_t stack, const char *text) REEL_HIDDEN;

/* Sequence numbers: see region.h. `_exclusive`: the caller holds the object, so nobody else bumps
 * it.
 * `_atomic`: anybody may. The STRIPED flag is added to *kind where the number counts a stripe. */
static inline uint64_t reel_object_key(const volatile void *object)
{
    return reel_probe.image_prefix | ((uintptr_t)object & 0xffffffffffffull);
}

static inline uint64_t reel_object_key_shared(const volatile void *object)
{
    return REEL_SEQUENCE_SHARED << 48 | ((uintptr_t)object & 0xffffffffffffull);
}

static inline struct reel_sequence_slot *reel_sequence_find(uint64_t key)
{
    struct reel_sequence_slot *slot =
        &reel_probe.sequences[REEL_SEQUENCE_HASH(key) >> reel_probe.sequence_shift];
    if (REEL_LIKELY(atomic_load_explicit(&slot->key, memory_order_relaxed) == key))
        return slot;
    return reel_sequence_find_slow(key);
}

static inline uint32_t reel_sequence_striped(uint64_t key, uint32_t *kind)
{
    *kind |= REEL_FLAG_STRIPED;
    uint32_t next;
    do {
        next = atomic_fetch_add_explicit(
                   &reel_probe.stripes[REEL_SEQUENCE_HASH(key) >> 52 & (REEL_STRIPES - 1)], 1,
                   memory_order_relaxed) +
               1;
    } while (next == 0);
    return next;
}

static inline uint32_t reel_sequence_exclusive(uint64_t key, uint32_t *kind)
{
    struct reel_sequence_slot *slot = reel_sequence_find(key);
    if (REEL_UNLIKELY(!slot))
        return reel_sequence_striped(key, kind);
    uint32_t next = atomic_load_explicit(&slot->next, memory_order_relaxed) + 1;
    next += next == 0;
    atomic_store_explicit(&slot->next, next, memory_order_relaxed);
    return next;
}

static inline uint32_t reel_sequence_atomic(uint64_t key, uint32_t *kind)
{
    struct reel_sequence_slot *slot = reel_sequence_find(key);
    if (REEL_UNLIKELY(!slot))
        return reel_sequence_striped(key, kind);
    uint32_t next;
    do {
        next = atomic_fetch_add_explicit(&slot->next, 1, memory_order_relaxed) + 1;
    } while (next == 0);
    return next;
}

/* What the thread is blocked on, for whoever looks while it is. Around the real call. */
static inline void reel_wait_begin(struct reel_tls *tls, uint32_t kind, uint64_t object,
                                   uint32_t call, uint32_t stack)
{
    struct reel_thread_slot *slot = tls->slot;
    if (REEL_UNLIKELY(!slot))
        return;
    atomic_store_explicit(&slot->wait_object, object, memory_order_relaxed);
    atomic_store_explicit(&slot->wait_kind, kind, memory_order_relaxed);
    slot->wait_call = call;
    slot->wait_stack = stack;
    atomic_store_explicit(&slot->wait_since, reel_now(), memory_order_release);
}

static inline void reel_wait_end(struct reel_tls *tls)
{
    if (REEL_LIKELY(tls->slot))
        atomic_store_explicit(&tls->slot->wait_since, 0, memory_order_release);
}

/* process.c: prctl(option, mode) is about to be called. */
void reel_confined(long option, unsigned long mode) REEL_HIDDEN;

/* attach.c */
void reel_initialise(void) REEL_HIDDEN;
void reel_attach_forked(uint32_t parent_number) REEL_HIDDEN;

/* thread_slot.c: slots are claimed by the creator of a thread, or by the thread itself. */
struct reel_thread_slot *reel_thread_slot_claim(uint32_t parent) REEL_HIDDEN;
void reel_thread_slot_return(struct reel_thread_slot *slot) REEL_HIDDEN;
bool reel_thread_attach(struct reel_tls *tls) REEL_HIDDEN;
void reel_thread_begin(struct reel_tls *tls, struct reel_thread_slot *slot) REEL_HIDDEN;
int32_t reel_thread_tid(void) REEL_HIDDEN;
void reel_thread_end(void *tls) REEL_HIDDEN;

/* writer.c */
struct reel_block *reel_block_take(void) REEL_HIDDEN;
uint32_t reel_block_index(const struct reel_block *block) REEL_HIDDEN;
void reel_block_give_back(struct reel_block *block) REEL_HIDDEN;

#endif
