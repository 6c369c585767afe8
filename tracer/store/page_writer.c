/* Filling leaf pages. A leaf, from its start: header, cell pointers growing up; from its end: cells
 * growing down, each being payload size, row id, record. */
#include "tracer/store/page_writer_private.h"

#include "tracer/store/trace_private.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    buffer_leaves = 64,
    column_limit = 16,
    /* Payload size and row id, record header (text types take up to two bytes), values. */
    cell_limit = 2 + 9 + 2 + 2 * column_limit + column_limit * REEL_TEXT_LIMIT,
};

/* A nameless file in the trace's directory: gone with the process, whatever happens to it. */
static int open_nameless(const char *beside)
{
    char *name = NULL;
    const char *slash = strrchr(beside, '/');
    int length = slash ? (int)(slash - beside) + 1 : 2;
    if (asprintf(&name, "%.*s", length, slash ? beside : "./") < 0)
        return -1;
    int file = open(name, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    free(name);
    if (file >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
        return file;
    if (asprintf(&name, "%s-XXXXXX", beside) < 0)
        return -1;
    file = mkostemp(name, O_CLOEXEC);
    if (file >= 0)
        unlink(name);
    free(name);
    return file;
}

static bool system_failure(struct reel_page_writer *writer, const char *what,
                           struct reel_error *error)
{
    bool disk_is_full = errno == ENOSPC || errno == EDQUOT;
    reel_error_set(error, disk_is_full ? REEL_ERROR_LIMIT : REEL_ERROR_SYSTEM, errno, "%s: %s: %s",
                   writer->trace->path, what, strerror(errno));
    if (disk_is_full)
        reel_error_hint(error, "Free some space, then `reel recover %s`.", writer->trace->path);
    return false;
}

struct reel_page_writer *reel_page_writer_new(struct reel_trace *trace, const char *table,
                                              unsigned columns, struct reel_error *error)
{
    struct reel_page_writer *writer = calloc(1, sizeof *writer);
    if (!writer) {
        reel_error_set(error, REEL_ERROR_SYSTEM, ENOMEM, "%s: out of memory", trace->path);
        return NULL;
    }
    writer->trace = trace;
    writer->table = table;
    writer->columns = columns;
    writer->page_bytes = (uint32_t)reel_trace_integer(trace, "PRAGMA page_size", 4096);
    writer->file = open_nameless(trace->path);
    writer->buffer = calloc(buffer_leaves, writer->page_bytes);
    if (writer->file < 0 || !writer->buffer) {
        system_failure(writer, "making room for rows", error);
        reel_page_writer_free(writer);
        return NULL;
    }
    writer->free_end = writer->buffer + writer->page_bytes;
    return writer;
}

void reel_page_writer_free(struct reel_page_writer *writer)
{
    if (!writer)
        return;
    if (writer->file >= 0)
        close(writer->file);
    free(writer->buffer);
    free(writer->leaves);
    free(writer);
}

static uint8_t *current_leaf(struct reel_page_writer *writer)
{
    return writer->buffer + (size_t)writer->buffered * writer->page_bytes;
}

static bool write_buffer(struct reel_page_writer *writer, struct reel_error *error)
{
    const uint8_t *from = writer->buffer;
    size_t left = (size_t)writer->buffered * writer->page_bytes;
    while (left > 0) {
        ssize_t written = write(writer->file, from, left);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return system_failure(writer, "writing rows", error);
        from += written;
        left -= (size_t)written;
    }
    memset(writer->buffer, 0, (size_t)writer->buffered * writer->page_bytes);
    writer->buffered = 0;
    return true;
}

static bool finish_leaf(struct reel_page_writer *writer, struct reel_error *error)
{
    if (writer->leaf_count == writer->leaf_capacity) {
        size_t capacity = writer->leaf_capacity ? 2 * writer->leaf_capacity : 1024;
        struct reel_page_child *leaves = realloc(writer->leaves, capacity * sizeof *leaves);
        if (!leaves)
            return system_failure(writer, "writing rows", error);
        writer->leaves = leaves;
        writer->leaf_capacity = capacity;
    }
    uint8_t *leaf = current_leaf(writer);
    leaf[0] = reel_leaf_type;
    reel_put_16(leaf + 3, writer->cells);
    reel_put_16(leaf + 5, (uint32_t)(writer->free_end - leaf)); /* 65536 is written as 0 */
    writer->leaves[writer->leaf_count++] = (struct reel_page_child){.last_row = writer->last_row};
    writer->buffered++;
    if (writer->buffered == buffer_leaves && !write_buffer(writer, error))
        return false;
    writer->cells = 0;
    writer->free_end = current_leaf(writer) + writer->page_bytes;
    return true;
}

bool reel_page_writer_flush(struct reel_page_writer *writer, struct reel_error *error)
{
    if (writer->cells > 0 && !finish_leaf(writer, error))
        return false;
    if (!write_buffer(writer, error))
        return false;
    writer->free_end = writer->buffer + writer->page_bytes;
    return true;
}

/* Bytes of the smallest two's complement form SQLite has, and its serial type. */
static inline unsigned integer_form(int64_t value, uint8_t *type)
{
    uint64_t magnitude = (uint64_t)(value ^ value >> 63);
    if (magnitude < 0x80) {
        if (value == 0 || value == 1) {
            *type = (uint8_t)(8 + value);
            return 0;
        }
        *type = 1;
        return 1;
    }
    if (magnitude < 0x8000)
        return *type = 2;
    if (magnitude < 0x800000)
        return *type = 3;
    if (magnitude < 0x80000000u)
        return *type = 4;
    *type = magnitude < 0x800000000000u ? 5 : 6;
    return *type == 5 ? 6 : 8;
}

/* Writes record header and values of one row to `to`; returns the end. The row id's own column is
 * stored as NULL: it is the row id. */
static uint8_t *put_record(uint8_t *to, const struct reel_cell *cells, unsigned columns)
{
    uint8_t *types = to + 1;
    unsigned bytes[column_limit];
    *types++ = 0;
    for (unsigned i = 1; i < columns; i++) {
        if (cells[i].type == REEL_CELL_INTEGER) {
            bytes[i] = integer_form(cells[i].integer, types++);
        } else if (cells[i].type == REEL_CELL_NULL) {
            bytes[i] = 0;
            *types++ = 0;
        } else {
            bytes[i] = cells[i].text->bytes;
            types = reel_put_sqlite_varint(types, 13 + 2 * (uint64_t)bytes[i]);
        }
    }
    *to = (uint8_t)(types - to); /* below 128: column_limit sees to it */
    for (unsigned i = 1; i < columns; i++) {
        if (cells[i].type == REEL_CELL_INTEGER) {
            /* All eight bytes, the wanted ones first; what follows is written over. */
            uint64_t value = bytes[i] ? (uint64_t)cells[i].integer << (64 - 8 * bytes[i]) : 0;
            value = htobe64(value);
            memcpy(types, &value, sizeof value);
        } else if (cells[i].type == REEL_CELL_TEXT) {
            memcpy(types, cells[i].text->data, bytes[i]);
        }
        types += bytes[i];
    }
    return types;
}

bool reel_page_writer_put(struct reel_page_writer *writer, const struct reel_cell *cells,
                          struct reel_error *error)
{
    uint8_t row[cell_limit + 8];
    uint8_t *end = put_record(row + 11, cells, writer->columns), *start = row + 11;
    uint32_t payload = (uint32_t)(end - start);
    if (payload > writer->page_bytes - 35) /* would need an overflow page */
        return reel_error_set(error, REEL_ERROR_STORE, 0, "%s: a row of %u bytes is too long",
                              writer->trace->path, payload);
    int64_t row_id = cells[0].integer;
    uint8_t id[9];
    unsigned id_bytes = (unsigned)(reel_put_sqlite_varint(id, (uint64_t)row_id) - id);
    start -= id_bytes;
    memcpy(start, id, id_bytes);
    start -= payload < 0x80 ? 1 : 2;
    reel_put_sqlite_varint(start, payload);
    uint32_t bytes = (uint32_t)(end - start);

    uint8_t *leaf = current_leaf(writer);
    uint8_t *pointers_end = leaf + reel_leaf_header + 2 * writer->cells;
    if ((size_t)(writer->free_end - pointers_end) < bytes + 2u) {
        if (!finish_leaf(writer, error))
            return false;
        leaf = current_leaf(writer);
        pointers_end = leaf + reel_leaf_header;
    }
    writer->free_end -= bytes;
    memcpy(writer->free_end, start, bytes);
    reel_put_16(pointers_end, (uint32_t)(writer->free_end - leaf));
    writer->cells++;
    writer->last_row = row_id;
    writer->has_rows = true;
    return true;
}
