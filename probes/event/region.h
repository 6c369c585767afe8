/* The region: shared memory between one recording's processes and its collector.
 *
 *   +--------+---------+---------+----------+--------------------------+
 *   | header | process | thread  | sequence | blocks, 64 KiB each ...  |
 *   |        | slots   | slots   | slots    |                          |
 *   +--------+---------+---------+----------+--------------------------+
 *
 * One memfd a recording, made by the collector. A process maps it once, in the probe's constructor,
 * and closes the descriptor at once; a forked child inherits the mapping, an exec'd image maps it
 * by the path in REEL_REGION. All offsets are from the start of the region.
 *
 * Who writes what
 *   header          the collector, before the target starts; afterwards only the atomics.
 *   process slot    the process that claimed it; `state` ENDED and FREE by the collector.
 *   thread slot     the thread that owns it (its creator until START); FREE by the collector.
 *   block           the thread that took it, until it links the next one; then the collector.
 *   sequence slot   whoever holds the lock it counts, or atomically for objects that are no lock.
 *
 * A thread's events are a chain of blocks: the thread fills one, takes a free one with one
 * compare-and-swap, stores its index in the full block's `next` (release; pairs with the
 * collector's acquire load) and goes on. So any thread may use the whole pool in a burst, and an
 * idle one costs 64 KiB. The collector zeroes a drained block and pushes it back. Only prefaulted
 * blocks are in the pool: the target never pays for a first touch, and a full tmpfs cannot raise
 * SIGBUS in it. */
#ifndef REEL_EVENT_REGION_H
#define REEL_EVENT_REGION_H

#include "probes/event/record.h"

#define REEL_REGION_MAGIC   0x314c454552ull /* "REEL1" */
#define REEL_REGION_VERSION 2u
#define REEL_NO_BLOCK       0xffffffffu
#define REEL_BLOCK_BYTES    65536u
#define REEL_BLOCK_RECORDS  (REEL_BLOCK_BYTES / 32u - 2u)

enum reel_clock {
    REEL_CLOCK_MONOTONIC = 0, /* clock_gettime(CLOCK_MONOTONIC), nanoseconds */
    REEL_CLOCK_TSC = 1,       /* the processor's time-stamp counter */
};

enum reel_stack_mode {
    REEL_STACK_NONE = 0,
    REEL_STACK_CALLER = 1, /* the return address alone */
    REEL_STACK_FRAMES = 2, /* frame pointers */
    REEL_STACK_UNWIND = 3, /* call-frame information, cached per thread */
};

/* What a thread does when the pool is empty. */
enum reel_full_policy {
    REEL_FULL_BUDGET = 0,   /* wait within the budget, then lose events and count them */
    REEL_FULL_LOSSLESS = 1, /* wait for as long as the collector lives */
};

/* Sequence slot: the next number in the order of one object's events. `key` is claimed once, by
 * compare-and-swap, and stays. A lock's events bump `next` while the lock is held (plain load and
 * store); the events of other objects with an atomic addition. When the table is full, or the probe
 * sequence too long, the object falls into one of REEL_STRIPES shared counters, always bumped
 * atomically, and its events carry REEL_FLAG_STRIPED: then the number orders the whole stripe. */
struct reel_sequence_slot {
    _Atomic uint64_t
        key; /* process image << 48 | address; image 0xffff for process-shared objects */
    _Atomic uint32_t next;
    uint32_t reserved;
};

#define REEL_STRIPES            4096u
#define REEL_SEQUENCE_PROBES    16u
#define REEL_SEQUENCE_SHARED    0xffffull
#define REEL_SEQUENCE_IMAGE(n)  ((n) % 0xfffeu + 1u) /* of the process image with number n */
#define REEL_SEQUENCE_HASH(key) (((key) ^ (key) >> 47) * 0x9e3779b97f4a7c15ull)

struct reel_block {
    _Atomic uint32_t next;      /* the block the thread went on in; REEL_NO_BLOCK while it fills */
    _Atomic uint32_t next_free; /* in the pool: the block below this one */
    uint32_t owner;             /* the thread's number; 0: not an event block (a stack arena) */
    uint32_t reserved[13];
    struct reel_record record[REEL_BLOCK_RECORDS];
};
_Static_assert(sizeof(struct reel_block) == REEL_BLOCK_BYTES, "a block is exactly 64 KiB");

enum reel_slot_state {
    REEL_SLOT_FREE = 0,
    REEL_SLOT_CLAIMED = 1, /* being filled in, or waiting for its thread to start */
    REEL_SLOT_LIVE = 2,
    REEL_SLOT_ENDED = 3, /* no more events will come; the collector drains and frees it */
};

