/* The world: locks. Who holds what, who waited for whom; contradictions give way and are counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/model/story.h"

#define assert_count(text, field, expected)                                                        \
    do {                                                                                           \
        struct story story_;                                                                       \
        story_tell(&story_, text, true);                                                           \
        assert_int_equal(reel_world_statistics(story_.world)->field, expected);                    \
        assert_invariants(&story_);                                                                \
        story_end(&story_);                                                                        \
    } while (0)

static void a_lock_is_held_from_acquire_to_release(void **state)
{
    assert_story("T1 lock A; T1 unlock A; T2 lock A; T2 unlock A", "hold",
                 "hold A T1 1..2\nhold A T2 3..4");
    assert_story("T1 lock A; T1 unlock A", "T1", "running 1..3");
}

static void a_wait_names_the_owner_and_who_let_it_in(void **state)
{
    const char *text = "T1 lock A; T2 want A; T1 unlock A; T2 lock A; T2 unlock A; T2 exit";
    assert_story(text, "T2", "lock-wait A 2..4 owner T1 by T1\nrunning 4..6");
    assert_story(text, "hold", "hold A T1 1..3\nhold A T2 4..5 waited 2");
}

static void the_last_releaser_ends_a_wait_not_the_first_owner(void **state)
{
    assert_story("T1 lock A; T2 want A; T1 unlock A; T3 lock A; T3 unlock A; T2 lock A", "T2",
                 "lock-wait A 2..6 owner T1 by T3\nrunning 6..7");
}

static void a_wait_without_end_says_so(void **state)
{
    assert_story("T1 lock A; T2 lock B; T1 want B; T2 want A", "T1",
                 "running 1..3\nlock-wait B 3..5 owner T2 endless");
    assert_story("T1 lock A; T2 lock B; T1 want B; T2 want A", "hold",
                 "hold A T1 1..5 kept\nhold B T2 2..5 kept");
}

static void a_self_deadlock_names_itself_as_owner(void **state)
{
    assert_story("T1 lock A; T1 want A", "T1", "running 1..2\nlock-wait A 2..3 owner T1 endless");
}

/* Microseconds of T2's first wait and of A's first hold in which the holder was kept from the
 * processor, or the lock was free. */
static void assert_starved(const char *text, unsigned waited, unsigned held)
{
    struct story story;
    story_tell(&story, text, true);
    size_t wait = 0, hold = 0;
    while (wait < story.interval_count && story.interval[wait].state != REEL_STATE_LOCK_WAIT)
        wait++;
    assert_true(wait < story.interval_count && story.hold_count > 0);
    while (hold < story.hold_count && story.hold[hold].waited_ns == 0)
        hold++;
    assert_int_equal(story.interval[wait].starved_ns, 1000 * waited);
    assert_int_equal(story.hold[0].starved_ns, 1000 * held);
    if (hold < story.hold_count)
        assert_int_equal(story.hold[hold].waited_starved_ns, 1000 * waited);
    story_end(&story);
}

static void a_wait_tells_how_long_nobody_stood_in_its_way(void **state)
{
    assert_starved("T1 lock A; T2 want A; @10us T1 unlock A; T2 lock A", 1, 0);
    assert_starved("T1 lock A; T2 want A; @10us T1 unlock A; @15us T2 lock A", 5, 0);
    /* Stopped with it, for 30 of the 40 that T2 waits; before T2 came. */
    assert_starved("T1 lock A; @10us T2 want A; @15us T1 switch out preempted; @45us T1 switch in; "
                   "@49us T1 unlock A; @50us T2 lock A",
                   31, 30);
    assert_starved("T1 lock A; @10us T1 switch out preempted; @40us T1 switch in; @50us T2 want A; "
                   "@60us T1 unlock A; @61us T2 lock A",
                   1, 30);
    /* Others take it in between: the lock was taken, by who ran. */
    assert_starved("T1 lock A; @10us T2 want A; @20us T1 unlock A; @22us T3 lock A; "
                   "@30us T3 unlock A; @33us T2 lock A",
                   5, 0);
    /* It blocked: its own doing. */
    assert_starved("T1 lock A; T2 want A; @10us T1 switch out; @40us T1 switch in; "
                   "@50us T1 unlock A; T2 lock A",
                   1, 0);
    /* Who waits for a spin lock runs, perhaps in its holder's place. */
    assert_starved("T1 lock S:spinlock; @10us T2 want S; @15us T1 switch out preempted; "
                   "@45us T1 switch in; @49us T1 unlock S; @50us T2 lock S",
                   0, 0);
    /* Readers hold it together. */
    assert_starved("T1 rdlock R; T2 want R; @10us T1 unlock R; @14us T2 wrlock R", 4, 0);
}

static void a_woken_waiter_is_kept_by_the_mutex_only_while_that_is_held(void **state)
{
    /* Signalled at 10 with the mutex held; free from 20 to 51, when it has it again. */
    assert_starved("T2 lock A; T2 wait C with A; T1 lock A; @10us T1 signal C; @20us T1 unlock A; "
                   "@50us T2 wake C",
                   31, 0);
}

