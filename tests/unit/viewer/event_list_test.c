/* The list of events against the table of events: rows, places, filters, and what stays in memory.
 */
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
#include "viewer/panel/event_list.h"
#include "viewer/panel/event_query.h"
#include "viewer/panel/row.h"

#define PAIRS 3000 /* of events, a microsecond apart */

static const char *long_trace(void **state)
{
    GString *text = g_string_new("T1 create T2; T2 start by T1\n");
    for (int i = 0; i < PAIRS; i++)
        g_string_append_printf(text, "T%d lock %s; T%d unlock %s\n", 1 + i % 2, i % 50 ? "A" : "B",
                               1 + i % 2, i % 50 ? "A" : "B");
    const char *path = panel_trace(*state, text->str);
    g_string_free(text, TRUE);
    return path;
}

struct watched {
    gboolean complete, placed;
    guint position;
    char *error;
};

static void told(ReelEventList *list, const char *error, struct watched *watched)
{
    watched->complete = reel_event_list_is_complete(list);
    if (error)
        watched->error = g_strdup(error);
}

static void placed(ReelEventList *list, guint position, struct watched *watched)
{
    (void)list;
    watched->position = position;
    watched->placed = TRUE;
}

static ReelEventList *list_of(const char *path, const char *filter, struct watched *watched)
{
    *watched = (struct watched){0};
    ReelEventList *list = reel_event_list_new(path, filter, PAIRS * 2000);
    g_signal_connect(list, "told", G_CALLBACK(told), watched);
    g_signal_connect(list, "placed", G_CALLBACK(placed), watched);
    panel_wait(&watched->complete);
    return list;
}

static void now_filled(ReelRow *row, gboolean *done)
{
    (void)row;
    *done = TRUE;
}

/* The row at a position, once it is there. */
static ReelRow *row_at(ReelEventList *list, guint position)
{
    ReelRow *row = g_list_model_get_item(G_LIST_MODEL(list), position);
    assert_non_null(row);
    gboolean done = row->is_filled;
    gulong handler = g_signal_connect(row, "filled", G_CALLBACK(now_filled), &done);
    panel_wait(&done);
    g_signal_handler_disconnect(row, handler);
    return row;
}

/* All times of the events that a condition holds for, straight from the file. */
static GArray *times_of(const char *path, const char *condition)
{
    struct reel_error error = {0};
    struct reel_trace *trace = reel_trace_open(path, REEL_TRACE_READ, &error);
    g_autofree char *sql =
        g_strdup_printf("SELECT time_ns FROM event_named WHERE %s ORDER BY time_ns", condition);
    sqlite3_stmt *row;
    assert_int_equal(sqlite3_prepare_v2(reel_trace_database(trace), sql, -1, &row, NULL), 0);
    GArray *times = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    while (sqlite3_step(row) == SQLITE_ROW) {
        uint64_t time = (uint64_t)sqlite3_column_int64(row, 0);
        g_array_append_val(times, time);
    }
    sqlite3_finalize(row);
    reel_trace_close(trace, NULL);
    return times;
}

static void check(const char *path, const char *filter, const char *condition)
{
    struct watched watched;
    g_autoptr(GArray) times = times_of(path, condition);
    ReelEventList *list = list_of(path, filter, &watched);
    assert_null(watched.error);
    assert_int_equal(g_list_model_get_n_items(G_LIST_MODEL(list)), times->len);
    assert_null(g_list_model_get_item(G_LIST_MODEL(list), times->len));
    for (guint i = 0; i < times->len; i += i % 7 == 0 ? 97 : 13) {
        uint64_t time = g_array_index(times, uint64_t, i);
        g_autoptr(ReelRow) row = row_at(list, i);
        assert_int_equal(row->time_ns, time);
        assert_int_equal(row->count, REEL_EVENT_COLUMNS);
        watched.placed = FALSE;
        reel_event_list_find(list, time + 1); /* between two events */
        panel_wait(&watched.placed);
        assert_int_equal(watched.position, i);
    }
    g_object_unref(list);
}

static void the_list_is_the_table(void **state)
{
    check(long_trace(state), "", "1");
}

static void a_filter_lets_through_what_it_says(void **state)
{
    const char *path = long_trace(state);
    check(path, "op:acquire", "operation = 'acquire'");
    check(path, "-op:acquire at:1ms..2ms",
          "operation <> 'acquire' AND time_ns BETWEEN 1000000 AND 2000000");
}

static void a_filter_that_matches_nothing_is_an_empty_list(void **state)
{
    check(long_trace(state), "op:fork", "0");
}

static void a_wrong_filter_is_told(void **state)
{
    struct watched watched;
    ReelEventList *list = list_of(long_trace(state), "nokey:1", &watched);
    assert_non_null(watched.error);
    assert_non_null(strstr(watched.error, "nokey"));
    assert_int_equal(g_list_model_get_n_items(G_LIST_MODEL(list)), 0);
    g_free(watched.error);
    g_object_unref(list);
}

static void what_is_not_looked_at_is_not_in_memory(void **state)
{
    GString *text = g_string_new(NULL);
    for (int i = 0; i < 20000; i++)
        g_string_append(text, "T1 lock A; T1 unlock A\n");
    struct watched watched;
    ReelEventList *list = list_of(panel_trace(*state, text->str), "", &watched);
    g_string_free(text, TRUE);
    guint count = g_list_model_get_n_items(G_LIST_MODEL(list));
    assert_int_equal(count, 40000);
    for (guint i = 0; i < count; i += REEL_EVENT_PAGE / 2) {
        g_object_unref(g_list_model_get_item(G_LIST_MODEL(list), i));
        assert_in_range(reel_event_list_pages(list), 1, 48);
    }
    g_autoptr(ReelRow) row = row_at(list, count - 1); /* the newest wish is served */
    assert_int_equal(row->time_ns, 40000 * 1000);
    g_object_unref(list);
}

static void a_list_can_go_while_it_is_read(void **state)
{
    const char *path = long_trace(state);
    for (int i = 0; i < 30; i++) {
        ReelEventList *list = reel_event_list_new(path, i % 2 ? "op:acquire" : "", 1);
        g_main_context_iteration(NULL, FALSE);
        ReelRow *row = g_list_model_get_item(G_LIST_MODEL(list), 0);
        g_object_unref(list);
        g_clear_object(&row);
    }
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_list_is_the_table),
        TEST(a_filter_lets_through_what_it_says),
        TEST(a_filter_that_matches_nothing_is_an_empty_list),
        TEST(a_wrong_filter_is_told),
        TEST(what_is_not_looked_at_is_not_in_memory),
        TEST(a_list_can_go_while_it_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
