/* Deadlocks that did not happen: for each case a guilty program and its innocent twin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/detect/claims.h"
#include "tests/unit/store/scratch.h"

/* Names, and a thread that makes two others and ends when they do. */
#define NAMES "T1 name A:mutex A; T1 name B:mutex B; T1 name G:mutex G; T1 name C:mutex C; "
#define TWO   "T1 create T2; T1 create T3; T2 start by T1; T3 start by T1; "
#define END   "; T2 exit; T3 exit; T1 join T2; T1 join T3"
#define AB(t) t " lock A; " t " lock B; " t " unlock B; " t " unlock A; "
#define BA(t) t " lock B; " t " lock A; " t " unlock A; " t " unlock B; "

static void opposite_orders_are_a_deadlock_ahead(void **state)
{
    assert_claims(state, NAMES TWO AB("T2") BA("T3") END, "error deadlock proved A B");
    assert_claims(state, NAMES TWO AB("T2") AB("T3") END, "");
}

static void one_thread_alone_does_not_deadlock(void **state)
{
    assert_claims(state, NAMES AB("T1") BA("T1"), "");
}

static void a_gate_lock_keeps_the_orders_apart(void **state)
{
    assert_claims(
        state,
        NAMES TWO "T2 lock G; " AB("T2") "T2 unlock G; T3 lock G; " BA("T3") "T3 unlock G" END, "");
    assert_claims(state, NAMES TWO "T2 lock G; " AB("T2") "T2 unlock G; " BA("T3") END,
                  "error deadlock proved A B");
    assert_claims(state,
                  NAMES TWO "T2 rdlock R; " AB("T2") "T2 unlock R:rwlock read; T3 rdlock R; " BA(
                      "T3") "T3 unlock R read" END,
                  "error deadlock proved A B");
}

static void a_gate_held_around_create_and_join_counts(void **state)
{
    const char *guarded = NAMES "T1 lock G; T1 create T2; T2 start by T1; " AB(
        "T2") "T2 exit; T1 join T2; "
              "T1 unlock G; T1 create T3; T3 start by T1; T1 create T4; T4 start by T1; "
              "T3 lock G; " BA("T3") "T3 unlock G; T3 exit; T4 exit; T1 join T3; T1 join T4";
    assert_claims(state, guarded, "");
    /* Two children of the same section are not kept apart by it. */
    assert_claims(state,
                  NAMES "T1 lock G; " TWO AB("T2") BA("T3") "T2 exit; T3 exit; T1 join T2; "
                                                            "T1 join T3; T1 unlock G",
                  "error deadlock proved A B");
    /* A gate let go before the child is there guards nothing. */
    assert_claims(state,
                  NAMES "T1 lock G; T1 create T2; T1 unlock G; T1 create T3; T2 start by T1; "
                        "T3 start by T1; " AB("T2") "T3 lock G; " BA("T3") "T3 unlock G" END,
                  "error deadlock proved A B");
}

static void what_comes_before_create_or_after_join_is_ordered(void **state)
{
    assert_claims(
        state, NAMES AB("T1") "T1 create T2; T2 start by T1; " BA("T2") "T2 exit; T1 join T2", "");
    assert_claims(state,
                  NAMES "T1 create T2; T2 start by T1; " BA("T2") "T2 exit; T1 join T2; " AB("T1"),
                  "");
    assert_claims(state,
                  NAMES "T1 create T2; T2 start by T1; " AB("T1") BA("T2") "T2 exit; T1 join T2",
                  "error deadlock proved A B");
}

static void waits_that_were_woken_order(void **state)
{
    assert_claims(state,
                  NAMES TWO "T3 lock C; T3 wait V with C; " AB(
                      "T2") "T2 signal V; T3 wake V; T3 unlock C; " BA("T3") END,
                  "");
    /* A signal that nobody waited for orders nothing. */
    assert_claims(state, NAMES TWO AB("T2") "T2 signal V; " BA("T3") END,
                  "error deadlock proved A B");
}

/* T2 waits for V under A; T3 signals it under B, which it takes after the wait has begun. */
#define WAITS_UNDER_A "T2 lock A; T2 lock C; T2 wait V with C; "
#define SIGNALS_UNDER_B                                                                            \
    "T3 lock B; T3 lock C; T3 signal V; T3 unlock C; T3 unlock B; T2 wake V; T2 unlock C; "        \
    "T2 unlock A; "

