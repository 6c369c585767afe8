/* The schema in the program is whole, and reel-schema(5) documents all of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tracer/store/schema.h"

#include <ctype.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *manual_path;

static char *read_manual(void)
{
    FILE *file = fopen(manual_path, "rb");
    assert_non_null(file);
    char *text = calloc(1, 1 << 18);
    assert_true(fread(text, 1, (1 << 18) - 1, file) > 1000);
    fclose(file);
    return text;
}

/* The part of the manual under ".SS name"; freed by the caller. NULL: there is none. */
static char *section_of(const char *manual, const char *name)
{
    char heading[100];
    snprintf(heading, sizeof heading, "\n.SS %s\n", name);
    const char *start = strstr(manual, heading);
    if (!start)
        return NULL;
    start += strlen(heading);
    const char *end = strstr(start, "\n.S");
    return strndup(start, end ? (size_t)(end - start) : strlen(start));
}

/* Is `word` in bold in the line behind a ".TP"? */
static bool documents(const char *section, const char *word)
{
    for (const char *tag = section; (tag = strstr(tag, ".TP\n.B")); tag += 4) {
        const char *line = tag + 4, *end = strchr(line, '\n');
        for (const char *at = line; end && (at = strstr(at, word)) && at < end; at++) {
            char before = at[-1], after = at[strlen(word)];
            if (!isalnum(before) && before != '_' && !isalnum(after) && after != '_')
                return true;
        }
    }
    return false;
}

static void the_manual_has_every_table_and_column(void **state)
{
    char *manual = read_manual();
    sqlite3 *database;
    assert_int_equal(sqlite3_open(":memory:", &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, reel_schema_sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_stmt *columns;
    sqlite3_prepare_v2(database,
                       "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c"
                       " WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite_%'",
                       -1, &columns, NULL);
    unsigned count = 0;
    while (sqlite3_step(columns) == SQLITE_ROW) {
        const char *table = (const char *)sqlite3_column_text(columns, 0);
        const char *column = (const char *)sqlite3_column_text(columns, 1);
        char *section = section_of(manual, table);
        if (!section)
            fail_msg("reel-schema(5) has no section on table %s", table);
        if (!documents(section, column))
            fail_msg("reel-schema(5) does not say what %s.%s is", table, column);
        free(section);
        count++;
    }
    assert_true(count > 100);
    sqlite3_finalize(columns);
    sqlite3_close(database);
    free(manual);
}

static void the_check_notices_what_is_missing(void **state)
{
    static const char manual[] = "\n.SS hold\n.TP\n.BR start_ns \", \" mode\nFrom.\n.SS gap\n";
    char *section = section_of(manual, "hold");
    assert_true(documents(section, "mode"));
    assert_true(documents(section, "start_ns"));
    assert_false(documents(section, "start"));
    assert_false(documents(section, "From"));
    assert_null(section_of(manual, "event"));
    free(section);
}

int main(int count, char **arguments)
{
    manual_path = count > 1 ? arguments[1] : "data/man/reel-schema.5";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_manual_has_every_table_and_column),
        cmocka_unit_test(the_check_notices_what_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
