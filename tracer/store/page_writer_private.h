/* Between filling leaf pages (page_writer.c) and installing them (page_install.c). */
#ifndef REEL_STORE_PAGE_WRITER_PRIVATE_H
#define REEL_STORE_PAGE_WRITER_PRIVATE_H

#include <stddef.h>

#include "tracer/store/page_writer.h"

/* A page's place in its parent: the largest row id below it, and its number. */
struct reel_page_child {
    int64_t last_row;
    uint32_t page;
};

struct reel_page_writer {
    struct reel_trace *trace;
    const char *table;
    unsigned columns;
    uint32_t page_bytes;
    int file;          /* leaves, one after the other */
    uint8_t *buffer;   /* the leaves not yet in the file; the last one is being filled */
    unsigned buffered; /* whole leaves in the buffer */
    uint8_t *free_end; /* of the leaf being filled: where the next cell ends */
    unsigned cells;    /* in it */
    int64_t last_row;
    bool has_rows;
    struct reel_page_child *leaves; /* finished ones; `page` is filled in on installing */
    size_t leaf_count, leaf_capacity;
};

enum {
    reel_leaf_header = 8,
    reel_interior_header = 12,
    reel_leaf_type = 0x0d,
    reel_interior_type = 0x05,
};

/* Finishes the leaf being filled and writes all leaves to the file. */
bool reel_page_writer_flush(struct reel_page_writer *writer, struct reel_error *error);

static inline void reel_put_16(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

static inline void reel_put_32(uint8_t *to, uint32_t value)
{
    reel_put_16(to, value >> 16);
    reel_put_16(to + 2, value);
}

static inline uint32_t reel_get_32(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

/* SQLite's varint: big-endian groups of seven bits, a ninth byte whole. Returns the end. */
static inline uint8_t *reel_put_sqlite_varint(uint8_t *to, uint64_t value)
{
    if (value < 0x80) {
        *to = (uint8_t)value;
        return to + 1;
    }
    if (value >> 56) {
        to[8] = (uint8_t)value;
        value >>= 8;
        for (int i = 7; i >= 0; i--, value >>= 7)
            to[i] = (uint8_t)(value | 0x80);
        return to + 9;
    }
    unsigned bytes = (63u - (unsigned)__builtin_clzll(value)) / 7 + 1;
    for (unsigned i = bytes; i-- > 0; value >>= 7)
        to[i] = (uint8_t)((value & 0x7f) | (i + 1 < bytes ? 0x80 : 0));
    return to + bytes;
}

#endif
