/* A trace that grows while the viewer's real window shows it: whoever reads a table goes on reading
 * it, scrolled and selected as it was. The traces are made of text. Needs a display. */
#include <gtk/gtk.h>
#include <stdio.h>

#include "tests/gui/drive.h"
#include "tracer/model/text_form.h"
#include "tracer/store/trace.h"
#include "viewer/panel/event_query.h"
#include "viewer/panel/events_page.h"
#include "viewer/panel/findings_page.h"
#include "viewer/panel/locks_page.h"
#include "viewer/panel/row_table.h"
#include "viewer/panel/threads_page.h"

#define LOCKS 60

/* Unfinished, as a recorder leaves it while it records. */
static void write_trace(const char *path, const char *text)
{
    struct reel_error error = {0};
    g_autofree char *next = g_strconcat(path, ".next", NULL);
    struct reel_text_form *form = reel_text_form_parse(text, &error);
    struct reel_trace *trace = form ? reel_trace_create(next, &error) : NULL;
    gboolean good =
        trace && reel_text_form_write(form, trace, &error) && reel_trace_close(trace, &error);
    trace = good ? reel_trace_open(next, REEL_TRACE_WRITE, &error) : NULL;
    if (!trace || !reel_trace_set_meta(trace, "state", "recording", &error) ||
        !reel_trace_close(trace, &error))
        g_error("%s", error.message);
    reel_text_form_free(form);
    g_assert_cmpint(rename(next, path), ==, 0);
}

/* Two threads that wait for each other's locks, by turns, `rounds` times; the later the round, the
 * more locks there are, and their order by time waited changes. */
static char *busy_text(guint rounds)
{
    GString *text = g_string_new("T1 create T2; T1 created T2; T2 start;");
    for (guint i = 0; i < rounds; i++)
        g_string_append_printf(text,
                               "T1 lock L%u; T2 want L%u; @%uus T1 unlock L%u; T2 lock L%u blocked;"
                               "T2 unlock L%u;",
                               i % LOCKS, i % LOCKS, 1000 * (i + 1) + (i * 37) % 500, i % LOCKS,
                               i % LOCKS, i % LOCKS);
    return g_string_free(text, FALSE);
}

static char *path_of(const char *name)
{
    return g_build_filename(g_get_user_runtime_dir(), name, NULL);
}

/* The window on it, following nothing. */
static ReelWindow *open_growing(const char *path, const char *text)
{
    write_trace(path, text);
    ReelWindow *window = drive_open(path);
    reel_window_toggle_follow(window);
    return window;
}

struct growth {
    ReelSession *session;
    uint64_t end_ns;
};

static gboolean has_grown(gpointer data)
{
    const struct growth *growth = data;
    return reel_document_end_ns(reel_session_document(growth->session)) > growth->end_ns;
}

static void grow(ReelWindow *window, const char *path, const char *text)
{
    ReelSession *session = reel_window_session(window);
    struct growth growth = {session, reel_document_end_ns(reel_session_document(session))};
    write_trace(path, text);
    if (!drive_until(has_grown, &growth))
        g_error("%s was not read anew", path);
}

static ReelRowTable *show_table(ReelWindow *window, const char *page, GType type)
{
    g_action_group_activate_action(G_ACTION_GROUP(window), "show-page", g_variant_new_string(page));
    drive_settle();
    return REEL_ROW_TABLE(
        drive_find(drive_find(GTK_WIDGET(window), type, 0), REEL_TYPE_ROW_TABLE, 0));
}

static guint count_of(ReelRowTable *table)
{
    return g_list_model_get_n_items(reel_row_table_rows(table));
}

struct wanted {
    ReelRowTable *table;
    guint more_than;
};

static gboolean has_more(gpointer data)
{
    const struct wanted *wanted = data;
    return count_of(wanted->table) > wanted->more_than;
}

static void expect_more(ReelRowTable *table, guint than)
{
    struct wanted wanted = {table, than};
    if (!drive_until(has_more, &wanted))
        g_error("%u rows, not more than %u", count_of(table), than);
    drive_settle();
}

static GtkAdjustment *scrolling_of(ReelRowTable *table)
{
    return gtk_scrolled_window_get_vadjustment(
        GTK_SCROLLED_WINDOW(drive_find(GTK_WIDGET(table), GTK_TYPE_SCROLLED_WINDOW, 0)));
}

static gboolean is_scrolled(gpointer table)
{
    return gtk_adjustment_get_value(scrolling_of(table)) > 0;
}

/* The list estimates where rows are until it has measured them. */
#define TWO_ROWS 60

static double where_it_rests(ReelRowTable *table)
{
    double before, now = -1;
    do {
        before = now;
        drive_settle();
        now = gtk_adjustment_get_value(scrolling_of(table));
    } while (now < before || now > before);
    return now;
}

static guint selections;

static void selected(ReelRowTable *table, ReelRow *row)
{
    (void)table;
    (void)row;
    selections++;
}

