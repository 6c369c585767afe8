/* The columns of a number over time against the definition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "viewer/core/depth_data.h"

static uint64_t random_state = 88172645463325252ull;

static uint64_t draw(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % below;
}

static void check(const struct reel_depth_data *data, uint64_t from, uint64_t to, size_t count)
{
    struct reel_depth_column *fast = calloc(count, sizeof *fast),
                             *naive = calloc(count, sizeof *naive);
    reel_depth_data_columns(data, from, to, fast, count);
    reel_depth_data_columns_naive(data, from, to, naive, count);
    for (size_t i = 0; i < count; i++) {
        double off = fast[i].mean - naive[i].mean;
        if (fast[i].lowest != naive[i].lowest || fast[i].highest != naive[i].highest ||
            off > 1e-3 || off < -1e-3)
            fail_msg("column %zu of %zu in [%llu, %llu): %d…%d mean %f, naively %d…%d mean %f", i,
                     count, (unsigned long long)from, (unsigned long long)to, fast[i].lowest,
                     fast[i].highest, fast[i].mean, naive[i].lowest, naive[i].highest,
                     naive[i].mean);
    }
    free(fast);
    free(naive);
}

static void columns_equal_their_definition(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 60; round++) {
        struct reel_depth_data data = {0};
        uint64_t at = 1000 + draw(100);
        size_t changes = draw(3000);
        for (size_t i = 0; i < changes; i++) {
            assert_true(reel_depth_data_append(&data, at, (int32_t)draw(20) - 2));
            at += draw(draw(10) == 0 ? 50000 : 20);
        }
        assert_true(reel_depth_data_finish(&data));
        for (unsigned look = 0; look < 12; look++) {
            uint64_t from = draw(at + 100), to = from + 1 + draw(at);
            check(&data, from, to, 1 + draw(300));
        }
        reel_depth_data_clear(&data);
    }
}

static void nothing_is_zero_everywhere(void **state)
{
    (void)state;
    struct reel_depth_data data = {0};
    assert_true(reel_depth_data_finish(&data));
    check(&data, 0, 100, 7);
    assert_int_equal(reel_depth_data_at(&data, 50), 0);
}

static void spans_are_counted_where_they_overlap(void **state)
{
    (void)state;
    enum { SPANS = 500 };
    uint64_t begin[SPANS], end[SPANS], sorted_begin[SPANS], sorted_end[SPANS];
    for (unsigned i = 0; i < SPANS; i++) {
        begin[i] = sorted_begin[i] = draw(10000);
        end[i] = sorted_end[i] = begin[i] + draw(300);
    }
    struct reel_depth_data data = {0};
    assert_true(reel_depth_data_count_spans(&data, sorted_begin, sorted_end, SPANS));
    for (uint64_t at = 0; at < 10400; at++) {
        int32_t naive = 0;
        for (unsigned i = 0; i < SPANS; i++)
            naive += begin[i] <= at && at < end[i];
        assert_int_equal(reel_depth_data_at(&data, at), naive);
    }
    reel_depth_data_clear(&data);
}

static void an_end_before_its_beginning_ends_nothing_else(void **state)
{
    (void)state;
    uint64_t begin[] = {10, 50}, end[] = {5, 60};
    struct reel_depth_data data = {0};
    assert_true(reel_depth_data_count_spans(&data, begin, end, 2));
    assert_int_equal(reel_depth_data_at(&data, 70), 1);
    reel_depth_data_clear(&data);
}

static void what_rose_and_fell_at_one_instant_was_as_high_as_it_was(void **state)
{
    (void)state;
    struct reel_depth_data data = {0};
    assert_true(reel_depth_data_append(&data, 10, 1));
    assert_true(reel_depth_data_append(&data, 10, 9));
    assert_true(reel_depth_data_append(&data, 10, 2));
    assert_int_equal(data.highest, 9);
    assert_int_equal(reel_depth_data_at(&data, 10), 2);
    reel_depth_data_clear(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_equal_their_definition),
        cmocka_unit_test(nothing_is_zero_everywhere),
        cmocka_unit_test(spans_are_counted_where_they_overlap),
        cmocka_unit_test(an_end_before_its_beginning_ends_nothing_else),
        cmocka_unit_test(what_rose_and_fell_at_one_instant_was_as_high_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
