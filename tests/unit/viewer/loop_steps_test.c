/* Steps of event loops, out of what their threads did. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "viewer/core/gathering.h"

enum { LOOP = 7, THREAD = 1 };

/* One letter a microsecond: w waits on the loop, c callback, r running, l waits for a lock, s
 * sleeps, g a gap. The same letter again goes on; a bar | makes it another one. */
static void live(struct reel_gathering *gathering, const char *text)
{
    static const struct {
        char letter;
        enum reel_state state;
        uint32_t object;
    } states[] = {
        {'w', REEL_STATE_LOOP_WAIT, LOOP}, {'c', REEL_STATE_CALLBACK, LOOP},
        {'r', REEL_STATE_RUNNING, 0},      {'l', REEL_STATE_LOCK_WAIT, 9},
        {'s', REEL_STATE_SLEEP, 0},        {'g', REEL_STATE_GAP, 0},
    };
    uint64_t now = 0;
    while (*text) {
        uint64_t start = now;
        char letter = *text;
        for (; *text == letter; text++)
            now += 1000;
        for (unsigned i = 0; i < G_N_ELEMENTS(states); i++)
            if (states[i].letter == letter)
                reel_gathering_interval(gathering, THREAD, start, now, states[i].state,
                                        states[i].object);
        text += *text == '|';
    }
}

/* The loop's lane in the same letters; a dot for nothing. */
static char *lane_of(const struct reel_gathering *gathering)
{
    const struct reel_gathered_object *loop = reel_gathering_object(gathering, LOOP);
    GString *text = g_string_new(NULL);
    for (size_t i = 0; loop && i < loop->steps.count; i++) {
        uint8_t state = loop->steps.state[i];
        char letter = state == REEL_STATE_LOOP_WAIT  ? 'w'
                      : state == REEL_STATE_CALLBACK ? 'c'
                                                     : '.';
        if (i == 0)
            for (uint64_t at = 0; at < loop->steps.start[0]; at += 1000)
                g_string_append_c(text, '.');
        if (i && loop->steps.state[i - 1] == state)
            g_string_append_c(text, '|');
        for (uint64_t at = loop->steps.start[i]; at < loop->steps.start[i + 1]; at += 1000)
            g_string_append_c(text, letter);
    }
    return g_string_free(text, FALSE);
}

static void expect(const char *thread, uint64_t closed_us, const char *lane)
{
    struct reel_gathering *gathering = reel_gathering_new();
    live(gathering, thread);
    if (closed_us)
        reel_gathering_closed(gathering, LOOP, closed_us * 1000);
    reel_gathering_finish(gathering, 1000000);
    g_autofree char *seen = lane_of(gathering);
    assert_string_equal(seen, lane);
    reel_gathering_free(gathering);
}

static void test_callbacks_and_waits_are_its_steps(void **state)
{
    (void)state;
    expect("rrwwccwwccc", 0, "..wwccwwccc");
}

static void test_the_last_step_lasts_until_the_loop_is_closed(void **state)
{
    (void)state;
    expect("wwrwwrrrrrrrr", 10, "ww.wwccccc");
}

static void test_the_last_step_of_a_loop_never_closed_lasts_to_its_thread_s_end(void **state)
{
    (void)state;
    expect("wwrwwrrrrr", 0, "ww.wwccccc");
}

static void test_a_step_that_a_timeout_began_is_one(void **state)
{
    (void)state;
    expect("wwccwwrrlrww", 0, "wwccwwccccww");
}

static void test_one_wait_alone_makes_no_loop(void **state)
{
    (void)state;
    expect("wwrrrr", 0, "ww");
}

static void test_a_callback_that_waits_is_one_callback(void **state)
{
    (void)state;
    expect("wwwcclllccww", 0, "wwwcccccccww");
}

static void test_annotated_callbacks_stay_apart(void **state)
{
    (void)state;
    expect("wwcc|cccrrccww", 0, "wwcc|ccc..ccww");
}

static void test_nothing_is_known_behind_a_gap(void **state)
{
    (void)state;
    expect("wwcwwrrggrrr", 0, "wwcwwcc");
}

static void test_halves_read_apart_are_the_same(void **state)
{
    (void)state;
    struct reel_gathering *halves[2] = {reel_gathering_new(), reel_gathering_new()};
    live(halves[0], "wwccwwrr");
    /* The second half begins where the first one ended. */
    reel_gathering_interval(halves[1], THREAD, 8000, 9000, REEL_STATE_LOCK_WAIT, 9);
    reel_gathering_interval(halves[1], THREAD, 9000, 10000, REEL_STATE_RUNNING, 0);
    reel_gathering_interval(halves[1], THREAD, 10000, 12000, REEL_STATE_LOOP_WAIT, LOOP);
    reel_gathering_interval(halves[1], THREAD, 12000, 16000, REEL_STATE_RUNNING, 0);
    reel_gathering_join(halves[0], halves[1]);
    reel_gathering_finish(halves[0], 1000000);
    g_autofree char *seen = lane_of(halves[0]);
    assert_string_equal(seen, "wwccwwccccwwcccc");
    reel_gathering_free(halves[0]);
}

static void test_two_threads_take_turns(void **state)
{
    (void)state;
    struct reel_gathering *gathering = reel_gathering_new();
    for (uint32_t thread = 1; thread <= 2; thread++)
        for (uint64_t round = 0; round < 3; round++) {
            uint64_t at = round * 4000 + (thread - 1) * 2000;
            reel_gathering_interval(gathering, thread, at, at + 1000, REEL_STATE_LOOP_WAIT, LOOP);
            reel_gathering_interval(gathering, thread, at + 1000, at + 2000, REEL_STATE_CALLBACK,
                                    LOOP);
        }
    reel_gathering_finish(gathering, 1000000);
    g_autofree char *seen = lane_of(gathering);
    assert_string_equal(seen, "wcwcwcwcwcwc");
    reel_gathering_free(gathering);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_callbacks_and_waits_are_its_steps),
        cmocka_unit_test(test_the_last_step_lasts_until_the_loop_is_closed),
        cmocka_unit_test(test_the_last_step_of_a_loop_never_closed_lasts_to_its_thread_s_end),
        cmocka_unit_test(test_a_step_that_a_timeout_began_is_one),
        cmocka_unit_test(test_one_wait_alone_makes_no_loop),
        cmocka_unit_test(test_a_callback_that_waits_is_one_callback),
        cmocka_unit_test(test_annotated_callbacks_stay_apart),
        cmocka_unit_test(test_nothing_is_known_behind_a_gap),
        cmocka_unit_test(test_halves_read_apart_are_the_same),
        cmocka_unit_test(test_two_threads_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