static void a_table_stays_scrolled_and_selected(void)
{
    g_autofree char *path = path_of("table.reel"), *little = busy_text(40), *more = busy_text(100);
    ReelWindow *window = open_growing(path, little);
    ReelRowTable *table = show_table(window, "locks", REEL_TYPE_LOCKS_PAGE);
    expect_more(table, 20);
    reel_row_table_select(table, 25);
    g_assert_true(drive_until(is_scrolled, table));
    double scrolled = where_it_rests(table);
    guint count = count_of(table), object = reel_row_table_selected(table)->object;
    g_signal_connect(table, "selected", G_CALLBACK(selected), NULL);
    selections = 0;
    grow(window, path, more);
    expect_more(table, count);
    g_assert_nonnull(reel_row_table_selected(table));
    g_assert_cmpuint(reel_row_table_selected(table)->object, ==, object);
    g_assert_cmpfloat_with_epsilon(where_it_rests(table), scrolled, TWO_ROWS);
    g_assert_cmpuint(selections, ==, 0);
    drive_close(window);
}

static void rows_that_stay_say_what_is_new(void)
{
    g_autofree char *path = path_of("cells.reel"), *little = busy_text(40), *more = busy_text(100);
    ReelWindow *window = open_growing(path, little);
    ReelRowTable *table = show_table(window, "locks", REEL_TYPE_LOCKS_PAGE);
    expect_more(table, 20);
    guint count = count_of(table);
    grow(window, path, more);
    expect_more(table, count);
    g_autofree char *kept = reel_row_table_to_tsv(table);
    drive_close(window);
    window = drive_open(path);
    table = show_table(window, "locks", REEL_TYPE_LOCKS_PAGE);
    expect_more(table, 20);
    g_autofree char *anew = reel_row_table_to_tsv(table);
    g_assert_cmpstr(kept, ==, anew);
    drive_close(window);
}

struct selection {
    ReelRowTable *table;
    uint64_t ns;
};

static gboolean is_selected(gpointer data)
{
    const struct selection *selection = data;
    ReelRow *row = reel_row_table_selected(selection->table);
    return row && row->is_filled && row->time_ns == selection->ns;
}

static gboolean is_filled(gpointer row)
{
    return REEL_ROW(row)->is_filled;
}

static void the_list_of_events_stays_where_it_is_read(void)
{
    g_autofree char *path = path_of("events.reel"), *little = busy_text(200),
                    *more = busy_text(240);
    ReelWindow *window = open_growing(path, little);
    ReelRowTable *table = show_table(window, "events", REEL_TYPE_EVENTS_PAGE);
    expect_more(table, 900);
    guint count = count_of(table);
    reel_row_table_select(table, 300);
    g_assert_true(drive_until(is_scrolled, table));
    drive_settle();
    ReelRow *row = reel_row_table_selected(table);
    g_assert_true(drive_until(is_filled, row));
    struct selection selection = {table, row->time_ns};
    double scrolled = where_it_rests(table);
    grow(window, path, more);
    expect_more(table, count);
    g_assert_true(drive_until(is_selected, &selection));
    g_assert_cmpfloat_with_epsilon(where_it_rests(table), scrolled, TWO_ROWS);
    drive_close(window);
}

static void events_follow_a_cursor_that_moves(void)
{
    g_autofree char *path = path_of("follow.reel"), *little = busy_text(200),
                    *more = busy_text(240);
    ReelWindow *window = open_growing(path, little);
    ReelRowTable *table = show_table(window, "events", REEL_TYPE_EVENTS_PAGE);
    expect_more(table, 900);
    guint count = count_of(table);
    reel_window_toggle_follow(window);
    grow(window, path, more);
    expect_more(table, count);
    GListModel *rows = reel_row_table_rows(table);
    g_autoptr(ReelRow) last = g_list_model_get_item(rows, count_of(table) - 1);
    g_assert_true(drive_until(is_filled, last));
    struct selection selection = {table, last->time_ns};
    g_assert_true(drive_until(is_selected, &selection));
    drive_close(window);
}

/* A ring of two, then another one before or behind it in the list: the one that is read stays. */
static void a_finding_that_is_read_stays(void)
{
    static const char *const first = "T1 create T2; T2 start; T1 lock A; T2 lock B; T1 want B; T2 "
                                     "want A;";
    static const char *const other = "T3 create T4; T4 start; T3 lock C; T4 lock D; T3 want D; T4 "
                                     "want C;";
    for (int order = 0; order < 2; order++) {
        g_autofree char *path = path_of(order ? "before.reel" : "behind.reel");
        g_autofree char *both = g_strconcat(order ? other : first, order ? first : other, NULL);
        ReelWindow *window = open_growing(path, first);
        ReelRowTable *table = show_table(window, "findings", REEL_TYPE_FINDINGS_PAGE);
        expect_more(table, 0);
        guint count = count_of(table);
        reel_row_table_select(table, 0);
        g_autofree char *identity = g_strdup(reel_row_table_selected(table)->identity);
        g_assert_nonnull(identity);
        grow(window, path, both);
        expect_more(table, count);
        g_assert_cmpstr(reel_row_table_selected(table)->identity, ==, identity);
        drive_close(window);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/live/a-table-stays-scrolled-and-selected",
                    a_table_stays_scrolled_and_selected);
    g_test_add_func("/live/rows-that-stay-say-what-is-new", rows_that_stay_say_what_is_new);
    g_test_add_func("/live/the-list-of-events-stays-where-it-is-read",
                    the_list_of_events_stays_where_it_is_read);
    g_test_add_func("/live/events-follow-a-cursor-that-moves", events_follow_a_cursor_that_moves);
    g_test_add_func("/live/a-finding-that-is-read-stays", a_finding_that_is_read_stays);
    int status = g_test_run();
    g_object_unref(drive_application());
    return status;
}
