/* The flame graph against sums over all stacks. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "viewer/core/flame.h"

#define DEEPEST 7
#define STACKS  400
#define PLACES  10000

static uint64_t random_state = 2463534242ull;

static uint32_t draw(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state % below);
}

struct stack {
    uint32_t name[DEEPEST];
    size_t depth;
    uint64_t weight;
};

static struct stack stacks[STACKS];

static void fill(struct reel_flame *flame)
{
    assert_true(reel_flame_init(flame));
    for (int i = 0; i < STACKS; i++) {
        stacks[i].depth = 1 + draw(DEEPEST);
        stacks[i].weight = draw(4) ? draw(1000) : draw(1000000);
        for (size_t k = 0; k < stacks[i].depth; k++)
            stacks[i].name[k] = 1 + draw(3);
        assert_int_not_equal(
            reel_flame_add(flame, stacks[i].name, stacks[i].depth, stacks[i].weight, 1), 0);
    }
    assert_true(reel_flame_finish(flame));
}

/* The names from the root to a box. */
static size_t path_of(const struct reel_flame *flame, uint32_t box, uint32_t *name)
{
    size_t depth = flame->box[box].depth;
    for (size_t at = depth; box; box = flame->box[box].parent)
        name[--at] = flame->box[box].name;
    return depth;
}

static void test_a_box_weighs_what_all_stacks_through_it_weigh(void **state)
{
    (void)state;
    struct reel_flame flame;
    fill(&flame);
    for (uint32_t box = 0; box < flame.count; box++) {
        uint32_t name[DEEPEST];
        size_t depth = path_of(&flame, box, name);
        uint64_t total = 0, self = 0, count = 0;
        for (int i = 0; i < STACKS; i++)
            if (stacks[i].depth >= depth &&
                memcmp(stacks[i].name, name, depth * sizeof *name) == 0) {
                total += stacks[i].weight;
                self += stacks[i].depth == depth ? stacks[i].weight : 0;
                count++;
            }
        assert_int_equal(flame.box[box].total, total);
        assert_int_equal(flame.box[box].self, self);
        assert_int_equal(flame.box[box].count, count);
    }
    reel_flame_clear(&flame);
}

static void test_every_stack_has_one_box(void **state)
{
    (void)state;
    struct reel_flame flame;
    fill(&flame);
    for (uint32_t a = 1; a < flame.count; a++)
        for (uint32_t b = a + 1; b < flame.count; b++)
            assert_false(flame.box[a].parent == flame.box[b].parent &&
                         flame.box[a].name == flame.box[b].name);
    reel_flame_clear(&flame);
}

static void test_children_stand_by_weight(void **state)
{
    (void)state;
    struct reel_flame flame;
    fill(&flame);
    for (uint32_t box = 0; box < flame.count; box++)
        for (uint32_t child = flame.box[box].first_child; child && flame.box[child].next;
             child = flame.box[child].next)
            assert_true(flame.box[child].total >= flame.box[flame.box[child].next].total);
    reel_flame_clear(&flame);
}

static void check_layout(const struct reel_flame *flame, uint32_t zoomed, double least)
{
    static struct reel_flame_place place[PLACES];
    size_t count = reel_flame_layout(flame, zoomed, least, place, PLACES);
    assert_in_range(count, 1, PLACES);
    for (uint32_t box = 0; box < flame->count; box++) {
        const struct reel_flame_place *found = NULL;
        for (size_t i = 0; i < count; i++)
            if (place[i].box == box) {
                assert_null(found); /* drawn once */
                found = &place[i];
            }
        bool above = reel_flame_is_below(flame, zoomed, box);
        bool below = reel_flame_is_below(flame, box, zoomed);
        double width = above ? 1
                       : flame->box[zoomed].total
                           ? (double)flame->box[box].total / (double)flame->box[zoomed].total
                           : 0;
        if (!above && !below)
            assert_null(found);
        else if (width > least * 1.000001 || above)
            assert_non_null(found);
        else if (width < least * 0.999999)
            assert_null(found);
        if (found) {
            assert_int_equal(found->row, flame->box[box].depth);
            assert_true(fabs(found->width - width) < 1e-9);
        }
    }
    for (size_t i = 1; i < count; i++) {
        assert_true(place[i].row >= place[i - 1].row);
        if (place[i].row == place[i - 1].row)
            assert_true(place[i].left >= place[i - 1].left + place[i - 1].width - 1e-9);
        for (size_t k = 0; k < i; k++) /* inside its parent */
            if (place[k].box == flame->box[place[i].box].parent && place[i].box != 0) {
                assert_true(place[i].left >= place[k].left - 1e-9);
                assert_true(place[i].left + place[i].width <=
                            place[k].left + place[k].width + 1e-9);
            }
    }
}