/* One thread. 128 bytes: no false sharing between neighbours. */
struct reel_thread_slot {
    _Alignas(64) _Atomic uint32_t state; /* enum reel_slot_state */
    uint32_t number;                     /* of the thread, unique in the recording, from 1 */
    uint32_t process;                    /* index of its process slot */
    int32_t tid;                         /* kernel thread id */
    uint64_t handle;                     /* pthread_t */
    _Atomic uint32_t first_block;
    uint32_t arena;             /* newest stack-arena block, chained by `next_free`; or none */
    _Atomic uint64_t lost;      /* events that found no room, in all */
    _Atomic uint64_t abandoned; /* records begun and never finished (longjmp out of a handler) */
    uint64_t start_routine;     /* from the creator to the trampoline */
    uint64_t start_argument;
    uint32_t parent;         /* number of the creating thread */
    uint32_t process_number; /* of its process, unique in the recording */
    /* What the thread is blocked on now, for live detection: written before and cleared after. */
    _Atomic uint64_t wait_since; /* raw clock; 0 = not blocked */
    _Atomic uint64_t wait_object;
    _Atomic uint32_t wait_kind; /* REEL_KIND(operation, class, flags) */
    uint32_t wait_call;
    uint32_t wait_stack;
    uint32_t reserved[7];
};
_Static_assert(sizeof(struct reel_thread_slot) == 128, "two cache lines");

/* One process image. A forked child claims its own; exec makes a new one with the same pid. */
struct reel_process_slot {
    _Atomic uint32_t state; /* enum reel_slot_state */
    uint32_t number;        /* unique in the recording, from 1 */
    int32_t pid;
    int32_t parent_pid;
    uint32_t parent_number; /* forked from; 0 when exec'd or first */
    uint32_t image;         /* sequence-key prefix: 1…0xfffe */
    uint64_t start;         /* raw clock */
    _Atomic uint64_t lost;  /* events of threads that got no slot */
    uint64_t probe_base;    /* load address of the probe library */
    _Atomic uint32_t seen;  /* by the collector, which knows now what is mapped where */
    /* The heap block that is to be watched: told by the process, then answered by the collector. */
    _Atomic uint32_t block_state; /* enum reel_block_state */
    uint64_t block_address, block_bytes;
    uint32_t reserved[8];
};

enum reel_block_state {
    REEL_BLOCK_NONE = 0,
    REEL_BLOCK_ANNOUNCED = 1, /* its thread waits */
    REEL_BLOCK_ANSWERED = 2,  /* it is watched, or cannot be */
};

/* Which heap block is to be watched: the `number`th that is asked for by a call in one of these
 * ranges of the program, as it was linked. */
#define REEL_BLOCK_RANGES 16u
struct reel_block_watch {
    uint32_t number; /* from 1; 0: none */
    uint32_t ranges;
    struct {
        uint64_t start, end;
    } range[REEL_BLOCK_RANGES];
};

#define REEL_REGION_POOL_COMPLETE 1u /* no more blocks will be added: who finds none must stall */

struct reel_region {
    uint64_t magic;
    uint32_t version;
    uint32_t clock; /* enum reel_clock */
    uint64_t bytes; /* of the whole region */
    uint64_t process_offset, thread_offset, sequence_offset, block_offset;
    uint32_t process_capacity, thread_capacity;
    uint32_t sequence_bits; /* the table has 1 << sequence_bits slots, then REEL_STRIPES counters */
    uint32_t block_capacity;
    /* Options */
    uint32_t families; /* bit per enum reel_family */
    uint32_t stack_mode, stack_depth;
    uint32_t full_policy;
    uint64_t stall_ticks;        /* longest single stall */
    uint32_t stall_share;        /* stalls may take this many thousandths of a thread's time */
    uint32_t follow;             /* 0: forked and exec'd children record nothing */
    uint64_t io_threshold_ticks; /* shorter I/O calls on plain files leave no record; 0 = all */
    int32_t collector_pid;
    uint32_t flags; /* REEL_REGION_*; changed by the collector while the target runs */
    uint64_t reserved[8];
    struct reel_block_watch block_watch;

    /* Everything below is written by all sides. */
    _Alignas(64) _Atomic uint64_t free_blocks; /* top of the pool: index | tag << 32 */
    _Alignas(64) _Atomic uint32_t free_count;
    _Alignas(64) _Atomic uint32_t next_thread; /* last thread number given */
    _Atomic uint32_t next_process;
    _Atomic uint32_t thread_high; /* slots below this index have been used */
    _Atomic uint32_t process_high;
    _Alignas(64) _Atomic uint64_t heartbeat; /* raw clock of the collector's last round; 0 = gone */
    _Atomic uint64_t next_descriptor;        /* last identity given to a descriptor */
    _Atomic uint64_t lost;                   /* events no thread or process could count */
};

static inline struct reel_process_slot *reel_region_process(struct reel_region *r, uint32_t index)
{
    return (struct reel_process_slot *)((char *)r + r->process_offset) + index;
}

static inline struct reel_thread_slot *reel_region_thread(struct reel_region *r, uint32_t index)
{
    return (struct reel_thread_slot *)((char *)r + r->thread_offset) + index;
}

static inline struct reel_sequence_slot *reel_region_sequence(struct reel_region *r)
{
    return (struct reel_sequence_slot *)((char *)r + r->sequence_offset);
}

static inline struct reel_block *reel_region_block(struct reel_region *r, uint32_t index)
{
    return (struct reel_block *)((char *)r + r->block_offset) + index;
}

#endif
