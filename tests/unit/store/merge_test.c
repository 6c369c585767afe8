/* Merging: the true order comes out of clocks that lie, also when events were lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "probes/event/region.h"
#include "tests/unit/store/random.h"
#include "tests/unit/store/recording.h"
#include "tests/unit/store/scratch.h"
#include "tracer/store/merge.h"
#include "tracer/store/presence.h"

#include <stdlib.h>
#include <string.h>

static struct recording recording;

static void add(uint32_t thread, uint64_t time, uint64_t object, uint32_t sequence,
                uint32_t argument)
{
    recording_add(&recording, &(struct reel_event){.thread = thread,
                                                   .process = 1,
                                                   .time_ns = time,
                                                   .object = object,
                                                   .sequence = sequence,
                                                   .argument = argument,
                                                   .operation = REEL_OP_MARK});
}

/* Merges what was recorded and expects the arguments in this order. */
static struct reel_merge_statistics expect_order(const uint32_t *arguments, unsigned count)
{
    struct reel_error error = {0};
    recording_flush(&recording);
    struct reel_merge *merge = reel_merge_new(recording.trace, &error);
    assert_non_null(merge);
    uint64_t last = 0;
    for (unsigned i = 0; i < count; i++) {
        const struct reel_event *event = reel_merge_next(merge, &error);
        assert_non_null(event);
        assert_int_equal(event->argument, arguments[i]);
        assert_true(i == 0 || event->time_ns > last);
        last = event->time_ns;
    }
    assert_null(reel_merge_next(merge, &error));
    assert_int_equal(error.code, REEL_ERROR_NONE);
    struct reel_merge_statistics statistics = *reel_merge_statistics(merge);
    assert_int_equal(statistics.events, count);
    reel_merge_free(merge);
    reel_trace_close(recording.trace, NULL);
    return statistics;
}

