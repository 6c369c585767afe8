/* Questions in a worker: each answered once, in the main thread, unless it was dropped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/store/scratch.h"
#include "tests/unit/viewer/panel_trace.h"

#define FOREVER                                                                                    \
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"

static GThread *main_thread;
static gint freed;

struct seen {
    GString *text;
    gboolean done;
};

static void free_counted(gpointer data)
{
    g_atomic_int_inc(&freed);
    g_free(data);
}

static void take(gpointer owner, gpointer answer, const struct reel_error *error)
{
    struct seen *seen = owner;
    assert_ptr_equal(g_thread_self(), main_thread);
    assert_true((answer == NULL) == (error != NULL));
    g_string_append_printf(seen->text, "%s;", answer ? (char *)answer : error->message);
    seen->done = TRUE;
}

static gpointer count_events(struct reel_query *query, gpointer request)
{
    assert_ptr_not_equal(g_thread_self(), main_thread);
    sqlite3_stmt *row = reel_query_prepare(query, "SELECT count(*) FROM event");
    assert_true(reel_query_step(query, row));
    char *text = g_strdup_printf("%s%d", (char *)request, sqlite3_column_int(row, 0));
    sqlite3_finalize(row);
    return text;
}

static gpointer run_forever(struct reel_query *query, gpointer request)
{
    (void)request;
    sqlite3_stmt *row = reel_query_prepare(query, FOREVER);
    bool stepped = reel_query_step(query, row);
    sqlite3_finalize(row);
    assert_false(stepped);
    assert_true(reel_query_is_dropped(query));
    return NULL;
}

static void ask(struct reel_query_service *service, guint slot, struct seen *seen,
                gpointer (*run)(struct reel_query *, gpointer), const char *request)
{
    const struct reel_query_job job = {.run = run,
                                       .answered = take,
                                       .owner = seen,
                                       .request = g_strdup(request),
                                       .free_request = free_counted,
                                       .free_answer = free_counted};
    reel_query_service_ask(service, slot, &job);
}

static void answers_come_in_the_order_of_asking(void **state)
{
    struct seen seen = {g_string_new(NULL), FALSE};
    struct reel_query_service *service =
        reel_query_service_new(panel_trace(*state, "T1 lock A; T1 unlock A"));
    ask(service, REEL_QUERY_EVERY, &seen, count_events, "a");
    ask(service, REEL_QUERY_EVERY, &seen, count_events, "b");
    ask(service, 3, &seen, count_events, "c");
    gboolean all = FALSE;
    while (!all) {
        seen.done = FALSE;
        panel_wait(&seen.done);
        all = strcmp(seen.text->str, "a2;b2;c2;") == 0;
        assert_true(strlen(seen.text->str) <= 9);
    }
    reel_query_service_free(service);
    g_string_free(seen.text, TRUE);
}

static void a_newer_question_of_the_slot_replaces_the_one_at_work(void **state)
{
    struct seen seen = {g_string_new(NULL), FALSE};
    struct reel_query_service *service =
        reel_query_service_new(panel_trace(*state, "T1 lock A; T1 unlock A"));
    ask(service, 1, &seen, run_forever, "");
    ask(service, 1, &seen, count_events, "new ");
    panel_wait(&seen.done);
    assert_string_equal(seen.text->str, "new 2;");
    reel_query_service_free(service);
    g_string_free(seen.text, TRUE);
}

static void a_dropped_question_is_not_answered(void **state)
{
    struct seen seen = {g_string_new(NULL), FALSE};
    struct reel_query_service *service =
        reel_query_service_new(panel_trace(*state, "T1 lock A; T1 unlock A"));
    ask(service, 1, &seen, run_forever, "");
    ask(service, 2, &seen, count_events, "other ");
    reel_query_service_drop(service, 1);
    panel_wait(&seen.done);
    assert_string_equal(seen.text->str, "other 2;");
    reel_query_service_free(service);
    g_string_free(seen.text, TRUE);
}

static void a_freed_service_answers_nothing_and_leaks_nothing(void **state)
{
    const char *path = panel_trace(*state, "T1 lock A; T1 unlock A");
    for (int i = 0; i < 20; i++) {
        struct seen seen = {g_string_new(NULL), FALSE};
        struct reel_query_service *service = reel_query_service_new(path);
        gint before = g_atomic_int_get(&freed);
        ask(service, REEL_QUERY_EVERY, &seen, count_events, "");
        ask(service, 1, &seen, run_forever, "");
        ask(service, 1, &seen, run_forever, "");
        reel_query_service_free(service);
        while (g_main_context_iteration(NULL, FALSE))
            ;
        assert_string_equal(seen.text->str, "");
        assert_in_range(g_atomic_int_get(&freed) - before, 3, 4); /* with or without an answer */
        g_string_free(seen.text, TRUE);
    }
}

static void what_is_no_trace_is_told_to_everyone_who_asks(void **state)
{
    struct seen seen = {g_string_new(NULL), FALSE};
    const char *path = scratch_path(*state, "text");
    scratch_write(path, "no trace", 8);
    struct reel_query_service *service = reel_query_service_new(path);
    for (int i = 0; i < 2; i++) {
        seen.done = FALSE;
        g_string_truncate(seen.text, 0);
        ask(service, 1, &seen, count_events, "");
        panel_wait(&seen.done);
        assert_non_null(strstr(seen.text->str, "text"));
    }
    reel_query_service_free(service);
    g_string_free(seen.text, TRUE);
}

static gpointer tell_parts(struct reel_query *query, gpointer request)
{
    reel_query_tell(query, g_strdup_printf("%s1", (char *)request));
    reel_query_tell(query, g_strdup_printf("%s2", (char *)request));
    return g_strdup("last");
}

static void parts_come_before_the_whole(void **state)
{
    struct seen seen = {g_string_new(NULL), FALSE};
    struct reel_query_service *service = reel_query_service_new(panel_trace(*state, "T1 lock A"));
    ask(service, 1, &seen, tell_parts, "p");
    while (!strstr(seen.text->str, "last")) {
        seen.done = FALSE;
        panel_wait(&seen.done);
    }
    assert_string_equal(seen.text->str, "p1;p2;last;");
    reel_query_service_free(service);
    g_string_free(seen.text, TRUE);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answers_come_in_the_order_of_asking),
        TEST(a_newer_question_of_the_slot_replaces_the_one_at_work),
        TEST(a_dropped_question_is_not_answered),
        TEST(a_freed_service_answers_nothing_and_leaks_nothing),
        TEST(what_is_no_trace_is_told_to_everyone_who_asks),
        TEST(parts_come_before_the_whole),
    };
    main_thread = g_thread_self();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
