/* What only the files of tracer/store/ may see of an open trace: its connection, its prepared
 * statements, and the one place where SQLite's result codes become our errors. */
#ifndef REEL_STORE_TRACE_PRIVATE_H
#define REEL_STORE_TRACE_PRIVATE_H

#include "tracer/store/trace.h"

enum { reel_busy_milliseconds = 5000 }; /* how long to wait for another's lock */

/* Statements prepared once a trace, on first use. */
enum reel_statement {
    REEL_STATEMENT_PUT_PROCESS,
    REEL_STATEMENT_PUT_THREAD,
    REEL_STATEMENT_PUT_CHUNK,
    REEL_STATEMENT_PUT_FRAME,
    REEL_STATEMENT_PUT_STACK,
    REEL_STATEMENT_PUT_MAPPING,
    REEL_STATEMENT_SET_META,
    REEL_STATEMENT_GET_META,
    REEL_STATEMENT_BEGIN,
    REEL_STATEMENT_COMMIT,
    REEL_STATEMENT_LIMIT
};

struct reel_trace {
    sqlite3 *database;
    char *path;
    bool may_write;
    bool recorder; /* made by reel_trace_create: closing it ends the recording */
    sqlite3_stmt *statements[REEL_STATEMENT_LIMIT];
};

/* The statement, reset and without bindings; NULL and an error when it cannot be prepared. */
sqlite3_stmt *reel_trace_statement(struct reel_trace *trace, enum reel_statement which,
                                   struct reel_error *error);
/* Steps a statement that returns no rows, then resets it. `what` says what was being done. */
bool reel_trace_run(struct reel_trace *trace, sqlite3_stmt *statement, const char *what,
                    struct reel_error *error);
/* Runs one SQL text. */
bool reel_trace_execute(struct reel_trace *trace, const char *sql, const char *what,
                        struct reel_error *error);
/* The first column of the first row as an integer; `otherwise` when there is none. */
int64_t reel_trace_integer(struct reel_trace *trace, const char *sql, int64_t otherwise);

/* Turns the connection's last failure (result code `code`) into an error about `path`. */
bool reel_trace_fail(sqlite3 *database, const char *path, int code, const char *what,
                     struct reel_error *error);

/* journal_mode=DELETE: one plain file. False (and no error) while another connection is open. */
bool reel_trace_leave_wal(struct reel_trace *trace);

/* Values: what the store writes as NULL. */
void reel_bind_or_null(sqlite3_stmt *statement, int index, int64_t value, int64_t null);
void reel_bind_text(sqlite3_stmt *statement, int index, const char *text);

#endif
