#include "tests/unit/model/sealed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/store/scratch.h"

struct reel_trace *record_text(const char *directory, const char *name, const char *text)
{
    struct reel_error error = {0};
    struct reel_text_form *form = reel_text_form_parse(text, &error);
    if (!form)
        fail_msg("%s", error.message);
    struct reel_trace *trace = reel_trace_create(scratch_path(directory, name), &error);
    if (!trace || !reel_text_form_write(form, trace, &error) || !reel_trace_close(trace, &error))
        fail_msg("%s", error.message);
    reel_text_form_free(form);
    trace = reel_trace_open(scratch_path(directory, name), REEL_TRACE_WRITE, &error);
    if (!trace)
        fail_msg("%s", error.message);
    return trace;
}

struct reel_seal_result seal(struct reel_trace *trace)
{
    struct reel_error error = {0};
    struct reel_seal_result result;
    if (!reel_seal(trace, &(struct reel_seal_options){.writer = REEL_ROWS_API}, &result, &error))
        fail_msg("%s", error.message);
    return result;
}

const char *rows_of(struct reel_trace *trace, const char *sql)
{
    static char text[65536];
    sqlite3 *database = reel_trace_database(trace);
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(database));
    size_t used = 0;
    int code;
    text[0] = '\0';
    while ((code = sqlite3_step(statement)) == SQLITE_ROW)
        for (int i = 0; i < sqlite3_column_count(statement); i++) {
            const char *value = (const char *)sqlite3_column_text(statement, i);
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s",
                                     i      ? " "
                                     : used ? "\n"
                                            : "",
                                     value ? value : "-");
            assert_true(used < sizeof text);
        }
    if (code != SQLITE_DONE)
        fail_msg("%s: %s", sql, sqlite3_errmsg(database));
    sqlite3_finalize(statement);
    return text;
}