static void a_condition_waited_for_under_a_lock_that_keeps_its_signaller_away(void **state)
{
    assert_claims(state,
                  NAMES "T1 name V:condition V; " TWO WAITS_UNDER_A SIGNALS_UNDER_B BA("T1") END,
                  "warning deadlock possible A B V");
    assert_claims(
        state, NAMES "T1 name V:condition V; " TWO WAITS_UNDER_A SIGNALS_UNDER_B AB("T1") END, "");
    /* What comes after both threads have ended meets neither. */
    assert_claims(state,
                  NAMES "T1 name V:condition V; " TWO WAITS_UNDER_A SIGNALS_UNDER_B "T2 exit; "
                        "T3 exit; T1 join T2; T1 join T3; " BA("T1"),
                  "");
    /* Somebody signals without the lock. */
    assert_claims(state,
                  NAMES "T1 name V:condition V; " TWO WAITS_UNDER_A SIGNALS_UNDER_B
                        "T1 signal V; " BA("T1") END,
                  "");
    /* Under way before the wait began: the lock was not needed once it had. */
    assert_claims(state,
                  NAMES "T1 name V:condition V; " TWO "T3 lock B; " WAITS_UNDER_A
                        "T3 lock C; T3 signal V; T3 unlock C; T3 unlock B; T2 wake V; "
                        "T2 unlock C; T2 unlock A; " BA("T1") END,
                  "");
}

static void a_condition_waited_for_under_the_lock_that_its_signaller_takes_first(void **state)
{
    const char *fresh = "T2 lock C; T2 wait V with C; T3 lock A; T3 unlock A; T3 lock C; "
                        "T3 signal V; T3 unlock C; T2 wake V; T2 unlock C; ";
    const char *under = "T3 lock A; T3 unlock A; T4 lock A; T4 lock C; T4 wait V with C; "
                        "T3 lock C; T3 signal V; T3 unlock C; T4 wake V; T4 unlock C; T4 unlock A";
    const char *begin = NAMES "T1 name V:condition V; " TWO "T1 create T4; T4 start by T1; ";
    char text[1024];
    snprintf(text, sizeof text, "%s%s%s", begin, fresh, under);
    assert_claims(state, text, "warning deadlock possible A V");
    /* Nobody was ever seen to take it only once somebody waited: it may be that all who took it are
     * waited for. */
    snprintf(text, sizeof text, "%s%s", begin, under);
    assert_claims(state, text, "");
    snprintf(text, sizeof text, "%s%s%s", begin, under, "; T4 lock C; T4 signal V; T4 unlock C");
    assert_claims(state, text, "");
}

static void semaphores_barriers_queues_and_pipes_order(void **state)
{
    assert_claims(
        state, NAMES "T1 init S:semaphore 0; " TWO AB("T2") "T2 post S; T3 take S; " BA("T3") END,
        "");
    assert_claims(state,
                  NAMES "T1 init F:barrier 2; " TWO AB(
                      "T2") "T2 arrive F; T3 arrive F; T2 leave F; T3 leave F; " BA("T3") END,
                  "");
    assert_claims(state, NAMES TWO AB("T2") "T2 put Q; T3 get Q; " BA("T3") END, "");
    assert_claims(state, NAMES TWO AB("T2") "T2 write pipe P 4; T3 read pipe P 4; " BA("T3") END,
                  "");
    assert_claims(state, NAMES TWO AB("T2") "T2 before X; T3 after X; " BA("T3") END, "");
}

static void a_lock_handed_over_orders_nothing(void **state)
{
    /* The other order of these sections is as good; but it must keep them in it, so it is only
     * possible for the sections behind. */
    assert_claims(
        state, NAMES TWO AB("T2") "T2 lock G; T2 unlock G; T3 lock G; T3 unlock G; " BA("T3") END,
        "error deadlock proved A B");
}

