/* One record: 32 bytes, written by a thread of the traced program, read by the collector.
 *
 *      0        8        16    20    24    28  29  30  31
 *      +--------+--------+-----+-----+-----+---+---+---+---+
 *      | time   | object | seq | arg |stack| f | c | r | k |
 *      +--------+--------+-----+-----+-----+---+---+---+---+
 *
 * The last four bytes (flags, class, reserved, operation) are stored together, last and with
 * release order: a record whose operation is not NONE is complete. Blocks are handed out zeroed. */
#ifndef REEL_EVENT_RECORD_H
#define REEL_EVENT_RECORD_H

#include <stdatomic.h>
#include <stdint.h>

struct reel_record {
    uint64_t time;         /* raw clock ticks (struct reel_region.clock) */
    uint64_t object;       /* address or identity, by class: see kinds.h */
    uint32_t sequence;     /* position among the events of the object; 0 = unordered */
    uint32_t argument;     /* by operation: see kinds.h */
    uint32_t stack;        /* stack of the caller, a number of this thread; 0 = none */
    _Atomic uint32_t kind; /* REEL_KIND(operation, class, flags) */
};

/* A continuation: an EXTRA record directly behind the event it belongs to, in the same reservation.
 * Texts are packed into the words, zero-padded. */
struct reel_record_extra {
    uint64_t word[3];
    uint32_t words; /* how many of them are valid: 1 to 3 */
    _Atomic uint32_t kind;
};

_Static_assert(sizeof(struct reel_record) == 32, "the contract says 32 bytes");
_Static_assert(sizeof(struct reel_record_extra) == 32, "an extra is one record");

#define REEL_KIND(operation, class, flags)                                                         \
    ((uint32_t)(operation) << 24 | (uint32_t)(class) << 8 | (uint32_t)(flags))
#define REEL_KIND_OPERATION(kind) ((kind) >> 24)
#define REEL_KIND_CLASS(kind)     ((kind) >> 8 & 0xffu)
#define REEL_KIND_FLAGS(kind)     ((kind)&0xffu)

/* Flags. The first group is about the object, the second about the operation. */
#define REEL_FLAG_SHARED_OBJECT                                                                    \
    0x01u                       /* process-shared: one object in all processes that map it         \
                                 */
#define REEL_FLAG_READ    0x02u /* shared mode of a rwlock; input side of a descriptor */
#define REEL_FLAG_STRIPED 0x04u /* sequence counts a stripe of objects: see region.h */
#define REEL_FLAG_RECURSIVE                                                                        \
    0x08u /* re-entry of, or exit from an inner level of, a recursive lock */
#define REEL_FLAG_IN_WAIT     0x10u /* the release and re-acquire done by a condition wait */
#define REEL_FLAG_TRY         0x20u /* by a call that never blocks */
#define REEL_FLAG_NONBLOCKING 0x40u /* the descriptor is known to be non-blocking */
#define REEL_FLAG_BLOCKED     0x80u /* a REQUEST preceded this ACQUIRE */

#define REEL_EXTRA_WORDS 3u  /* 64-bit words in one EXTRA */
#define REEL_EXTRA_LIMIT 42u /* EXTRA records behind one event at most: 1008 bytes of text */

#endif
