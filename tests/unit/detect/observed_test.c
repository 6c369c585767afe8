/* What happened: deadlocks, hangs, lost wake-ups; and programs that only look like it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/detect/claims.h"
#include "tests/unit/store/scratch.h"

#define TWO "T1 create T2; T1 create T3; T2 start by T1; T3 start by T1; "
#define AB  "T1 name A:mutex A; T1 name B:mutex B; "

static void a_circle_of_two(void **state)
{
    assert_claims(state, AB TWO "T2 lock A; T3 lock B; T2 want B; T3 want A",
                  "error deadlock observed A B");
    assert_claims(state, AB TWO "T2 lock A; T3 lock B; T2 want B; T3 want A timed", "");
    assert_claims(state, AB TWO "T2 lock A; T3 lock B; T2 want B; T3 unlock B; T2 lock B", "");
}

static void those_who_wait_for_the_circle_are_told_with_it(void **state)
{
    struct reel_finding_set *findings =
        findings_of(state, AB TWO "T2 lock A; T3 lock B; T2 want B; T3 want A; T1 begin join T2");
    assert_int_equal(reel_finding_set_count(findings), 1);
    assert_int_equal(reel_finding_set_at(findings, 0)->thread_count, 3);
    assert_int_equal(reel_finding_set_at(findings, 0)->evidence_count, 5);
    reel_finding_set_free(findings);
}

static void a_lock_taken_twice(void **state)
{
    assert_claims(state, "T1 name A:mutex A; T1 lock A; T1 want A", "error deadlock observed A");
    assert_claims(state, "T1 name A:rwlock A; T1 rdlock A; T1 want A", "error deadlock observed A");
    assert_claims(state, "T1 name A:mutex A; T1 lock A; T1 lock A recursive; T1 mark x", "");
}

static void circles_through_spin_locks_and_rwlocks(void **state)
{
    assert_claims(state,
                  "T1 name A:spinlock A; T1 name B:rwlock B; " TWO
                  "T2 lock A; T3 rdlock B; T2 want B; T3 want A",
                  "error deadlock observed A B");
    assert_claims(state,
                  "T1 name A:rwlock A; T1 name B:rwlock B; " TWO
                  "T2 rdlock A; T3 rdlock B; T2 want B; T3 want A",
                  "error deadlock observed A B");
}

static void a_circle_through_a_join(void **state)
{
    assert_claims(state,
                  "T1 name A:mutex A; T1 lock A; T1 create T2; T2 start by T1; T2 want A; "
                  "T1 begin join T2",
                  "error deadlock observed A thread 2");
}

static void a_circle_through_semaphores_used_as_locks(void **state)
{
    const char *used = "T1 init A:semaphore 1; T1 init B:semaphore 1; T1 name A A; T1 name B B; "
                       "T1 take A; T1 post A; T1 take B; T1 post B; " TWO
                       "T2 take A; T3 take B; T2 want A:semaphore";
    char text[1024];
    snprintf(text, sizeof text, "%s; T3 mark x", used);
    assert_claims(state, text, "error deadlock observed A");
    assert_claims(state,
                  "T1 init A:semaphore 1; T1 init B:semaphore 1; T1 name A A; T1 name B B; "
                  "T1 take A; T1 post A; T1 take B; T1 post B; " TWO
                  "T2 take A; T3 take B; T2 want B; T3 want A",
                  "error deadlock observed A B");
    /* A slot that the consumer gives back: the producer waits for its own, and all is well. */
    assert_claims(state,
                  "T1 init A:semaphore 1; T1 init B:semaphore 0; " TWO
                  "T2 take A; T2 post B; T2 want A; T3 take B",
                  "");
}

static void a_circle_across_processes(void **state)
{
    assert_claims(state,
                  "T1 attach; P2.T2 attach by P1; T1 lock A shared; T2 lock B shared; "
                  "T1 want B shared; T2 want A shared",
                  "error deadlock observed mutex #1 mutex #2");
}

static void a_lock_that_the_fork_left_behind(void **state)
{
    assert_claims(state,
                  "T1 attach; T1 name A:mutex A; T1 create T2; T2 start by T1; T2 lock A; "
                  "T1 fork P2; P2.T3 attach by P1; T3 want A; T2 unlock A; T2 exit; T1 join T2; "
                  "T1 begin waitpid P2",
                  "error deadlock observed A process 1002");
    /* The forking thread's own lock is the child's too. */
    assert_claims(state,
                  "T1 attach; T1 name A:mutex A; T1 lock A; T1 fork P2; P2.T3 attach by P1; "
                  "T3 unlock A; T3 lock A; T3 unlock A; T1 unlock A; T3 exit process; "
                  "T1 waitpid P2",
                  "");
}

static void a_lock_whose_owner_has_ended(void **state)
{
    assert_string_equal(claims_of(state,
                                  "T1 name A:mutex A; T1 create T2; T2 start by T1; T2 lock A; "
                                  "T2 exit; T1 join T2; T1 want A",
                                  REEL_SEVERITY_ERROR),
                        "error misuse observed A\nerror deadlock observed A");
    assert_claims(state,
                  "T1 init A 16; T1 name A A; T1 create T2; T2 start by T1; T2 lock A; T2 exit; "
                  "T1 join T2; T1 want A; T1 lock A owner-dead; T1 consistent A; T1 unlock A",
                  "");
}