#define EXPECT_ORDER(...)                                                                          \
    expect_order((const uint32_t[]){__VA_ARGS__},                                                  \
                 sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static void begin(void **state)
{
    recording_begin(&recording, scratch_path(*state, "merge.reel"), REEL_CHUNK_EVENTS);
}

static void an_empty_trace_has_no_events(void **state)
{
    begin(state);
    expect_order(NULL, 0);
}

static void without_sequences_time_decides(void **state)
{
    begin(state);
    add(1, 10, 1, 0, 1);
    add(1, 30, 1, 0, 3);
    add(2, 20, 1, 0, 2);
    add(2, 40, 1, 0, 4);
    struct reel_merge_statistics statistics = EXPECT_ORDER(1, 2, 3, 4);
    assert_int_equal(statistics.repaired, 0);
}

static void a_sequence_beats_the_clock(void **state)
{
    begin(state);
    add(1, 100, 7, 1, 1);
    add(2, 50, 7, 2, 2); /* its clock is behind */
    add(2, 60, 8, 0, 3); /* and holds back what comes after it in its thread */
    struct reel_merge_statistics statistics = EXPECT_ORDER(1, 2, 3);
    assert_int_equal(statistics.repaired, 1);
    assert_int_equal(statistics.largest_repair_ns, 51);
    assert_int_equal(statistics.orders_broken, 0);
}

static void objects_of_two_processes_at_one_address_are_two(void **state)
{
    begin(state);
    struct reel_event event = {.thread = 1,
                               .process = 1,
                               .object = 7,
                               .time_ns = 10,
                               .sequence = 1,
                               .argument = 1,
                               .operation = REEL_OP_MARK};
    recording_add(&recording, &event);
    event.thread = event.process = 2;
    event.time_ns = 5;
    event.argument = 2;
    recording_add(&recording, &event);
    struct reel_merge_statistics statistics = EXPECT_ORDER(2, 1);
    assert_int_equal(statistics.orders_broken, 0);
}

static void a_shared_object_of_two_processes_is_one(void **state)
{
    begin(state);
    struct reel_event event = {.thread = 1,
                               .process = 1,
                               .object = 7,
                               .time_ns = 10,
                               .sequence = 1,
                               .argument = 1,
                               .operation = REEL_OP_MARK,
                               .flags = REEL_FLAG_SHARED_OBJECT};
    recording_add(&recording, &event);
    event.thread = event.process = 2;
    event.time_ns = 5;
    event.sequence = 2;
    event.argument = 2;
    recording_add(&recording, &event);
    EXPECT_ORDER(1, 2);
}

/* Two addresses whose events share a stripe. */
static uint64_t same_stripe_as(uint64_t object)
{
    uint64_t image = (uint64_t)REEL_SEQUENCE_IMAGE(1u) << 48, other = object;
    uint64_t stripe = REEL_SEQUENCE_HASH(image | object) >> 52 & (REEL_STRIPES - 1);
    do
        other += 16;
    while ((REEL_SEQUENCE_HASH(image | other) >> 52 & (REEL_STRIPES - 1)) != stripe);
    return other;
}

static void objects_of_one_stripe_are_ordered_together(void **state)
{
    begin(state);
    struct reel_event event = {.thread = 1,
                               .process = 1,
                               .object = 0x1000,
                               .time_ns = 10,
                               .sequence = 1,
                               .argument = 1,
                               .operation = REEL_OP_MARK,
                               .flags = REEL_FLAG_STRIPED};
    recording_add(&recording, &event);
    event.thread = 2;
    event.object = same_stripe_as(0x1000);
    event.time_ns = 5;
    event.sequence = 2;
    event.argument = 2;
    recording_add(&recording, &event);
    EXPECT_ORDER(1, 2);
}

static void a_lost_predecessor_is_counted_and_does_not_hold_up_the_rest(void **state)
{
    begin(state);
    add(1, 10, 7, 2, 1); /* 1 is lost */
    add(1, 20, 7, 3, 2);
    for (uint32_t i = 0; i < 100; i++)
        add(2, 15 + 1000000ull * i, 8, 0, 100 + i);
    uint32_t expected[102] = {0};
    /* Found out by the first wait longer than the merge's patience of 10 ms. */
    unsigned at = 0;
    for (uint32_t i = 0; i < 10; i++)
        expected[at++] = 100 + i;
    expected[at++] = 1;
    expected[at++] = 2;
    for (uint32_t i = 10; i < 100; i++)
        expected[at++] = 100 + i;
    struct reel_merge_statistics statistics = expect_order(expected, at);
    assert_int_equal(statistics.orders_broken, 1);
}

static void with_a_gap_in_the_stream_nothing_waits_for_what_was_lost(void **state)
{
    begin(state);
    recording_add(&recording, &(struct reel_event){.thread = 2,
                                                   .process = 1,
                                                   .time_ns = 5,
                                                   .operation = REEL_OP_GAP,
                                                   .class = REEL_CLASS_RECORDER});
    add(1, 10, 7, 2, 1);
    add(2, 15, 8, 0, 2);
    add(1, 20, 7, 5, 3); /* waits for 4, which is there; 3 is not */
    add(2, 30, 7, 4, 4);
    struct reel_merge_statistics statistics = EXPECT_ORDER(0, 1, 2, 4, 3);
    assert_int_equal(statistics.orders_broken, 2);
    assert_int_equal(statistics.repaired, 1);
}

static void contradictory_sequences_still_deliver_every_event(void **state)
{
    begin(state);
    add(1, 10, 7, 2, 1); /* each thread's first event waits for the other's second */
    add(1, 20, 8, 1, 2);
    add(2, 11, 8, 2, 3);
    add(2, 21, 7, 1, 4);
    struct reel_merge_statistics statistics = EXPECT_ORDER(1, 2, 3, 4);
    assert_int_equal(statistics.orders_broken, 1);
}

static void a_damaged_chunk_is_an_error_that_names_it(void **state)
{
    begin(state);
    add(1, 10, 7, 1, 1);
    recording_flush(&recording);
    sqlite3_exec(reel_trace_database(recording.trace), "UPDATE chunk SET data = x'01ff'", NULL,
                 NULL, NULL);
    struct reel_error error = {0};
    assert_null(reel_merge_new(recording.trace, &error));
    assert_int_equal(error.code, REEL_ERROR_DAMAGED);
    assert_non_null(strstr(error.message, "chunk 1"));
    reel_trace_close(recording.trace, NULL);
}

static void a_tolerant_merge_leaves_out_what_is_damaged(void **state)
{
    recording_begin(&recording, scratch_path(*state, "merge.reel"), 2);
    for (uint32_t i = 0; i < 12; i++)
        add(1 + i / 8, 10 + i, 7, i + 1, i); /* thread 1: chunks of 0-7, thread 2: of 8-11 */
    recording_flush(&recording);
    /* Chunks of events 2 and 3, 6 and 7, and all of thread 2. */
    sqlite3_exec(reel_trace_database(recording.trace),
                 "UPDATE chunk SET data = x'01ff' WHERE id IN (2, 4) OR thread = 2", NULL, NULL,
                 NULL);
    struct reel_error error = {0};
    struct reel_merge *merge = reel_merge_new_tolerant(recording.trace, &error);
    assert_non_null(merge);
    static const uint32_t expected[] = {0, 1, 4, 5};
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(reel_merge_next(merge, &error)->argument, expected[i]);
    assert_null(reel_merge_next(merge, &error));
    assert_int_equal(error.code, REEL_ERROR_NONE);
    assert_int_equal(reel_merge_statistics(merge)->damaged_chunks, 4);
    assert_int_equal(reel_merge_statistics(merge)->orders_broken, 1);
    reel_merge_free(merge);
    reel_trace_close(recording.trace, NULL);
}

/* A made-up run: every step some thread uses some lock; the true order is the order of the steps.
 * Each thread's clock is off by its own amount and jitters, but goes forward. */
static void random_run(const char *path, uint64_t *seed, unsigned threads, unsigned locks,
                       unsigned steps, unsigned skew, unsigned chunk_events)
{
    static uint64_t clock[64];
    static uint32_t sequence[64];
    uint64_t offset[64];
    memset(clock, 0, sizeof clock);
    memset(sequence, 0, sizeof sequence);
    for (unsigned i = 0; i < threads; i++)
        offset[i] = random_below(seed, skew + 1);
    recording_begin(&recording, path, chunk_events);
    for (unsigned step = 0; step < steps; step++) {
        unsigned thread = random_below(seed, threads), lock = random_below(seed, locks);
        uint64_t time = 100000 + step * 20ull + offset[thread] + random_below(seed, skew + 1);
        clock[thread] = time > clock[thread] ? time : clock[thread];
        add(1 + thread, clock[thread], 0x1000 + 64 * lock, ++sequence[lock], step);
    }
    recording_flush(&recording);
}

static void the_true_order_of_every_lock_comes_out(void **state)
{
    uint64_t seed = 99;
    for (unsigned round = 0; round < 40; round++) {
        unsigned threads = 2 + random_below(&seed, 30), locks = 1 + random_below(&seed, 20);
        unsigned steps = 5000, skew = random_below(&seed, 3) * 5000;
        random_run(scratch_path(*state, "random.reel"), &seed, threads, locks, steps, skew,
                   1 + random_below(&seed, 300));
        struct reel_error error = {0};
        struct reel_merge *merge = reel_merge_new(recording.trace, &error);
        assert_non_null(merge);
        uint64_t last_time = 0;
        /* The last step seen, by thread and by lock: it may only grow. */
        uint32_t by_thread[64] = {0}, by_lock[64] = {0}, seen = 0;
        for (const struct reel_event *event; (event = reel_merge_next(merge, &error)); seen++) {
            uint32_t lock = (uint32_t)(event->object - 0x1000) / 64;
            assert_true(seen == 0 || event->time_ns > last_time);
            assert_true(event->argument >= by_thread[event->thread]);
            assert_true(event->argument >= by_lock[lock]);
            last_time = event->time_ns;
            by_thread[event->thread] = event->argument + 1;
            by_lock[lock] = event->argument + 1;
        }
        assert_int_equal(error.code, REEL_ERROR_NONE);
        assert_int_equal(seen, steps);
        assert_int_equal(reel_merge_statistics(merge)->orders_broken, 0);
        if (skew > 0 && locks == 1) /* one lock orders everything: not only no inversion */
            assert_true(reel_merge_statistics(merge)->repaired > 0);
        reel_merge_free(merge);
        reel_trace_close(recording.trace, NULL);
    }
}

static void one_lock_orders_everything(void **state)
{
    uint64_t seed = 5;
    random_run(scratch_path(*state, "one.reel"), &seed, 8, 1, 20000, 3000, 500);
    struct reel_error error = {0};
    struct reel_merge *merge = reel_merge_new(recording.trace, &error);
    uint32_t seen = 0;
    for (const struct reel_event *event; (event = reel_merge_next(merge, &error)); seen++)
        assert_int_equal(event->argument, seen);
    assert_int_equal(seen, 20000);
    assert_true(reel_merge_statistics(merge)->repaired > 1000);
    reel_merge_free(merge);
    reel_trace_close(recording.trace, NULL);
}

/* As random_run, but some events never reach the trace. */
static void with_losses_the_rest_keeps_its_order(void **state)
{
    uint64_t seed = 31;
    for (unsigned round = 0; round < 20; round++) {
        unsigned threads = 2 + random_below(&seed, 10), locks = 1 + random_below(&seed, 8);
        uint32_t sequence[8] = {0}, written = 0;
        uint64_t clock[16] = {0};
        recording_begin(&recording, scratch_path(*state, "lossy.reel"), 100);
        for (unsigned step = 0; step < 5000; step++) {
            unsigned thread = random_below(&seed, threads), lock = random_below(&seed, locks);
            uint64_t time = 1 + step * 20ull + random_below(&seed, 500);
            clock[thread] = time > clock[thread] ? time : clock[thread];
            sequence[lock]++;
            if (random_below(&seed, 50) == 0)
                continue;
            add(1 + thread, clock[thread], 0x1000 + 64 * lock, sequence[lock], step);
            written++;
        }
        assert_true(reel_trace_put_thread(
            recording.trace, &(struct reel_thread_row){.id = 1, .process = 1, .lost = 100}, NULL));
        recording_flush(&recording);
        struct reel_error error = {0};
        struct reel_merge *merge = reel_merge_new(recording.trace, &error);
        uint32_t by_thread[64] = {0}, by_lock[64] = {0}, seen = 0;
        for (const struct reel_event *event; (event = reel_merge_next(merge, &error)); seen++) {
            uint32_t lock = (uint32_t)(event->object - 0x1000) / 64;
            assert_true(event->argument >= by_thread[event->thread]);
            assert_true(event->argument >= by_lock[lock]);
            by_thread[event->thread] = event->argument + 1;
            by_lock[lock] = event->argument + 1;
            /* The loss must not tear the order of time: an event is never late by more than the
             * clocks' disagreement and what waited with it. */
            assert_true(event->time_ns < 1 + event->argument * 20ull + 20000);
        }
        assert_int_equal(seen, written);
        assert_true(reel_merge_statistics(merge)->orders_broken > 0);
        assert_true(reel_merge_statistics(merge)->orders_broken <= 5000 - written);
        reel_merge_free(merge);
        reel_trace_close(recording.trace, NULL);
    }
}

static void two_thousand_streams_merge(void **state)
{
    uint64_t seed = 17;
    recording_begin(&recording, scratch_path(*state, "many.reel"), 50);
    uint32_t sequence = 0;
    for (unsigned step = 0; step < 100000; step++) {
        bool is_lock = random_below(&seed, 4) == 0;
        add(1 + random_below(&seed, 2000), 10 * step + 1, is_lock ? 7 : 8, is_lock ? ++sequence : 0,
            step);
    }
    recording_flush(&recording);
    struct reel_error error = {0};
    struct reel_merge *merge = reel_merge_new(recording.trace, &error);
    uint32_t seen = 0;
    for (const struct reel_event *event; (event = reel_merge_next(merge, &error)); seen++)
        assert_int_equal(event->argument, seen);
    assert_int_equal(seen, 100000);
    reel_merge_free(merge);
    reel_trace_close(recording.trace, NULL);
}

static void presence_knows_exactly_what_was_added(void **state)
{
    enum { domains = 3, limit = 500 };
    static bool is_there[domains][limit + 1];
    uint64_t seed = 4;
    struct reel_presence *presence = reel_presence_new();
    for (unsigned i = 0; i < 900; i++) {
        uint32_t domain = random_below(&seed, domains), sequence = 1 + random_below(&seed, limit);
        is_there[domain][sequence] = true;
        assert_true(reel_presence_add(presence, domain, sequence));
    }
    assert_true(reel_presence_finish(presence));
    for (uint32_t domain = 0; domain < domains; domain++)
        for (uint32_t from = 1; from <= limit; from++)
            for (uint32_t to = from; to <= limit && to < from + 20; to++) {
                uint32_t expected = 0;
                for (uint32_t i = from; i <= to; i++)
                    expected = is_there[domain][i] ? i : expected;
                assert_int_equal(reel_presence_last(presence, domain, from, to), expected);
            }
    reel_presence_free(presence);
}

static void presence_joins_runs_over_batches(void **state)
{
    struct reel_presence *presence = reel_presence_new();
    /* Odd numbers first, even ones in a later batch, so that runs grow together. */
    for (uint32_t start = 1; start <= 2; start++)
        for (uint32_t i = start; i <= 3000000; i += 2)
            assert_true(reel_presence_add(presence, 9, i));
    assert_true(reel_presence_finish(presence));
    assert_int_equal(reel_presence_last(presence, 9, 1, 2999999), 2999999);
    assert_int_equal(reel_presence_last(presence, 9, 1, UINT32_MAX), 3000000);
    assert_int_equal(reel_presence_last(presence, 9, 3000001, UINT32_MAX), 0);
    assert_int_equal(reel_presence_last(presence, 8, 1, UINT32_MAX), 0);
    reel_presence_free(presence);
}

int main(void)
{
#define SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        SCRATCH(an_empty_trace_has_no_events),
        SCRATCH(without_sequences_time_decides),
        SCRATCH(a_sequence_beats_the_clock),
        SCRATCH(objects_of_two_processes_at_one_address_are_two),
        SCRATCH(a_shared_object_of_two_processes_is_one),
        SCRATCH(objects_of_one_stripe_are_ordered_together),
        SCRATCH(a_lost_predecessor_is_counted_and_does_not_hold_up_the_rest),
        SCRATCH(with_a_gap_in_the_stream_nothing_waits_for_what_was_lost),
        SCRATCH(contradictory_sequences_still_deliver_every_event),
        SCRATCH(a_damaged_chunk_is_an_error_that_names_it),
        SCRATCH(a_tolerant_merge_leaves_out_what_is_damaged),
        SCRATCH(the_true_order_of_every_lock_comes_out),
        SCRATCH(one_lock_orders_everything),
        SCRATCH(with_losses_the_rest_keeps_its_order),
        SCRATCH(two_thousand_streams_merge),
        cmocka_unit_test(presence_knows_exactly_what_was_added),
        cmocka_unit_test(presence_joins_runs_over_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
