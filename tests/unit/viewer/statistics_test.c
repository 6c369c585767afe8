/* Statistics of threads, locks and waits; lock order; stacks of waits: on small stories. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/model/sealed.h"
#include "tests/unit/store/scratch.h"
#include "tests/unit/viewer/panel_trace.h"
#include "viewer/panel/flame_query.h"
#include "viewer/panel/order_query.h"
#include "viewer/panel/row.h"
#include "viewer/panel/statistics.h"

/* T1 holds A from 10 to 50 µs; T2 waits for it from 20, T3 from 30; T2 has it from 50 to 60, T3
 * from 60 to 70. */
#define CONTENDED                                                                                  \
    "@1us T1 attach; @2us T1 create T2; @3us T1 create T3; @4us T2 start by T1; @5us T3 start by " \
    "T1;"                                                                                          \
    "@10us T1 lock A stack 1; @20us T2 want A stack 2; @30us T3 want A stack 3;"                   \
    "@50us T1 unlock A; @50500ns T2 lock A stack 2; @60us T2 unlock A; @60500ns T3 lock A stack "  \
    "3;"                                                                                           \
    "@70us T3 unlock A; @80us T2 exit; @81us T3 exit; @100us T1 mark end"

static GPtrArray *read_range(const char *path, gpointer (*read)(struct reel_query *, gpointer),
                             uint64_t from, uint64_t to, gboolean whole)
{
    struct reel_statistics_request *request = reel_statistics_request_new(from, to, whole);
    GPtrArray *rows = panel_ask(path, read, request);
    g_free(request);
    return rows;
}

static void a_lock_s_cost_is_counted(void **state)
{
    const char *path = panel_trace(*state, CONTENDED);
    GPtrArray *rows = read_range(path, reel_lock_statistics_read, 0, 100000, TRUE);
    assert_int_equal(rows->len, 1);
    const ReelRow *lock = rows->pdata[0];
    assert_int_equal((int)lock->cell[REEL_LOCK_TAKEN].number, 3);
    assert_int_equal((int)lock->cell[REEL_LOCK_WAIT].number, 30500 + 30500);
    assert_int_equal((int)lock->cell[REEL_LOCK_WAIT_MOST].number, 30500);
    assert_int_equal((int)lock->cell[REEL_LOCK_HOLD].number, 40000 + 9500 + 9500);
    assert_int_equal((int)lock->cell[REEL_LOCK_HANDOFFS].number, 2);
    assert_int_equal((int)lock->cell[REEL_LOCK_WAITERS].number, 2);
    assert_int_equal((int)lock->cell[REEL_LOCK_THREADS].number, 3);
    assert_true(lock->object != 0);
    g_ptr_array_unref(rows);
}

static void the_whole_range_says_what_the_totals_say(void **state)
{
    const char *path = panel_trace(*state, CONTENDED);
    GPtrArray *totals = read_range(path, reel_lock_statistics_read, 0, 200000, TRUE);
    GPtrArray *summed = read_range(path, reel_lock_statistics_read, 0, 200000, FALSE);
    assert_int_equal(summed->len, totals->len);
    for (guint i = REEL_LOCK_TAKEN; i < REEL_LOCK_COLUMNS; i++) {
        const ReelRow *one = totals->pdata[0], *other = summed->pdata[0];
        assert_int_equal((int64_t)(one->cell[i].number * 1000),
                         (int64_t)(other->cell[i].number * 1000));
    }
    g_ptr_array_unref(totals);
    g_ptr_array_unref(summed);
    totals = read_range(path, reel_thread_statistics_read, 0, 200000, TRUE);
    summed = read_range(path, reel_thread_statistics_read, 0, 200000, FALSE);
    assert_int_equal(summed->len, totals->len);
    for (guint i = 0; i < totals->len; i++)
        for (guint k = REEL_THREAD_RUNNING; k <= REEL_THREAD_IDLE; k++) {
            const ReelRow *one = totals->pdata[i], *other = summed->pdata[i];
            assert_int_equal((int64_t)(one->cell[k].number * 1e6),
                             (int64_t)(other->cell[k].number * 1e6));
        }
    g_ptr_array_unref(totals);
    g_ptr_array_unref(summed);
}

static void a_range_counts_only_what_is_inside(void **state)
{
    const char *path = panel_trace(*state, CONTENDED);
    GPtrArray *rows = read_range(path, reel_lock_statistics_read, 25000, 40000, FALSE);
    const ReelRow *lock = rows->pdata[0];
    assert_int_equal((int)lock->cell[REEL_LOCK_TAKEN].number, 0);
    assert_int_equal((int)lock->cell[REEL_LOCK_WAIT].number, 15000 + 10000);
    assert_int_equal((int)lock->cell[REEL_LOCK_HOLD].number, 15000);
    assert_int_equal((int)(lock->cell[REEL_LOCK_USED].number * 100), 100);
    g_ptr_array_unref(rows);
    rows = read_range(path, reel_thread_statistics_read, 25000, 40000, FALSE);
    assert_int_equal(rows->len, 3);
    const ReelRow *second = rows->pdata[1];
    assert_int_equal(second->thread, 2);
    assert_int_equal((int)(second->cell[REEL_THREAD_LOCK].number * 100), 100);
    g_ptr_array_unref(rows);
}

