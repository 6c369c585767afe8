/* The bytes of a chunk, for its builder and its reader.
 *
 * Most events repeat: the same call site, stack included, does the same operation to the same
 * object, and is followed by the same next site. So a chunk has dictionaries
 *
 *   version   1 byte
 *   kinds     count; each: operation, class, flags             (1 byte each)
 *   objects   count; each: zig-zag difference to the one before
 *   sites     count; each: kind number, object number, zig-zag difference of the stack
 *
 * in the order of first appearance, and four columns with one value an event
 *
 *   time      difference to the event before (to the chunk's first_ns for the first event: 0)
 *   site      0: the site that followed last time; 1: the next new one; n + 2: site n
 *   sequence  0: one more than the object's last in this chunk; 1: unordered (sequence 0);
 *             else 1 + zig-zag of the difference to what 0 would have meant
 *   argument  zig-zag difference to the site's last argument
 *
 * each chosen such that 0 is what usually happens. A column is (bytes << 1 | sparse), then either
 * every value (dense) or only those that are not 0, each behind the number of zeros skipped
 * (sparse). Behind them
 *
 *   extras    bytes, then: events skipped since the last one with extra words, words, the words
 *
 * All numbers are varints. The chunk's row holds count, first_ns and last_ns. */
#ifndef REEL_STORE_CHUNK_FORMAT_H
#define REEL_STORE_CHUNK_FORMAT_H

#include "tracer/store/chunk.h"
#include "tracer/store/varint.h"

#define REEL_CHUNK_VERSION 1u

enum reel_chunk_site_code {
    REEL_SITE_CODE_FOLLOWS = 0,
    REEL_SITE_CODE_NEW = 1,
    REEL_SITE_CODE_FIRST = 2, /* + site number */
};

/* What the reader made of a chunk; the merge works on these directly. */
struct reel_chunk_site {
    uint64_t object;
    uint32_t stack;
    uint32_t domain; /* the merge's: number of the ordering domain; 0: not yet looked up */
    uint8_t operation, class, flags;
};

struct reel_chunk_slot {
    uint64_t time_ns;
    uint32_t sequence;
    uint32_t argument;
    uint16_t site;
    uint16_t extra_words;
    uint32_t extra; /* first of its words in `extras` */
};

struct reel_chunk_reader {
    struct reel_chunk_site *sites;
    struct reel_chunk_slot *slots;
    uint64_t *extras;
    uint32_t count, next; /* slots */
    uint32_t site_count;
    uint32_t slot_capacity, site_capacity, extra_capacity;
    bool has_gap; /* some event is a GAP: others were lost */
    struct reel_event event;
};

/* Fills in everything but thread and process. */
static inline void reel_chunk_slot_event(const struct reel_chunk_reader *reader,
                                         const struct reel_chunk_slot *slot,
                                         struct reel_event *event)
{
    const struct reel_chunk_site *site = &reader->sites[slot->site];
    event->time_ns = slot->time_ns;
    event->object = site->object;
    event->sequence = slot->sequence;
    event->argument = slot->argument;
    event->stack = site->stack;
    event->operation = site->operation;
    event->class = site->class;
    event->flags = site->flags;
    event->extra_words = (uint8_t)slot->extra_words;
    event->extra = slot->extra_words ? reader->extras + slot->extra : NULL;
}

#endif
