/* The runtime behind instrumented code: what it knows, and where.
 *
 * Every eight bytes of the program have one *cell* of 32 bytes in the shadow: who accessed them
 * last, which bytes, how, and where in the program. A thread's time is its *epoch*: the position of
 * its last event that can order others (a release), as the tracer counts positions. An access is
 * (thread, epoch); another thread's access comes after it exactly if that thread has heard of a
 * later position. That is FastTrack (Flanagan and Freund, PLDI 2009), but to the byte, with all
 * reads that matter, and nothing evicted.
 *
 * The runtime only filters: what it cannot order it tells (candidate.c), and the tracer, which
 * knows of all synchronisation, pipes and other processes included, decides (detect/race.c).
 *
 * Rules: no lock is held across a call into the program or the C library; a signal handler that
 * finds its own thread at work here has its accesses kept for later (defer.c). */
#ifndef REEL_MEMORY_MEMORY_H
#define REEL_MEMORY_MEMORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sched.h>

#include "probes/preload/services.h"

/* One access, or several of the same kind, epoch and place in the program, to bytes of one word:
 *
 *   63            28 27           11  10  9 8 7      0
 *   | epoch         | thread       | L | A W | bytes |
 */
#define REEL_TAG_BYTES   0xffull
#define REEL_TAG_WRITE   0x100ull
#define REEL_TAG_ATOMIC  0x200ull
#define REEL_TAG_LOCKED  0x400ull /* of the cell; only in its first tag */
#define REEL_TAG_READS   0x400ull /* of the flags of a write: it reads what was there, too */
#define REEL_TAG_HIDDEN  0x400ull /* of an access told: a lock happened to order it */
#define REEL_TAG_THREAD  11
#define REEL_TAG_EPOCH   28
#define REEL_THREADS     (1u << (REEL_TAG_EPOCH - REEL_TAG_THREAD)) /* at once, unordered */
#define REEL_EPOCH_LIMIT ((1ull << (64 - REEL_TAG_EPOCH)) - 1)

static inline uint32_t reel_tag_thread(uint64_t tag)
{
    return (uint32_t)(tag >> REEL_TAG_THREAD) & (REEL_THREADS - 1);
}

static inline uint64_t reel_tag_epoch(uint64_t tag)
{
    return tag >> REEL_TAG_EPOCH;
}

struct reel_access {
    uint64_t tag;
    uint32_t site;
};

/* What a new access found: earlier ones that it races with, or would if locks had been taken in
 * another order; and writes it saw the values of. */
#define REEL_RACED 8u
#define REEL_SEEN  8u
struct reel_found {
    unsigned raced_count, seen_count;
    struct reel_access raced[REEL_RACED];
    uint64_t seen[REEL_SEEN]; /* tags */
};

struct reel_cell {
    _Atomic uint64_t tag[2]; /* usually the last write and the last read; 0: none */
    uint32_t site[2];
    uint64_t more; /* 0, an extension (extension.c), or the beginning of a heap block (heap.c) */
};
_Static_assert(sizeof(struct reel_cell) == 32, "four bytes of shadow for each byte");

/* The shadow: 8 TB of addresses fold into 32 TB of cells, reserved, touched where the program
 * touches memory. Programs live at the bottom, around 0x55…, and below 0x7fff…: see shadow.c. */
#define REEL_SHADOW_BASE   0x100000000000ull
#define REEL_SHADOW_FOLD   0x7ffffffffffull
#define REEL_SHADOW_LENGTH ((REEL_SHADOW_FOLD + 1) * 4)

static inline struct reel_cell *reel_cell_of(uintptr_t address)
{
    return (struct reel_cell *)(REEL_SHADOW_BASE + ((address & REEL_SHADOW_FOLD & ~7ull) << 2));
}

static inline bool reel_shadow_covers(uintptr_t address)
{
    return address < 0x8000000000ull || (address - 0x550000000000ull < 0x18000000000ull) ||
           (address - 0x7e8000000000ull < 0x18000000000ull);
}

/* What a thread has heard of the others: by thread index, positions. */
struct reel_vector {
    uint64_t *at;
    uint32_t count, capacity;
};

/* The same twice: by all synchronisation of this run; and by what orders in every run, which leaves
 * out the order in which threads happened to get locks, but has what they saw of one another's
 * writes (seen.c). The second one is empty unless hidden races are looked for. */
struct reel_past {
    struct reel_vector clock, must;
};

/* A call under way: the return address of a function, and where its frame was. */
struct reel_call_frame {
    uint64_t pc;
    uintptr_t frame;
    uint32_t path; /* of it and all outside it; 0: not looked up yet */
    /* What was here before: mostly the same call again. */
    uint32_t last_path, last_outer;
    uint64_t last_pc;
};