static void trylock_waits_for_nothing_but_holds(void **state)
{
    assert_claims(state, NAMES TWO AB("T2") "T3 lock B; T3 trylock A; T3 unlock A; T3 unlock B" END,
                  "");
    assert_claims(state, NAMES TWO AB("T2") "T3 trylock B; T3 lock A; T3 unlock A; T3 unlock B" END,
                  "error deadlock proved A B");
}

static void a_timed_lock_comes_back(void **state)
{
    assert_claims(state,
                  NAMES TWO AB("T2") "T3 lock B; T3 want A timed; T3 lock A; T3 unlock A; "
                                     "T3 unlock B" END,
                  "");
}

static void readers_do_not_wait_for_readers(void **state)
{
    const char *names = "T1 name R:rwlock R; T1 name S:rwlock S; ";
    char text[2048];
    snprintf(text, sizeof text,
             "%s" TWO "T2 rdlock R; T2 rdlock S; T2 unlock S read; T2 unlock R read; T3 rdlock S; "
             "T3 rdlock R; T3 unlock R read; T3 unlock S read" END,
             names);
    assert_claims(state, text, "");
    snprintf(text, sizeof text,
             "%s" TWO "T2 rdlock R; T2 wrlock S; T2 unlock S; T2 unlock R read; T3 rdlock S; "
             "T3 wrlock R; T3 unlock R; T3 unlock S read" END,
             names);
    assert_claims(state, text, "error deadlock proved R S");
}

static void a_nested_reader_behind_a_writer_is_possible(void **state)
{
    char text[2048];
    for (int prefers_writers = 0; prefers_writers <= 2; prefers_writers += 2) {
        snprintf(text, sizeof text,
                 "T1 init R:rwlock %d; T1 name R R; " TWO
                 "T2 rdlock R; T2 rdlock R; T2 unlock R read; T2 unlock R read; T3 wrlock R; "
                 "T3 unlock R" END,
                 prefers_writers);
        assert_claims(state, text, prefers_writers ? "warning deadlock possible R" : "");
    }
}

static void recursion_is_no_order(void **state)
{
    assert_claims(state,
                  NAMES TWO "T2 lock A; T2 lock B; T2 lock A recursive; T2 unlock A recursive; "
                            "T2 unlock B; T2 unlock A; " AB("T3") END,
                  "");
}

static void hand_over_hand_in_one_direction_is_fine(void **state)
{
    const char *walk = "%s lock A; %s lock B; %s unlock A; %s lock C; %s unlock B; %s unlock C; ";
    char down[512], text[2048];
    snprintf(down, sizeof down, walk, "T2", "T2", "T2", "T2", "T2", "T2");
    snprintf(text, sizeof text, NAMES TWO "%s T3 lock B; T3 lock C; T3 unlock B; T3 unlock C" END,
             down);
    assert_claims(state, text, "");
    snprintf(text, sizeof text, NAMES TWO "%s T3 lock C; T3 lock B; T3 unlock B; T3 unlock C" END,
             down);
    assert_claims(state, text, "error deadlock proved B C");
}

static void a_recycled_address_is_another_lock(void **state)
{
    assert_claims(state,
                  NAMES TWO "T2 init A; T2 lock A; T2 lock B; T2 unlock B; T2 unlock A; "
                            "T2 destroy A 0; T3 init A; " BA("T3") END,
                  "");
}

static void seventy_locks_may_be_held(void **state)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    fputs(TWO, out);
    for (int i = 0; i < 70; i++)
        fprintf(out, "T2 lock L%02d; T1 name L%02d L%02d; ", i, i, i);
    for (int i = 69; i >= 0; i--)
        fprintf(out, "T2 unlock L%02d; ", i);
    fputs("T3 lock L69; T3 lock L00; T3 unlock L00; T3 unlock L69", out);
    fputs(END, out);
    fclose(out);
    assert_claims(state, text, "error deadlock proved L00 L69");
    free(text);
}

static void six_thousand_locks_apart_in_time(void **state)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    fputs(NAMES TWO AB("T2"), out);
    for (int i = 0; i < 6000; i++)
        fprintf(out, "T2 lock L%d; T2 unlock L%d; ", i, i);
    fputs(BA("T3") END, out);
    fclose(out);
    assert_claims(state, text, "error deadlock proved A B");
    free(text);
}

