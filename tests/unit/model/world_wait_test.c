/* The world: waits other than for locks, threads' lives, the processor, holes, and random programs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/model/story.h"

static void a_condition_wait_is_split_at_the_signal(void **state)
{
    const char *text = "T1 lock A; T1 wait C with A; T2 lock A; T2 signal C; T2 unlock A; "
                       "T1 wake C; T1 unlock A";
    assert_story(text, "T1",
                 "running 1..3\ncond-wait C 3..5 by T2\n"
                 "lock-wait A 5..8 owner T2 by T2\nrunning 8..10");
    assert_story(text, "hold", "hold A T1 1..2\nhold A T2 4..6\nhold A T1 8..9 waited 3");
}

static void signalled_without_the_mutex_it_is_runnable(void **state)
{
    assert_story("T1 lock A; T1 wait C with A; T2 signal C; T1 wake C", "T1",
                 "running 1..3\ncond-wait C 3..4 by T2\nrunnable 4..6\nrunning 6..7");
}

static void a_wait_that_times_out_was_ended_by_nobody(void **state)
{
    assert_story("T1 lock A; T1 wait C with A timed; T1 wake C ETIMEDOUT", "T1",
                 "running 1..3\ncond-wait C 3..4\nrunning 4..6");
}

static void a_signal_goes_to_the_longest_waiter(void **state)
{
    const char *text = "T1 wait C with A; T2 wait C with A; T3 signal C; T1 wake C; T1 unlock A; "
                       "T4 signal C; T2 wake C";
    assert_story(text, "T1", "running 1..2\ncond-wait C 2..5 by T3\nrunnable 5..7\nrunning 7..12");
    assert_story(text, "T2",
                 "running 3..4\ncond-wait C 4..9 by T4\nrunnable 9..11\nrunning 11..12");
}

static void who_comes_out_first_had_the_signal(void **state)
{
    const char *text = "T1 wait C with A; T2 wait C with A; T3 signal C; T2 wake C; T4 mark x";
    assert_story(text, "T2", "running 3..4\ncond-wait C 4..5 by T3\nrunnable 5..7\nrunning 7..9");
    assert_story(text, "T1", "running 1..2\ncond-wait C 2..9 endless");
}

static void a_broadcast_wakes_all_and_a_spurious_wake_has_no_ender(void **state)
{
    const char *text = "T1 wait C with A; T2 wait C with A; T3 broadcast C; T2 wake C; T1 wake C";
    assert_story(text, "T1", "running 1..2\ncond-wait C 2..5 by T3\nrunnable 5..9\nrunning 9..10");
    assert_story("T1 wait C with A; T1 wake C", "T1",
                 "running 1..2\ncond-wait C 2..3\nrunning 3..5");
}

static void a_signal_with_no_waiter_wakes_nobody_later(void **state)
{
    assert_story("T2 signal C; T1 wait C with A; T1 mark x", "T1",
                 "running 2..3\ncond-wait C 3..5 endless");
}

static void leaving_without_the_mutex_is_no_wait_for_it(void **state)
{
    assert_story("T1 wait C with A; T2 signal C; T1 leave C; T1 mark x; T1 mark y", "T1",
                 "running 1..2\ncond-wait C 2..3 by T2\nrunnable 3..5\nrunning 5..7");
}

static void a_semaphore_wait_is_ended_by_the_poster(void **state)
{
    assert_story("T1 want S:semaphore; T2 post S; T1 take S; T1 mark x", "T1",
                 "sem-wait S 1..3 by T2\nrunning 3..5");
    struct story story;
    story_tell(&story, "T1 init S:semaphore 2; T1 take S; T2 post S; T2 post S", false);
    assert_int_equal(reel_world_object(story.world, story_object(&story, "S"))->depth, 3);
    story_end(&story);
}

static void a_barrier_wait_is_ended_by_the_last_to_arrive(void **state)
{
    const char *text = "T1 init B:barrier 2; T1 arrive B; T2 arrive B; T1 leave B; T2 leave B";
    assert_story(text, "T1", "running 1..2\nbarrier-wait B 2..4 by T2\nrunning 4..6");
    assert_story(text, "T2", "barrier-wait B 3..5\nrunning 5..6");
}

static void a_join_is_ended_by_the_thread_that_ends(void **state)
{
    const char *text = "T1 create T2; T2 start; T1 begin join T2; T2 exit; T1 end join T2";
    assert_story(text, "T1", "running 1..3\njoin-wait T2 3..5 owner T2 by T2\nrunning 5..6");
    assert_story(text, "T2", "running 2..4");
    assert_story("T1 mark x; T2 mark x; T1 begin join T2 timed; T1 end join T2 ETIMEDOUT", "T1",
                 "running 1..3\njoin-wait T2 3..4 owner T2\nrunning 4..5");
}

static void a_sleep_is_sleep_and_a_signal_wait_is_signal_wait(void **state)
{
    assert_story("T1 mark x; T1 sleep 1ms; T1 mark y", "T1",
                 "running 1..2\nsleep 2..1002\nrunning 1002..1004");
    assert_story("T1 begin sigwait; T1 end sigwait; T1 mark x", "T1",
                 "signal-wait 1..2\nrunning 2..4");
}

static void waitpid_is_ended_by_the_end_of_the_process(void **state)
{
    assert_story("P2.T2 attach; T1 begin waitpid P2; T2 exit process; T1 end waitpid P2", "T1",
                 "process-wait pid 1002 2..4 by T2\nrunning 4..5");
}

static void a_pipe_read_is_ended_by_the_writer(void **state)
{
    assert_story("T1 begin read pipe P; T2 write pipe P 10; T1 end read pipe P 10", "T1",
                 "queue-wait P 1..4 by T2\nrunning 4..5");
    assert_story("T1 begin write pipe P; T2 read pipe P 10; T1 end write pipe P 10", "T1",
                 "queue-wait P 1..4 by T2\nrunning 4..5");
    assert_story("T1 begin read socket N; T1 end read socket N -104", "T1",
                 "io-wait N 1..2\nrunning 2..3");
}

static void depth_is_what_went_in_and_not_out(void **state)
{
    struct story story;
    story_tell(&story,
               "T1 put Q; T1 put Q; T2 get Q; T1 write pipe P 10; T2 read pipe P 4; "
               "T1 mq_send M:message-queue 0; T1 write pipe P -32",
               false);
    assert_int_equal(reel_world_object(story.world, story_object(&story, "Q"))->depth, 1);
    assert_int_equal(reel_world_object(story.world, story_object(&story, "P"))->depth, 6);
    assert_int_equal(reel_world_object(story.world, story_object(&story, "M"))->depth, 1);
    story_end(&story);
}

static void a_nonblocking_call_is_no_wait(void **state)
{
    assert_story("T1 begin read pipe P nonblocking; T1 end read pipe P -11 nonblocking", "T1",
                 "running 1..3");
}

static void a_loops_second_round_has_callbacks(void **state)
{
    assert_story("T1 loop L wait; T1 loop L ready 5; T1 loop L wake 1; T1 mark x; T1 loop L wait; "
                 "T1 loop L wake 1; T1 want A; T1 lock A; T1 loop L wait; T1 loop L wake 0; "
                 "T1 loop L wait",
                 "T1",
                 "loop-wait L 1..3\nrunning 3..5\nloop-wait L 5..6\ncallback L 6..7\n"
                 "lock-wait A 7..8\ncallback L 8..9\nloop-wait L 9..10\nrunning 10..11\n"
                 "loop-wait L 11..12 endless");
}

static void once_makes_the_others_wait_for_the_first(void **state)
{
    const char *text = "T1 want O:once; T1 lock O; T2 want O; T1 unlock O; T2 wake O; T2 mark x";
    assert_story(text, "T2", "lock-wait O 3..5 owner T1 by T1\nrunning 5..7");
    assert_story(text, "hold", "hold O T1 2..4 waited 1");
}

static void a_post_that_failed_added_nothing(void **state)
{
    struct story story;
    story_tell(&story, "T1 init S:semaphore 1; T1 post S; T1 unlock-failed S 75; T1 mark x", false);
    assert_int_equal(reel_world_object(story.world, story_object(&story, "S"))->depth, 1);
    story_end(&story);
}

static void the_kernels_word_refines_running(void **state)
{
    assert_story("T1 mark x; T1 switch out preempted; T1 switch in; T1 switch out; T1 switch in; "
                 "T1 mark x",
                 "T1", "running 1..2\nrunnable 2..3\nrunning 3..4\nblocked 4..5\nrunning 5..7");
    assert_story("T2 lock A; T1 want A; T1 switch out; T2 unlock A; T1 switch in; T1 lock A", "T1",
                 "lock-wait A 2..6 owner T2 by T2\nrunning 6..7");
    assert_story("T1 mark x; T1 switch out; T1 mark y", "T1",
                 "running 1..2\nblocked 2..3\nrunning 3..4");
}

static void the_kernel_sees_a_thread_before_its_start_and_after_its_exit(void **state)
{
    const char *text = "T1 mark x; T2 switch in; T2 switch out; T2 start; T2 mark y; T2 exit; "
                       "T2 switch out; T1 mark z";
    assert_story(text, "T2", "running 4..6");
    struct story story;
    story_tell(&story, text, true);
    assert_int_equal(reel_world_statistics(story.world)->after_exit, 0);
    story_end(&story);
}

static void an_annotated_callback_is_a_callback(void **state)
{
    assert_story("T1 loop L wait; T1 loop L wake 1; T1 span-begin L; T1 mark x; T1 span-end L",
                 "T1", "loop-wait L 1..2\nrunning 2..3\ncallback L 3..5\nrunning 5..6");
}

static void waiting_for_any_child_is_ended_by_the_one_that_ended(void **state)
{
    struct story story;
    story_tell(&story, "P2.T2 attach; T2 exit; P1.T1 mark x", false);
    struct reel_event event = {.time_ns = 4000,
                               .thread = 1,
                               .process = 1,
                               .operation = REEL_OP_WAIT,
                               .class = REEL_CLASS_PROCESS,
                               .object = (uint64_t)-1,
                               .argument = REEL_CALL_WAITPID};
    reel_world_apply(story.world, &event);
    event.time_ns = 6000;
    event.operation = REEL_OP_WAKE;
    event.argument = 0;
    event.extra = (const uint64_t[]){1002};
    event.extra_words = 1;
    reel_world_apply(story.world, &event);
    assert_string_equal(story_of(&story, "T1"), "running 3..4\nprocess-wait 4..6 by T2");
    story_end(&story);
}

static void a_call_may_end_on_another_object_than_it_began_with(void **state)
{
    assert_story("T1 begin read file F; T1 end read pipe P 3; T1 mark x", "T1",
                 "io-wait F 1..2\nrunning 2..4");
}

static void an_end_whose_beginning_was_lost_is_the_gaps_fault(void **state)
{
    struct story story;
    story_tell(&story, "T1 mark x; T1 gap 3 since 1us; T1 end sleep", true);
    assert_int_equal(reel_world_statistics(story.world)->unmatched_ends, 0);
    assert_int_equal(reel_world_statistics(story.world)->cut_by_gap, 1);
    story_end(&story);
}

static void a_task_is_no_thread(void **state)
{
    struct story story;
    story_tell(&story, "T1 mark x", false);
    struct reel_event event = {.time_ns = 4000,
                               .thread = 1,
                               .process = 1,
                               .object = 7,
                               .operation = REEL_OP_CREATE,
                               .class = REEL_CLASS_TASK};
    reel_world_apply(story.world, &event);
    assert_null(reel_world_thread(story.world, 7));
    story_end(&story);
}

static void a_thread_lives_from_its_start_to_its_exit(void **state)
{
    assert_story("T1 create T2; T1 mark x; T2 start by T1; T2 exit; T1 mark y", "T2",
                 "running 3..4");
    assert_story("P2.T2 mark x; T2 exit process; P1.T1 mark y", "T2", "running 1..2");
    assert_story("P2.T2 begin sleep; P2.T3 exit process; P1.T1 mark y", "T2", "sleep 1..2 endless");
    assert_story("T1 exit; T1 mark late", "T1", "running 1..3");
}

static void exec_ends_the_threads_of_the_image_before(void **state)
{
    assert_story("P1.T1 attach; P2.T2 attach; T2 mark x; T1 mark y", "T1", "running 1..5");
    struct story story;
    story_tell(&story, "P1.T1 mark x", false);
    struct reel_event attach = {.time_ns = 5000,
                                .thread = 1,
                                .process = 1,
                                .operation = REEL_OP_ATTACH,
                                .class = REEL_CLASS_PROCESS,
                                .object = 1,
                                .extra_words = 1,
                                .extra = (const uint64_t[]){4711}};
    reel_world_apply(story.world, &attach);
    attach.thread = attach.process = 2;
    attach.time_ns = 9000;
    reel_world_apply(story.world, &attach);
    assert_true(reel_world_thread(story.world, 1)->ended);
    assert_int_equal(reel_world_thread(story.world, 1)->end_ns, 9000);
    assert_false(reel_world_thread(story.world, 2)->ended);
    story_end(&story);
}

static void a_stall_was_just_before_and_a_gap_since_its_time(void **state)
{
    assert_story("T1 mark x; @10us T1 stall 4; T1 mark y", "T1",
                 "running 1..6\nstalled 6..10\nrunning 10..12");
    assert_story("T1 mark x; @10us T1 stall 400; T1 mark y", "T1", "stalled 1..10\nrunning 10..12");
    assert_story("T1 want A; @10us T1 gap 5 since 4us; T1 mark y", "T1",
                 "lock-wait A 1..4\ngap 4..10\nrunning 10..12");
    struct story story;
    story_tell(&story, "T1 mark x; @10us T1 gap 5 since 4us", true);
    assert_int_equal(story.gap_count, 1);
    assert_int_equal(story.gap[0].lost, 5);
    assert_int_equal(story.gap[0].start_ns, 4000);
    assert_int_equal(story.gap[0].end_ns, 10000);
    story_end(&story);
}

static void a_signal_handlers_wait_nests(void **state)
{
    assert_story("T1 begin sleep; T1 want A; T1 lock A; T1 unlock A; T1 end sleep; T1 mark x", "T1",
                 "sleep 1..2\nlock-wait A 2..3\nsleep 3..5\nrunning 5..7");
}

static void a_wait_whose_end_is_missing_is_given_up(void **state)
{
    struct story story;
    story_tell(&story, "T1 begin sleep; T1 want A; T1 end sleep; T1 mark x", true);
    assert_int_equal(reel_world_statistics(story.world)->abandoned_waits, 1);
    assert_string_equal(story_of(&story, "T1"), "sleep 1..2\nlock-wait A 2..3\nrunning 3..5");
    assert_invariants(&story);
    story_end(&story);
    story_tell(&story, "T1 end sleep; T1 end read pipe P 3; T1 leave B:barrier", true);
    assert_int_equal(reel_world_statistics(story.world)->unmatched_ends, 3);
    story_end(&story);
}

static void the_recorders_table_may_know_a_threads_end(void **state)
{
    struct story story;
    story_tell(&story, "T1 mark x; T2 mark y; @100us T2 mark z", false);
    reel_world_end_thread(story.world, 1, 50000);
    reel_world_finish(story.world, 200000);
    assert_string_equal(story_of(&story, "T1"), "running 1..50");
    assert_string_equal(story_of(&story, "T2"), "running 2..200");
    story_end(&story);
}

/* A random program that behaves: every operation is possible when it is made. */
static void random_programs_keep_the_invariants(void **state)
{
    for (unsigned seed = 1; seed <= 300; seed++) {
        enum { THREADS = 6, LOCKS = 4 };
        int owner[LOCKS] = {0}, wants[THREADS + 1] = {0}, held[THREADS + 1] = {0};
        uint64_t s = seed * 77777;
        char *text;
        size_t size;
        FILE *out = open_memstream(&text, &size);
        for (int step = 0; step < 200; step++) {
            s = s * 6364136223846793005ull + 1442695040888963407ull;
            int t = 1 + (int)(s >> 33) % THREADS, l = (int)(s >> 40) % LOCKS;
            if (wants[t]) {
                l = wants[t] - 1;
                if (owner[l])
                    continue;
                owner[l] = t;
                held[t] |= 1 << l;
                wants[t] = 0;
                fprintf(out, "T%d lock %c;", t, 'A' + l);
            } else if (held[t] & 1 << l) {
                held[t] &= ~(1 << l);
                owner[l] = 0;
                fprintf(out, "T%d unlock %c;", t, 'A' + l);
            } else if (owner[l]) {
                wants[t] = l + 1;
                fprintf(out, "T%d want %c;", t, 'A' + l);
            } else {
                owner[l] = t;
                held[t] |= 1 << l;
                fprintf(out, "T%d lock %c;", t, 'A' + l);
            }
        }
        fclose(out);
        struct story story;
        story_tell(&story, text, true);
        assert_invariants(&story);
        const struct reel_world_statistics *statistics = reel_world_statistics(story.world);
        assert_int_equal(statistics->overlaps + statistics->reacquired +
                             statistics->unheld_releases + statistics->foreign_releases +
                             statistics->abandoned_waits + statistics->unmatched_ends,
                         0);
        story_end(&story);
        free(text);
    }
}

