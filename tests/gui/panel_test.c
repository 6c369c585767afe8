/* The bottom panel of the viewer's real window, in this process, on real traces: what its tables
 * say is what the trace says, activating a row goes there, and closing leaves nothing behind. Needs
 * a display.   panel_test REEL TRACE… */
#include <gtk/gtk.h>
#include <sqlite3.h>
#include <string.h>

#include "tests/gui/drive.h"
#include "viewer/panel/bottom_panel.h"
#include "viewer/panel/events_page.h"
#include "viewer/panel/finding_card.h"
#include "viewer/panel/findings_page.h"
#include "viewer/panel/flame_page.h"
#include "viewer/panel/flame_view.h"
#include "viewer/panel/locks_page.h"
#include "viewer/panel/order_page.h"
#include "viewer/panel/range_page.h"
#include "viewer/panel/row_table.h"
#include "viewer/panel/source_page.h"
#include "viewer/panel/sql_page.h"
#include "viewer/panel/threads_page.h"

static char **traces;

static gpointer find(gpointer widget, GType type, guint skip)
{
    GtkWidget *found = drive_find(widget, type, skip);
    g_assert_nonnull(found);
    return found;
}

static GtkButton *button_of(gpointer page, const char *label)
{
    for (guint i = 0;; i++) {
        GtkWidget *button = drive_find(page, GTK_TYPE_BUTTON, i);
        if (!button)
            g_error("there is no button %s", label);
        if (g_strcmp0(gtk_button_get_label(GTK_BUTTON(button)), label) == 0)
            return GTK_BUTTON(button);
    }
}

/* Shows a page as the user does, by its action. */
static gpointer show(ReelWindow *window, const char *name, GType type)
{
    g_action_group_activate_action(G_ACTION_GROUP(window), "show-page", g_variant_new_string(name));
    drive_settle();
    gpointer page = find(window, type, 0);
    g_assert_true(gtk_widget_get_mapped(page));
    return page;
}

static guint count_of(gpointer table)
{
    return g_list_model_get_n_items(reel_row_table_rows(table));
}

struct wanted {
    gpointer table;
    guint count;
};

static gboolean has_rows(gpointer data)
{
    const struct wanted *wanted = data;
    return wanted->count == G_MAXUINT ? count_of(wanted->table) > 0
                                      : count_of(wanted->table) == wanted->count;
}

/* G_MAXUINT: any number but none. */
static void expect_rows(gpointer table, guint count, const char *what)
{
    struct wanted wanted = {table, count};
    if (!drive_until(has_rows, &wanted))
        g_error("%s: %u rows, not %u", what, count_of(table), count);
}