struct reel_site_memo {
    uint64_t pc;
    uint32_t path, locks, site;
};

#define REEL_SITE_MEMOS 1024u
#define REEL_FRAMES     (1u << 20)

/* Something that a signal handler did while its thread was at work here. */
struct reel_deferred {
    uint64_t object, pc;
    uint32_t what; /* 0: an access; else the kind of an event */
    uint32_t argument;
    uint64_t flags;
};
#define REEL_DEFERRED 64u

/* A thread. */
struct reel_self {
    uint64_t write_tag, read_tag;               /* of an access now, without bytes; 0: not begun */
    struct reel_call_frame *top, *base, *limit; /* all NULL: not begun, or ended */
    uint32_t inside;                            /* above 0: at work here */
    uintptr_t work_frame;                       /* of the function at work */
    uint32_t ignoring;                          /* above 0: the program asked not to look */
    uint32_t index;                             /* 0: none yet */
    uint32_t number;                            /* of the thread in the recording */
    uint64_t bias;                              /* epoch = bias + position */
    bool ended;
    bool telling;   /* an event of our own is under way: not to be followed */
    uint32_t locks; /* held: a path of locks, see site.c */
    struct reel_tls *tls;
    struct reel_past past;
    const struct reel_vector *sure; /* whose word is enough for an access to be simply later */
    struct reel_trail *trail;       /* NULL unless hidden races are looked for */
    struct reel_vector glimpsed;    /* writes that nothing orders, whose values it has seen */
    struct reel_past loaded;        /* what an acquire fence would bring */
    struct reel_past fenced;        /* what the last release fence let go; `fence_position` of it */
    uint64_t fence_position;
    uint64_t loaded_from[8]; /* words whose relaxed loads brought `loaded` */
    uint32_t loaded_count;
    uint32_t barrier_round;
    uint32_t deferred_count;
    struct reel_deferred deferred[REEL_DEFERRED];
    struct reel_site_memo *memo;
};
extern __thread struct reel_self reel_self
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

#pragma GCC visibility push(hidden)

/* The whole process. */
struct reel_memory {
    const struct reel_services *services;
    _Atomic bool active;
    _Atomic bool predicts; /* races that locks happen to hide are looked for */
    bool *lives;           /* in a page that a forked child finds wiped */
};
extern struct reel_memory reel_memory;

static inline bool reel_is_predicting(void)
{
    return atomic_load_explicit(&reel_memory.predicts, memory_order_relaxed);
}

/* shadow.c */
bool reel_shadow_reserve(void);
/* Forgets everything about [address, address + size). */
void reel_shadow_clear(uintptr_t address, size_t size);
void reel_shadow_drop(void);

/* room.c: memory of our own. Zeroed. NULL: none left. */
void *reel_room_take(size_t bytes);
void reel_room_give(void *room, size_t bytes);
void *reel_room_map(size_t bytes);
void reel_room_reset(void);

/* vector.c */
bool reel_vector_join(struct reel_vector *into, const struct reel_vector *from); /* grew? */
void reel_vector_copy(struct reel_vector *into, const struct reel_vector *from);
void reel_vector_set(struct reel_vector *vector, uint32_t index, uint64_t position);
void reel_vector_clear(struct reel_vector *vector);
void reel_vector_free(struct reel_vector *vector);
bool reel_vector_covers(const struct reel_vector *vector, const struct reel_vector *other);
bool reel_past_join(struct reel_past *into, const struct reel_past *from); /* grew? */
void reel_past_copy(struct reel_past *into, const struct reel_past *from);
void reel_past_clear(struct reel_past *past);
void reel_past_free(struct reel_past *past);
bool reel_past_covers(const struct reel_past *past, const struct reel_past *other);

static inline uint64_t reel_vector_at(const struct reel_vector *vector, uint32_t index)
{
    return index < vector->count ? vector->at[index] : 0;
}

/* thread.c */
bool reel_self_begin(struct reel_self *self, struct reel_tls *tls);
void reel_self_hear_all(struct reel_self *self);
void reel_self_end(struct reel_self *self);
void reel_self_advance(struct reel_self *self); /* a new epoch: now */
/* The present epoch of that index, or the last one of its last thread. */
uint64_t reel_self_epoch(uint32_t index);
uint32_t reel_self_count(void); /* of indexes ever used */
/* Who was it? False: not known any more. */
bool reel_self_identify(uint32_t index, uint64_t epoch, uint32_t *thread, uint64_t *position);
/* As `reel_trail_join`, and who it was. 0: not known any more. */
uint64_t reel_self_follow_trail(uint32_t index, uint64_t epoch, struct reel_past *past,
                                uint32_t *thread, uint64_t *position);
void reel_self_reset(void);
void reel_stack_forget(void); /* this thread's stack was another's */

