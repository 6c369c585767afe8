/* Loading a large trace into the viewer's real window: the lanes have their names at once and fill
 * in, and what was chosen meanwhile stays chosen; cancelling goes back. Needs a display. */
#include <gtk/gtk.h>
#include <sqlite3.h>
#include <string.h>

#include "tests/gui/drive.h"
#include "tracer/model/seal.h"
#include "tracer/model/text_form.h"
#include "tracer/store/trace.h"

#define STATES 1500000

static void ask(sqlite3 *database, const char *sql)
{
    if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK)
        g_error("%s: %s", sql, sqlite3_errmsg(database));
}

/* Two threads and a lock; `states` of the threads besides those of the text, from 1 ms on. */
static char *make_trace(const char *name, unsigned states)
{
    struct reel_error error = {0};
    const struct reel_seal_options options = {.writer = REEL_ROWS_API};
    struct reel_seal_result result;
    char *path = g_build_filename(g_get_user_runtime_dir(), name, NULL);
    struct reel_text_form *form = reel_text_form_parse(
        "T1 create T2; T2 start; T1 lock A; T2 want A; @1000s T1 unlock A; T2 lock A blocked; T2 "
        "unlock A; T2 exit; T1 join T2",
        &error);
    struct reel_trace *trace = form ? reel_trace_create(path, &error) : NULL;
    if (!trace || !reel_text_form_write(form, trace, &error) ||
        !reel_seal(trace, &options, &result, &error))
        g_error("%s", error.message);
    g_autofree char *sql = g_strdup_printf(
        "DELETE FROM interval;"
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %u)"
        "INSERT INTO interval(thread, start_ns, end_ns, state)"
        "SELECT 1 + i %% 2, 1000000 + i / 2 * 1000000, 2000000 + i / 2 * 1000000,"
        "iif(i / 2 %% 2, 'running', 'sleep') FROM n;"
        "UPDATE meta SET value = %u WHERE key = 'events';"
        "INSERT OR REPLACE INTO meta(key, value) VALUES ('checked', '1')",
        states - 1, states);
    ask(reel_trace_database(trace), sql);
    if (!reel_trace_close(trace, &error))
        g_error("%s", error.message);
    reel_text_form_free(form);
    return path;
}

static gboolean is_outlined(gpointer window)
{
    ReelDocument *document = reel_session_document(reel_window_session(window));
    return document && reel_document_is_outline(document);
}

static gboolean is_whole(gpointer window)
{
    ReelDocument *document = reel_session_document(reel_window_session(window));
    return document && !reel_document_is_outline(document);
}

static ReelWindow *open_to_outline(const char *path)
{
    ReelWindow *window = reel_window_new(drive_application());
    gtk_window_present(GTK_WINDOW(window));
    reel_window_open(window, path, NULL);
    g_assert_true(drive_until(is_outlined, window));
    return window;
}

static void count_up(guint *count)
{
    ++*count;
}

static guint drawn_columns(const struct reel_lane *lane, ReelDocument *document)
{
    struct reel_lane_column columns[100];
    guint drawn = 0;
    reel_lane_data_columns(&lane->data, reel_document_start_ns(document),
                           reel_document_end_ns(document), columns, G_N_ELEMENTS(columns));
    for (guint i = 0; i < G_N_ELEMENTS(columns); i++)
        for (guint role = 0; role < REEL_STATE_ROLE_COUNT; role++)
            if (columns[i].share[role]) {
                drawn++;
                break;
            }
    return drawn;
}

static gboolean has_lock(ReelDocument *document)
{
    for (guint i = 0; i < reel_document_lane_count(document); i++)
        if (reel_document_lane(document, i)->kind == REEL_LANE_LOCK)
            return TRUE;
    return FALSE;
}

static void lanes_are_named_at_once_and_fill_in(void)
{
    g_autofree char *path = make_trace("large.reel", STATES);
    ReelWindow *window = open_to_outline(path);
    ReelSession *session = reel_window_session(window);
    g_autoptr(ReelDocument) outline = g_object_ref(reel_session_document(session));
    const struct reel_lane *lane = reel_document_thread_lane(outline, 2);
    guint steps = 0;
    g_assert_nonnull(lane);
    g_assert_true(has_lock(outline));
    g_signal_connect_swapped(outline, "filled", G_CALLBACK(count_up), &steps);
    g_assert_true(drive_until(is_whole, window));
    g_assert_cmpuint(steps, >, 0);
    g_assert_cmpuint(drawn_columns(lane, outline), >, 0);
    ReelDocument *whole = reel_session_document(session);
    g_assert_cmpuint(drawn_columns(reel_document_thread_lane(whole, 2), whole), >=, 75);
    g_assert_cmpuint(reel_document_thread_lane(whole, 2)->data.count, >=, STATES / 2);
    drive_close(window);
}