static void a_timed_lock_that_fails_is_a_wait_that_nobody_ended(void **state)
{
    assert_story("T1 lock A; T2 want A timed; T2 timeout A; T2 mark x", "T2",
                 "lock-wait A 2..3 owner T1\nrunning 3..5");
    assert_story("T1 lock A; T2 want A timed; T2 timeout A", "hold", "hold A T1 1..4 kept");
}

static void a_failed_trylock_changes_nothing(void **state)
{
    assert_story("T1 lock A; T2 mark x; T2 fail A EBUSY try", "T2", "running 2..4");
    assert_story("T1 trylock A; T1 unlock A", "hold", "hold A T1 1..2");
}

static void a_recursive_lock_is_one_hold(void **state)
{
    assert_story("T1 lock A; T1 lock A recursive; T1 unlock A recursive; T1 unlock A", "hold",
                 "hold A T1 1..4");
    assert_count("T1 lock A; T1 lock A recursive; T1 unlock A recursive; T1 unlock A", overlaps, 0);
}

static void readers_share_and_a_writer_waits_for_them(void **state)
{
    const char *text = "T1 rdlock R; T2 rdlock R; T3 want R; T1 unlock R; T2 unlock R; T3 wrlock R;"
                       " T3 unlock R; T3 mark x";
    assert_story(text, "hold", "share R T1 1..4\nshare R T2 2..5\nhold R T3 6..7 waited 3");
    assert_story(text, "T3", "lock-wait R 3..6 owner T1 by T2\nrunning 6..9");
    assert_count(text, overlaps, 0);
}

static void a_reader_may_read_twice(void **state)
{
    assert_story("T1 rdlock R; T1 rdlock R; T1 unlock R; T1 unlock R", "hold", "share R T1 1..4");
}

static void an_unlock_that_failed_was_none(void **state)
{
    const char *text = "T1 lock A; T1 unlock A; T1 unlock-failed A; T1 mark x; T1 unlock A";
    assert_story(text, "hold", "hold A T1 1..5");
    assert_count(text, failed_releases, 1);
    assert_count("T1 lock A; T2 unlock A; T2 unlock-failed A EPERM; T1 unlock A", foreign_releases,
                 0);
    assert_story("T1 lock A; T2 unlock A; T2 unlock-failed A EPERM; T1 unlock A", "hold",
                 "hold A T1 1..4");
}

static void an_unlock_by_another_thread_ends_the_hold(void **state)
{
    const char *text = "T1 lock A; T2 unlock A; T3 lock A; T3 unlock A; T2 mark x";
    assert_story(text, "hold", "hold A T1 1..2\nhold A T3 3..4");
    assert_count(text, foreign_releases, 1);
    assert_count(text, overlaps, 0);
    assert_count("T1 unlock A; T1 mark x", unheld_releases, 1);
}

static void a_lock_taken_while_held_elsewhere_is_counted_and_goes_to_the_newer(void **state)
{
    const char *text = "T1 lock A; T2 lock A; T2 unlock A; T1 unlock A; T1 mark x";
    assert_story(text, "hold", "hold A T1 1..2\nhold A T2 2..3");
    assert_count(text, overlaps, 1);
    assert_count(text, unheld_releases, 1);
    assert_count("T1 lock A; T1 lock A; T1 unlock A", reacquired, 1);
    assert_story("T1 lock A; T1 lock A; T1 unlock A", "hold", "hold A T1 1..2\nhold A T1 2..3");
    assert_count("T1 rdlock R; T2 wrlock R", overlaps, 1);
    assert_count("T1 wrlock R; T2 rdlock R", overlaps, 1);
}

static void a_lost_release_is_the_gaps_fault(void **state)
{
    const char *text = "T1 lock A; T1 gap 5 since 2us; T2 lock A; T2 unlock A";
    assert_count(text, overlaps, 0);
    assert_count(text, cut_by_gap, 1);
    assert_story(text, "hold", "hold A T1 1..3\nhold A T2 3..4");
}

static void a_thread_that_ends_keeps_its_locks(void **state)
{
    assert_story("T1 lock A; T1 exit; T2 want A", "hold", "hold A T1 1..2 kept");
    assert_story("T1 lock A; T1 exit; T2 want A", "T2", "lock-wait A 3..4 owner T1 endless");
    assert_count("T1 lock A; T1 exit; T2 lock A owner-dead; T2 consistent A", overlaps, 0);
}

static void a_destroyed_lock_is_not_held_any_more(void **state)
{
    assert_story("T1 lock A; T1 destroy A; T1 init A; T1 lock A; T1 unlock A", "hold",
                 "hold A T1 1..2\nhold A#2 T1 4..5");
}

static void a_child_holds_what_its_parents_forking_thread_held(void **state)
{
    const char *text = "T1 lock A; T1 fork P2; P2.T2 attach by P1; T1 unlock A; T2 unlock A; "
                       "T2 exit";
    assert_story(text, "hold", "hold A T1 1..5\nhold A' T2 4..6");
    assert_count(text, unheld_releases, 0);
    assert_count(text, foreign_releases, 0);
}

