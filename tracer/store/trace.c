/* An open trace: its statements, transactions, facts (table meta) and errors, and closing it.
 * Making and opening are in trace_open.c, the rows of a recording in trace_rows.c. */
#include "tracer/store/trace_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const statement_sql[REEL_STATEMENT_LIMIT] = {
    [REEL_STATEMENT_PUT_PROCESS] =
        "INSERT OR REPLACE INTO process(id, pid, parent_pid, parent, image_of, executable, command,"
        " start_ns, end_ns, exit_status, signal, traced, note) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [REEL_STATEMENT_PUT_THREAD] =
        "INSERT OR REPLACE INTO thread(id, process, tid, handle, name, parent, start_routine,"
        " start_ns, end_ns, end_reason, lost, cpu_ns) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
    [REEL_STATEMENT_PUT_CHUNK] =
        "INSERT INTO chunk(process, thread, stream, first_ns, last_ns, count, data)"
        " VALUES (?,?,?,?,?,?,?)",
    [REEL_STATEMENT_PUT_FRAME] = "INSERT OR IGNORE INTO frame(process, address) VALUES (?,?)",
    [REEL_STATEMENT_PUT_STACK] = "INSERT OR REPLACE INTO stack(id, parent, frame)"
                                 " SELECT ?, ?, id FROM frame WHERE process = ? AND address = ?",
    [REEL_STATEMENT_PUT_MAPPING] =
        "INSERT INTO mapping(process, start, end, offset, from_ns, path, build_id,"
        " device, inode, shared, executable) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
    [REEL_STATEMENT_SET_META] = "INSERT OR REPLACE INTO meta(key, value) VALUES (?,?)",
    [REEL_STATEMENT_GET_META] = "SELECT value FROM meta WHERE key = ?",
    [REEL_STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
    [REEL_STATEMENT_COMMIT] = "COMMIT",
};

bool reel_trace_fail(sqlite3 *database, const char *path, int code, const char *what,
                     struct reel_error *error)
{
    int extended = database ? sqlite3_extended_errcode(database) : code;
    if ((extended & 0xff) != (code & 0xff))
        extended = code; /* the connection has gone on since */
    int system = database ? sqlite3_system_errno(database) : 0;
    const char *why = database && extended != SQLITE_NOMEM && extended != SQLITE_MISUSE
                          ? sqlite3_errmsg(database)
                          : sqlite3_errstr(code);
    bool disk_is_full = (code & 0xff) == SQLITE_FULL ||
                        ((code & 0xff) == SQLITE_IOERR && (system == ENOSPC || system == EDQUOT));
    if (disk_is_full) {
        reel_error_set(error, REEL_ERROR_LIMIT, extended, "%s: %s: the disk is full", path, what);
        return reel_error_hint(error, "Free some space, or write the trace elsewhere with -o.");
    }
    switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR: /* our statements are right: the tables are not what they should be */
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
        reel_error_set(error, REEL_ERROR_DAMAGED, extended, "%s: %s: the trace is damaged: %s",
                       path, what, why);
        return reel_error_hint(error, "`reel recover %s` saves what can be read.", path);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        reel_error_set(error, REEL_ERROR_STORE, extended,
                       "%s: %s: another program is using it (%s)", path, what, why);
        return reel_error_hint(error, "Wait for the recording to end, or close the viewer.");
    case SQLITE_READONLY:
        reel_error_set(error, REEL_ERROR_SYSTEM, EACCES, "%s: %s: the trace cannot be written: %s",
                       path, what, why);
        return reel_error_hint(error, "Copy it to a place where you may write.");
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
        if (system == 0)
            system = EACCES;
        return reel_error_set(error, REEL_ERROR_SYSTEM, system, "%s: %s: %s", path, what,
                              strerror(system));
    case SQLITE_NOMEM:
        return reel_error_set(error, REEL_ERROR_SYSTEM, ENOMEM, "%s: %s: out of memory", path,
                              what);
    default:
        return reel_error_set(error, REEL_ERROR_STORE, extended, "%s: %s: %s", path, what, why);
    }
}

sqlite3_stmt *reel_trace_statement(struct reel_trace *trace, enum reel_statement which,
                                   struct reel_error *error)
{
    sqlite3_stmt **slot = &trace->statements[which];
    if (*slot) {
        sqlite3_reset(*slot);
        sqlite3_clear_bindings(*slot);
        return *slot;
    }
    int code = sqlite3_prepare_v3(trace->database, statement_sql[which], -1,
                                  SQLITE_PREPARE_PERSISTENT, slot, NULL);
    if (code != SQLITE_OK)
        reel_trace_fail(trace->database, trace->path, code, "preparing a statement", error);
    return *slot;
}

bool reel_trace_run(struct reel_trace *trace, sqlite3_stmt *statement, const char *what,
                    struct reel_error *error)
{
    int code = sqlite3_step(statement);
    bool done = code == SQLITE_DONE || code == SQLITE_ROW;
    if (!done)
        reel_trace_fail(trace->database, trace->path, code, what, error);
    sqlite3_reset(statement);
    return done;
}

bool reel_trace_execute(struct reel_trace *trace, const char *sql, const char *what,
                        struct reel_error *error)
{
    int code = sqlite3_exec(trace->database, sql, NULL, NULL, NULL);
    return code == SQLITE_OK || reel_trace_fail(trace->database, trace->path, code, what, error);
}