static guint number(const char *trace, const char *sql)
{
    sqlite3 *database;
    sqlite3_stmt *row;
    g_assert_cmpint(sqlite3_open_v2(trace, &database, SQLITE_OPEN_READONLY, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_prepare_v2(database, sql, -1, &row, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_step(row), ==, SQLITE_ROW);
    guint value = (guint)sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    sqlite3_close(database);
    return value;
}

static gboolean is_filled(gpointer row)
{
    return REEL_ROW(row)->is_filled;
}

static ReelRow *row_at(gpointer table, guint position)
{
    ReelRow *row = g_list_model_get_item(reel_row_table_rows(table), position);
    g_assert_nonnull(row);
    g_assert_true(drive_until(is_filled, row));
    return row;
}

static void tables_say_what_the_trace_says(void)
{
    for (char **trace = traces; *trace; trace++) {
        ReelWindow *window = drive_open(*trace);
        gpointer page = show(window, "events", REEL_TYPE_EVENTS_PAGE);
        expect_rows(find(page, REEL_TYPE_ROW_TABLE, 0),
                    number(*trace, "SELECT count(*) FROM event"), "events");
        page = show(window, "threads", REEL_TYPE_THREADS_PAGE);
        expect_rows(find(page, REEL_TYPE_ROW_TABLE, 0),
                    number(*trace, "SELECT count(*) FROM thread"), "threads");
        page = show(window, "locks", REEL_TYPE_LOCKS_PAGE);
        expect_rows(find(page, REEL_TYPE_ROW_TABLE, 0),
                    number(*trace, "SELECT count(*) FROM (SELECT object FROM lock_total UNION "
                                   "SELECT object FROM interval WHERE object IS NOT NULL AND "
                                   "state IN ('lock-wait', 'gil-wait'))"),
                    "locks");
        page = show(window, "findings", REEL_TYPE_FINDINGS_PAGE);
        expect_rows(find(page, REEL_TYPE_ROW_TABLE, 0),
                    number(*trace, "SELECT count(*) FROM finding"), "findings");
        page = show(window, "range", REEL_TYPE_RANGE_PAGE);
        expect_rows(find(page, REEL_TYPE_ROW_TABLE, 0),
                    number(*trace, "SELECT count(*) FROM thread"), "threads of the range");
        gtk_window_destroy(GTK_WINDOW(window));
        drive_settle();
    }
}

static void headings_say_what_their_columns_say(void)
{
    ReelWindow *window = drive_open(traces[0]);
    gpointer page = show(window, "locks", REEL_TYPE_LOCKS_PAGE);
    GtkWidget *view = find(page, GTK_TYPE_COLUMN_VIEW, 0);
    GtkWidget *heading = gtk_widget_get_first_child(gtk_widget_get_first_child(view));
    GListModel *columns = gtk_column_view_get_columns(GTK_COLUMN_VIEW(view));
    guint count = g_list_model_get_n_items(columns);
    for (guint i = 0; i < count; i++, heading = gtk_widget_get_next_sibling(heading)) {
        g_assert_nonnull(heading);
        g_assert_nonnull(gtk_widget_get_tooltip_text(heading));
    }
    g_assert_cmpuint(count, ==, 13);
    gtk_window_destroy(GTK_WINDOW(window));
    drive_settle();
}

static void an_activated_event_is_gone_to(void)
{
    ReelWindow *window = drive_open(traces[0]);
    ReelSession *session = reel_window_session(window);
    gpointer page = show(window, "events", REEL_TYPE_EVENTS_PAGE);
    gpointer table = find(page, REEL_TYPE_ROW_TABLE, 0);
    guint count = number(traces[0], "SELECT count(*) FROM event");
    expect_rows(table, count, "events");
    for (guint i = 0; i < count; i += 1 + count / 9) {
        g_autoptr(ReelRow) row = row_at(table, i);
        g_signal_emit_by_name(table, "activated", row);
        drive_settle();
        g_assert_cmpuint(reel_session_cursor(session), ==, row->time_ns);
        if (row->stack)
            g_assert_cmpuint(reel_session_stack(session), ==, row->stack);
        const struct reel_lane *lane =
            reel_document_lane(reel_session_document(session), reel_session_lane(session));
        g_assert_cmpint(lane->kind, ==, REEL_LANE_THREAD);
        g_assert_cmpuint(lane->id, ==, row->thread);
    }
    gtk_window_destroy(GTK_WINDOW(window));
    drive_settle();
}

struct followed {
    gpointer table;
    uint64_t ns;
};

static gboolean follows(gpointer data)
{
    const struct followed *followed = data;
    ReelRow *row = reel_row_table_selected(followed->table);
    return row && row->is_filled && row->time_ns == followed->ns;
}

static void the_list_of_events_follows_the_cursor(void)
{
    ReelWindow *window = drive_open(traces[0]);
    gpointer page = show(window, "events", REEL_TYPE_EVENTS_PAGE);
    gpointer table = find(page, REEL_TYPE_ROW_TABLE, 0);
    guint count = number(traces[0], "SELECT count(*) FROM event");
    expect_rows(table, count, "events");
    for (guint i = 1; i < count; i += 1 + count / 5) {
        g_autoptr(ReelRow) row = row_at(table, i);
        struct followed followed = {table, row->time_ns};
        reel_session_set_cursor(reel_window_session(window), row->time_ns + 1, TRUE);
        g_assert_true(drive_until(follows, &followed));
    }
    gtk_window_destroy(GTK_WINDOW(window));
    drive_settle();
}

static void the_window_s_filter_is_the_list_s_too(void)
{
    ReelWindow *window = drive_open(traces[0]);
    gpointer page = show(window, "events", REEL_TYPE_EVENTS_PAGE);
    gpointer table = find(page, REEL_TYPE_ROW_TABLE, 0);
    reel_session_set_filter(reel_window_session(window), "op:acquire");
    expect_rows(table,
                number(traces[0], "SELECT count(*) FROM event_named WHERE operation = 'acquire'"),
                "acquisitions");
    /* A filter of states says nothing of events. */
    reel_session_set_filter(reel_window_session(window), "state:running");
    expect_rows(table, number(traces[0], "SELECT count(*) FROM event"), "all events");
    gtk_window_destroy(GTK_WINDOW(window));
    drive_settle();
}

/* traces[0] is a deadlock. */
static void a_finding_s_evidence_is_gone_to(void)
{
    ReelWindow *window = drive_open(traces[0]);
    ReelSession *session = reel_window_session(window);
    gpointer page = show(window, "findings", REEL_TYPE_FINDINGS_PAGE);
    expect_rows(find(page, REEL_TYPE_ROW_TABLE, 0), G_MAXUINT, "findings");
    drive_settle();
    GtkWidget *card = find(page, REEL_TYPE_FINDING_CARD, 0);
    GtkListBox *evidence = find(card, GTK_TYPE_LIST_BOX, 0);
    guint times = number(traces[0], "SELECT count(*) FROM finding_event WHERE finding = "
                                    "(SELECT id FROM finding ORDER BY rank LIMIT 1)");
    g_assert_cmpuint(times, >, 3);
    for (guint i = 0; i < times; i++) {
        g_autofree char *sql =
            g_strdup_printf("SELECT time_ns FROM finding_event WHERE position = %u AND finding = "
                            "(SELECT id FROM finding ORDER BY rank LIMIT 1)",
                            i);
        GtkListBoxRow *row = gtk_list_box_get_row_at_index(evidence, (int)i);
        g_assert_nonnull(row);
        g_signal_emit_by_name(evidence, "row-activated", row);
        drive_settle();
        g_assert_cmpuint(reel_session_cursor(session), ==, number(traces[0], sql));
        g_assert_cmpuint(reel_session_stack(session), !=, 0);
    }
    gtk_window_destroy(GTK_WINDOW(window));
    drive_settle();
}

static void a_deadlock_is_a_circle_of_lock_order(void)
{
    ReelWindow *window = drive_open(traces[0]);
    gpointer page = show(window, "order", REEL_TYPE_ORDER_PAGE);
    gpointer links = find(page, REEL_TYPE_ROW_TABLE, 0);
    expect_rows(links, 2, "edges");
    gpointer witnesses = find(page, REEL_TYPE_ROW_TABLE, 1);
    expect_rows(witnesses, 2, "what the witness did");
    for (guint i = 0; i < 2; i++) {
        g_autoptr(ReelRow) row = row_at(witnesses, i);
        g_signal_emit_by_name(witnesses, "activated", row);
        g_assert_cmpuint(row->stack, !=, 0);
        g_assert_cmpuint(reel_session_stack(reel_window_session(window)), ==, row->stack);
        g_assert_cmpuint(reel_session_cursor(reel_window_session(window)), ==, row->time_ns);
    }
    for (guint i = 0; i < 2; i++) {
        g_autoptr(ReelRow) row = row_at(links, i);
        g_assert_nonnull(strstr(row->cell[row->count - 1].text, "circle"));
    }
    gtk_window_destroy(GTK_WINDOW(window));
    drive_settle();
}

static void sql_is_answered_and_rows_are_gone_to(void)
{
    ReelWindow *window = drive_open(traces[0]);
    ReelSession *session = reel_window_session(window);
    gpointer page = show(window, "sql", REEL_TYPE_SQL_PAGE);
    GtkTextBuffer *text = gtk_text_view_get_buffer(find(page, GTK_TYPE_TEXT_VIEW, 0));
    gpointer table = find(page, REEL_TYPE_ROW_TABLE, 0);
    gtk_text_buffer_set_text(text, "SELECT start_ns, thread FROM interval ORDER BY 1", -1);
    g_signal_emit_by_name(button_of(page, "_Run"), "clicked");
    expect_rows(table, number(traces[0], "SELECT count(*) FROM interval"), "intervals");
    g_autoptr(ReelRow) row = row_at(table, count_of(table) / 2);
    g_signal_emit_by_name(table, "activated", row);
    g_assert_cmpuint(reel_session_cursor(session), ==, row->time_ns);
    /* One that never ends is stopped, and the next one answered. */
    gtk_text_buffer_set_text(text,
                             "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                             "SELECT max(i) FROM n",
                             -1);
    g_signal_emit_by_name(button_of(page, "_Run"), "clicked");
    drive_settle();
    g_signal_emit_by_name(button_of(page, "Sto_p"), "clicked");
    gtk_text_buffer_set_text(text, "SELECT 1 AS only", -1);
    g_signal_emit_by_name(button_of(page, "_Run"), "clicked");
    expect_rows(table, 1, "the next answer");
    gtk_window_destroy(GTK_WINDOW(window));
    drive_settle();
}

static gboolean has_lines(gpointer buffer)
{
    return gtk_text_buffer_get_line_count(buffer) > 5;
}

static void the_source_of_a_stack_is_shown_at_its_line(void)
{
    ReelWindow *window = drive_open(traces[0]);
    gpointer page = show(window, "source", REEL_TYPE_SOURCE_PAGE);
    guint stack = number(traces[0], "SELECT e.stack FROM event e JOIN stack s ON s.id = e.stack "
                                    "JOIN frame f ON f.id = coalesce(s.site, s.frame) "
                                    "WHERE f.file LIKE '%deadlock-opposite.c' LIMIT 1");
    g_autofree char *sql = g_strdup_printf("SELECT f.line FROM stack s JOIN frame f ON f.id = "
                                           "coalesce(s.site, s.frame) WHERE s.id = %u",
                                           stack);
    reel_session_set_stack(reel_window_session(window), stack);
    GtkTextBuffer *text = gtk_text_view_get_buffer(find(page, GTK_TYPE_TEXT_VIEW, 0));
    g_assert_true(drive_until(has_lines, text));
    drive_settle();
    GtkTextIter here;
    gtk_text_buffer_get_iter_at_mark(text, &here, gtk_text_buffer_get_insert(text));
    g_assert_cmpuint((guint)gtk_text_iter_get_line(&here) + 1, ==, number(traces[0], sql));
    gtk_window_destroy(GTK_WINDOW(window));
    drive_settle();
}

/* Resizes, walks and zooms: nothing but that it draws without a warning. */
static void every_page_is_drawn_at_any_size(void)
{
    static const struct {
        const char *name;
        GType (*type)(void);
    } pages[] = {
        {"findings", reel_findings_page_get_type}, {"events", reel_events_page_get_type},
        {"locks", reel_locks_page_get_type},       {"order", reel_order_page_get_type},
        {"threads", reel_threads_page_get_type},   {"flame", reel_flame_page_get_type},
        {"range", reel_range_page_get_type},       {"source", reel_source_page_get_type},
        {"sql", reel_sql_page_get_type},
    };
    static const int sizes[][2] = {{900, 600}, {1280, 800}};
    for (char **trace = traces; *trace; trace++) {
        ReelWindow *window = drive_open(*trace);
        ReelSession *session = reel_window_session(window);
        for (guint size = 0; size < G_N_ELEMENTS(sizes); size++) {
            gtk_window_set_default_size(GTK_WINDOW(window), sizes[size][0], sizes[size][1]);
            for (guint i = 0; i < G_N_ELEMENTS(pages); i++) {
                gpointer page = show(window, pages[i].name, pages[i].type());
                g_assert_cmpint(gtk_widget_get_width(page), >, 300);
                reel_session_zoom(session, 0.5, reel_session_cursor(session));
                drive_settle();
                if (pages[i].type == reel_flame_page_get_type) {
                    ReelFlameView *view = find(page, REEL_TYPE_FLAME_VIEW, 0);
                    reel_flame_view_search(view, "o");
                    reel_flame_view_zoom(view, 2);
                    drive_settle();
                }
            }
            reel_session_show_all(session);
        }
        gtk_window_destroy(GTK_WINDOW(window));
        drive_settle();
    }
}

static guint finalized;

static void on_finalized(gpointer data, GObject *where)
{
    (void)data;
    (void)where;
    finalized++;
}

static gboolean all_finalized(gpointer count)
{
    return finalized == GPOINTER_TO_UINT(count);
}

/* Also while the pages still ask. */
static void closed_pages_leave_nothing(void)
{
    static const char *const names[] = {"findings", "events", "locks",  "order", "threads",
                                        "flame",    "range",  "source", "sql"};
    guint watched = 0;
    finalized = 0;
    for (guint round = 0; round < 6; round++) {
        ReelWindow *window = drive_open(traces[round % g_strv_length(traces)]);
        for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
            g_action_group_activate_action(G_ACTION_GROUP(window), "show-page",
                                           g_variant_new_string(names[i]));
            if (round % 2)
                drive_settle();
        }
        g_object_weak_ref(find(window, REEL_TYPE_EVENTS_PAGE, 0), on_finalized, NULL);
        g_object_weak_ref(find(window, REEL_TYPE_FINDINGS_PAGE, 0), on_finalized, NULL);
        g_object_weak_ref(find(window, REEL_TYPE_BOTTOM_PANEL, 0), on_finalized, NULL);
        watched += 3;
        gtk_window_destroy(GTK_WINDOW(window));
        drive_settle();
    }
    /* The display keeps the window that had the pointer last until there is another one. */
    gtk_window_destroy(GTK_WINDOW(drive_open(traces[0])));
    drive_until(all_finalized, GUINT_TO_POINTER(watched));
    g_assert_cmpuint(finalized, ==, watched);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (argc < 3)
        g_error("usage: panel_test REEL TRACE...");
    traces = argv + 2;
    g_test_add_func("/panel/tables-say-what-the-trace-says", tables_say_what_the_trace_says);
    g_test_add_func("/panel/headings-say-what-their-columns-say",
                    headings_say_what_their_columns_say);
    g_test_add_func("/panel/an-activated-event-is-gone-to", an_activated_event_is_gone_to);
    g_test_add_func("/panel/the-list-of-events-follows-the-cursor",
                    the_list_of_events_follows_the_cursor);
    g_test_add_func("/panel/the-window-s-filter-is-the-list-s-too",
                    the_window_s_filter_is_the_list_s_too);
    g_test_add_func("/panel/a-finding-s-evidence-is-gone-to", a_finding_s_evidence_is_gone_to);
    g_test_add_func("/panel/a-deadlock-is-a-circle-of-lock-order",
                    a_deadlock_is_a_circle_of_lock_order);
    g_test_add_func("/panel/sql-is-answered-and-rows-are-gone-to",
                    sql_is_answered_and_rows_are_gone_to);
    g_test_add_func("/panel/the-source-of-a-stack-is-shown-at-its-line",
                    the_source_of_a_stack_is_shown_at_its_line);
    g_test_add_func("/panel/every-page-is-drawn-at-any-size", every_page_is_drawn_at_any_size);
    g_test_add_func("/panel/closed-pages-leave-nothing", closed_pages_leave_nothing);
    int status = g_test_run();
    g_object_unref(drive_application());
    return status;
}
