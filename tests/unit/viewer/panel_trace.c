#include "tests/unit/viewer/panel_trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/model/sealed.h"
#include "tests/unit/store/scratch.h"

struct asked {
    gpointer answer;
    struct reel_error error;
    gboolean done;
};

const char *panel_trace(const char *directory, const char *text)
{
    struct reel_trace *trace = record_text(directory, "panel.reel", text);
    seal(trace);
    reel_trace_close(trace, NULL);
    return scratch_path(directory, "panel.reel");
}

static gboolean too_late(gpointer late)
{
    *(gboolean *)late = TRUE;
    return G_SOURCE_REMOVE;
}

void panel_wait(const gboolean *done)
{
    gboolean late = FALSE;
    guint source = g_timeout_add_seconds(20, too_late, &late);
    while (!*done && !late)
        g_main_context_iteration(NULL, TRUE);
    if (late)
        fail_msg("no answer came");
    g_source_remove(source);
}

/* Keeps the answer: the job has no free_answer. */
static void answered(gpointer owner, gpointer answer, const struct reel_error *error)
{
    struct asked *asked = owner;
    asked->answer = answer;
    if (error)
        asked->error = *error;
    asked->done = TRUE;
}

static struct asked ask(const char *path, gpointer (*run)(struct reel_query *, gpointer),
                        gpointer request)
{
    struct asked asked = {0};
    struct reel_query_service *service = reel_query_service_new(path);
    const struct reel_query_job job = {
        .run = run, .answered = answered, .owner = &asked, .request = request};
    reel_query_service_ask(service, 1, &job);
    panel_wait(&asked.done);
    reel_query_service_free(service);
    return asked;
}

gpointer panel_ask(const char *path, gpointer (*run)(struct reel_query *, gpointer),
                   gpointer request)
{
    struct asked asked = ask(path, run, request);
    if (!asked.answer)
        fail_msg("%s", asked.error.message);
    return asked.answer;
}

gpointer panel_ask_either(const char *path, gpointer (*run)(struct reel_query *, gpointer),
                          gpointer request)
{
    struct asked asked = ask(path, run, request);
    assert_true(asked.answer || *asked.error.message);
    return asked.answer;
}

struct reel_error panel_ask_in_vain(const char *path,
                                    gpointer (*run)(struct reel_query *, gpointer),
                                    gpointer request)
{
    struct asked asked = ask(path, run, request);
    assert_null(asked.answer);
    return asked.error;
}
