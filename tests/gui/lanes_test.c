/* Lanes that are there when they are asked for: more locks than can be shown have one each, and
 * what has none says so. The viewer's real window, on traces made of text. Needs a display. */
#include <gtk/gtk.h>
#include <string.h>

#include "tests/gui/drive.h"
#include "tracer/model/text_form.h"
#include "tracer/store/trace.h"

#define LOCKS 400

static char *write_trace(const char *name, const char *text)
{
    struct reel_error error = {0};
    char *path = g_build_filename(g_get_user_runtime_dir(), name, NULL);
    struct reel_text_form *form = reel_text_form_parse(text, &error);
    struct reel_trace *trace = form ? reel_trace_create(path, &error) : NULL;
    if (!trace || !reel_text_form_write(form, trace, &error) || !reel_trace_close(trace, &error))
        g_error("%s", error.message);
    reel_text_form_free(form);
    return path;
}

/* One thread that takes many locks, the first ones most often. */
static char *many_locks(void)
{
    GString *text = g_string_new(NULL);
    for (guint round = 0; round < 2; round++)
        for (guint i = 0; i < (round ? 200 : LOCKS); i++)
            g_string_append_printf(text, "T1 lock L%u; T1 unlock L%u;", i, i);
    g_autofree char *all = g_string_free(text, FALSE);
    return write_trace("locks.reel", all);
}

static const struct reel_lane *last_lock(ReelDocument *document, guint *count)
{
    const struct reel_lane *last = NULL;
    *count = 0;
    for (guint i = 0; i < reel_document_lane_count(document); i++)
        if (reel_document_lane(document, i)->kind == REEL_LANE_LOCK) {
            last = reel_document_lane(document, i);
            ++*count;
        }
    return last;
}

static gboolean is_shown(ReelSession *session, guint lane)
{
    const struct reel_lane_layout *layout = reel_lane_list_layout(reel_session_lanes(session));
    return reel_lane_layout_row_of(layout, lane) < layout->count;
}

static guint shown_locks(ReelSession *session)
{
    ReelDocument *document = reel_session_document(session);
    guint shown = 0;
    for (guint i = 0; i < reel_document_lane_count(document); i++)
        shown += reel_document_lane(document, i)->kind == REEL_LANE_LOCK && is_shown(session, i);
    return shown;
}

static void a_lock_beyond_the_shown_ones_has_a_lane_when_asked_for(void)
{
    g_autofree char *path = many_locks();
    ReelWindow *window = drive_open(path);
    ReelSession *session = reel_window_session(window);
    ReelDocument *document = reel_session_document(session);
    guint count;
    const struct reel_lane *lock = last_lock(document, &count);
    guint index = reel_document_lane_index(document, lock);
    g_assert_cmpuint(count, ==, LOCKS);
    g_assert_cmpuint(shown_locks(session), ==, 256);
    g_assert_false(is_shown(session, index));
    g_assert_true(reel_session_select_object(session, lock->id));
    g_assert_cmpuint(reel_session_lane(session), ==, index);
    g_assert_true(is_shown(session, index));
    g_assert_cmpuint(lock->data.count, >, 0);
    g_assert_cmpuint(shown_locks(session), ==, 257);
    drive_settle();
    drive_close(window);
    /* It is among the shown ones from then on, until it is hidden. */
    window = drive_open(path);
    session = reel_window_session(window);
    g_assert_true(is_shown(session, index));
    reel_lane_list_hide(reel_session_lanes(session), index);
    g_assert_cmpuint(shown_locks(session), ==, 256);
    reel_lane_list_show_hidden(reel_session_lanes(session));
    g_assert_cmpuint(shown_locks(session), ==, LOCKS);
    drive_close(window);
}

/* As deep as it is high; one that is never more than one is a lock or a bell, and no queue. */
static void a_semaphore_that_counts_has_a_lane(void)
{
    g_autofree char *path = write_trace(
        "permits.reel", "T1 init S:semaphore 3; T1 take S; T1 take S; T1 post S; T1 post S;"
                        "T1 init B:semaphore 0; T1 post B; T1 take B");
    ReelWindow *window = drive_open(path);
    ReelDocument *document = reel_session_document(reel_window_session(window));
    guint queues = 0;
    for (guint i = 0; i < reel_document_lane_count(document); i++) {
        const struct reel_lane *lane = reel_document_lane(document, i);
        if (lane->kind != REEL_LANE_QUEUE)
            continue;
        queues++;
        g_assert_cmpint(lane->depth.highest, ==, 3);
    }
    g_assert_cmpuint(queues, ==, 1);
    drive_close(window);
}

static GtkInfoBar *message_of(ReelWindow *window)
{
    return GTK_INFO_BAR(drive_find(GTK_WIDGET(window), GTK_TYPE_INFO_BAR, 0));
}

static void what_has_no_lane_says_so(void)
{
    g_autofree char *path =
        write_trace("bell.reel", "T1 create T2; T2 start; T1 lock A; T1 wait C with A; T2 lock A; "
                                 "T2 signal C; T2 unlock A; T1 wake C; T1 unlock A");
    ReelWindow *window = drive_open(path);
    ReelSession *session = reel_window_session(window);
    guint object = 1;
    while (reel_document_object_lane(reel_session_document(session), object))
        object++;
    guint lane = reel_session_lane(session);
    g_assert_false(gtk_info_bar_get_revealed(message_of(window)));
    g_assert_false(reel_session_select_object(session, object));
    g_assert_cmpuint(reel_session_lane(session), ==, lane);
    g_assert_true(gtk_info_bar_get_revealed(message_of(window)));
    drive_close(window);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lanes/a-lock-beyond-the-shown-ones-has-a-lane-when-asked-for",
                    a_lock_beyond_the_shown_ones_has_a_lane_when_asked_for);
    g_test_add_func("/lanes/a-semaphore-that-counts-has-a-lane",
                    a_semaphore_that_counts_has_a_lane);
    g_test_add_func("/lanes/what-has-no-lane-says-so", what_has_no_lane_says_so);
    int status = g_test_run();
    g_object_unref(drive_application());
    return status;
}
