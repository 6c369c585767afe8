/* Sealing's writer. The three tables that grow with the recording (event, interval, hold) go
 * through an inserter or a page writer; the small ones are ordinary statements.
 *
 * What an interruption leaves, at any point: chunks are deleted in the same transaction that says
 * "sealed", which is the last one. Before it, rows may be there; the next sealing removes them.
 *
 * With the trace alone to ourselves everything is in one transaction of a rollback journal:
 * appended pages are written once. While someone reads a trace in WAL mode, it stays in it, and
 * transactions are cut so that the log does not grow with the trace. */
#include "tracer/store/rows.h"

#include "tracer/store/inserter.h"
#include "tracer/store/page_writer.h"
#include "tracer/store/trace_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    event_columns = 8,
    interval_columns = 11,
    hold_columns = 9,
    wal_transaction_rows = 1 << 18,
    vacuum_bytes = 64 << 20, /* rewriting a file is worth its free pages up to this size */
};

enum table { table_event, table_interval, table_hold, table_count };

struct reel_rows {
    struct reel_trace *trace;
    bool is_alone; /* not in WAL mode: one transaction */
    bool uses_pages;
    struct reel_inserter *inserters[table_count];
    struct reel_page_writer *pages[table_count];
    sqlite3_stmt *object, *extra, *gap;
    struct reel_text_pool texts;
    const struct reel_text *exclusive, *shared;
    uint64_t last_event_ns;
    bool has_events;
    int64_t intervals, holds; /* ids given out */
    uint32_t rows_in_transaction;
};

static const char *const table_names[table_count] = {"event", "interval", "hold"};
static const unsigned table_columns[table_count] = {event_columns, interval_columns, hold_columns};

/* --- beginning ---------------------------------------------------------------------------- */

/* Rows of a sealed trace without chunks are all there is: they must not be removed. */
static bool may_be_sealed(struct reel_trace *trace, struct reel_error *error)
{
    if (!trace->may_write)
        return reel_error_set(error, REEL_ERROR_USAGE, 0,
                              "%s: the trace was opened for reading only", trace->path);
    if (reel_trace_state(trace) != REEL_TRACE_SEALED ||
        reel_trace_integer(trace, "SELECT EXISTS (SELECT 1 FROM chunk)", 0) ||
        !reel_trace_integer(trace, "SELECT EXISTS (SELECT 1 FROM event)", 1))
        return true;
    reel_error_set(error, REEL_ERROR_USAGE, 0,
                   "%s: the trace is sealed already, and its chunks are gone", trace->path);
    return reel_error_hint(error, "It can be read as it is.");
}

static bool remove_earlier_rows(struct reel_trace *trace, struct reel_error *error)
{
    return reel_trace_execute(trace,
                              "DELETE FROM event_extra; DELETE FROM event; DELETE FROM interval;"
                              "DELETE FROM hold; DELETE FROM gap; DELETE FROM object;"
                              "UPDATE meta SET value = 'closed'"
                              " WHERE key = 'state' AND value = 'sealed'",
                              "removing rows of an earlier sealing", error);
}

static bool prepare(struct reel_rows *rows, const char *sql, sqlite3_stmt **statement,
                    struct reel_error *error)
{
    int code = sqlite3_prepare_v3(rows->trace->database, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                  statement, NULL);
    return code == SQLITE_OK || reel_trace_fail(rows->trace->database, rows->trace->path, code,
                                                "preparing to write rows", error);
}

static bool out_of_memory(struct reel_trace *trace, struct reel_error *error)
{
    return reel_error_set(error, REEL_ERROR_SYSTEM, ENOMEM, "%s: out of memory", trace->path);
}

static bool make_writers(struct reel_rows *rows, struct reel_error *error)
{
    for (unsigned i = 0; i < table_count; i++) {
        if (rows->uses_pages)
            rows->pages[i] =
                reel_page_writer_new(rows->trace, table_names[i], table_columns[i], error);
        else
            rows->inserters[i] =
                reel_inserter_new(rows->trace, table_names[i], table_columns[i], error);
        if (!rows->pages[i] && !rows->inserters[i])
            return false;
    }
    if (!reel_text_pool_init(&rows->texts))
        return out_of_memory(rows->trace, error);
    rows->exclusive = reel_text_pool_find(&rows->texts, "exclusive");
    rows->shared = reel_text_pool_find(&rows->texts, "shared");
    if (!rows->exclusive || !rows->shared)
        return out_of_memory(rows->trace, error);
    return prepare(rows,
                   "INSERT INTO object(id, process, class, address, generation, ordinal, creator,"
                   " name, site, first_ns, last_ns, capacity, detail)"
                   " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
                   &rows->object, error) &&
           prepare(rows, "INSERT INTO event_extra(event, position, value) VALUES (?,?,?)",
                   &rows->extra, error) &&
           prepare(rows,
                   "INSERT INTO gap(thread, process, start_ns, end_ns, lost, reason)"
                   " VALUES (?,?,?,?,?,?)",
                   &rows->gap, error);
}

