/* Rows: what sealing writes. The model produces events, objects, intervals, holds and gaps in
 * order; this writes them as plain rows, fast. Two writers stand behind it and are tested against
 * each other: SQLite's own API, and a writer of b-tree pages (tracer/store/page_writer.c). */
#ifndef REEL_STORE_ROWS_H
#define REEL_STORE_ROWS_H

#include "tracer/store/trace.h"

struct reel_rows;

enum reel_rows_writer {
    REEL_ROWS_API,   /* INSERT statements */
    REEL_ROWS_PAGES, /* b-tree pages, bottom-up */
};

/* Begins sealing: rows of an earlier, interrupted sealing are removed first. */
struct reel_rows *reel_rows_new(struct reel_trace *trace, enum reel_rows_writer writer,
                                struct reel_error *error);

struct reel_event_row {
    uint64_t time_ns; /* increasing from call to call */
    uint32_t thread;
    uint32_t operation, class;
    uint32_t object; /* 0 = NULL */
    int64_t argument;
    uint32_t stack; /* 0 = NULL */
    uint32_t flags;
};
bool reel_rows_put_event(struct reel_rows *rows, const struct reel_event_row *row,
                         struct reel_error *error);
/* `text` non-NULL: a text value, else `value`. */
bool reel_rows_put_extra(struct reel_rows *rows, uint64_t event_ns, uint32_t position,
                         int64_t value, const char *text, struct reel_error *error);

struct reel_object_row {
    uint32_t id;
    uint32_t process; /* 0: shared between processes */
    uint32_t class;
    uint64_t address;
    uint32_t generation, ordinal, creator;
    uint32_t site; /* stack */
    uint64_t first_ns, last_ns;
    int64_t capacity; /* -1 = NULL */
    const char *name, *detail;
};
bool reel_rows_put_object(struct reel_rows *rows, const struct reel_object_row *row,
                          struct reel_error *error);

struct reel_interval_row {
    uint32_t thread;
    uint64_t start_ns, end_ns;
    const char *state;
    uint32_t object, owner, ended_by;
    uint64_t ended_event; /* 0 = NULL */
    uint32_t stack;
    const char *call;
};
bool reel_rows_put_interval(struct reel_rows *rows, const struct reel_interval_row *row,
                            struct reel_error *error);

struct reel_hold_row {
    uint32_t object, thread;
    uint64_t start_ns, end_ns;
    bool shared;
    uint64_t waited_ns;
    uint32_t stack;
    bool released;
};
bool reel_rows_put_hold(struct reel_rows *rows, const struct reel_hold_row *row,
                        struct reel_error *error);

struct reel_gap_row {
    uint32_t thread, process;
    uint64_t start_ns, end_ns;
    int64_t lost; /* -1: cannot be known */
    const char *reason;
};
bool reel_rows_put_gap(struct reel_rows *rows, const struct reel_gap_row *row,
                       struct reel_error *error);

/* Ends sealing: everything is committed and the trace's state becomes SEALED, or nothing is. The
 * chunks are dropped unless `keep_chunks`. Frees `rows` in either case. */
bool reel_rows_finish(struct reel_rows *rows, bool keep_chunks, struct reel_error *error);
/* Gives up: the trace stays unsealed. */
void reel_rows_abandon(struct reel_rows *rows);

#endif
