/* The layout of lock order against what can be said of any graph, by brute force. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "viewer/core/order_layout.h"

#define NODES 14
#define EDGES 40

static uint64_t random_state = 88675123ull;

static uint32_t draw(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state % below);
}

static bool reach[NODES][NODES];

static void find_reach(const struct reel_order_edge *edge, size_t edges)
{
    memset(reach, 0, sizeof reach);
    for (size_t i = 0; i < edges; i++)
        reach[edge[i].from][edge[i].to] = true;
    for (int k = 0; k < NODES; k++)
        for (int a = 0; a < NODES; a++)
            for (int b = 0; b < NODES; b++)
                reach[a][b] |= reach[a][k] && reach[k][b];
}

static void check(const struct reel_order_edge *edge, size_t edges, uint32_t nodes)
{
    struct reel_order_node node[NODES];
    find_reach(edge, edges);
    assert_true(reel_order_layout(edge, edges, node, nodes));
    for (uint32_t a = 0; a < nodes; a++) {
        assert_int_equal(node[a].in_circle, reach[a][a]);
        assert_true(node[a].x > 0 && node[a].x < 1 && node[a].y > 0 && node[a].y < 1);
        for (uint32_t b = 0; b < nodes; b++) {
            bool together = a == b || (reach[a][b] && reach[b][a]);
            assert_int_equal(node[a].component == node[b].component, together);
            if (a != b && node[a].layer == node[b].layer)
                assert_int_not_equal(node[a].place, node[b].place);
        }
    }
    /* What is in order goes to the right; only within a circle something goes back, and nothing
     * stays in its layer. */
    for (size_t i = 0; i < edges; i++) {
        const struct reel_order_node *from = &node[edge[i].from], *to = &node[edge[i].to];
        if (from == to)
            continue;
        assert_int_not_equal(from->layer, to->layer);
        if (from->component != to->component)
            assert_true(from->layer < to->layer);
    }
}

static void test_any_graph_is_laid_out_in_order(void **state)
{
    (void)state;
    for (int round = 0; round < 3000; round++) {
        struct reel_order_edge edge[EDGES];
        uint32_t nodes = 1 + draw(NODES), edges = draw(EDGES);
        for (uint32_t i = 0; i < edges; i++)
            edge[i] = (struct reel_order_edge){draw(nodes), draw(nodes)};
        check(edge, edges, nodes);
    }
}

static void test_a_hierarchy_has_as_many_layers_as_its_longest_chain(void **state)
{
    (void)state;
    const struct reel_order_edge edge[] = {{0, 1}, {1, 2}, {0, 2}, {2, 3}};
    struct reel_order_node node[4];
    assert_true(reel_order_layout(edge, 4, node, 4));
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(node[i].layer, i);
        assert_false(node[i].in_circle);
    }
}

static void test_opposite_orders_are_one_circle(void **state)
{
    (void)state;
    const struct reel_order_edge edge[] = {{0, 1}, {1, 0}};
    struct reel_order_node node[2];
    assert_true(reel_order_layout(edge, 2, node, 2));
    assert_true(node[0].in_circle && node[1].in_circle);
    assert_int_not_equal(node[0].layer, node[1].layer);
}

static void test_crossings_that_need_not_be_are_not(void **state)
{
    (void)state;
    /* Drawn in the order of their numbers, all of these cross. */
    const struct reel_order_edge edge[] = {{0, 7}, {1, 6}, {2, 5}, {3, 4}};
    struct reel_order_node node[8];
    assert_true(reel_order_layout(edge, 4, node, 8));
    assert_int_equal(reel_order_crossings(edge, 4, node), 0);
}

static void test_the_same_graph_looks_the_same(void **state)
{
    (void)state;
    struct reel_order_edge edge[EDGES];
    struct reel_order_node first[NODES], second[NODES];
    for (uint32_t i = 0; i < EDGES; i++)
        edge[i] = (struct reel_order_edge){draw(NODES), draw(NODES)};
    assert_true(reel_order_layout(edge, EDGES, first, NODES));
    assert_true(reel_order_layout(edge, EDGES, second, NODES));
    for (int i = 0; i < NODES; i++) {
        assert_int_equal(first[i].layer, second[i].layer);
        assert_int_equal(first[i].place, second[i].place);
    }
}

static void test_edges_to_nowhere_are_ignored(void **state)
{
    (void)state;
    const struct reel_order_edge edge[] = {{0, 9}, {9, 0}, {UINT32_MAX, 1}, {0, 1}};
    struct reel_order_node node[2];
    assert_true(reel_order_layout(edge, 4, node, 2));
    assert_int_equal(node[0].layer, 0);
    assert_int_equal(node[1].layer, 1);
    assert_true(reel_order_layout(edge, 4, node, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_graph_is_laid_out_in_order),
        cmocka_unit_test(test_a_hierarchy_has_as_many_layers_as_its_longest_chain),
        cmocka_unit_test(test_opposite_orders_are_one_circle),
        cmocka_unit_test(test_crossings_that_need_not_be_are_not),
        cmocka_unit_test(test_the_same_graph_looks_the_same),
        cmocka_unit_test(test_edges_to_nowhere_are_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