static void a_shared_lock_whose_process_has_ended(void **state)
{
    const char *one_dies = "T1 attach; P2.T2 attach by P1; T2 lock A shared; T2 exit process; ";
    char text[256];
    snprintf(text, sizeof text, "%sT1 want A shared", one_dies);
    assert_claims(state, text, "error deadlock observed mutex #1");
    snprintf(text, sizeof text, "%sT1 mark x", one_dies);
    assert_claims(state, text, "");
}

static void threads_that_all_wait_hang(void **state)
{
    assert_claims(state,
                  "T1 name V:condition V; T1 name M:mutex M; T1 create T2; T2 start by T1; "
                  "T2 lock M; T2 wait V with M; T1 begin join T2",
                  "error hang observed V thread 2");
    assert_claims(state,
                  "T1 init F:barrier 3; T1 name F F; " TWO
                  "T2 arrive F; T3 arrive F; T1 begin join T2",
                  "error hang observed F thread 2");
    assert_claims(state, "T1 init S:semaphore 0; T1 name S S; T1 want S", "error hang observed S");
}

static void one_that_waits_for_something_outside_is_no_hang(void **state)
{
    const char *stuck = "T1 name V:condition V; T1 create T2; T2 start by T1; T2 lock M; "
                        "T2 wait V with M; ";
    static const char *const outside[] = {"T1 begin read socket S",
                                          "T1 begin accept socket S",
                                          "T1 begin sigwait",
                                          "T1 begin pause",
                                          "T1 begin sleep",
                                          "T1 loop L wait",
                                          "T1 begin read file F",
                                          "T1 begin read pipe P",
                                          "T1 mark x",
                                          "T1 lock N; T1 wait W with N timed"};
    for (unsigned i = 0; i < sizeof outside / sizeof *outside; i++) {
        char text[512];
        snprintf(text, sizeof text, "%s%s", stuck, outside[i]);
        assert_claims(state, text, "");
    }
}

static void a_woken_thread_is_no_hang(void **state)
{
    assert_claims(state,
                  "T1 create T2; T2 start by T1; T2 lock M; T2 wait V with M; T1 lock M; "
                  "T1 signal V; T1 unlock M; T1 begin join T2",
                  "");
}

static void lost_events_keep_it_silent(void **state)
{
    assert_claims(state, "T1 mark x; T1 gap 5; T1 init S:semaphore 0; T1 want S", "");
}

static void pipes_of_the_program_itself_hang_too(void **state)
{
    assert_claims(state, "T1 name P:pipe P; T1 open pipe P 3; T1 begin read pipe P",
                  "error hang observed P");
}

static void a_signal_before_the_wait_is_lost(void **state)
{
    assert_claims(state,
                  "T1 name V:condition V; T1 create T2; T2 start by T1; T2 lock M; T2 signal V; "
                  "T2 unlock M; T2 exit; T1 join T2; T1 lock M; T1 wait V with M",
                  "error lost-wakeup observed V");
    /* The same early signal, and no wait after it. */
    assert_claims(state,
                  "T1 name V:condition V; T1 create T2; T2 start by T1; T2 lock M; T2 signal V; "
                  "T2 unlock M; T2 exit; T1 join T2; T1 lock M; T1 unlock M",
                  "");
    /* The signaller is still there: who knows. */
    assert_claims(state,
                  "T1 name V:condition V; T1 create T2; T2 start by T1; T2 lock M; T2 signal V; "
                  "T2 unlock M; T1 lock M; T1 wait V with M; T2 mark x",
                  "");
}

static void what_is_killed_is_judged_as_it_stood(void **state)
{
    assert_claims(state,
                  AB TWO "T2 lock A; T3 lock B; T2 want B; T3 want A; T1 exit 4; T2 exit 4; "
                         "T3 exit 4",
                  "error deadlock observed A B");
    assert_claims(state,
                  "T1 create T2; T2 start by T1; T2 lock M; T2 wait V with M; T1 exit 3; "
                  "T2 exit 3",
                  "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_circle_of_two),
        TEST(those_who_wait_for_the_circle_are_told_with_it),
        TEST(a_lock_taken_twice),
        TEST(circles_through_spin_locks_and_rwlocks),
        TEST(a_circle_through_a_join),
        TEST(a_circle_through_semaphores_used_as_locks),
        TEST(a_circle_across_processes),
        TEST(a_lock_that_the_fork_left_behind),
        TEST(a_lock_whose_owner_has_ended),
        TEST(a_shared_lock_whose_process_has_ended),
        TEST(threads_that_all_wait_hang),
        TEST(one_that_waits_for_something_outside_is_no_hang),
        TEST(a_woken_thread_is_no_hang),
        TEST(lost_events_keep_it_silent),
        TEST(pipes_of_the_program_itself_hang_too),
        TEST(a_signal_before_the_wait_is_lost),
        TEST(what_is_killed_is_judged_as_it_stood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
