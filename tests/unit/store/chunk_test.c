/* A chunk gives back what was put in, takes few bytes for it, and survives any bytes at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/store/random.h"
#include "tracer/store/chunk.h"

#include <stdlib.h>
#include <string.h>

static bool same_event(const struct reel_event *a, const struct reel_event *b)
{
    return a->time_ns == b->time_ns && a->object == b->object && a->sequence == b->sequence &&
           a->argument == b->argument && a->stack == b->stack && a->operation == b->operation &&
           a->class == b->class && a->flags == b->flags && a->extra_words == b->extra_words &&
           (a->extra_words == 0 || memcmp(a->extra, b->extra, 8u * a->extra_words) == 0);
}

/* Encodes `count` events as one chunk, decodes it, and expects the same; returns its bytes. */
static size_t round_trip(const struct reel_event *events, unsigned count)
{
    struct reel_error error = {0};
    struct reel_chunk_builder *builder = reel_chunk_builder_new();
    struct reel_chunk_reader *reader = reel_chunk_reader_new();
    for (unsigned i = 0; i < count; i++)
        assert_true(reel_chunk_builder_append(builder, &events[i]));
    struct reel_chunk chunk = reel_chunk_builder_finish(builder);
    assert_int_equal(chunk.count, count);
    assert_int_equal(chunk.first_ns, events[0].time_ns);
    assert_int_equal(chunk.last_ns, events[count - 1].time_ns);
    if (!reel_chunk_reader_load(reader, chunk.data, chunk.bytes, chunk.count, chunk.first_ns,
                                &error))
        fail_msg("%s", error.message);
    for (unsigned i = 0; i < count; i++) {
        const struct reel_event *event = reel_chunk_reader_next(reader);
        assert_non_null(event);
        assert_true(same_event(event, &events[i]));
    }
    assert_null(reel_chunk_reader_next(reader));
    reel_chunk_reader_free(reader);
    reel_chunk_builder_free(builder);
    return chunk.bytes;
}

/* Any values a recorder could write; every field changes all the time. */
static void fill_with_anything(struct reel_event *events, unsigned count, uint64_t words[64],
                               uint64_t *seed)
{
    uint64_t time = random_next(seed) >> 20;
    for (unsigned i = 0; i < 64; i++)
        words[i] = random_next(seed) >> random_below(seed, 64);
    for (unsigned i = 0; i < count; i++) {
        time += random_next(seed) >> (24 + random_below(seed, 40));
        events[i] = (struct reel_event){
            .time_ns = time,
            .object = random_next(seed) >> random_below(seed, 64),
            .sequence = (uint32_t)(random_next(seed) >> (32 + random_below(seed, 32))),
            .argument = (uint32_t)(random_next(seed) >> (32 + random_below(seed, 32))),
            .stack = (uint32_t)(random_next(seed) >> (32 + random_below(seed, 32))),
            .operation = (uint8_t)(REEL_OP_ATTACH + random_below(seed, 100)),
            .class = (uint8_t)random_below(seed, REEL_CLASS_LIMIT),
            .flags = (uint8_t)random_next(seed)};
        if (random_below(seed, 8) == 0) {
            events[i].extra_words = (uint8_t)(1 + random_below(seed, 60));
            events[i].extra = words + random_below(seed, 4);
        }
    }
}

static void any_events_come_back(void **state)
{
    static struct reel_event events[REEL_CHUNK_EVENTS];
    uint64_t words[64], seed = 7;
    for (unsigned round = 0; round < 60; round++) {
        unsigned count = 1 + random_below(&seed, REEL_CHUNK_EVENTS);
        fill_with_anything(events, count, words, &seed);
        round_trip(events, count);
    }
    fill_with_anything(events, REEL_CHUNK_EVENTS, words, &seed);
    round_trip(events, REEL_CHUNK_EVENTS);
}

static void extreme_values_come_back(void **state)
{
    const uint64_t words[] = {0, UINT64_MAX, 1ull << 63};
    const struct reel_event events[] = {
        {.operation = REEL_OP_MARK, .object = UINT64_MAX, .argument = UINT32_MAX},
        {.operation = REEL_OP_MARK, .sequence = UINT32_MAX, .stack = UINT32_MAX, .flags = 0xff},
        {.time_ns = INT64_MAX, .operation = 127, .class = 63, .extra_words = 3, .extra = words},
        {.time_ns = INT64_MAX, .operation = REEL_OP_MARK, .sequence = 1},
    };
    round_trip(events, 4);
}

static void a_lock_heavy_stream_takes_at_most_ten_bytes_an_event(void **state)
{
    static struct reel_event events[REEL_CHUNK_EVENTS];
    uint64_t seed = 3, time = 1000000;
    uint32_t sequence[16] = {0};
    for (unsigned i = 0; i < REEL_CHUNK_EVENTS; i += 2) {
        unsigned lock = random_below(&seed, 16);
        uint32_t stack = 100 + 3 * lock + random_below(&seed, 40) * 50;
        sequence[lock] += 1 + random_below(&seed, 12); /* other threads come between */
        for (unsigned k = 0; k < 2; k++) {
            time += 20 + random_below(&seed, 2000);
            events[i + k] = (struct reel_event){.time_ns = time,
                                                .object = 0x7f0000001000 + lock * 64,
                                                .sequence = ++sequence[lock],
                                                .stack = stack + k,
                                                .operation = k ? REEL_OP_RELEASE : REEL_OP_ACQUIRE,
                                                .class = REEL_CLASS_MUTEX};
        }
    }
    assert_true(round_trip(events, REEL_CHUNK_EVENTS) <= 10 * REEL_CHUNK_EVENTS);
}

