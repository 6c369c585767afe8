/* Misuse, rule by rule: the fault, and the right way beside it. */
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

#define A   "T1 name A:mutex A; "
#define T2_ "T1 create T2; T2 start by T1; "

static void unlocking_what_another_holds(void **state)
{
    assert_claims(state, A T2_ "T1 lock A; T2 unlock A stack 7; T2 mark x",
                  "error misuse observed A");
    assert_claims(state, A T2_ "T1 lock A; T2 unlock A; T2 unlock-failed A; T1 unlock A",
                  "error misuse observed A");
    assert_claims(state, A T2_ "T1 lock A; T1 unlock A; T2 lock A; T2 unlock A", "");
}

static void unlocking_what_nobody_holds(void **state)
{
    assert_claims(state, A "T1 lock A; T1 unlock A; T1 unlock A stack 7; T1 mark x",
                  "error misuse observed A");
    assert_claims(state, "T1 init A:spinlock; T1 name A A; T1 unlock A; T1 mark x",
                  "error misuse observed A");
    assert_claims(state,
                  "T1 name A:rwlock A; T1 rdlock A; T1 unlock A read; T1 unlock A read "
                  "stack 7; T1 mark x",
                  "error misuse observed A");
}

static void both_stacks_are_told(void **state)
{
    struct reel_finding_set *findings =
        findings_of(state, A T2_ "T1 lock A stack 3; T2 unlock A stack 7; T2 mark x");
    const struct reel_finding *finding = reel_finding_set_at(findings, 0);
    assert_int_equal(finding->evidence_count, 2);
    assert_int_equal(finding->evidence[0].stack, 3);
    assert_int_equal(finding->evidence[1].stack, 7);
    reel_finding_set_free(findings);
}

static void locking_twice_is_refused(void **state)
{
    assert_claims(state, A "T1 lock A; T1 want A; T1 fail A EDEADLK; T1 unlock A",
                  "warning misuse observed A");
    assert_claims(state, A "T1 lock A; T1 lock A recursive; T1 unlock A recursive; T1 unlock A",
                  "");
}

static void destroying_what_is_in_use(void **state)
{
    assert_claims(state, A T2_ "T2 lock A; T1 destroy A EBUSY; T2 unlock A",
                  "error misuse observed A");
    assert_claims(state, "T1 name A:rwlock A; " T2_ "T2 rdlock A; T1 destroy A; T2 mark x",
                  "error misuse observed A");
    assert_claims(state,
                  "T1 name V:condition V; " T2_
                  "T2 lock M; T2 wait V with M; T1 destroy V; T2 wake V; T2 unlock M",
                  "error misuse observed V");
    assert_claims(state,
                  "T1 init S:semaphore 0; T1 name S S; " T2_ "T2 want S; T1 destroy S; T2 take S",
                  "error misuse observed S");
    assert_claims(state, A T2_ "T2 lock A; T2 unlock A; T2 exit; T1 join T2; T1 destroy A", "");
}

static void destroying_behind_a_broadcast_is_right(void **state)
{
    assert_claims(state,
                  T2_ "T2 lock M; T2 wait V with M; T1 lock M; T1 broadcast V; T1 unlock M; "
                      "T1 destroy V; T2 wake V; T2 unlock M",
                  "");
    assert_claims(state,
                  "T1 init S:semaphore 0; " T2_ "T2 want S; T1 post S; T1 destroy S; "
                  "T2 take S",
                  "");
    assert_claims(state,
                  "T1 init F:barrier 2; " T2_
                  "T1 arrive F; T2 arrive F; T1 leave F; T1 destroy F; T2 leave F",
                  "");
}

static void using_what_was_destroyed_or_never_made(void **state)
{
    assert_claims(state, "T1 init A; T1 name A A; T1 destroy A; T1 want A; T1 fail A EINVAL",
                  "error misuse observed mutex #1");
    assert_claims(state, "T1 init S:semaphore 1; T1 destroy S; T1 take S",
                  "error misuse observed semaphore #2");
    assert_claims(state, "T1 want F:mutex; T1 fail F EINVAL", "error misuse observed mutex #1");
    assert_claims(state, "T1 arrive F; T1 leave F", "warning misuse possible barrier #1");
    assert_claims(state,
                  "T1 attach; T1 init S:semaphore 1; T1 fork P2; P2.T2 attach by P1; "
                  "T1 destroy S; T2 take S",
                  "");
    /* A static initialiser leaves no trace: this mutex was made again by assignment. */
    assert_claims(state, "T1 init A; T1 destroy A; T1 lock A; T1 unlock A", "");
    assert_claims(state, "T1 init S:semaphore 1; T1 destroy S; T1 init S 1; T1 take S; T1 post S",
                  "");
}

