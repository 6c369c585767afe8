/* The world at an instant of a sealed trace: by hand, and against the world itself stopped there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/model/sealed.h"
#include "tests/unit/store/scratch.h"
#include "tracer/model/instant.h"

static const struct reel_instant *at(struct reel_instants *instants, uint64_t time_ns)
{
    struct reel_error error = {0};
    const struct reel_instant *instant = reel_instants_at(instants, time_ns, &error);
    if (!instant)
        fail_msg("%s", error.message);
    return instant;
}

static void a_deadlock_is_seen_as_a_cycle_of_edges(void **state)
{
    struct reel_trace *trace =
        record_text(*state, "a.reel", "T1 lock A; T2 lock B; T1 want B; T2 want A; T3 mark x");
    seal(trace);
    struct reel_instants *instants = reel_instants_new(trace, NULL);
    const struct reel_instant *instant = at(instants, 3500);
    assert_int_equal(instant->thread_count, 2);
    assert_int_equal(instant->hold_count, 2);
    assert_int_equal(instant->edge_count, 1);
    instant = at(instants, 5000);
    assert_int_equal(instant->thread_count, 3);
    assert_int_equal(instant->edge_count, 2);
    assert_int_equal(instant->edge[0].from, 1);
    assert_int_equal(instant->edge[0].to, 2);
    assert_int_equal(instant->edge[1].from, 2);
    assert_int_equal(instant->edge[1].to, 1);
    assert_int_equal(instant->thread[0].state, REEL_STATE_LOCK_WAIT);
    assert_int_equal(instant->thread[0].since_ns, 3000);
    assert_int_equal(instant->thread[0].holder, 2);
    assert_int_equal(instant->thread[0].ended_event, 0);
    assert_string_equal(instant->thread[0].call, "lock");
    reel_instants_free(instants);
    reel_trace_close(trace, NULL);
}

static void an_event_at_the_instant_has_happened(void **state)
{
    struct reel_trace *trace = record_text(*state, "a.reel", "T1 lock A; T1 unlock A; T1 mark x");
    seal(trace);
    struct reel_instants *instants = reel_instants_new(trace, NULL);
    assert_int_equal(at(instants, 999)->hold_count, 0);
    assert_int_equal(at(instants, 999)->thread_count, 0);
    assert_int_equal(at(instants, 1000)->hold_count, 1);
    assert_int_equal(at(instants, 1999)->hold_count, 1);
    assert_int_equal(at(instants, 2000)->hold_count, 0);
    const struct reel_instant *last = at(instants, UINT64_MAX);
    assert_int_equal(last->time_ns, 3000);
    assert_int_equal(last->thread_count, 1);
    reel_instants_free(instants);
    reel_trace_close(trace, NULL);
}

static void waiters_stand_in_order_of_arrival(void **state)
{
    struct reel_trace *trace = record_text(
        *state, "a.reel", "T1 lock A; T4 want A; T2 want A; T3 want A; T1 mark x; T1 mark y");
    seal(trace);
    struct reel_instants *instants = reel_instants_new(trace, NULL);
    const struct reel_instant *instant = at(instants, 5500);
    size_t index[8];
    uint32_t lock = instant->hold[0].object;
    assert_int_equal(reel_instant_waiters(instant, lock, index, 8), 3);
    assert_int_equal(instant->thread[index[0]].thread, 4);
    assert_int_equal(instant->thread[index[1]].thread, 2);
    assert_int_equal(instant->thread[index[2]].thread, 3);
    assert_int_equal(reel_instant_waiters(instant, lock, index, 2), 3);
    assert_int_equal(instant->thread[index[0]].thread, 4);
    assert_int_equal(instant->thread[index[1]].thread, 2);
    assert_int_equal(reel_instant_waiters(instant, lock, NULL, 0), 3);
    reel_instants_free(instants);
    reel_trace_close(trace, NULL);
}

static void a_join_is_an_edge_and_a_queue_has_a_depth(void **state)
{
    struct reel_trace *trace =
        record_text(*state, "a.reel",
                    "T1 create T2; T2 start; T1 begin join T2; T2 put Q; T2 put Q; T2 get Q; "
                    "T2 write pipe P 7; T2 mark x");
    seal(trace);
    struct reel_instants *instants = reel_instants_new(trace, NULL);
    const struct reel_instant *instant = at(instants, 8500);
    assert_int_equal(instant->edge_count, 1);
    assert_int_equal(instant->edge[0].to, 2);
    assert_int_equal(instant->queue_count, 2);
    assert_int_equal(instant->queue[0].depth, 1);
    assert_int_equal(instant->queue[1].depth, 7);
    reel_instants_free(instants);
    reel_trace_close(trace, NULL);
}

static void an_unsealed_trace_has_no_instants_yet(void **state)
{
    struct reel_trace *trace = record_text(*state, "a.reel", "T1 lock A");
    struct reel_error error = {0};
    assert_null(reel_instants_new(trace, &error));
    assert_int_equal(error.code, REEL_ERROR_USAGE);
    assert_true(error.hint[0]);
    reel_trace_close(trace, NULL);
}

/* A random program over locks and queues, long enough for several key frames. */
static char *random_program(unsigned steps)
{
    enum { THREADS = 6, LOCKS = 5 };
    int owner[LOCKS] = {0}, wants[THREADS + 1] = {0}, held[THREADS + 1] = {0};
    uint64_t s = 4711;
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    for (unsigned step = 0; step < steps; step++) {
        s = s * 6364136223846793005ull + 1442695040888963407ull;
        int t = 1 + (int)(s >> 33) % THREADS, l = (int)(s >> 40) % LOCKS;
        if (wants[t]) {
            l = wants[t] - 1;
            if (owner[l])
                continue;
            owner[l] = t;
            held[t] |= 1 << l;
            wants[t] = 0;
            fprintf(out, "T%d lock %c\n", t, 'A' + l);
        } else if (owner[l] == t) {
            owner[l] = 0;
            held[t] &= ~(1 << l);
            fprintf(out, "T%d unlock %c\n", t, 'A' + l);
        } else if (s >> 60 == 3) {
            fprintf(out, "T%d put Q\n", t);
        } else if (held[t] >> l) {
            continue; /* locks are taken in order, so that it never stops */
        } else if (owner[l]) {
            wants[t] = l + 1;
            fprintf(out, "T%d want %c\n", t, 'A' + l);
        } else {
            owner[l] = t;
            held[t] |= 1 << l;
            fprintf(out, "T%d lock %c\n", t, 'A' + l);
        }
    }
    fclose(out);
    return text;
}

