/* Crowds: a thousand threads, thousands of forks, long exec chains. Every event is in the trace or
 * counted as lost, and so is every thread and process.
 *
 *   crowd_test REEL CROWD */
#include <glib.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/kit/recording.h"

static const char *reel, *crowd;

struct tally {
    uint64_t acquires, releases, attaches, starts, posts, tries, writes;
};

static void add(void *data, const struct reel_event *event)
{
    struct tally *tally = data;
    bool mutex = event->class == REEL_CLASS_MUTEX;
    tally->acquires += mutex && event->operation == REEL_OP_ACQUIRE;
    tally->releases += mutex && event->operation == REEL_OP_RELEASE;
    bool semaphore = event->class == REEL_CLASS_SEMAPHORE;
    tally->posts += semaphore && event->operation == REEL_OP_POST;
    tally->tries += semaphore && event->flags & REEL_FLAG_TRY;
    tally->writes += event->class == REEL_CLASS_RWLOCK;
    tally->attaches += event->operation == REEL_OP_ATTACH;
    tally->starts += event->operation == REEL_OP_START;
}

static struct tally record(struct recording *recording, char *kind, char *count)
{
    char *options[] = {"--no-seal", "--no-scheduling", NULL};
    char *words[] = {(char *)crowd, kind, count, NULL};
    recording_start(recording, reel, NULL, options, words);
    int status = recording_wait(recording);
    g_autofree char *errors = recording_text(recording->errors);
    if (status != 0)
        fail_msg("status %d: %s", status, errors);
    struct tally tally = {0};
    struct reel_merge_statistics statistics = recording_read(recording, add, &tally);
    /* What the recorder says it stored is what is there. */
    uint64_t told = 0;
    const char *text = strstr(errors, "trace.reel: ");
    assert_non_null(text);
    assert_int_equal(sscanf(text, "trace.reel: %" SCNu64 " events", &told), 1);
    assert_int_equal(told, statistics.events);
    assert_int_equal(recording_ask(recording, "SELECT coalesce(sum(count), 0) FROM chunk"), told);
    return tally;
}

static void a_thousand_threads(void **state)
{
    (void)state;
    struct recording recording = {0};
    struct tally tally = record(&recording, "threads", "1000");
    uint64_t lost = recording_meta(&recording, "lost");
    assert_true(tally.releases + lost >= 10000 && tally.releases <= 10000);
    assert_true(tally.acquires + lost >= 10000 && tally.acquires <= 10000);
    if (lost == 0) {
        assert_int_equal(tally.starts, 1000);
        assert_int_equal(recording_ask(&recording, "SELECT count(*) FROM thread"), 1001);
        assert_int_equal(
            recording_ask(&recording, "SELECT count(*) FROM thread WHERE end_ns IS NULL"), 0);
    }
    recording_remove(&recording);
}

static void two_thousand_forks(void **state)
{
    (void)state;
    struct recording recording = {0};
    struct tally tally = record(&recording, "forks", "2000");
    uint64_t lost = recording_meta(&recording, "lost");
    assert_true(tally.releases + lost >= 20000 && tally.releases <= 20000);
    if (lost == 0) {
        assert_int_equal(tally.attaches, 2001);
        assert_int_equal(recording_ask(&recording, "SELECT count(*) FROM process"), 2001);
        assert_int_equal(
            recording_ask(&recording,
                          "SELECT count(*) FROM process WHERE exit_status IS NULL AND id > 1"),
            0);
        /* Each left with its number modulo 50. */
        assert_int_equal(
            recording_ask(&recording, "SELECT sum(exit_status) FROM process WHERE id > 1"),
            40 * (49 * 50 / 2));
    }
    recording_remove(&recording);
}

static void a_chain_of_images(void **state)
{
    (void)state;
    struct recording recording = {0};
    struct tally tally = record(&recording, "chain", "100");
    assert_int_equal(recording_meta(&recording, "lost"), 0);
    assert_int_equal(tally.releases, 1010);
    assert_int_equal(tally.attaches, 101);
    assert_int_equal(recording_ask(&recording, "SELECT count(*) FROM process"), 101);
    assert_int_equal(
        recording_ask(&recording, "SELECT count(*) FROM process WHERE image_of IS NOT NULL"), 100);
    assert_int_equal(
        recording_ask(&recording, "SELECT exit_status FROM process ORDER BY id DESC LIMIT 1"), 0);
    recording_remove(&recording);
}

static void a_handler_that_strikes_anywhere_loses_nothing(void **state)
{
    (void)state;
    struct recording recording = {0};
    struct tally tally = record(&recording, "signals", "1500000");
    g_autofree char *output = recording_text(recording.output);
    uint64_t handled = strtoull(output, NULL, 10);
    assert_true(handled > 100);
    assert_int_equal(recording_meta(&recording, "lost"), 0);
    assert_int_equal(tally.acquires, 1500000);
    assert_int_equal(tally.releases, 1500000);
    assert_int_equal(tally.posts, handled);
    assert_int_equal(tally.tries, handled);
    recording_remove(&recording);
}

static void jumps_out_of_handlers_do_not_stop_the_recording(void **state)
{
    (void)state;
    struct recording recording = {0};
    struct tally tally = record(&recording, "jumps", "3000");
    /* Each jump may leave a few records unfinished; they are counted. */
    assert_true(recording_meta(&recording, "lost") < 3000 * 4);
    assert_int_equal(tally.writes, 2000);
    recording_remove(&recording);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 99;
    reel = realpath(argv[1], NULL);
    crowd = realpath(argv[2], NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thousand_threads),
        cmocka_unit_test(two_thousand_forks),
        cmocka_unit_test(a_chain_of_images),
        cmocka_unit_test(a_handler_that_strikes_anywhere_loses_nothing),
        cmocka_unit_test(jumps_out_of_handlers_do_not_stop_the_recording),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
