/* The levels of detail of a lane against the naive sum over all its intervals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "viewer/core/lane_data.h"

static uint64_t random_state = 88172645463325252ull;

static uint64_t draw(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % below;
}

/* Bursts and lulls: lengths spread over four orders of magnitude, holes between. */
static void fill(struct reel_lane_data *lane, size_t intervals)
{
    uint64_t at = 1000;
    reel_lane_data_init(lane);
    for (size_t i = 0; i < intervals; i++) {
        uint64_t length = 1 + draw(draw(4) == 0 ? 100000 : 30);
        if (draw(50) == 0)
            at += draw(5000);
        assert_true(reel_lane_data_append(
            lane, at, at + length, (enum reel_state)draw(REEL_STATE_COUNT), (uint32_t)draw(9)));
        at += length;
    }
    assert_true(reel_lane_data_finish(lane));
}

static void check_columns(const struct reel_lane_data *lane, uint64_t from, uint64_t to,
                          size_t count, unsigned tolerance)
{
    struct reel_lane_column *fast = calloc(count, sizeof *fast),
                            *naive = calloc(count, sizeof *naive);
    reel_lane_data_columns(lane, from, to, fast, count);
    reel_lane_data_columns_naive(lane, from, to, naive, count);
    for (size_t i = 0; i < count; i++) {
        for (unsigned role = 0; role < REEL_LANE_ROLES; role++)
            if (abs((int)fast[i].share[role] - (int)naive[i].share[role]) > (int)tolerance)
                fail_msg("column %zu of %zu in [%llu, %llu): role %u is %u, naively %u", i, count,
                         (unsigned long long)from, (unsigned long long)to, role,
                         fast[i].share[role], naive[i].share[role]);
        /* What must not vanish never does; at a cell's edge a neighbour may show it too. */
        assert_true(fast[i].lock || !naive[i].lock);
        assert_true(fast[i].gap || !naive[i].gap);
    }
    free(fast);
    free(naive);
}

static void test_zoomed_out_equals_the_naive_sum(void **state)
{
    (void)state;
    struct reel_lane_data lane;
    fill(&lane, 20000);
    uint64_t start = lane.start[0], end = lane.start[lane.count];
    /* A column's edges cut cells of at least half its width: the mixture of a cut cell may be off
     * by what that cell is of the column, on each side. */
    check_columns(&lane, start, end, 64, 24);
    check_columns(&lane, start - 500, end + 100000, 200, 64);
    reel_lane_data_clear(&lane);
}

static void test_zoomed_in_is_exact(void **state)
{
    (void)state;
    struct reel_lane_data lane;
    fill(&lane, 20000);
    for (int i = 0; i < 300; i++) {
        uint64_t span = lane.start[lane.count] - lane.start[0];
        uint64_t from = lane.start[0] + draw(span), width = 200 + draw(20000);
        check_columns(&lane, from, from + width, 1 + draw(200), 1);
    }
    reel_lane_data_clear(&lane);
}

static void test_small_lanes_are_exact_at_any_zoom(void **state)
{
    (void)state;
    struct reel_lane_data lane;
    fill(&lane, 300);
    check_columns(&lane, lane.start[0], lane.start[lane.count], 100, 1);
    check_columns(&lane, 0, lane.start[lane.count] * 2, 37, 1);
    reel_lane_data_clear(&lane);
}

static void test_a_short_lock_wait_never_vanishes(void **state)
{
    (void)state;
    struct reel_lane_data lane;
    reel_lane_data_init(&lane);
    for (uint64_t i = 0; i < 100000; i++)
        assert_true(reel_lane_data_append(&lane, i * 1000, i * 1000 + 1000,
                                          i == 51234 ? REEL_STATE_LOCK_WAIT : REEL_STATE_RUNNING,
                                          0));
    assert_true(reel_lane_data_finish(&lane));
    struct reel_lane_column columns[100];
    reel_lane_data_columns(&lane, 0, 100000000, columns, 100);
    unsigned seen = 0;
    for (unsigned i = 0; i < 100; i++)
        seen += columns[i].lock;
    assert_int_equal(seen, 1);
    assert_true(columns[51].lock);
    reel_lane_data_clear(&lane);
}

static void test_the_interval_at_a_moment_is_the_one_that_covers_it(void **state)
{
    (void)state;
    struct reel_lane_data lane;
    fill(&lane, 2000);
    assert_int_equal(reel_lane_data_at(&lane, lane.start[0] - 1), lane.count);
    assert_int_equal(reel_lane_data_at(&lane, lane.start[lane.count]), lane.count);
    for (int i = 0; i < 5000; i++) {
        uint64_t ns = lane.start[0] + draw(lane.start[lane.count] - lane.start[0]);
        size_t at = reel_lane_data_at(&lane, ns);
        assert_true(lane.start[at] <= ns && ns < lane.start[at + 1]);
    }
    reel_lane_data_clear(&lane);
}