int64_t reel_trace_integer(struct reel_trace *trace, const char *sql, int64_t otherwise)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(trace->database, sql, -1, &statement, NULL) != SQLITE_OK)
        return otherwise;
    int64_t value =
        sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : otherwise;
    sqlite3_finalize(statement);
    return value;
}

sqlite3 *reel_trace_database(struct reel_trace *trace)
{
    return trace->database;
}

const char *reel_trace_path(const struct reel_trace *trace)
{
    return trace->path;
}

static bool must_be_writable(struct reel_trace *trace, struct reel_error *error)
{
    if (trace->may_write)
        return true;
    reel_error_set(error, REEL_ERROR_USAGE, 0, "%s: the trace was opened for reading only",
                   trace->path);
    return false;
}

bool reel_trace_begin(struct reel_trace *trace, struct reel_error *error)
{
    if (!must_be_writable(trace, error))
        return false;
    if (!sqlite3_get_autocommit(trace->database))
        return true;
    sqlite3_stmt *statement = reel_trace_statement(trace, REEL_STATEMENT_BEGIN, error);
    return statement && reel_trace_run(trace, statement, "starting a transaction", error);
}

bool reel_trace_commit(struct reel_trace *trace, struct reel_error *error)
{
    if (sqlite3_get_autocommit(trace->database))
        return true;
    sqlite3_stmt *statement = reel_trace_statement(trace, REEL_STATEMENT_COMMIT, error);
    return statement && reel_trace_run(trace, statement, "committing", error);
}

bool reel_trace_set_meta(struct reel_trace *trace, const char *key, const char *value,
                         struct reel_error *error)
{
    sqlite3_stmt *statement = reel_trace_statement(trace, REEL_STATEMENT_SET_META, error);
    if (!statement)
        return false;
    reel_bind_text(statement, 1, key);
    reel_bind_text(statement, 2, value);
    return reel_trace_run(trace, statement, "writing a fact about the recording", error);
}

char *reel_trace_meta(struct reel_trace *trace, const char *key)
{
    sqlite3_stmt *statement = reel_trace_statement(trace, REEL_STATEMENT_GET_META, NULL);
    if (!statement)
        return NULL;
    reel_bind_text(statement, 1, key);
    char *value = NULL;
    if (sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL)
        value = sqlite3_mprintf("%s", (const char *)sqlite3_column_text(statement, 0));
    sqlite3_reset(statement);
    return value;
}

uint64_t reel_trace_meta_number(struct reel_trace *trace, const char *key)
{
    char *text = reel_trace_meta(trace, key);
    uint64_t number = text ? strtoull(text, NULL, 10) : 0;
    sqlite3_free(text);
    return number;
}

enum reel_trace_state reel_trace_state(struct reel_trace *trace)
{
    char *text = reel_trace_meta(trace, "state");
    enum reel_trace_state state = REEL_TRACE_RECORDING;
    if (text && strcmp(text, "closed") == 0)
        state = REEL_TRACE_CLOSED;
    else if (text && strcmp(text, "sealed") == 0)
        state = REEL_TRACE_SEALED;
    sqlite3_free(text);
    return state;
}

bool reel_trace_leave_wal(struct reel_trace *trace)
{
    for (unsigned i = 0; i < REEL_STATEMENT_LIMIT; i++)
        if (trace->statements[i])
            sqlite3_reset(trace->statements[i]);
    /* Waiting for a reader to go could take forever. */
    sqlite3_busy_timeout(trace->database, 0);
    sqlite3_stmt *statement = NULL;
    bool left = sqlite3_prepare_v2(trace->database, "PRAGMA journal_mode=DELETE", -1, &statement,
                                   NULL) == SQLITE_OK &&
                sqlite3_step(statement) == SQLITE_ROW &&
                strcmp((const char *)sqlite3_column_text(statement, 0), "delete") == 0;
    sqlite3_finalize(statement);
    sqlite3_busy_timeout(trace->database, reel_busy_milliseconds);
    return left;
}

bool reel_trace_close(struct reel_trace *trace, struct reel_error *error)
{
    if (!trace)
        return true;
    bool good = true;
    if (trace->recorder && reel_trace_state(trace) == REEL_TRACE_RECORDING)
        good = reel_trace_set_meta(trace, "state", "closed", error);
    good = reel_trace_commit(trace, error) && good;
    if (trace->may_write) {
        /* A reader that is still there keeps the file in WAL mode; the last one to leave then folds
         * the log in. */
        reel_trace_leave_wal(trace);
    }
    for (unsigned i = 0; i < REEL_STATEMENT_LIMIT; i++)
        sqlite3_finalize(trace->statements[i]);
    int code = sqlite3_close_v2(trace->database);
    if (code != SQLITE_OK)
        good = reel_trace_fail(NULL, trace->path, code, "closing", error);
    free(trace->path);
    free(trace);
    return good;
}

void reel_bind_or_null(sqlite3_stmt *statement, int index, int64_t value, int64_t null)
{
    if (value != null)
        sqlite3_bind_int64(statement, index, value);
    else
        sqlite3_bind_null(statement, index);
}

void reel_bind_text(sqlite3_stmt *statement, int index, const char *text)
{
    /* Transient: a row writer's caller may reuse its text at once. NULL binds NULL. */
    sqlite3_bind_text(statement, index, text, -1, SQLITE_TRANSIENT);
}
