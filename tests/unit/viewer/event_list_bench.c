/* How fast the list of events is: its index, a filter, and a page of rows at a random place, of as
 * many events as the argument says (ten million).   event_list_bench [EVENTS] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/store/scratch.h"
#include "tests/unit/viewer/panel_trace.h"
#include "viewer/panel/event_list.h"
#include "viewer/panel/row.h"

#define PAGES 200

static unsigned long events = 10000000;

static void told(ReelEventList *list, const char *error, gboolean *done)
{
    assert_null(error);
    *done = reel_event_list_is_complete(list);
}

static void filled(ReelRow *row, gboolean *done)
{
    (void)row;
    *done = TRUE;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static double since_ms(gint64 begun)
{
    return (double)(g_get_monotonic_time() - begun) / 1000;
}

static void measure(const char *path, const char *filter)
{
    gboolean done = FALSE;
    gint64 begun = g_get_monotonic_time();
    ReelEventList *list = reel_event_list_new(path, filter, 1000000000);
    g_signal_connect(list, "told", G_CALLBACK(told), &done);
    while (!done)
        g_main_context_iteration(NULL, TRUE);
    guint count = g_list_model_get_n_items(G_LIST_MODEL(list));
    printf("%-24s %9u rows, index %7.1f ms", *filter ? filter : "all events", count,
           since_ms(begun));
    double page[PAGES];
    for (unsigned i = 0; i < PAGES && count; i++) {
        begun = g_get_monotonic_time();
        ReelRow *row =
            g_list_model_get_item(G_LIST_MODEL(list), (guint)((guint64)i * 1037383 % count));
        done = row->is_filled;
        g_signal_connect(row, "filled", G_CALLBACK(filled), &done);
        while (!done)
            g_main_context_iteration(NULL, TRUE);
        page[i] = since_ms(begun);
        g_object_unref(row);
    }
    if (count) {
        qsort(page, PAGES, sizeof *page, compare);
        printf(", a page p50 %.2f ms, p95 %.2f ms, %u pages in memory", page[PAGES / 2],
               page[PAGES * 95 / 100], reel_event_list_pages(list));
    }
    putchar('\n');
    g_object_unref(list);
}

static void the_list_of_events(void **state)
{
    const char *path =
        panel_trace(*state, "T1 create T2; T2 start by T1; T1 lock A; T1 unlock A; T2 lock A; "
                            "T2 unlock A");
    g_autofree char *sql = g_strdup_printf(
        "INSERT INTO event SELECT 1000000 + n.value * 50, 1 + n.value %% 2, e.operation, e.class, "
        "e.object, 0, NULL, 0 FROM (WITH RECURSIVE c(value) AS (SELECT 0 UNION ALL SELECT value + "
        "1 "
        "FROM c WHERE value + 1 < %lu) SELECT value FROM c) n JOIN event e "
        "ON e.time_ns = 3000 + n.value / 2 %% 2 * 1000",
        events);
    scratch_sql(path, sql);
    measure(path, "");
    measure(path, "op:acquire");
    measure(path, "thread:nobody");
}

int main(int argc, char **argv)
{
    if (argc > 1)
        events = strtoul(argv[1], NULL, 10);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_list_of_events, scratch_setup, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