static void a_lock_another_thread_held_at_the_fork_stays_locked_in_the_child(void **state)
{
    const char *text = "T1 lock A; T3 fork P2; P2.T2 attach by P1; T1 unlock A; T2 want A";
    assert_story(text, "T2", "running 4..6\nlock-wait A' 6..7 owner T1 endless");
}

static void a_handler_in_the_child_may_release_what_was_inherited(void **state)
{
    const char *text = "T1 lock A; T3 fork P2; P2.T2 attach by P1; T2 unlock A; T2 lock A; "
                       "T2 unlock A";
    assert_count(text, inherited_releases, 1);
    assert_count(text, overlaps, 0);
    assert_count("T1 init A; P2.T2 attach by P1; T2 unlock A; T2 mark x", inherited_releases, 1);
}

static void a_shared_lock_is_not_inherited(void **state)
{
    assert_story("T1 lock A shared; T1 fork P2; P2.T2 attach by P1; T2 want A shared", "T2",
                 "running 4..5\nlock-wait A 5..6 owner T1 endless");
}

static void a_wait_for_the_gil_has_a_state_of_its_own(void **state)
{
    assert_story("T1 name A GIL; T1 lock A; T2 want A; T1 unlock A; T2 lock A", "T2",
                 "gil-wait A 3..5 owner T1 by T1\nrunning 5..6");
}

static void waiters_stand_in_order_of_arrival(void **state)
{
    struct story story;
    story_tell(&story, "T1 lock A; T3 want A; T2 want A; T4 want A; T3 timeout A", false);
    const struct reel_world_object *lock =
        reel_world_object(story.world, story_object(&story, "A"));
    assert_int_equal(lock->owner, 1);
    assert_int_equal(lock->waiter_count, 2);
    assert_int_equal(lock->waiter[0], 2);
    assert_int_equal(lock->waiter[1], 4);
    const struct reel_wait *wait = reel_world_wait(story.world, 2);
    assert_int_equal(wait->since_ns, 3000);
    assert_int_equal(wait->owner, 1);
    assert_null(reel_world_wait(story.world, 3));
    assert_int_equal(reel_world_thread(story.world, 1)->held_count, 1);
    story_end(&story);
}

static void file_and_spin_locks_are_locks(void **state)
{
    assert_story("T1 lock A:spinlock; T2 want A; T1 unlock A; T2 lock A", "T2",
                 "lock-wait A 2..4 owner T1 by T1\nrunning 4..5");
    assert_story("P1.T1 lock F:file-lock; P2.T2 want F; T1 unlock F; T2 lock F", "T2",
                 "lock-wait F 2..4 owner T1 by T1\nrunning 4..5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lock_is_held_from_acquire_to_release),
        cmocka_unit_test(a_wait_names_the_owner_and_who_let_it_in),
        cmocka_unit_test(the_last_releaser_ends_a_wait_not_the_first_owner),
        cmocka_unit_test(a_wait_without_end_says_so),
        cmocka_unit_test(a_self_deadlock_names_itself_as_owner),
        cmocka_unit_test(a_wait_tells_how_long_nobody_stood_in_its_way),
        cmocka_unit_test(a_woken_waiter_is_kept_by_the_mutex_only_while_that_is_held),
        cmocka_unit_test(a_timed_lock_that_fails_is_a_wait_that_nobody_ended),
        cmocka_unit_test(a_failed_trylock_changes_nothing),
        cmocka_unit_test(a_recursive_lock_is_one_hold),
        cmocka_unit_test(readers_share_and_a_writer_waits_for_them),
        cmocka_unit_test(a_reader_may_read_twice),
        cmocka_unit_test(an_unlock_that_failed_was_none),
        cmocka_unit_test(an_unlock_by_another_thread_ends_the_hold),
        cmocka_unit_test(a_lock_taken_while_held_elsewhere_is_counted_and_goes_to_the_newer),
        cmocka_unit_test(a_lost_release_is_the_gaps_fault),
        cmocka_unit_test(a_thread_that_ends_keeps_its_locks),
        cmocka_unit_test(a_destroyed_lock_is_not_held_any_more),
        cmocka_unit_test(a_child_holds_what_its_parents_forking_thread_held),
        cmocka_unit_test(a_lock_another_thread_held_at_the_fork_stays_locked_in_the_child),
        cmocka_unit_test(a_handler_in_the_child_may_release_what_was_inherited),
        cmocka_unit_test(a_shared_lock_is_not_inherited),
        cmocka_unit_test(a_wait_for_the_gil_has_a_state_of_its_own),
        cmocka_unit_test(waiters_stand_in_order_of_arrival),
        cmocka_unit_test(file_and_spin_locks_are_locks),
    };
    return cmocka_run_group_tests_name("world: locks", tests, NULL, NULL);
}
