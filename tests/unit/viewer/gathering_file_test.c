/* What is kept of a trace comes back as it was, and nothing comes back that does not fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glib/gstdio.h>

#include "viewer/core/gathering_file.h"

static char *folder, *trace;

static uint64_t random_state = 88172645463325252ull;

static uint64_t draw(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % below;
}

static struct reel_gathering *gathered(void)
{
    struct reel_gathering *gathering = reel_gathering_new();
    for (uint32_t thread = 1; thread < 9; thread += 2) {
        uint64_t at = 1000;
        for (unsigned i = 0; i < 500; i++) {
            uint64_t length = 1 + draw(5000);
            reel_gathering_interval(gathering, thread, at, at + length,
                                    (enum reel_state)draw(REEL_STATE_COUNT), (uint32_t)draw(20));
            reel_gathering_hold(gathering, 3 + (uint32_t)draw(4), thread, at, at + length,
                                draw(5) == 0);
            reel_gathering_depth(gathering, 30, at * 8 + thread, (int64_t)draw(9));
            at += length + draw(3);
        }
        reel_gathering_span(gathering, thread, 2000, 40, TRUE);
    }
    reel_gathering_task(gathering, 50, 5000, REEL_TASK_RUNNING);
    reel_gathering_finish(gathering, 100000000);
    return gathering;
}

static void same_lane(const struct reel_lane_data *one, const struct reel_lane_data *other)
{
    assert_int_equal(one->count, other->count);
    if (!one->count)
        return;
    assert_memory_equal(one->start, other->start, (one->count + 1) * sizeof *one->start);
    assert_memory_equal(one->object, other->object, one->count * sizeof *one->object);
    assert_memory_equal(one->state, other->state, one->count);
}

static void same_spans(const struct reel_spans *one, const struct reel_spans *other)
{
    assert_int_equal(one->begin ? one->begin->len : 0, other->begin ? other->begin->len : 0);
    if (one->begin)
        assert_memory_equal(one->begin->data, other->begin->data, one->begin->len * 8);
}

static void what_is_kept_comes_back(void **state)
{
    (void)state;
    struct reel_gathering *gathering = gathered();
    reel_gathering_keep(gathering, trace);
    struct reel_gathering *back = reel_gathering_recall(trace);
    assert_non_null(back);
    for (uint32_t i = 0; i < gathering->threads->len; i++) {
        struct reel_gathered_thread *thread = reel_gathering_thread(gathering, i);
        struct reel_gathered_thread *same = reel_gathering_thread(back, i);
        assert_int_equal(thread != NULL, same != NULL);
        if (!thread)
            continue;
        same_lane(&thread->states, &same->states);
        same_lane(&thread->spans, &same->spans);
        same_spans(&thread->held, &same->held);
    }
    for (uint32_t i = 0; i < gathering->objects->len; i++) {
        struct reel_gathered_object *object = reel_gathering_object(gathering, i);
        struct reel_gathered_object *same = reel_gathering_object(back, i);
        assert_int_equal(object != NULL, same != NULL);
        if (!object)
            continue;
        same_lane(&object->owners, &same->owners);
        same_lane(&object->steps, &same->steps);
        same_spans(&object->waits, &same->waits);
        same_spans(&object->shared, &same->shared);
        assert_int_equal(object->depth.count, same->depth.count);
        assert_int_equal(object->depth.highest, same->depth.highest);
        if (object->depth.count)
            assert_memory_equal(object->depth.value, same->depth.value,
                                object->depth.count * sizeof(int32_t));
    }
    reel_gathering_free(gathering);
    reel_gathering_free(back);
}

static void a_trace_that_changed_is_read_anew(void **state)
{
    (void)state;
    struct reel_gathering *gathering = gathered();
    reel_gathering_keep(gathering, trace);
    reel_gathering_free(gathering);
    assert_true(g_file_set_contents(trace, "a trace, longer", -1, NULL));
    assert_null(reel_gathering_recall(trace));
    assert_null(reel_gathering_recall("/nowhere/at/all.reel"));
}

static char *kept_file(void)
{
    g_autofree char *lanes = g_build_filename(folder, "reel", "lanes", NULL);
    g_autoptr(GDir) names = g_dir_open(lanes, 0, NULL);
    return g_build_filename(lanes, g_dir_read_name(names), NULL);
}

static void files_that_lie_do_no_harm(void **state)
{
    (void)state;
    struct reel_gathering *gathering = gathered();
    reel_gathering_keep(gathering, trace);
    reel_gathering_free(gathering);
    g_autofree char *path = kept_file();
    g_autofree char *good = NULL;
    gsize size, stamp = 32;
    assert_true(g_file_get_contents(path, &good, &size, NULL));
    unsigned refused = 0;
    for (unsigned round = 0; round < 400; round++) {
        g_autofree char *bad = g_memdup2(good, size);
        gsize length = draw(4) ? size : stamp + draw(size - stamp);
        for (unsigned i = 0; i <= draw(6); i++)
            bad[stamp + draw(size - stamp) / (draw(2) ? 8 : 1)] = (char)draw(256);
        assert_true(g_file_set_contents(path, bad, (gssize)length, NULL));
        struct reel_gathering *back = reel_gathering_recall(trace);
        refused += !back;
        reel_gathering_free(back);
    }
    assert_true(refused > 0);
}

static int setup(void **state)
{
    (void)state;
    folder = g_dir_make_tmp("reel-lanes-XXXXXX", NULL);
    trace = g_build_filename(folder, "one.reel", NULL);
    g_setenv("XDG_CACHE_HOME", folder, TRUE);
    return g_file_set_contents(trace, "a trace", -1, NULL) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    g_autofree char *path = kept_file(), *lanes = g_path_get_dirname(path);
    g_autofree char *reel = g_path_get_dirname(lanes);
    g_unlink(path);
    g_unlink(trace);
    g_rmdir(lanes);
    g_rmdir(reel);
    g_rmdir(folder);
    g_free(folder);
    g_free(trace);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_kept_comes_back),
        cmocka_unit_test(files_that_lie_do_no_harm),
        cmocka_unit_test(a_trace_that_changed_is_read_anew),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
