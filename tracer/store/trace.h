/* The trace file: one SQLite database. Making it, opening it, and the rows written while recording.
 * The schema is data/schema.sql (embedded at build time), documented in reel-schema(5). */
#ifndef REEL_STORE_TRACE_H
#define REEL_STORE_TRACE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "tracer/error.h"
#include "tracer/store/chunk.h"

#define REEL_TRACE_APPLICATION_ID 0x5265656c /* "Reel" */
#define REEL_TRACE_VERSION        1

struct reel_trace; /* an open trace; used by one thread at a time */

enum reel_trace_mode {
    REEL_TRACE_READ,  /* read-only; refuses to change the file */
    REEL_TRACE_WRITE, /* to seal, symbolise, recover, add findings */
};

enum reel_trace_state {
    REEL_TRACE_RECORDING = 0, /* chunks only; the recorder is at work, or died */
    REEL_TRACE_CLOSED = 1,    /* the recorder finished; not sealed */
    REEL_TRACE_SEALED = 2,    /* plain rows */
};

/* Makes a new trace, in WAL mode. An existing file is replaced only if it is a trace or empty. */
struct reel_trace *reel_trace_create(const char *path, struct reel_error *error);
/* Opens one. Errors: REEL_ERROR_NOT_A_TRACE, _NEWER, _DAMAGED, _SYSTEM, each with a hint. */
struct reel_trace *reel_trace_open(const char *path, enum reel_trace_mode mode,
                                   struct reel_error *error);
/* Commits and closes; NULL is allowed. False when the last commit failed. */
bool reel_trace_close(struct reel_trace *trace, struct reel_error *error);

sqlite3 *reel_trace_database(struct reel_trace *trace);
const char *reel_trace_path(const struct reel_trace *trace);
enum reel_trace_state reel_trace_state(struct reel_trace *trace);

/* meta(key, value): small facts about the recording. Text in, text out (caller frees with
 * sqlite3_free; NULL when absent). */
bool reel_trace_set_meta(struct reel_trace *trace, const char *key, const char *value,
                         struct reel_error *error);
char *reel_trace_meta(struct reel_trace *trace, const char *key);
/* The same as a number; 0 when there is none. */
uint64_t reel_trace_meta_number(struct reel_trace *trace, const char *key);

/* Transactions: `begin` opens one if none is open; `commit` ends it. Writers below work inside or
 * outside of one. */
bool reel_trace_begin(struct reel_trace *trace, struct reel_error *error);
bool reel_trace_commit(struct reel_trace *trace, struct reel_error *error);

/* Rows written while recording. Each returns false and fills `error` on failure; a full disk is
 * REEL_ERROR_LIMIT. Strings may be NULL. Numbers are the recorder's and become row ids. */
struct reel_process_row {
    uint32_t id;
    int32_t pid, parent_pid;
    uint32_t parent;           /* row forked from; 0 = none recorded */
    uint32_t image_of;         /* row of the same pid before exec; 0 = none */
    uint64_t start_ns, end_ns; /* end 0: still running or not known */
    int32_t exit_status;       /* -1 not known */
    int32_t signal;            /* it died of; 0 none, -1 not known */
    bool traced;
    const char *executable, *command, *note;
};
bool reel_trace_put_process(struct reel_trace *trace, const struct reel_process_row *row,
                            struct reel_error *error); /* insert or replace */

struct reel_thread_row {
    uint32_t id;
    uint32_t process;
    int32_t tid;
    uint64_t handle;
    uint32_t parent; /* thread that created it; 0 = none */
    uint64_t start_routine;
    uint64_t start_ns, end_ns;
    int32_t end_reason; /* enum reel_exit; -1 not known */
    uint64_t lost;      /* events */
    int64_t cpu_ns;     /* -1 not known */
    const char *name;
};
bool reel_trace_put_thread(struct reel_trace *trace, const struct reel_thread_row *row,
                           struct reel_error *error); /* insert or replace */

/* stream 0: the thread's own records; 1: the kernel's scheduling events about it; 2: its accesses
 * to watched memory. */
bool reel_trace_put_chunk(struct reel_trace *trace, uint32_t process, uint32_t thread,
                          uint32_t stream, const struct reel_chunk *chunk,
                          struct reel_error *error);

/* A stack is a node: its innermost frame's address and the stack of its caller. */
bool reel_trace_put_stack(struct reel_trace *trace, uint32_t id, uint32_t parent, uint32_t process,
                          uint64_t address, struct reel_error *error);

struct reel_mapping_row {
    uint32_t process;
    uint64_t start, end, offset; /* addresses; file offset of `start` */
    uint64_t from_ns;            /* seen at this time */
    const char *path;
    const char *build_id;   /* hex, or NULL */
    uint64_t device, inode; /* what identifies shared memory across processes */
    bool shared;            /* MAP_SHARED */
    bool executable;
};
bool reel_trace_put_mapping(struct reel_trace *trace, const struct reel_mapping_row *row,
                            struct reel_error *error);

#endif
