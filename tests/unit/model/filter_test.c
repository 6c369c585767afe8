/* The filter grammar: what is let through, against plain SQL over the named rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/model/sealed.h"
#include "tests/unit/store/scratch.h"
#include "tracer/model/filter.h"

#define STORY                                                                                      \
    "T1 attach; T1 name T1 boss; T1 init A stack 3; T1 name A cache.lock; T1 lock A stack 3;"      \
    "T1 create T2; T2 start by T1; T2 want A stack 4; T1 unlock A; T2 lock A stack 4; T2 unlock "  \
    "A;"                                                                                           \
    "T2 put Q; T1 get Q; T2 exit; T1 join T2; @2ms T1 mark done"

static struct reel_trace *story(void **state)
{
    struct reel_trace *trace = record_text(*state, "a.reel", STORY);
    seal(trace);
    sqlite3_exec(reel_trace_database(trace),
                 "UPDATE thread SET name = 'boss' WHERE id = 1;"
                 "UPDATE thread SET name = 'worker/2' WHERE id = 2;"
                 "UPDATE object SET name = 'cache.lock' WHERE class = 3;"
                 "UPDATE frame SET function = 'pay', file = '/src/bank.c', line = 30 WHERE id ="
                 " (SELECT coalesce(site, frame) FROM stack WHERE id = 4)",
                 NULL, NULL, NULL);
    return trace;
}

static char *times(struct reel_trace *trace, sqlite3_stmt *row)
{
    (void)trace;
    GString *text = g_string_new(NULL);
    while (sqlite3_step(row) == SQLITE_ROW)
        g_string_append_printf(text, "%lld ", (long long)sqlite3_column_int64(row, 0));
    sqlite3_finalize(row);
    return g_string_free(text, FALSE);
}

/* The filter lets through the events that the condition holds for, and its negation all others. */
static void check(struct reel_trace *trace, const char *text, const char *condition)
{
    struct reel_error error = {0};
    sqlite3 *database = reel_trace_database(trace);
    for (int negated = 0; negated < 2; negated++) {
        g_autofree char *filter_text = g_strdup_printf("%s%s", negated ? "-" : "", text);
        struct reel_filter *filter = reel_filter_parse(filter_text, 2000000, &error);
        g_autoptr(GString) sql = g_string_new("SELECT e.time_ns FROM event e WHERE ");
        if (!filter || !reel_filter_sql(filter, REEL_FILTER_EVENTS, sql, &error))
            fail_msg("%s: %s", filter_text, error.message);
        sqlite3_stmt *row, *plain;
        g_string_append(sql, " ORDER BY 1");
        assert_int_equal(sqlite3_prepare_v2(database, sql->str, -1, &row, NULL), SQLITE_OK);
        reel_filter_bind(filter, row);
        g_autofree char *seen = times(trace, row);
        g_autofree char *expected_sql =
            g_strdup_printf("SELECT e.time_ns FROM " REEL_FILTER_EVENTS_FROM
                            " WHERE %s coalesce((%s), 0) ORDER BY 1",
                            negated ? "NOT" : "", condition);
        assert_int_equal(sqlite3_prepare_v2(database, expected_sql, -1, &plain, NULL), SQLITE_OK);
        g_autofree char *expected = times(trace, plain);
        if (strcmp(seen, expected) != 0)
            fail_msg("%s: %s, not %s", filter_text, seen, expected);
        if (!negated)
            assert_true(*seen || strcmp(condition, "0") == 0); /* the story has such events */
        reel_filter_free(filter);
    }
}

static void names_are_matched_whole_with_patterns_and_alternatives(void **state)
{
    struct reel_trace *trace = story(state);
    check(trace, "thread:boss", "t.name = 'boss'");
    check(trace, "thread:BOSS", "t.name = 'boss'");
    check(trace, "thread:work*", "t.name LIKE 'work%'");
    check(trace, "thread:work", "0");
    check(trace, "thread:boss,worker/2", "t.name IN ('boss', 'worker/2')");
    check(trace, "op:acquire", "op.name = 'acquire'");
    check(trace, "class:mutex", "c.name = 'mutex'");
    check(trace, "process:1001", "p.pid = 1001");
    reel_trace_close(trace, NULL);
}