struct reel_rows *reel_rows_new(struct reel_trace *trace, enum reel_rows_writer writer,
                                struct reel_error *error)
{
    if (!may_be_sealed(trace, error) || !reel_trace_commit(trace, error))
        return NULL;
    struct reel_rows *rows = calloc(1, sizeof *rows);
    if (!rows) {
        out_of_memory(trace, error);
        return NULL;
    }
    rows->trace = trace;
    sqlite3_exec(trace->database, "PRAGMA cache_size=-65536", NULL, NULL, NULL);
    rows->is_alone = reel_trace_leave_wal(trace);
    rows->uses_pages =
        writer == REEL_ROWS_PAGES && rows->is_alone && reel_pages_are_possible(trace);
    if (reel_trace_begin(trace, error) && remove_earlier_rows(trace, error) &&
        make_writers(rows, error))
        return rows;
    reel_rows_abandon(rows);
    return NULL;
}

/* --- rows --------------------------------------------------------------------------------- */

/* Called once a row. A transaction that somebody else ended is opened again: a row a transaction
 * would take forever. */
static bool keep_transaction(struct reel_rows *rows, struct reel_error *error)
{
    if (++rows->rows_in_transaction >= wal_transaction_rows) {
        rows->rows_in_transaction = 0;
        if (!rows->is_alone && !reel_trace_commit(rows->trace, error))
            return false;
    }
    return !sqlite3_get_autocommit(rows->trace->database) || reel_trace_begin(rows->trace, error);
}

static bool put_cells(struct reel_rows *rows, enum table table, const struct reel_cell *cells,
                      struct reel_error *error)
{
    if (rows->uses_pages)
        return reel_page_writer_put(rows->pages[table], cells, error);
    return reel_inserter_put(rows->inserters[table], cells, error) && keep_transaction(rows, error);
}

bool reel_rows_put_event(struct reel_rows *rows, const struct reel_event_row *row,
                         struct reel_error *error)
{
    if ((rows->has_events && row->time_ns <= rows->last_event_ns) || row->time_ns > INT64_MAX)
        return reel_error_set(error, REEL_ERROR_DAMAGED, 0,
                              "%s: an event at %llu ns comes after one at %llu ns",
                              rows->trace->path, (unsigned long long)row->time_ns,
                              (unsigned long long)rows->last_event_ns);
    rows->has_events = true;
    rows->last_event_ns = row->time_ns;
    const struct reel_cell cells[event_columns] = {
        reel_cell_integer((int64_t)row->time_ns), reel_cell_integer(row->thread),
        reel_cell_integer(row->operation),        reel_cell_integer(row->class),
        reel_cell_or_null(row->object, 0),        reel_cell_integer(row->argument),
        reel_cell_or_null(row->stack, 0),         reel_cell_integer(row->flags)};
    return put_cells(rows, table_event, cells, error);
}

bool reel_rows_put_interval(struct reel_rows *rows, const struct reel_interval_row *row,
                            struct reel_error *error)
{
    const struct reel_text *state = reel_text_pool_find(&rows->texts, row->state);
    const struct reel_text *call = row->call ? reel_text_pool_find(&rows->texts, row->call) : NULL;
    if (!state || (row->call && !call))
        return out_of_memory(rows->trace, error);
    const struct reel_cell cells[interval_columns] = {
        reel_cell_integer(++rows->intervals),
        reel_cell_integer(row->thread),
        reel_cell_integer((int64_t)row->start_ns),
        reel_cell_integer((int64_t)row->end_ns),
        reel_cell_text(state),
        reel_cell_or_null(row->object, 0),
        reel_cell_or_null(row->owner, 0),
        reel_cell_or_null(row->ended_by, 0),
        reel_cell_or_null((int64_t)row->ended_event, 0),
        reel_cell_or_null(row->stack, 0),
        reel_cell_text(call)};
    return put_cells(rows, table_interval, cells, error);
}

bool reel_rows_put_hold(struct reel_rows *rows, const struct reel_hold_row *row,
                        struct reel_error *error)
{
    const struct reel_cell cells[hold_columns] = {
        reel_cell_integer(++rows->holds),
        reel_cell_integer(row->object),
        reel_cell_integer(row->thread),
        reel_cell_integer((int64_t)row->start_ns),
        reel_cell_integer((int64_t)row->end_ns),
        reel_cell_text(row->shared ? rows->shared : rows->exclusive),
        reel_cell_integer((int64_t)row->waited_ns),
        reel_cell_or_null(row->stack, 0),
        reel_cell_integer(row->released)};
    return put_cells(rows, table_hold, cells, error);
}