static void making_again_what_threads_wait_for(void **state)
{
    assert_claims(state,
                  "T1 init F:barrier 3; T1 name F F; " T2_ "T2 arrive F; T1 init F 2; "
                  "T1 mark x; T2 leave F",
                  "error misuse observed F");
    assert_claims(state,
                  "T1 init F:barrier 2; " T2_ "T1 arrive F; T2 arrive F; T1 leave F; "
                  "T1 init F 3; T2 leave F",
                  "");
}

static void waiting_without_the_mutex(void **state)
{
    assert_claims(state, A "T1 lock A; T1 unlock A; T1 wait V with A timed; T1 leave V; T1 mark x",
                  "error misuse observed A");
    assert_claims(state,
                  A T2_ "T2 lock A; T1 wait V with A timed; T1 leave V; T1 mark x; "
                        "T2 unlock A",
                  "error misuse observed A");
    assert_claims(state,
                  A T2_ "T1 lock A; T1 wait V with A; T2 lock A; T2 signal V; T2 unlock A; "
                        "T1 wake V; T1 unlock A",
                  "");
}

static void waiting_with_two_mutexes(void **state)
{
    const char *first = A "T1 name B:mutex B; T1 name V:condition V; " T2_ "T1 lock A; "
                          "T1 wait V with A; ";
    char text[512];
    snprintf(text, sizeof text,
             "%sT2 lock B; T2 wait V with B; T3 broadcast V; T1 wake V; "
             "T1 unlock A; T2 wake V; T2 unlock B",
             first);
    assert_claims(state, text, "error misuse observed B V");
    snprintf(text, sizeof text,
             "%sT2 lock A; T2 wait V with A; T3 broadcast V; T1 wake V; "
             "T1 unlock A; T2 wake V; T2 unlock A",
             first);
    assert_claims(state, text, "");
}

static void a_deadline_that_is_no_time(void **state)
{
    assert_claims(state, A "T1 want A timed; T1 fail A EINVAL", "warning misuse observed A");
    assert_claims(state,
                  "T1 name V:condition V; T1 lock M; T1 wait V with M timed; "
                  "T1 wake V EINVAL; T1 unlock M",
                  "warning misuse observed V");
    assert_claims(state, A T2_ "T2 lock A; T1 want A timed; T1 timeout A; T2 unlock A", "");
}

static void joining_and_detaching_twice(void **state)
{
    const char *error = "error misuse observed thread 2";
    assert_claims(state, T2_ "T2 exit; T1 join T2; T1 join T2 3", error);
    assert_claims(state, T2_ "T2 exit; T1 detach T2; T1 join T2 22", error);
    assert_claims(state, T2_ "T2 exit; T1 join T2; T1 detach T2 3", error);
    assert_claims(state, T2_ "T2 exit; T1 detach T2; T1 detach T2 22", error);
    assert_claims(state, T2_ "T2 exit; T1 join T2", "");
    assert_claims(state, T2_ "T1 detach T2; T2 exit", "");
    /* C11 says thrd_error. */
    assert_claims(state, T2_ "T2 exit; T1 join T2; T1 join T2 2", error);
    assert_claims(state, T2_ "T1 join T2 timed 110; T2 exit; T1 join T2", "");
}

/* The old thread T2 and the new one T3 are both H. */
#define H   "0x7f12345678c0"
#define OLD "T1 create T2; T2 start handle " H "; "