static void assert_same(const struct reel_instant *instant, const struct reel_world *world)
{
    size_t threads = 0, holds = 0;
    for (uint32_t t = 1; t < reel_world_thread_limit(world); t++) {
        const struct reel_world_thread *thread = reel_world_thread(world, t);
        if (!thread || !thread->begun)
            continue;
        const struct reel_wait *wait = reel_world_wait(world, t);
        assert_true(threads < instant->thread_count);
        const struct reel_instant_thread *got = &instant->thread[threads++];
        assert_int_equal(got->thread, t);
        assert_int_equal(got->state, thread->state);
        assert_int_equal(got->since_ns, thread->since_ns);
        assert_int_equal(got->object, wait ? wait->object : 0);
        if (wait)
            assert_int_equal(got->holder, reel_world_object(world, wait->object)->owner);
        for (uint32_t i = 0; i < thread->held_count; i++) {
            assert_true(holds < instant->hold_count);
            const struct reel_instant_hold *hold = &instant->hold[holds++];
            assert_int_equal(hold->thread, t);
            assert_int_equal(hold->object, thread->held[i].object);
            assert_int_equal(hold->since_ns, thread->held[i].since_ns);
            assert_int_equal(hold->depth, thread->held[i].depth);
        }
    }
    assert_int_equal(threads, instant->thread_count);
    assert_int_equal(holds, instant->hold_count);
    int64_t depth = 0;
    for (uint32_t id = 1; id < 20; id++)
        if (reel_world_object(world, id) && reel_world_object(world, id)->depth_known)
            depth = reel_world_object(world, id)->depth;
    assert_int_equal(instant->queue_count, depth > 0);
    if (depth > 0)
        assert_int_equal(instant->queue[0].depth, depth);
}

