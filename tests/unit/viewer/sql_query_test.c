/* SQL in the viewer: it only reads, says what is wrong, and completes names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/store/scratch.h"
#include "tests/unit/viewer/panel_trace.h"
#include "viewer/panel/sql_query.h"

#define TRACE "T1 create T2; T2 start by T1; T1 lock A; T1 unlock A; T2 lock A stack 4; T2 unlock A"

static struct reel_sql_result *result_of(void **state, const char *sql)
{
    return panel_ask(panel_trace(*state, TRACE), reel_sql_read, (gpointer)sql);
}

static void rows_and_columns_are_the_question_s(void **state)
{
    struct reel_sql_result *result =
        result_of(state, "SELECT 1 AS one, 'b' AS two, NULL AS three, 2.5 AS four "
                         "UNION ALL SELECT 9007199254740993, 'd', x'00', 0;  ");
    assert_int_equal(result->columns->len, 4);
    assert_string_equal(result->columns->pdata[2], "three");
    assert_int_equal(result->rows->len, 2);
    const ReelRow *first = result->rows->pdata[0], *second = result->rows->pdata[1];
    assert_string_equal(first->cell[1].text, "b");
    assert_string_equal(first->cell[2].text, "");
    assert_string_equal(first->cell[3].text, "2.5");
    assert_string_equal(second->cell[0].text, "9007199254740993");
    assert_false(result->is_cut);
    reel_sql_result_free(result);
}

static void a_column_of_time_says_where_a_row_is(void **state)
{
    struct reel_sql_result *result =
        result_of(state, "SELECT end_ns, start_ns, thread FROM interval ORDER BY id LIMIT 1");
    const ReelRow *row = result->rows->pdata[0];
    assert_int_equal(row->time_ns, strtoull(row->cell[1].text, NULL, 10));
    assert_int_equal(row->thread, strtoul(row->cell[2].text, NULL, 10));
    reel_sql_result_free(result);
    result = result_of(state, "SELECT 'not a number' AS time, -5 AS thread");
    row = result->rows->pdata[0];
    assert_int_equal(row->time_ns, REEL_ROW_NO_TIME);
    assert_int_equal(row->thread, 0);
    reel_sql_result_free(result);
}

static void nothing_but_reading_is_let_through(void **state)
{
    static const char *const wrong[] = {"DELETE FROM event",
                                        "ATTACH 'x' AS y",
                                        "PRAGMA journal_mode = OFF",
                                        "CREATE TEMP TABLE t(x)",
                                        "SELECT 1; SELECT 2",
                                        "VACUUM INTO 'copy'",
                                        "BEGIN",
                                        "",
                                        "SELECT load_extension('x')"};
    const char *path = panel_trace(*state, TRACE);
    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
        struct reel_error error = panel_ask_in_vain(path, reel_sql_read, (gpointer)wrong[i]);
        assert_true(strlen(error.message) > 10);
    }
    assert_false(scratch_exists(scratch_path(*state, "copy"), ""));
}

static void an_error_says_where(void **state)
{
    const char *path = panel_trace(*state, TRACE);
    struct reel_error error =
        panel_ask_in_vain(path, reel_sql_read, (gpointer) "SELECT nothing_such FROM event");
    assert_non_null(strstr(error.message, "nothing_such"));
    assert_non_null(strstr(error.hint, "nothing_such FROM"));
}

static void more_rows_than_are_shown_are_told_of(void **state)
{
    struct reel_sql_result *result =
        result_of(state, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                         "SELECT i FROM n");
    assert_true(result->is_cut);
    assert_int_equal(result->rows->len, REEL_SQL_ROWS_MOST);
    reel_sql_result_free(result);
}

static void names_are_completed_as_far_as_they_agree(void **state)
{
    GPtrArray *names = panel_ask(panel_trace(*state, TRACE), reel_sql_names_read, NULL);
    g_autofree char *common = NULL;
    assert_int_equal(reel_sql_complete(names, "lock_t", &common, NULL, 0), 1);
    assert_string_equal(common, "lock_total");
    g_free(g_steal_pointer(&common));
    g_autoptr(GString) matches = g_string_new(NULL);
    assert_int_equal(reel_sql_complete(names, "lock_", &common, matches, 9), 2);
    assert_string_equal(common, "lock_");
    assert_string_equal(matches->str, "lock_site  lock_total");
    g_free(g_steal_pointer(&common));
    assert_int_equal(reel_sql_complete(names, "TIME_", &common, NULL, 0), 1); /* a column */
    assert_string_equal(common, "time_ns");
    g_free(g_steal_pointer(&common));
    assert_int_equal(reel_sql_complete(names, "zzz", &common, NULL, 0), 0);
    assert_null(common);
    g_ptr_array_unref(names);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_and_columns_are_the_question_s),  TEST(a_column_of_time_says_where_a_row_is),
        TEST(nothing_but_reading_is_let_through),   TEST(an_error_says_where),
        TEST(more_rows_than_are_shown_are_told_of), TEST(names_are_completed_as_far_as_they_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