static void the_longest_wait_stands_first(void **state)
{
    GPtrArray *rows = read_range(
        panel_trace(*state, "T1 attach; T1 create T2; T2 start by T1; T1 lock A; T2 want A; "
                            "@1ms T1 unlock A; T2 lock A; T2 unlock A; T1 lock A; T2 want A; "
                            "@5ms T1 unlock A; T2 lock A; T2 unlock A"),
        reel_wait_statistics_read, 0, 10000000, TRUE);
    assert_int_equal(rows->len, 2);
    const ReelRow *first = rows->pdata[0], *second = rows->pdata[1];
    assert_true(first->cell[REEL_WAIT_LENGTH].number > second->cell[REEL_WAIT_LENGTH].number);
    assert_int_equal(first->thread, 2);
    assert_true(first->time_ns > second->time_ns);
    g_ptr_array_unref(rows);
}

static void the_sum_of_a_range_is_over_all_threads(void **state)
{
    struct reel_statistics_request *request = reel_statistics_request_new(25000, 40000, FALSE);
    struct reel_range_sum *sum =
        panel_ask(panel_trace(*state, CONTENDED), reel_range_sum_read, request);
    assert_int_equal(sum->threads, 3);
    assert_int_equal((int)sum->role_ns[REEL_STATE_ROLE_RUNNING], 15000 + 5000);
    assert_int_equal((int)sum->role_ns[REEL_STATE_ROLE_LOCK], 15000 + 10000);
    assert_int_equal(sum->events, 1);
    g_free(sum);
    g_free(request);
}

static struct reel_order_graph *order_of(void **state, const char *text)
{
    return panel_ask(panel_trace(*state, text), reel_order_graph_read, NULL);
}

static void opposite_orders_are_a_circle_with_two_witnesses(void **state)
{
    struct reel_order_graph *graph =
        order_of(state, "T1 create T2; T2 start by T1; T1 lock A; T1 lock B stack 3; T1 unlock B; "
                        "T1 unlock A; T2 lock B; T2 lock A; T2 unlock A; T2 unlock B");
    assert_int_equal(graph->lock->len, 2);
    assert_int_equal(graph->link->len, 2);
    assert_int_equal(graph->circles->len, 1);
    for (guint i = 0; i < 2; i++) {
        const struct reel_order_link *link = &g_array_index(graph->link, struct reel_order_link, i);
        assert_int_equal(link->danger, REEL_ORDER_CIRCLE);
        assert_int_equal(link->witness->len, 1);
        assert_int_equal(link->occurrences, 1);
    }
    reel_order_graph_unref(graph);
}

static void a_gate_keeps_a_circle_from_closing(void **state)
{
    struct reel_order_graph *graph = order_of(
        state, "T1 create T2; T2 start by T1; T1 lock G; T1 lock A; T1 lock B; T1 unlock B; "
               "T1 unlock A; T1 unlock G; T2 lock G; T2 lock B; T2 lock A; T2 unlock A; "
               "T2 unlock B; T2 unlock G");
    unsigned guarded = 0, fine = 0;
    for (guint i = 0; i < graph->link->len; i++) {
        const struct reel_order_link *link = &g_array_index(graph->link, struct reel_order_link, i);
        guarded += link->danger == REEL_ORDER_GUARDED;
        fine += link->danger == REEL_ORDER_FINE;
    }
    assert_int_equal(graph->circles->len, 0);
    assert_int_equal(guarded, 2);
    assert_int_equal(fine, 2);
    reel_order_graph_unref(graph);
}

static void a_deadlock_that_happened_is_a_circle(void **state)
{
    struct reel_order_graph *graph =
        order_of(state, "T1 create T2; T2 start by T1; T1 lock A; T2 lock B; T1 want B; T2 want A");
    assert_int_equal(graph->circles->len, 1);
    reel_order_graph_unref(graph);
}

static void one_order_is_no_circle(void **state)
{
    struct reel_order_graph *graph =
        order_of(state, "T1 create T2; T2 start by T1; T1 lock A; T1 lock B; T1 unlock B; "
                        "T1 unlock A; T2 lock A; T2 lock B; T2 unlock B; T2 unlock A");
    assert_int_equal(graph->link->len, 1);
    assert_int_equal(graph->circles->len, 0);
    const struct reel_order_link *link = &g_array_index(graph->link, struct reel_order_link, 0);
    assert_int_equal(link->danger, REEL_ORDER_FINE);
    assert_int_equal(link->occurrences, 2);
    reel_order_graph_unref(graph);
}

