/* The order is exact: the trace agrees with what the program itself wrote down, section by section,
 * and no two hold a lock at once.
 *
 *   order_test REEL ORDERED       REEL_FULL=1: a million sections of each worker */
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/kit/recording.h"
#include "tests/order/ordered.h"

#define WORKERS 8

static const char *reel, *ordered;

struct check {
    struct ordered *page;
    enum reel_class class;
    int32_t *tid;       /* by thread */
    uint32_t threads;   /* room in it */
    uint32_t entered;   /* exclusively */
    uint32_t writer;    /* thread that holds it */
    uint32_t readers;   /* that hold it */
    uint64_t misplaced; /* sections that the program gave to another thread */
    uint64_t overlaps;  /* acquires while held, releases by another */
};

static void check(void *data, const struct reel_event *event)
{
    struct check *check = data;
    if (event->class != check->class)
        return;
    bool reading = event->flags & REEL_FLAG_READ;
    if (event->operation == REEL_OP_ACQUIRE) {
        check->overlaps += check->writer != 0 || (!reading && check->readers != 0);
        if (reading) {
            check->readers++;
            return;
        }
        check->writer = event->thread;
        int32_t tid = event->thread < check->threads ? check->tid[event->thread] : 0;
        check->misplaced += check->page->holder[check->entered++] != tid;
    } else if (event->operation == REEL_OP_RELEASE) {
        if (reading) {
            check->overlaps += check->readers == 0;
            check->readers -= check->readers != 0;
        } else {
            check->overlaps += check->writer != event->thread;
            check->writer = 0;
        }
    }
}

static void learn_threads(struct check *check, const struct recording *recording)
{
    int64_t last = recording_ask(recording, "SELECT max(id) FROM thread");
    assert_true(last > 0 && last < 100000);
    check->threads = (uint32_t)last + 1;
    check->tid = g_new0(int32_t, check->threads);
    for (uint32_t i = 1; i < check->threads; i++) {
        g_autofree char *sql = g_strdup_printf("SELECT tid FROM thread WHERE id = %u", i);
        check->tid[i] = (int32_t)recording_ask(recording, sql);
    }
}

static void agree(const char *kind, enum reel_class class, uint32_t each)
{
    struct recording recording = {0};
    strcpy(recording.folder, "/tmp/reel-test-XXXXXX");
    assert_non_null(mkdtemp(recording.folder));
    uint32_t all = each * WORKERS;
    struct ordered *page =
        recording_page(&recording, "page", sizeof *page + (size_t)all * sizeof page->holder[0]);
    g_autofree char *path = g_strdup_printf("%s/page", recording.folder);
    g_autofree char *workers = g_strdup_printf("%d", WORKERS);
    g_autofree char *sections = g_strdup_printf("%u", each);
    char *words[] = {(char *)ordered, path, (char *)kind, workers, sections, NULL};
    char *options[] = {"--no-seal", "--quiet", "--lossless", "--no-scheduling", NULL};
    recording_start(&recording, reel, NULL, options, words);
    assert_int_equal(recording_wait(&recording), 0);
    assert_int_equal(page->sections, all);
    assert_int_equal(recording_meta(&recording, "lost"), 0);

    struct check state = {.page = page, .class = class};
    learn_threads(&state, &recording);
    struct reel_merge_statistics statistics = recording_read(&recording, check, &state);
    printf("%s: %u sections, %llu events, %llu put right\n", kind, state.entered,
           (unsigned long long)statistics.events, (unsigned long long)statistics.repaired);
    assert_int_equal(state.entered, all);
    assert_int_equal(state.misplaced, 0);
    assert_int_equal(state.overlaps, 0);
    assert_int_equal(statistics.orders_broken, 0);
    g_free(state.tid);
    recording_remove(&recording);
}

static uint32_t each(void)
{
    return getenv("REEL_FULL") ? 1000000 : 50000;
}

static void mutexes_are_in_the_programs_order(void **state)
{
    (void)state;
    agree("mutex", REEL_CLASS_MUTEX, each());
}

static void spin_locks_are_in_the_programs_order(void **state)
{
    (void)state;
    /* Eight that spin on two processors mostly wait for one that does not run. */
    agree("spin", REEL_CLASS_SPINLOCK, each() / 10);
}

static void writers_of_a_lock_are_in_the_programs_order(void **state)
{
    (void)state;
    agree("rwlock", REEL_CLASS_RWLOCK, each());
}

static void processes_share_one_order_of_a_mutex(void **state)
{
    (void)state;
    agree("shared-mutex", REEL_CLASS_MUTEX, each());
}

static void processes_share_one_order_of_a_spin_lock(void **state)
{
    (void)state;
    agree("shared-spin", REEL_CLASS_SPINLOCK, each() / 10);
}

static void processes_share_one_order_of_a_rwlock(void **state)
{
    (void)state;
    agree("shared-rwlock", REEL_CLASS_RWLOCK, each());
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 99;
    reel = realpath(argv[1], NULL);
    ordered = realpath(argv[2], NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mutexes_are_in_the_programs_order),
        cmocka_unit_test(spin_locks_are_in_the_programs_order),
        cmocka_unit_test(writers_of_a_lock_are_in_the_programs_order),
        cmocka_unit_test(processes_share_one_order_of_a_mutex),
        cmocka_unit_test(processes_share_one_order_of_a_spin_lock),
        cmocka_unit_test(processes_share_one_order_of_a_rwlock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