static void test_a_layout_shows_what_is_wide_enough_where_it_belongs(void **state)
{
    (void)state;
    struct reel_flame flame;
    fill(&flame);
    check_layout(&flame, 0, 0);
    check_layout(&flame, 0, 0.001);
    check_layout(&flame, 0, 0.2);
    for (int i = 0; i < 60; i++)
        check_layout(&flame, draw((uint32_t)flame.count), 0.003);
    reel_flame_clear(&flame);
}

static void test_a_small_buffer_gets_what_fits(void **state)
{
    (void)state;
    struct reel_flame flame;
    fill(&flame);
    struct reel_flame_place all[PLACES], few[10];
    size_t count = reel_flame_layout(&flame, 0, 0, all, PLACES);
    assert_true(count > 10);
    reel_flame_layout(&flame, 0, 0, few, 10);
    assert_memory_equal(few, all, sizeof few);
    reel_flame_clear(&flame);
}

static void test_steps_lead_to_neighbours_and_back(void **state)
{
    (void)state;
    struct reel_flame flame;
    fill(&flame);
    for (uint32_t box = 1; box < flame.count; box++) {
        uint32_t in = reel_flame_step(&flame, box, REEL_FLAME_IN);
        uint32_t right = reel_flame_step(&flame, box, REEL_FLAME_RIGHT);
        assert_int_equal(reel_flame_step(&flame, box, REEL_FLAME_OUT), flame.box[box].parent);
        if (in != box)
            assert_int_equal(reel_flame_step(&flame, in, REEL_FLAME_OUT), box);
        if (right != box)
            assert_int_equal(reel_flame_step(&flame, right, REEL_FLAME_LEFT), box);
    }
    assert_int_equal(reel_flame_step(&flame, 0, REEL_FLAME_OUT), 0);
    assert_int_equal(reel_flame_step(&flame, 0, REEL_FLAME_LEFT), 0);
    reel_flame_clear(&flame);
}

static void test_nothing_is_a_graph_too(void **state)
{
    (void)state;
    struct reel_flame flame;
    struct reel_flame_place place[4];
    assert_true(reel_flame_init(&flame));
    assert_int_equal(reel_flame_add(&flame, NULL, 0, 5, 1), 0);
    assert_true(reel_flame_finish(&flame));
    assert_int_equal(reel_flame_layout(&flame, 0, 0, place, 4), 1);
    assert_int_equal(reel_flame_layout(&flame, 77, 0, place, 4), 1);
    assert_int_equal(reel_flame_step(&flame, 77, REEL_FLAME_IN), 0);
    reel_flame_clear(&flame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_box_weighs_what_all_stacks_through_it_weigh),
        cmocka_unit_test(test_every_stack_has_one_box),
        cmocka_unit_test(test_children_stand_by_weight),
        cmocka_unit_test(test_a_layout_shows_what_is_wide_enough_where_it_belongs),
        cmocka_unit_test(test_a_small_buffer_gets_what_fits),
        cmocka_unit_test(test_steps_lead_to_neighbours_and_back),
        cmocka_unit_test(test_nothing_is_a_graph_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