static void a_handle_used_again_is_another_thread(void **state)
{
    /* Detached before it started: by its maker, by itself. */
    assert_claims(state,
                  OLD "T1 detach " H "; T2 exit; T1 create T3; T1 created T3; T1 detach " H
                      "; T3 start handle " H "; T3 exit",
                  "");
    assert_claims(state,
                  OLD "T2 detach " H "; T2 exit; T1 create T3; T3 start handle " H "; T3 detach " H
                      "; T3 exit",
                  "");
    /* The first detach is told late: the next thread has begun by then. */
    assert_claims(state,
                  OLD "T2 exit; T4 create T3; T3 start handle " H "; T1 detach " H "; T4 detach " H
                      "; T3 exit",
                  "");
    /* Joined after the handle was used again, and before the new one started. */
    assert_claims(state,
                  OLD "T1 detach " H "; T2 exit; T1 create T3; T3 start handle " H "; T3 exit; "
                      "T1 join " H,
                  "");
    assert_claims(state,
                  OLD "T2 exit; T1 join " H "; T1 create T3; T1 begin join " H
                      "; T3 start handle " H "; T3 exit; T1 end join " H,
                  "");
    assert_claims(state, OLD "T2 exit; T1 join " H "; T1 create T3; T1 begin join " H, "");
    /* The guilty: the call itself says so. */
    assert_claims(state,
                  OLD "T1 detach " H "; T2 exit; T1 create T3; T3 start handle " H "; T1 detach " H
                      "; T1 detach " H " 22",
                  "error misuse observed thread 3");
    assert_claims(state,
                  OLD "T1 detach " H "; T2 exit; T1 create T3; T3 start handle " H "; T3 exit; "
                      "T1 join " H "; T1 join " H " 3",
                  "error misuse observed thread 3");
}

static void ending_with_a_lock_held(void **state)
{
    assert_claims(state, A T2_ "T1 lock A; T1 unlock A; T2 lock A; T2 exit 2; T1 join T2",
                  "error misuse observed A");
    assert_claims(state, A T2_ "T2 lock A; T2 exit; T1 join T2", "error misuse observed A");
    /* The process ended, or a robust lock says so to the next. */
    assert_claims(state, A T2_ "T1 lock A; T1 unlock A; T2 lock A; T1 exit 3; T2 exit 3", "");
    assert_claims(state, "T1 init A 16; " T2_ "T2 lock A; T2 exit; T1 join T2", "");
    /* Still running when the trace ends. */
    assert_claims(state, A T2_ "T2 lock A; T1 mark x", "");
}

static void forking_while_another_holds_a_lock_is_told_as_information(void **state)
{
    const char *fork = "T1 attach; " A T2_ "T2 lock A; T1 fork P2; T2 unlock A";
    assert_claims(state, fork, "");
    assert_string_equal(claims_of(state, fork, REEL_SEVERITY_INFO), "info misuse observed A");
}

static void cancellation_in_a_wait_is_right(void **state)
{
    assert_claims(state,
                  A T2_ "T2 lock A; T2 wait V with A; T1 cancel T2; T2 wake V 125; "
                        "T2 unlock A; T2 exit 2; T1 join T2",
                  "");
}

static void a_signal_behind_the_unlock_is_right(void **state)
{
    assert_claims(state,
                  A T2_ "T2 lock A; T2 wait V with A; T1 lock A; T1 unlock A; T1 signal V; "
                        "T2 wake V; T2 unlock A",
                  "");
}

static void lost_events_keep_it_silent(void **state)
{
    assert_claims(state, A T2_ "T1 lock A; T2 gap 3; T2 unlock A stack 7; T2 mark x", "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(unlocking_what_another_holds),
        TEST(unlocking_what_nobody_holds),
        TEST(both_stacks_are_told),
        TEST(locking_twice_is_refused),
        TEST(destroying_what_is_in_use),
        TEST(destroying_behind_a_broadcast_is_right),
        TEST(using_what_was_destroyed_or_never_made),
        TEST(making_again_what_threads_wait_for),
        TEST(waiting_without_the_mutex),
        TEST(waiting_with_two_mutexes),
        TEST(a_deadline_that_is_no_time),
        TEST(joining_and_detaching_twice),
        TEST(a_handle_used_again_is_another_thread),
        TEST(ending_with_a_lock_held),
        TEST(forking_while_another_holds_a_lock_is_told_as_information),
        TEST(cancellation_in_a_wait_is_right),
        TEST(a_signal_behind_the_unlock_is_right),
        TEST(lost_events_keep_it_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