static void test_overlaps_and_empty_intervals_do_no_harm(void **state)
{
    (void)state;
    struct reel_lane_data lane;
    reel_lane_data_init(&lane);
    assert_true(reel_lane_data_append(&lane, 10, 20, REEL_STATE_RUNNING, 0));
    assert_true(reel_lane_data_append(&lane, 15, 30, REEL_STATE_SLEEP, 0));
    assert_true(reel_lane_data_append(&lane, 30, 30, REEL_STATE_RUNNING, 0));
    assert_true(reel_lane_data_append(&lane, 5, 8, REEL_STATE_RUNNING, 0));
    assert_int_equal(lane.count, 2);
    assert_int_equal(lane.start[1], 20);
    assert_int_equal(lane.start[2], 30);
    struct reel_lane_column column;
    reel_lane_data_columns(&lane, 50, 60, &column, 1);
    reel_lane_data_columns(&lane, 60, 60, &column, 1);
    reel_lane_data_clear(&lane);
}

/* An outline of pieces, cut as the lane grows, looks like the lane, and goes with its range. */
static void test_an_outline_of_pieces_looks_like_the_whole_lane(void **state)
{
    (void)state;
    enum { CELLS = 512, COLUMNS = 256 };
    struct reel_lane_data whole, growing, outline;
    fill(&whole, 60000);
    const uint64_t from = whole.start[0], to = whole.start[whole.count];
    reel_lane_data_init(&growing);
    assert_true(reel_lane_data_outline(&outline, from, to, CELLS));
    assert_false(reel_lane_data_is_empty(&outline));
    size_t told = 0;
    for (size_t i = 0; i < whole.count; i++) {
        if (whole.state[i] != REEL_LANE_NOTHING)
            assert_true(reel_lane_data_append(&growing, whole.start[i], whole.start[i + 1],
                                              (enum reel_state)whole.state[i], 0));
        if (draw(9000) && i + 1 < whole.count)
            continue;
        struct reel_lane_piece *piece = reel_lane_piece_cut(&growing, told, from, to, CELLS);
        assert_non_null(piece);
        reel_lane_data_add_piece(&outline, piece);
        reel_lane_piece_free(piece);
        told = growing.count;
    }
    assert_null(reel_lane_piece_cut(&growing, told, from, to, CELLS));
    struct reel_lane_column wanted[COLUMNS], seen[COLUMNS];
    for (unsigned part = 1; part <= 16; part *= 4) {
        uint64_t width = (to - from) / part;
        reel_lane_data_columns(&growing, from, from + width, wanted, COLUMNS);
        reel_lane_data_columns(&outline, from, from + width, seen, COLUMNS);
        for (unsigned i = 0; part == 1 && i < COLUMNS; i++)
            for (unsigned role = 0; role < REEL_LANE_ROLES; role++)
                assert_in_range(seen[i].share[role] + 8, wanted[i].share[role],
                                wanted[i].share[role] + 16);
        /* Closer than its cells it is coarse, not empty. */
        unsigned sum = 0;
        for (unsigned i = 0; i < COLUMNS; i++)
            for (unsigned role = 0; role < REEL_LANE_ROLES; role++)
                sum += seen[i].share[role];
        assert_true(sum > 0);
    }
    reel_lane_data_clear(&outline);
    reel_lane_data_clear(&growing);
    reel_lane_data_clear(&whole);
}

static void test_memory_stays_below_sixteen_bytes_an_interval(void **state)
{
    (void)state;
    struct reel_lane_data lane;
    fill(&lane, 400000);
    size_t bytes = lane.count * 13;
    size_t levels = reel_lane_data_bytes(&lane) - lane.capacity * 13;
    assert_true(bytes + levels <= lane.count * 16);
    reel_lane_data_clear(&lane);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zoomed_out_equals_the_naive_sum),
        cmocka_unit_test(test_zoomed_in_is_exact),
        cmocka_unit_test(test_small_lanes_are_exact_at_any_zoom),
        cmocka_unit_test(test_a_short_lock_wait_never_vanishes),
        cmocka_unit_test(test_the_interval_at_a_moment_is_the_one_that_covers_it),
        cmocka_unit_test(test_overlaps_and_empty_intervals_do_no_harm),
        cmocka_unit_test(test_an_outline_of_pieces_looks_like_the_whole_lane),
        cmocka_unit_test(test_memory_stays_below_sixteen_bytes_an_interval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