static void objects_are_matched_by_name_and_kind(void **state)
{
    struct reel_trace *trace = story(state);
    check(trace, "object:cache.lock", "o.name = 'cache.lock'");
    check(trace, "lock:cache*", "o.name LIKE 'cache%' AND c.name = 'mutex'");
    check(trace, "queue:*", "c.name = 'queue' AND o.id IS NOT NULL");
    check(trace, "object:*", "1");
    reel_trace_close(trace, NULL);
}

static void places_are_matched_where_the_program_s_own_code_is(void **state)
{
    struct reel_trace *trace = story(state);
    check(trace, "func:pay", "f.function = 'pay'");
    check(trace, "file:bank.c", "f.file = '/src/bank.c'");
    check(trace, "file:/src/bank.c", "f.file = '/src/bank.c'");
    check(trace, "file:/bank.c", "0");
    reel_trace_close(trace, NULL);
}

static void a_bare_word_is_in_any_name(void **state)
{
    struct reel_trace *trace = story(state);
    check(trace, "boss", "t.name LIKE '%boss%' OR o.name LIKE '%boss%'");
    check(trace, "Cache", "o.name LIKE '%cache%'");
    check(trace, "bank", "f.file LIKE '%bank%'");
    check(trace, "nowhere", "0");
    reel_trace_close(trace, NULL);
}

static void times_are_a_range(void **state)
{
    struct reel_trace *trace = story(state);
    check(trace, "at:5us..8us", "e.time_ns BETWEEN 5000 AND 8000");
    check(trace, "at:1ms..", "e.time_ns >= 1000000");
    reel_trace_close(trace, NULL);
}

static void all_terms_must_hold(void **state)
{
    struct reel_trace *trace = story(state);
    struct reel_error error = {0};
    struct reel_filter *filter =
        reel_filter_parse("thread:worker/2 -op:release 'lock:cache.lock'", 0, &error);
    g_autoptr(GString) sql = g_string_new("SELECT e.time_ns FROM event e WHERE ");
    assert_true(reel_filter_sql(filter, REEL_FILTER_EVENTS, sql, &error));
    sqlite3_stmt *row;
    assert_int_equal(sqlite3_prepare_v2(reel_trace_database(trace), sql->str, -1, &row, NULL),
                     SQLITE_OK);
    reel_filter_bind(filter, row);
    g_autofree char *seen = times(trace, row);
    assert_string_equal(
        seen, "8000 10000 "); /* the request and the acquisition, in microseconds from 1 */
    reel_filter_free(filter);
    reel_trace_close(trace, NULL);
}

static void what_means_nothing_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"nokey:1", "dur>abc", "at:x..y"};
    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
        struct reel_error error = {0};
        assert_null(reel_filter_parse(wrong[i], 0, &error));
        assert_true(*error.message);
    }
    static const char *const of_intervals[] = {"state:running", "dur>1ms", "call:lock"};
    for (unsigned i = 0; i < G_N_ELEMENTS(of_intervals); i++) {
        struct reel_error error = {0};
        struct reel_filter *filter = reel_filter_parse(of_intervals[i], 0, &error);
        g_autoptr(GString) sql = g_string_new(NULL);
        assert_non_null(filter);
        assert_false(reel_filter_sql(filter, REEL_FILTER_EVENTS, sql, &error));
        assert_non_null(strstr(error.message, "events have no"));
        reel_filter_free(filter);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_are_matched_whole_with_patterns_and_alternatives),
        TEST(objects_are_matched_by_name_and_kind),
        TEST(places_are_matched_where_the_program_s_own_code_is),
        TEST(a_bare_word_is_in_any_name),
        TEST(times_are_a_range),
        TEST(all_terms_must_hold),
        TEST(what_means_nothing_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