static void what_is_chosen_while_lanes_fill_in_stays(void)
{
    g_autofree char *path = make_trace("chosen.reel", STATES);
    ReelWindow *window = open_to_outline(path);
    ReelSession *session = reel_window_session(window);
    g_assert_true(reel_session_select_thread(session, 2));
    reel_session_show_range(session, 300000000, 500000000);
    reel_session_set_cursor(session, 400000000, FALSE);
    g_assert_true(drive_until(is_whole, window));
    drive_settle();
    const struct reel_lane *lane =
        reel_document_lane(reel_session_document(session), reel_session_lane(session));
    g_assert_cmpint(lane->kind, ==, REEL_LANE_THREAD);
    g_assert_cmpuint(lane->id, ==, 2);
    g_assert_cmpuint(reel_session_from(session), ==, 300000000);
    g_assert_cmpuint(reel_session_to(session), ==, 500000000);
    g_assert_cmpuint(reel_session_cursor(session), ==, 400000000);
    drive_close(window);
}

static gboolean is_gone(gpointer watched)
{
    return *(gpointer *)watched == NULL;
}

static GtkWidget *cancel_button(ReelWindow *window)
{
    for (guint i = 0;; i++) {
        GtkWidget *button = drive_find(GTK_WIDGET(window), GTK_TYPE_BUTTON, i);
        if (!button || (g_strcmp0(gtk_button_get_label(GTK_BUTTON(button)), "Cancel") == 0 &&
                        gtk_widget_get_mapped(button)))
            return button;
    }
}

static void cancelling_goes_back_to_the_trace_before(void)
{
    g_autofree char *large = make_trace("cancelled.reel", STATES);
    g_autofree char *small = make_trace("small.reel", 10);
    ReelWindow *window = drive_open(small);
    ReelDocument *before = reel_session_document(reel_window_session(window));
    reel_window_open(window, large, NULL);
    g_assert_true(drive_until(is_outlined, window));
    g_assert_nonnull(cancel_button(window));
    g_signal_emit_by_name(cancel_button(window), "clicked");
    g_assert_true(reel_session_document(reel_window_session(window)) == before);
    drive_settle();
    g_assert_null(cancel_button(window));
    drive_close(window);
    /* Without one there is the page to begin with. */
    window = open_to_outline(large);
    g_signal_emit_by_name(cancel_button(window), "clicked");
    g_assert_null(reel_session_document(reel_window_session(window)));
    drive_settle();
    drive_close(window);
}

static void on_loaded(ReelDocument *document, const char *error, gboolean *was_read)
{
    *was_read = error == NULL && reel_document_is_loaded(document);
}

/* Nobody waits for the rest of it. */
static void cancelling_stops_reading(void)
{
    g_autofree char *path = make_trace("stopped.reel", STATES);
    ReelDocument *document = reel_document_new(path);
    gpointer watched = document;
    gboolean was_read = TRUE;
    g_object_add_weak_pointer(G_OBJECT(document), &watched);
    g_signal_connect_swapped(document, "outlined", G_CALLBACK(reel_document_cancel), document);
    g_signal_connect(document, "loaded", G_CALLBACK(on_loaded), &was_read);
    reel_document_load(document, TRUE);
    g_object_unref(document);
    g_assert_true(drive_until(is_gone, &watched));
    g_assert_false(was_read);
}

static void a_small_trace_is_there_at_once(void)
{
    g_autofree char *path = make_trace("little.reel", 10);
    ReelWindow *window = drive_open(path);
    g_assert_false(is_outlined(window));
    drive_close(window);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/loading/lanes-are-named-at-once-and-fill-in",
                    lanes_are_named_at_once_and_fill_in);
    g_test_add_func("/loading/what-is-chosen-while-lanes-fill-in-stays",
                    what_is_chosen_while_lanes_fill_in_stays);
    g_test_add_func("/loading/cancelling-goes-back-to-the-trace-before",
                    cancelling_goes_back_to_the_trace_before);
    g_test_add_func("/loading/cancelling-stops-reading", cancelling_stops_reading);
    g_test_add_func("/loading/a-small-trace-is-there-at-once", a_small_trace_is_there_at_once);
    int status = g_test_run();
    g_object_unref(drive_application());
    return status;
}
