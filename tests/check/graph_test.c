/* The wait-for graph of a look: which circles it finds, and which it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tracer/collect/live_graph.h"

/* "ab bc ca": a waits for b, b for c, c for a. "a!" waits for one who is gone. */
static void draw(struct reel_live_graph *graph, unsigned parties, const char *edges)
{
    for (unsigned i = 0; i < parties; i++)
        reel_live_graph_add(graph)->thread = i + 1;
    for (const char *at = edges; *at; at += at[2] ? 3 : 2)
        reel_live_party_block(&graph->party[at[0] - 'a'],
                              at[1] == '!' ? REEL_LIVE_GONE : (uint32_t)(at[1] - 'a'));
}

/* The circle found, as letters. */
static const char *circle(unsigned parties, const char *edges, const bool *skip)
{
    static char letters[64];
    struct reel_live_graph graph = {0};
    uint32_t indices[32];
    draw(&graph, parties, edges);
    uint32_t count = reel_live_graph_cycle(&graph, skip, indices, 32);
    for (uint32_t i = 0; i < count; i++)
        letters[i] = (char)('a' + indices[i]);
    letters[count] = '\0';
    reel_live_graph_free(&graph);
    return letters;
}

static void nobody_waits_no_circle(void **state)
{
    (void)state;
    assert_string_equal(circle(0, "", NULL), "");
    assert_string_equal(circle(3, "", NULL), "");
}

static void a_chain_is_no_circle(void **state)
{
    (void)state;
    assert_string_equal(circle(4, "ab bc cd", NULL), "");
    assert_string_equal(circle(4, "ab ac bd cd", NULL), "");
}

static void two_who_wait_for_each_other_are_one(void **state)
{
    (void)state;
    assert_string_equal(circle(2, "ab ba", NULL), "ab");
}

static void one_who_waits_for_itself_is_one(void **state)
{
    (void)state;
    assert_string_equal(circle(3, "ab bc cc", NULL), "c");
}

static void who_only_waits_for_a_circle_is_no_part_of_it(void **state)
{
    (void)state;
    assert_string_equal(circle(5, "ab bc cd db ea", NULL), "bcd");
}

static void a_writer_waits_for_all_its_readers(void **state)
{
    (void)state;
    assert_string_equal(circle(4, "ab ac ad da", NULL), "ad");
}

static void an_owner_who_is_gone_ends_the_path(void **state)
{
    (void)state;
    assert_string_equal(circle(2, "ab b!", NULL), "b");
}

static void what_was_told_is_not_told_again(void **state)
{
    (void)state;
    const bool told[] = {true, true, false, false};
    assert_string_equal(circle(4, "ab ba cd dc", told), "cd");
    assert_string_equal(circle(4, "ab ba ca", told), "");
}

static void a_long_circle_is_found_whole(void **state)
{
    (void)state;
    struct reel_live_graph graph = {0};
    const uint32_t parties = 20000;
    for (uint32_t i = 0; i < parties; i++)
        reel_live_graph_add(&graph);
    for (uint32_t i = 0; i < parties; i++)
        reel_live_party_block(&graph.party[i], (i + 1) % parties);
    uint32_t *indices = malloc(parties * sizeof *indices);
    assert_non_null(indices);
    assert_int_equal(reel_live_graph_cycle(&graph, NULL, indices, parties), parties);
    free(indices);
    reel_live_graph_free(&graph);
}

static void a_graph_is_used_again_without_old_edges(void **state)
{
    (void)state;
    struct reel_live_graph graph = {0};
    uint32_t indices[8];
    draw(&graph, 2, "ab ba");
    reel_live_graph_clear(&graph);
    draw(&graph, 2, "ab");
    assert_int_equal(reel_live_graph_cycle(&graph, NULL, indices, 8), 0);
    reel_live_graph_free(&graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_waits_no_circle),
        cmocka_unit_test(a_chain_is_no_circle),
        cmocka_unit_test(two_who_wait_for_each_other_are_one),
        cmocka_unit_test(one_who_waits_for_itself_is_one),
        cmocka_unit_test(who_only_waits_for_a_circle_is_no_part_of_it),
        cmocka_unit_test(a_writer_waits_for_all_its_readers),
        cmocka_unit_test(an_owner_who_is_gone_ends_the_path),
        cmocka_unit_test(what_was_told_is_not_told_again),
        cmocka_unit_test(a_long_circle_is_found_whole),
        cmocka_unit_test(a_graph_is_used_again_without_old_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