static void a_full_chunk_takes_no_more_and_starts_afresh(void **state)
{
    struct reel_chunk_builder *builder = reel_chunk_builder_new();
    struct reel_event event = {.operation = REEL_OP_MARK, .time_ns = 10};
    for (unsigned i = 0; i < REEL_CHUNK_EVENTS; i++)
        assert_true(reel_chunk_builder_append(builder, &event));
    assert_false(reel_chunk_builder_append(builder, &event));
    assert_int_equal(reel_chunk_builder_count(builder), REEL_CHUNK_EVENTS);
    assert_int_equal(reel_chunk_builder_finish(builder).count, REEL_CHUNK_EVENTS);
    assert_int_equal(reel_chunk_builder_finish(builder).count, 0);
    assert_true(reel_chunk_builder_append(builder, &event));
    assert_int_equal(reel_chunk_builder_count(builder), 1);
    reel_chunk_builder_free(builder);
}

static void a_time_that_goes_back_is_raised(void **state)
{
    struct reel_chunk_builder *builder = reel_chunk_builder_new();
    struct reel_event event = {.operation = REEL_OP_MARK, .time_ns = 10};
    assert_true(reel_chunk_builder_append(builder, &event));
    event.time_ns = 4;
    assert_true(reel_chunk_builder_append(builder, &event));
    assert_int_equal(reel_chunk_builder_finish(builder).last_ns, 10);
    assert_true(reel_chunk_builder_append(builder, &event));
    assert_int_equal(reel_chunk_builder_finish(builder).first_ns, 10);
    reel_chunk_builder_free(builder);
}

static void damaged_bytes_are_an_error_or_some_events_but_never_a_crash(void **state)
{
    static struct reel_event events[300];
    uint64_t words[64], seed = 11;
    struct reel_chunk_builder *builder = reel_chunk_builder_new();
    struct reel_chunk_reader *reader = reel_chunk_reader_new();
    unsigned refused = 0;
    for (unsigned round = 0; round < 3000; round++) {
        unsigned count = 1 + random_below(&seed, 300);
        fill_with_anything(events, count, words, &seed);
        for (unsigned i = 0; i < count; i++)
            reel_chunk_builder_append(builder, &events[i]);
        struct reel_chunk chunk = reel_chunk_builder_finish(builder);
        size_t bytes = random_below(&seed, 4) ? chunk.bytes : random_below(&seed, chunk.bytes + 1);
        uint8_t *copy = malloc(bytes ? bytes : 1); /* exact, so that a sanitizer sees an overrun */
        memcpy(copy, chunk.data, bytes);
        for (unsigned flips = random_below(&seed, 6); bytes && flips > 0; flips--)
            copy[random_below(&seed, bytes)] = (uint8_t)random_next(&seed);
        struct reel_error error = {0};
        if (reel_chunk_reader_load(reader, copy, bytes, chunk.count, chunk.first_ns, &error)) {
            uint64_t last = 0;
            for (const struct reel_event *event; (event = reel_chunk_reader_next(reader));) {
                assert_true(event->time_ns >= last);
                last = event->time_ns;
            }
        } else {
            refused++;
            assert_int_equal(error.code, REEL_ERROR_DAMAGED);
            assert_null(reel_chunk_reader_next(reader));
        }
        free(copy);
    }
    assert_true(refused > 500);
    reel_chunk_reader_free(reader);
    reel_chunk_builder_free(builder);
}

static void impossible_counts_are_refused(void **state)
{
    struct reel_chunk_reader *reader = reel_chunk_reader_new();
    struct reel_error error = {0};
    assert_false(reel_chunk_reader_load(reader, "\1", 1, 0, 0, &error));
    assert_false(reel_chunk_reader_load(reader, "\1", 1, REEL_CHUNK_EVENTS + 1, 0, &error));
    assert_false(reel_chunk_reader_load(reader, "\1", 1, 1, UINT64_MAX, &error));
    assert_false(reel_chunk_reader_load(reader, "", 0, 1, 0, &error));
    reel_chunk_reader_free(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_events_come_back),
        cmocka_unit_test(extreme_values_come_back),
        cmocka_unit_test(a_lock_heavy_stream_takes_at_most_ten_bytes_an_event),
        cmocka_unit_test(a_full_chunk_takes_no_more_and_starts_afresh),
        cmocka_unit_test(a_time_that_goes_back_is_raised),
        cmocka_unit_test(damaged_bytes_are_an_error_or_some_events_but_never_a_crash),
        cmocka_unit_test(impossible_counts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