/* seen.c: what a thread let go lately, and what it knew then. */
struct reel_trail;
#define REEL_TRAIL_BYTES 1024u
void reel_trail_add(struct reel_trail *trail, uint64_t epoch, uint32_t index,
                    const struct reel_vector *must);
/* Until when thread `index` counts as seen by who saw what it wrote in `epoch`: until it let go for
 * the first time after that (`now` when it has not yet), or a little later. `past` hears it, and
 * what that thread knew then, as far as its clock has heard of it. NULL: nobody hears. */
uint64_t reel_trail_join(struct reel_trail *trail, uint64_t epoch, uint64_t now, uint32_t index,
                         struct reel_past *past);
/* This thread has seen what that one wrote in that epoch: told, and heard. */
void reel_self_see(struct reel_self *self, uint32_t index, uint64_t epoch);
/* It has seen, in some way that is not followed, what all others have done so far. */
void reel_self_see_all(struct reel_self *self);
/* A thread got word in a way that is not followed: nothing is predicted from here on. */
void reel_seen_no_more(const char *why);

/* fork.c: the first work in a forked child. The thread is at work here; `tls` NULL: not known yet.
 */
void reel_self_forked(struct reel_self *self, struct reel_tls *tls);

/* site.c: places in the program */
struct reel_site_entry {
    uint64_t pc;   /* or the address of a lock */
    uint32_t path; /* of the function; of the lock taken before */
    uint32_t locks;
};
uint32_t reel_site_of(struct reel_self *self, uint64_t pc);
static inline struct reel_site_memo *reel_site_memo(const struct reel_self *self, uint64_t pc,
                                                    uint32_t path)
{
    return &self->memo[(pc ^ pc >> 10 ^ pc >> 32 ^ path * 31u ^ self->locks * 7u) &
                       (REEL_SITE_MEMOS - 1)];
}
uint32_t reel_site_intern(uint64_t pc, uint32_t path, uint32_t locks);
const struct reel_site_entry *reel_site_entry(uint32_t site);
/* Some bytes of a word from one site, those of `bytes` from another. 0: that cannot be kept as one.
 */
uint32_t reel_site_join(struct reel_self *self, uint32_t site, uint32_t other, uint64_t bytes);
/* The site of the lowest of `bytes`. */
uint32_t reel_site_part(uint32_t site, uint64_t bytes);
/* Was one lock held at both? */
bool reel_site_share_lock(uint32_t site, uint32_t other);
void reel_site_lock(struct reel_self *self, uint64_t lock);
void reel_site_unlock(struct reel_self *self, uint64_t lock);

/* cell.c: `flags` are REEL_TAG_WRITE, REEL_TAG_ATOMIC and REEL_TAG_READS */
void reel_cell_lock(struct reel_cell *cell);
void reel_cell_unlock(struct reel_cell *cell);
/* The cell is locked. */
void reel_cell_access(struct reel_cell *cell, struct reel_self *self, uint64_t flags,
                      uint64_t bytes, uint32_t site, struct reel_found *found);
void reel_cell_forget(struct reel_cell *cell);

/* access.c */
/* Does this thread record? The thread is at work here. */
bool reel_access_ready(struct reel_self *self);
/* Tells what an access found; no cell is locked. */
void reel_access_tell(struct reel_self *self, uintptr_t word, uint64_t bytes, uint64_t flags,
                      uint32_t site, const struct reel_found *found);
void reel_access_word(struct reel_self *self, uintptr_t word, uint64_t bytes, uint64_t flags,
                      uint32_t site);
void reel_access_slow(uintptr_t address, size_t size, uint64_t flags, uint64_t pc);
void reel_access_range(uintptr_t address, size_t size, uint64_t flags, uint64_t pc);

/* extension.c */
struct reel_sync;
#define REEL_FEW 6u
struct reel_extension {
    struct reel_access *access; /* `few` while they suffice */
    uint32_t count, capacity;
    struct reel_access few[REEL_FEW]; /* three of them in the first line of cache */
    struct reel_sync *sync;
    uint64_t block; /* what `more` said of a heap block before */
};
_Static_assert(sizeof(struct reel_extension) == 128, "two lines of cache, aligned as room is");
struct reel_extension *reel_extension_of(struct reel_cell *cell);   /* NULL: none */
struct reel_extension *reel_extension_make(struct reel_cell *cell); /* NULL: no room */
void reel_extension_free(struct reel_extension *extension);
#define REEL_MORE_BLOCK 1u /* `more` is the beginning of a heap block, not an extension */

/* Are there accesses in the extension, if there is one? */
static inline bool reel_extension_counts(const struct reel_cell *cell)
{
    return !(cell->more & REEL_MORE_BLOCK) && ((const struct reel_extension *)cell->more)->count;
}

