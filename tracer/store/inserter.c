#include "tracer/store/inserter.h"

#include "tracer/store/trace_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { rows_a_statement = 32 };

struct reel_inserter {
    struct reel_trace *trace;
    sqlite3_stmt *many, *one;
    unsigned columns, waiting;
    struct reel_cell cells[]; /* rows_a_statement × columns */
};

static sqlite3_stmt *prepare(struct reel_trace *trace, const char *table, unsigned columns,
                             unsigned rows, struct reel_error *error)
{
    sqlite3_str *sql = sqlite3_str_new(trace->database);
    sqlite3_str_appendf(sql, "INSERT INTO \"%w\" VALUES ", table);
    for (unsigned row = 0; row < rows; row++)
        for (unsigned column = 0; column < columns; column++)
            sqlite3_str_appendf(sql, "%s?%s",
                                column ? ","
                                : row  ? ",("
                                       : "(",
                                column + 1 == columns ? ")" : "");
    char *text = sqlite3_str_finish(sql);
    sqlite3_stmt *statement = NULL;
    int code = text ? sqlite3_prepare_v3(trace->database, text, -1, SQLITE_PREPARE_PERSISTENT,
                                         &statement, NULL)
                    : SQLITE_NOMEM;
    sqlite3_free(text);
    if (code != SQLITE_OK)
        reel_trace_fail(trace->database, trace->path, code, "preparing to write rows", error);
    return statement;
}

struct reel_inserter *reel_inserter_new(struct reel_trace *trace, const char *table,
                                        unsigned columns, struct reel_error *error)
{
    struct reel_inserter *inserter =
        calloc(1, sizeof *inserter + rows_a_statement * columns * sizeof(struct reel_cell));
    if (!inserter) {
        reel_error_set(error, REEL_ERROR_SYSTEM, ENOMEM, "%s: out of memory", trace->path);
        return NULL;
    }
    inserter->trace = trace;
    inserter->columns = columns;
    inserter->many = prepare(trace, table, columns, rows_a_statement, error);
    inserter->one = prepare(trace, table, columns, 1, error);
    if (inserter->many && inserter->one)
        return inserter;
    reel_inserter_free(inserter);
    return NULL;
}

void reel_inserter_free(struct reel_inserter *inserter)
{
    if (!inserter)
        return;
    sqlite3_finalize(inserter->many);
    sqlite3_finalize(inserter->one);
    free(inserter);
}

static void bind(sqlite3_stmt *statement, int index, const struct reel_cell *cell)
{
    switch (cell->type) {
    case REEL_CELL_NULL:
        sqlite3_bind_null(statement, index);
        break;
    case REEL_CELL_INTEGER:
        sqlite3_bind_int64(statement, index, cell->integer);
        break;
    case REEL_CELL_TEXT:
        sqlite3_bind_text(statement, index, cell->text->data, (int)cell->text->bytes,
                          SQLITE_STATIC);
        break;
    }
}

static bool write_rows(struct reel_inserter *inserter, sqlite3_stmt *statement,
                       const struct reel_cell *cells, unsigned rows, struct reel_error *error)
{
    unsigned count = rows * inserter->columns;
    for (unsigned i = 0; i < count; i++)
        bind(statement, (int)i + 1, &cells[i]);
    return reel_trace_run(inserter->trace, statement, "writing rows", error);
}

bool reel_inserter_flush(struct reel_inserter *inserter, struct reel_error *error)
{
    bool good = true;
    if (inserter->waiting == rows_a_statement) {
        good = write_rows(inserter, inserter->many, inserter->cells, rows_a_statement, error);
    } else {
        for (unsigned i = 0; good && i < inserter->waiting; i++)
            good = write_rows(inserter, inserter->one, inserter->cells + i * inserter->columns, 1,
                              error);
    }
    inserter->waiting = 0;
    return good;
}

bool reel_inserter_put(struct reel_inserter *inserter, const struct reel_cell *cells,
                       struct reel_error *error)
{
    memcpy(inserter->cells + inserter->waiting++ * inserter->columns, cells,
           inserter->columns * sizeof *cells);
    return inserter->waiting < rows_a_statement || reel_inserter_flush(inserter, error);
}