/* Any events at all, in any order: nothing crashes and the invariants hold all the same. */
static void nonsense_keeps_the_invariants_too(void **state)
{
    for (unsigned seed = 1; seed <= 300; seed++) {
        struct story story;
        story_tell(&story, "", false);
        uint64_t s = seed * 99991, extra[3];
        for (unsigned step = 1; step <= 400; step++) {
            s = s * 6364136223846793005ull + 1442695040888963407ull;
            for (unsigned i = 0; i < 3; i++)
                extra[i] = s >> (7 * i + 20) & 0x3f;
            struct reel_event event = {
                .time_ns = step * 100,
                .thread = 1 + (s >> 33) % 5,
                .process = 1 + (s >> 33) % 5 / 3,
                .operation = (s >> 36) % 72,
                .class = (s >> 44) % (s >> 60 ? 11 : 40),
                .object = 0x10 * ((s >> 50) % 5),
                .argument = (s >> 20) % 4 ? (s >> 22) % 4 : (uint32_t)(s >> 5),
                .flags = (s >> 56) % 3 ? 0 : (uint8_t)(s >> 30),
                .extra = extra,
                .extra_words = (s >> 59) % 4,
            };
            reel_world_apply(story.world, &event);
        }
        reel_world_finish(story.world, 50000);
        assert_invariants(&story);
        story_end(&story);
    }
}