static void circles_of_five_are_found(void **state)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    for (int i = 0; i < 5; i++)
        fprintf(out, "T1 name F%d:mutex F%d; T1 create T%d; T%d start by T1; ", i, i, i + 2, i + 2);
    for (int i = 0; i < 5; i++)
        fprintf(out, "T%d lock F%d; T%d lock F%d; T%d unlock F%d; T%d unlock F%d; ", i + 2, i,
                i + 2, (i + 1) % 5, i + 2, (i + 1) % 5, i + 2, i);
    for (int i = 0; i < 5; i++)
        fprintf(out, "T%d exit; T1 join T%d; ", i + 2, i + 2);
    fclose(out);
    assert_claims(state, text, "error deadlock proved F0 F1 F2 F3 F4");
    free(text);
}

static void a_semaphore_used_as_a_mutex_is_a_lock(void **state)
{
    const char *text = "T1 init S:semaphore 1; T1 name S S; T1 name A:mutex A; " TWO
                       "T2 take S; T2 lock A; T2 unlock A; T2 post S; T3 lock A; T3 take S; "
                       "T3 post S; T3 unlock A" END;
    assert_claims(state, text, "error deadlock proved A S");
    /* Posted by somebody else it is a signal. */
    assert_claims(state,
                  "T1 init S:semaphore 1; T1 name S S; T1 name A:mutex A; " TWO
                  "T2 take S; T2 lock A; T2 unlock A; T3 post S; T3 lock A; T3 take S; T3 post S; "
                  "T3 unlock A" END,
                  "");
}

static void a_join_under_a_lock_that_the_thread_takes(void **state)
{
    assert_claims(state,
                  "T1 name A:mutex A; T1 create T2; T2 start by T1; T2 lock A; T2 unlock A; "
                  "T1 lock A; T2 exit; T1 join T2; T1 unlock A",
                  "error deadlock proved A thread 2");
    assert_claims(state,
                  "T1 name A:mutex A; T1 create T2; T2 start by T1; T2 lock A; T2 unlock A; "
                  "T1 lock A; T1 unlock A; T2 exit; T1 join T2",
                  "");
    assert_claims(state,
                  "T1 init S:semaphore 0; T1 name A:mutex A; T1 create T2; T2 start by T1; "
                  "T2 lock A; T2 unlock A; T2 post S; T1 take S; T1 lock A; T2 exit; T1 join T2; "
                  "T1 unlock A",
                  "");
}

static void a_thread_that_says_it_is_done_may_be_joined(void **state)
{
    /* It signals under the lock before it ends, as a thread does that says so. */
    assert_claims(state,
                  "T1 name A:mutex A; T1 create T2; T2 start by T1; T2 lock A; T2 signal V; "
                  "T2 unlock A; T1 lock A; T2 exit; T1 join T2; T1 unlock A",
                  "");
    /* The joiner looks first, and joins only sometimes: what it finds there decides. */
    assert_claims(state,
                  "T1 name A:mutex A; T1 create T2; T2 start by T1; T1 lock A; T1 unlock A; "
                  "T2 lock A; T2 unlock A; T1 lock A; T2 exit; T1 join T2; T1 unlock A",
                  "warning deadlock possible A thread 2");
}

static void a_condition_wait_takes_its_mutex_again(void **state)
{
    /* B again, while it holds A: against T3, who takes B and then A. */
    assert_claims(state,
                  NAMES TWO "T2 lock B; T2 lock A; T2 wait V with B; T3 lock G; T3 signal V; "
                            "T3 unlock G; T2 wake V; T2 unlock A; T2 unlock B; " BA("T3") END,
                  "error deadlock proved A B");
    assert_claims(state,
                  NAMES TWO "T2 lock B; T2 wait V with B; T3 lock G; T3 signal V; T3 unlock G; "
                            "T2 wake V; T2 lock A; T2 unlock A; T2 unlock B; " BA("T3") END,
                  "");
}