static void any_instant_equals_the_world_stopped_there(void **state)
{
    char *text = random_program(100000);
    struct reel_trace *trace = record_text(*state, "a.reel", text);
    seal(trace);
    assert_true(atoi(rows_of(trace, "SELECT count(DISTINCT time_ns) FROM keyframe")) > 2);
    struct reel_instants *instants = reel_instants_new(trace, NULL);
    struct reel_text_form *form = reel_text_form_parse(text, NULL);
    struct reel_identity *identity = reel_identity_new(NULL);
    struct reel_world *world = reel_world_new(identity, NULL);
    size_t count;
    const struct reel_event *event = reel_text_form_events(form, &count);
    for (size_t i = 0; i + 1 < count; i++) {
        reel_world_apply(world, &event[i]);
        if (i % 97 == 0 || (i > 2040 && i < 2056))
            assert_same(at(instants, event[i].time_ns + 1), world);
    }
    /* Without key frames the answer is the same, only later. */
    reel_instants_free(instants);
    sqlite3_exec(reel_trace_database(trace), "DROP TABLE keyframe", NULL, NULL, NULL);
    instants = reel_instants_new(trace, NULL);
    assert_same(at(instants, event[count - 2].time_ns + 1), world);
    reel_world_free(world);
    reel_identity_free(identity);
    reel_text_form_free(form);
    reel_instants_free(instants);
    reel_trace_close(trace, NULL);
    free(text);
}

static void a_wait_split_in_retrospect_is_found_across_key_frames(void **state)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    fputs("T1 lock A; T1 wait C with A; T2 lock A; T2 signal C\n", out);
    for (unsigned i = 0; i < 6000; i++)
        fputs("T3 lock B; T3 unlock B; T3 begin sleep; T3 end sleep\n", out);
    fputs("T2 unlock A; T1 wake C; T1 mark x\n", out);
    fclose(out);
    struct reel_trace *trace = record_text(*state, "a.reel", text);
    seal(trace);
    struct reel_instants *instants = reel_instants_new(trace, NULL);
    assert_int_equal(at(instants, 4500)->thread[0].state, REEL_STATE_COND_WAIT);
    for (uint64_t time_ns = 6500; time_ns < 24000000; time_ns += 777000) {
        const struct reel_instant *instant = at(instants, time_ns);
        assert_int_equal(instant->thread_count, 3);
        assert_int_equal(instant->thread[0].state, REEL_STATE_LOCK_WAIT);
        assert_int_equal(instant->thread[0].since_ns, 5000);
        assert_int_equal(instant->thread[0].holder, 2);
    }
    reel_instants_free(instants);
    reel_trace_close(trace, NULL);
    free(text);
}

static void a_forked_childs_locks_are_seen(void **state)
{
    struct reel_trace *trace =
        record_text(*state, "a.reel",
                    "T1 lock A; T1 fork P2; P2.T2 attach by P1; T1 unlock A; T2 mark x; "
                    "T2 mark y; T1 exit process; T2 mark z");
    seal(trace);
    struct reel_instants *instants = reel_instants_new(trace, NULL);
    const struct reel_instant *instant = at(instants, 5500);
    assert_int_equal(instant->hold_count, 1);
    assert_int_equal(instant->hold[0].thread, 2);
    instant = at(instants, 8500);
    assert_int_equal(instant->thread_count, 1);
    assert_int_equal(instant->hold_count, 1);
    reel_instants_free(instants);
    reel_trace_close(trace, NULL);
}

#define in_a_directory(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_directory(a_deadlock_is_seen_as_a_cycle_of_edges),
        in_a_directory(an_event_at_the_instant_has_happened),
        in_a_directory(waiters_stand_in_order_of_arrival),
        in_a_directory(a_join_is_an_edge_and_a_queue_has_a_depth),
        in_a_directory(an_unsealed_trace_has_no_instants_yet),
        in_a_directory(any_instant_equals_the_world_stopped_there),
        in_a_directory(a_wait_split_in_retrospect_is_found_across_key_frames),
        in_a_directory(a_forked_childs_locks_are_seen),
    };
    return cmocka_run_group_tests_name("instant", tests, NULL, NULL);
}