bool reel_rows_put_extra(struct reel_rows *rows, uint64_t event_ns, uint32_t position,
                         int64_t value, const char *text, struct reel_error *error)
{
    sqlite3_bind_int64(rows->extra, 1, (int64_t)event_ns);
    sqlite3_bind_int64(rows->extra, 2, position);
    if (text)
        reel_bind_text(rows->extra, 3, text);
    else
        sqlite3_bind_int64(rows->extra, 3, value);
    return reel_trace_run(rows->trace, rows->extra, "writing extra words", error) &&
           keep_transaction(rows, error);
}

bool reel_rows_put_object(struct reel_rows *rows, const struct reel_object_row *row,
                          struct reel_error *error)
{
    sqlite3_stmt *statement = rows->object;
    sqlite3_bind_int64(statement, 1, row->id);
    reel_bind_or_null(statement, 2, row->process, 0);
    sqlite3_bind_int64(statement, 3, row->class);
    sqlite3_bind_int64(statement, 4, (int64_t)row->address);
    sqlite3_bind_int64(statement, 5, row->generation);
    sqlite3_bind_int64(statement, 6, row->ordinal);
    reel_bind_or_null(statement, 7, row->creator, 0);
    reel_bind_text(statement, 8, row->name);
    reel_bind_or_null(statement, 9, row->site, 0);
    sqlite3_bind_int64(statement, 10, (int64_t)row->first_ns);
    sqlite3_bind_int64(statement, 11, (int64_t)row->last_ns);
    reel_bind_or_null(statement, 12, row->capacity, -1);
    reel_bind_text(statement, 13, row->detail);
    return reel_trace_run(rows->trace, statement, "writing an object", error) &&
           keep_transaction(rows, error);
}

bool reel_rows_put_gap(struct reel_rows *rows, const struct reel_gap_row *row,
                       struct reel_error *error)
{
    sqlite3_stmt *statement = rows->gap;
    reel_bind_or_null(statement, 1, row->thread, 0);
    reel_bind_or_null(statement, 2, row->process, 0);
    sqlite3_bind_int64(statement, 3, (int64_t)row->start_ns);
    sqlite3_bind_int64(statement, 4, (int64_t)row->end_ns);
    reel_bind_or_null(statement, 5, row->lost, -1);
    reel_bind_text(statement, 6, row->reason);
    return reel_trace_run(rows->trace, statement, "writing a gap", error) &&
           keep_transaction(rows, error);
}

/* --- ending ------------------------------------------------------------------------------- */

static void rows_free(struct reel_rows *rows)
{
    for (unsigned i = 0; i < table_count; i++) {
        reel_inserter_free(rows->inserters[i]);
        reel_page_writer_free(rows->pages[i]);
    }
    sqlite3_finalize(rows->object);
    sqlite3_finalize(rows->extra);
    sqlite3_finalize(rows->gap);
    reel_text_pool_clear(&rows->texts);
    free(rows);
}

static bool write_what_waits(struct reel_rows *rows, struct reel_error *error)
{
    if (rows->uses_pages)
        return reel_trace_commit(rows->trace, error) &&
               reel_page_writer_install(rows->pages, table_count, error) &&
               reel_trace_begin(rows->trace, error);
    for (unsigned i = 0; i < table_count; i++)
        if (!reel_inserter_flush(rows->inserters[i], error))
            return false;
    return true;
}

/* Gives the chunks' room back where that is cheap. In a large trace it stays in the file, for the
 * indexes and findings that come later. A failure here changes nothing. */
static void reclaim(struct reel_trace *trace)
{
    int64_t pages = reel_trace_integer(trace, "PRAGMA page_count", 0);
    int64_t free_pages = reel_trace_integer(trace, "PRAGMA freelist_count", 0);
    int64_t page_bytes = reel_trace_integer(trace, "PRAGMA page_size", 4096);
    if (free_pages > pages / 8 && (pages - free_pages) * page_bytes <= vacuum_bytes)
        sqlite3_exec(trace->database, "VACUUM", NULL, NULL, NULL);
}

bool reel_rows_finish(struct reel_rows *rows, bool keep_chunks, struct reel_error *error)
{
    struct reel_trace *trace = rows->trace;
    bool good =
        write_what_waits(rows, error) && reel_trace_begin(trace, error) &&
        (keep_chunks || reel_trace_execute(trace, "DELETE FROM chunk", "removing chunks", error)) &&
        reel_trace_set_meta(trace, "state", "sealed", error) && reel_trace_commit(trace, error);
    if (!good) {
        reel_rows_abandon(rows);
        return false;
    }
    rows_free(rows);
    reel_trace_leave_wal(trace);
    if (!keep_chunks)
        reclaim(trace);
    return true;
}

void reel_rows_abandon(struct reel_rows *rows)
{
    if (!rows)
        return;
    struct reel_trace *trace = rows->trace;
    rows_free(rows);
    if (!sqlite3_get_autocommit(trace->database))
        sqlite3_exec(trace->database, "ROLLBACK", NULL, NULL, NULL);
}