static void a_lock_in_shared_memory_is_one_for_all_processes(void **state)
{
    assert_claims(state,
                  "T1 attach; T1 name A:mutex A; T1 name B:mutex B; T1 lock A shared; "
                  "T1 lock B shared; T1 unlock B shared; T1 unlock A shared; "
                  "P2.T2 attach; T2 lock B shared; T2 lock A shared; T2 unlock A shared; "
                  "T2 unlock B shared",
                  "error deadlock proved mutex #1 mutex #2");
    assert_claims(state,
                  "T1 attach; T1 lock A; T1 lock B; T1 unlock B; T1 unlock A; "
                  "P2.T2 attach; T2 lock B; T2 lock A; T2 unlock A; T2 unlock B",
                  "");
}

static void a_lock_that_others_unlock_is_a_signal(void **state)
{
    const char *claims = claims_of(
        state, NAMES TWO AB("T2") "T2 lock G; T3 unlock G; " BA("T3") END, REEL_SEVERITY_ERROR);
    assert_null(strstr(claims, "A B G"));
}

static void once_comes_before_everything_behind_it(void **state)
{
    const char *routine = "T2 want O:once; T2 lock O:once; " AB("T2") "T2 unlock O:once; ";
    char text[2048];
    snprintf(text, sizeof text, NAMES TWO "%s" BA("T3") END, routine);
    assert_claims(state, text, "");
}

static void only_some_reorderings_are_proved(void **state)
{
    /* T3 takes its locks only behind a section of T2's that lies behind T2's own: to get T3 there
     * T2 must have passed. The order of sections may change in another run: possible. */
    assert_claims(state,
                  NAMES TWO AB("T2") "T2 lock G; T2 write X 4; T2 unlock G; T3 lock G; "
                                     "T3 read X 4; T3 unlock G; " BA("T3") END,
                  "warning deadlock possible A B");
}

static void ids_do_not_depend_on_who_was_first(void **state)
{
    struct reel_finding_set *a = findings_of(state, NAMES TWO AB("T2") BA("T3") END);
    struct reel_finding_set *b = findings_of(state, NAMES TWO BA("T3") AB("T2") END);
    assert_int_equal(reel_finding_set_count(a), 1);
    assert_string_equal(reel_finding_set_at(a, 0)->id, reel_finding_set_at(b, 0)->id);
    assert_int_equal(reel_finding_set_at(a, 0)->evidence_count, 4);
    reel_finding_set_free(a);
    reel_finding_set_free(b);
}

static void what_happened_is_not_predicted(void **state)
{
    assert_claims(state, NAMES TWO "T2 lock A; T3 lock B; T2 want B; T3 want A",
                  "error deadlock observed A B");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(opposite_orders_are_a_deadlock_ahead),
        TEST(one_thread_alone_does_not_deadlock),
        TEST(a_gate_lock_keeps_the_orders_apart),
        TEST(a_gate_held_around_create_and_join_counts),
        TEST(what_comes_before_create_or_after_join_is_ordered),
        TEST(waits_that_were_woken_order),
        TEST(a_condition_waited_for_under_a_lock_that_keeps_its_signaller_away),
        TEST(a_condition_waited_for_under_the_lock_that_its_signaller_takes_first),
        TEST(semaphores_barriers_queues_and_pipes_order),
        TEST(a_lock_handed_over_orders_nothing),
        TEST(trylock_waits_for_nothing_but_holds),
        TEST(a_timed_lock_comes_back),
        TEST(readers_do_not_wait_for_readers),
        TEST(a_nested_reader_behind_a_writer_is_possible),
        TEST(recursion_is_no_order),
        TEST(hand_over_hand_in_one_direction_is_fine),
        TEST(a_recycled_address_is_another_lock),
        TEST(seventy_locks_may_be_held),
        TEST(six_thousand_locks_apart_in_time),
        TEST(circles_of_five_are_found),
        TEST(a_semaphore_used_as_a_mutex_is_a_lock),
        TEST(a_join_under_a_lock_that_the_thread_takes),
        TEST(a_thread_that_says_it_is_done_may_be_joined),
        TEST(a_condition_wait_takes_its_mutex_again),
        TEST(a_lock_in_shared_memory_is_one_for_all_processes),
        TEST(a_lock_that_others_unlock_is_a_signal),
        TEST(once_comes_before_everything_behind_it),
        TEST(only_some_reorderings_are_proved),
        TEST(ids_do_not_depend_on_who_was_first),
        TEST(what_happened_is_not_predicted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