/* sync.c: what is heard at an object */
struct reel_sync {
    struct reel_past heard;
    struct reel_past readers;   /* of a rwlock; what came to a barrier's even rounds */
    struct reel_past odd;       /* and to its odd ones */
    uint32_t capacity, arrived; /* of a barrier */
    uint32_t last;              /* of an atomic: index of the thread that released last */
};
struct reel_sync *reel_sync_at(struct reel_cell *cell, bool make); /* the cell is locked */
void reel_sync_free(struct reel_sync *sync);
/* Channels that are no word of memory: the caller holds the lock of all of them. */
enum reel_channel { REEL_CHANNEL_START = 1, REEL_CHANNEL_END, REEL_CHANNEL_OBJECT };
struct reel_sync *reel_channel_lock(enum reel_channel space, uint64_t number, bool make);
void reel_channel_unlock(void);
void reel_channel_remove(enum reel_channel space, uint64_t number); /* locked */
void reel_channel_reset(void);

/* follow.c */
void reel_follow(struct reel_tls *tls, uint32_t kind, uint64_t object, uint32_t argument);
void reel_follow_event(struct reel_self *self, uint32_t kind, uint64_t object, uint32_t argument);

/* candidate.c */
uint32_t reel_site_stack(struct reel_self *self, uint32_t site); /* its number, for this thread */
unsigned reel_site_locks(uint32_t site, uint64_t *words);        /* the locks held; how many */
#define REEL_SITE_LOCKS 12u
void reel_candidate(struct reel_self *self, uintptr_t word, uint64_t bytes, uint64_t flags,
                    uint32_t site, const struct reel_access *earlier);

/* mapping.c: memory that other processes may see */
extern _Atomic uint32_t reel_shared_ranges;
bool reel_is_shared_slow(uintptr_t address);
static inline bool reel_is_shared(uintptr_t address)
{
    return REEL_UNLIKELY(atomic_load_explicit(&reel_shared_ranges, memory_order_relaxed)) &&
           reel_is_shared_slow(address);
}

/* shared.c */
void reel_shared_access(struct reel_self *self, uintptr_t word, uint64_t bytes, uint64_t flags,
                        uint32_t site);

/* heap.c, blocks.c */
void reel_block_begin(uintptr_t start, size_t size, uint32_t site);
void reel_block_end(uintptr_t start, size_t size);
/* The heap block around an address. */
bool reel_block_find(uintptr_t address, uintptr_t *start, size_t *size, uint32_t *site);

/* module.c */
bool reel_module_has(uint64_t pc); /* is it instrumented code? */
void reel_module_join(const void *address);

/* imports.c: a function outside of the module that may carry values between threads unseen; NULL:
 * none. */
struct dl_phdr_info;
const char *reel_imports_unseen(const struct dl_phdr_info *module);

/* attach.c: positions are counted from here on. `unseen` ends predictions; NULL: nothing does. */
void reel_tell_followed(const char *unseen);

/* The same, but only of words that somebody has accessed; nothing is left there. */
void reel_access_seen(uintptr_t address, size_t size, uint64_t flags, uint64_t pc);

/* defer.c */
bool reel_defer(struct reel_self *self, const struct reel_deferred *what);
void reel_leave_slow(struct reel_self *self);

#pragma GCC visibility pop

/* Locks here are held for some instructions. One that is not let go for a million rounds is not
 * going to be: its thread left a signal handler by longjmp in the midst of it. Then it is taken
 * over. */
#define REEL_PATIENCE (1u << 20)

static inline void reel_pause(unsigned round)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
    if (round > 200)
        sched_yield();
}

static inline void reel_spin_lock(atomic_flag *flag)
{
    for (unsigned round = 0;
         atomic_flag_test_and_set_explicit(flag, memory_order_acquire) && round < REEL_PATIENCE;
         round++)
        reel_pause(round);
}

static inline void reel_spin_unlock(atomic_flag *flag)
{
    atomic_flag_clear_explicit(flag, memory_order_release);
}

#define REEL_NEAR (1u << 20) /* bytes between frames of one stack, for sure */

/* Around all work here. False: the thread is at work already: we are in a signal handler. Unless
 * that work was left by longjmp: then our caller's frame is an older one than that of the work. */
static inline __attribute__((always_inline)) bool reel_work_begin(struct reel_self *self)
{
    const uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    if (REEL_UNLIKELY(self->inside) &&
        !(frame > self->work_frame && frame - self->work_frame < REEL_NEAR))
        return false;
    self->inside = 1;
    self->work_frame = frame;
    atomic_signal_fence(memory_order_seq_cst);
    return true;
}

static inline void reel_work_end(struct reel_self *self)
{
    atomic_signal_fence(memory_order_seq_cst);
    self->inside = 0;
    if (REEL_UNLIKELY(self->deferred_count))
        reel_leave_slow(self);
}

#endif