static void impossible_threads_are_counted_not_followed(void **state)
{
    struct story story;
    story_tell(&story, "", false);
    struct reel_event event = {.time_ns = 1, .thread = 0, .operation = REEL_OP_MARK};
    reel_world_apply(story.world, &event);
    event.thread = UINT32_MAX;
    reel_world_apply(story.world, &event);
    assert_int_equal(reel_world_statistics(story.world)->malformed, 2);
    story_end(&story);
}

static void every_state_has_a_name_and_a_role(void **state)
{
    for (unsigned i = 0; i < REEL_STATE_COUNT; i++) {
        enum reel_state parsed;
        assert_true(reel_state_parse(reel_state_name((enum reel_state)i), &parsed));
        assert_int_equal(parsed, i);
        assert_true(reel_state_role((enum reel_state)i) < REEL_STATE_ROLE_COUNT);
    }
    enum reel_state parsed;
    assert_false(reel_state_parse("dancing", &parsed));
    assert_string_equal(reel_call_name(REEL_CALL_READ | REEL_CALL_TIMED), "read");
    assert_string_equal(reel_call_name(200), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_condition_wait_is_split_at_the_signal),
        cmocka_unit_test(signalled_without_the_mutex_it_is_runnable),
        cmocka_unit_test(a_wait_that_times_out_was_ended_by_nobody),
        cmocka_unit_test(a_signal_goes_to_the_longest_waiter),
        cmocka_unit_test(who_comes_out_first_had_the_signal),
        cmocka_unit_test(a_broadcast_wakes_all_and_a_spurious_wake_has_no_ender),
        cmocka_unit_test(a_signal_with_no_waiter_wakes_nobody_later),
        cmocka_unit_test(leaving_without_the_mutex_is_no_wait_for_it),
        cmocka_unit_test(a_semaphore_wait_is_ended_by_the_poster),
        cmocka_unit_test(a_barrier_wait_is_ended_by_the_last_to_arrive),
        cmocka_unit_test(a_join_is_ended_by_the_thread_that_ends),
        cmocka_unit_test(a_sleep_is_sleep_and_a_signal_wait_is_signal_wait),
        cmocka_unit_test(waitpid_is_ended_by_the_end_of_the_process),
        cmocka_unit_test(a_pipe_read_is_ended_by_the_writer),
        cmocka_unit_test(depth_is_what_went_in_and_not_out),
        cmocka_unit_test(a_nonblocking_call_is_no_wait),
        cmocka_unit_test(a_loops_second_round_has_callbacks),
        cmocka_unit_test(once_makes_the_others_wait_for_the_first),
        cmocka_unit_test(a_post_that_failed_added_nothing),
        cmocka_unit_test(the_kernels_word_refines_running),
        cmocka_unit_test(the_kernel_sees_a_thread_before_its_start_and_after_its_exit),
        cmocka_unit_test(an_annotated_callback_is_a_callback),
        cmocka_unit_test(waiting_for_any_child_is_ended_by_the_one_that_ended),
        cmocka_unit_test(a_call_may_end_on_another_object_than_it_began_with),
        cmocka_unit_test(an_end_whose_beginning_was_lost_is_the_gaps_fault),
        cmocka_unit_test(a_task_is_no_thread),
        cmocka_unit_test(a_thread_lives_from_its_start_to_its_exit),
        cmocka_unit_test(exec_ends_the_threads_of_the_image_before),
        cmocka_unit_test(a_stall_was_just_before_and_a_gap_since_its_time),
        cmocka_unit_test(a_signal_handlers_wait_nests),
        cmocka_unit_test(a_wait_whose_end_is_missing_is_given_up),
        cmocka_unit_test(the_recorders_table_may_know_a_threads_end),
        cmocka_unit_test(random_programs_keep_the_invariants),
        cmocka_unit_test(nonsense_keeps_the_invariants_too),
        cmocka_unit_test(impossible_threads_are_counted_not_followed),
        cmocka_unit_test(every_state_has_a_name_and_a_role),
    };
    return cmocka_run_group_tests_name("world: waits", tests, NULL, NULL);
}