static void the_flame_graph_weighs_what_was_waited(void **state)
{
    const char *path = panel_trace(*state, CONTENDED);
    for (int group = REEL_FLAME_BY_STACK; group <= REEL_FLAME_BY_THREAD; group++) {
        struct reel_flame_request request = {.from_ns = 0,
                                             .to_ns = 200000,
                                             .roles = 1u << REEL_STATE_ROLE_LOCK,
                                             .group = (enum reel_flame_group)group};
        struct reel_flame_graph *graph = panel_ask(path, reel_flame_graph_read, &request);
        assert_int_equal(graph->flame.box[0].total, 61000);
        assert_int_equal(graph->flame.box[0].count, 2);
        assert_int_equal(graph->links->len, graph->flame.count);
        reel_flame_graph_unref(graph);
        request.from_ns = 25000;
        request.to_ns = 40000;
        graph = panel_ask(path, reel_flame_graph_read, &request);
        assert_int_equal(graph->flame.box[0].total, 25000);
        reel_flame_graph_unref(graph);
        request.roles = 1u << REEL_STATE_ROLE_IO;
        graph = panel_ask(path, reel_flame_graph_read, &request);
        assert_int_equal(graph->flame.box[0].total, 0);
        reel_flame_graph_unref(graph);
    }
}

static void waits_by_thread_stand_below_their_thread(void **state)
{
    struct reel_flame_request request = {.from_ns = 0,
                                         .to_ns = 200000,
                                         .roles = 1u << REEL_STATE_ROLE_LOCK,
                                         .group = REEL_FLAME_BY_THREAD};
    struct reel_flame_graph *graph =
        panel_ask(panel_trace(*state, CONTENDED), reel_flame_graph_read, &request);
    unsigned threads = 0;
    for (uint32_t box = graph->flame.box[0].first_child; box; box = graph->flame.box[box].next) {
        assert_in_range(g_array_index(graph->links, struct reel_flame_link, box).thread, 2, 3);
        assert_int_equal(graph->flame.box[box].total, 30500);
        threads++;
    }
    assert_int_equal(threads, 2);
    reel_flame_graph_unref(graph);
}

/* Whatever a file says: an answer or an error, and no harm. */
static void damaged_rows_do_no_harm(void **state)
{
    static const char *const damages[] = {
        "UPDATE stack SET parent = id",
        "UPDATE interval SET end_ns = start_ns - 5000000000",
        "UPDATE interval SET start_ns = -9223372036854775807",
        "UPDATE interval SET stack = 4294967297, object = -1, thread = 77",
        "UPDATE interval SET state = 'no-such-state'",
        "UPDATE hold SET end_ns = -1, thread = -1, object = 4294967295",
        "UPDATE event SET thread = 99999999, object = 123456789, stack = -3",
        "UPDATE event SET operation = 255, class = 200",
        "DELETE FROM object",
        "DELETE FROM thread",
        "DELETE FROM frame",
        "UPDATE thread SET name = x'ff00fe', process = 9",
        "UPDATE meta SET value = 'abc' WHERE key = 'processors'",
        "DROP TABLE lock_total",
        "DROP TABLE interval",
    };
    gpointer (*const reads[])(struct reel_query *, gpointer) = {
        reel_thread_statistics_read, reel_lock_statistics_read, reel_wait_statistics_read,
        reel_range_sum_read, reel_order_graph_read};
    const GDestroyNotify frees[] = {
        (GDestroyNotify)g_ptr_array_unref, (GDestroyNotify)g_ptr_array_unref,
        (GDestroyNotify)g_ptr_array_unref, g_free, (GDestroyNotify)reel_order_graph_unref};
    for (unsigned i = 0; i < G_N_ELEMENTS(damages); i++) {
        const char *path = panel_trace(*state, CONTENDED);
        scratch_sql(path, damages[i]);
        for (int whole = 0; whole < 2; whole++) {
            struct reel_statistics_request *request = reel_statistics_request_new(0, 100000, whole);
            for (unsigned r = 0; r < G_N_ELEMENTS(reads); r++) {
                gpointer answer = panel_ask_either(path, reads[r], request);
                if (answer)
                    frees[r](answer);
            }
            g_free(request);
            struct reel_flame_request flame = {
                .to_ns = 100000, .roles = ~0u, .group = whole ? REEL_FLAME_BY_OBJECT : 0};
            struct reel_flame_graph *graph = panel_ask_either(path, reel_flame_graph_read, &flame);
            if (graph)
                reel_flame_graph_unref(graph);
        }
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_lock_s_cost_is_counted),
        TEST(the_whole_range_says_what_the_totals_say),
        TEST(a_range_counts_only_what_is_inside),
        TEST(the_longest_wait_stands_first),
        TEST(the_sum_of_a_range_is_over_all_threads),
        TEST(opposite_orders_are_a_circle_with_two_witnesses),
        TEST(a_gate_keeps_a_circle_from_closing),
        TEST(a_deadlock_that_happened_is_a_circle),
        TEST(one_order_is_no_circle),
        TEST(the_flame_graph_weighs_what_was_waited),
        TEST(waits_by_thread_stand_below_their_thread),
        TEST(damaged_rows_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
