/* Which lanes are shown where, against what was asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "viewer/core/lane_layout.h"

static uint64_t random_state = 88172645463325252ull;

static uint64_t draw(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % below;
}

/* Two headings of three lanes each. */
static void two_groups(struct reel_layout_lane lane[8])
{
    memset(lane, 0, 8 * sizeof *lane);
    for (uint32_t i = 0; i < 8; i++) {
        lane[i].heading = i % 4 ? i / 4 * 4 : REEL_NO_LANE;
        lane[i].height = i % 4 ? 26 : 24;
    }
}

static void lanes_stand_below_their_headings(void **state)
{
    (void)state;
    struct reel_layout_lane lane[8];
    struct reel_lane_layout layout = {0};
    two_groups(lane);
    assert_true(reel_lane_layout_arrange(&layout, lane, 8));
    assert_int_equal(layout.count, 8);
    for (uint32_t i = 0; i < 8; i++)
        assert_int_equal(layout.row[i].lane, i);
    assert_int_equal(layout.height, 2 * 24 + 6 * 26);
    reel_lane_layout_clear(&layout);
}

static void collapsed_hidden_and_filtered_lanes_are_counted(void **state)
{
    (void)state;
    struct reel_layout_lane lane[8];
    struct reel_lane_layout layout = {0};
    two_groups(lane);
    lane[0].collapsed = true;
    lane[5].hidden = true;
    lane[6].filtered = true;
    assert_true(reel_lane_layout_arrange(&layout, lane, 8));
    assert_int_equal(layout.count, 3);
    assert_int_equal(layout.row[0].lane, 0);
    assert_int_equal(layout.row[1].lane, 4);
    assert_int_equal(layout.row[1].hidden, 1);
    assert_int_equal(layout.row[1].filtered, 1);
    assert_int_equal(layout.row[2].lane, 7);
    reel_lane_layout_clear(&layout);
}

static void a_group_with_nothing_left_is_left_out(void **state)
{
    (void)state;
    struct reel_layout_lane lane[8];
    struct reel_lane_layout layout = {0};
    two_groups(lane);
    for (uint32_t i = 1; i < 4; i++)
        lane[i].filtered = true;
    assert_true(reel_lane_layout_arrange(&layout, lane, 8));
    assert_int_equal(layout.row[0].lane, 4);
    assert_int_equal(layout.count, 4);
    reel_lane_layout_clear(&layout);
}

static void pinned_lanes_come_first_and_moved_ones_where_they_were_moved(void **state)
{
    (void)state;
    struct reel_layout_lane lane[8];
    struct reel_lane_layout layout = {0};
    two_groups(lane);
    lane[6].pinned = true;
    lane[1].order = 2;
    lane[4].order = -1;
    assert_true(reel_lane_layout_arrange(&layout, lane, 8));
    const uint32_t expected[] = {6, 4, 5, 7, 0, 2, 3, 1};
    assert_int_equal(layout.count, 8);
    for (uint32_t i = 0; i < 8; i++)
        assert_int_equal(layout.row[i].lane, expected[i]);
    assert_true(layout.row[0].pinned);
    assert_int_equal(layout.pinned_height, 26);
    assert_int_equal(reel_lane_layout_row_of(&layout, 1), 7);
    reel_lane_layout_clear(&layout);
}

static void every_place_belongs_to_the_row_that_covers_it(void **state)
{
    (void)state;
    struct reel_layout_lane lane[300];
    struct reel_lane_layout layout = {0};
    memset(lane, 0, sizeof lane);
    for (unsigned round = 0; round < 50; round++) {
        uint32_t heading = 0;
        for (uint32_t i = 0; i < 300; i++) {
            bool is_heading = i == 0 || draw(12) == 0;
            if (is_heading)
                heading = i;
            lane[i] = (struct reel_layout_lane){
                .heading = is_heading ? REEL_NO_LANE : heading,
                .height = 10 + (int)draw(40),
                .order = (int32_t)draw(4),
                .collapsed = is_heading && draw(4) == 0,
                .hidden = draw(9) == 0,
                .filtered = !is_heading && draw(3) == 0,
                .pinned = !is_heading && draw(30) == 0,
            };
        }
        assert_true(reel_lane_layout_arrange(&layout, lane, 300));
        int top = 0;
        for (uint32_t i = 0; i < layout.count; i++) {
            assert_int_equal(layout.row[i].top, top);
            for (int y = 0; y < layout.row[i].height; y += 7)
                assert_int_equal(reel_lane_layout_at(&layout, top + y), i);
            top += layout.row[i].height;
        }
        assert_int_equal(layout.height, top);
        assert_int_equal(reel_lane_layout_at(&layout, top), layout.count);
        assert_int_equal(reel_lane_layout_at(&layout, -1), layout.count);
    }
    reel_lane_layout_clear(&layout);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lanes_stand_below_their_headings),
        cmocka_unit_test(collapsed_hidden_and_filtered_lanes_are_counted),
        cmocka_unit_test(a_group_with_nothing_left_is_left_out),
        cmocka_unit_test(pinned_lanes_come_first_and_moved_ones_where_they_were_moved),
        cmocka_unit_test(every_place_belongs_to_the_row_that_covers_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
