#include "viewer/panel/range_page.h"

#include "tracer/model/time_text.h"
#include "viewer/panel/row_table.h"
#include "viewer/panel/share_bar.h"
#include "viewer/panel/statistics.h"

enum { SLOT_SUM = 1, SLOT_THREADS, SLOT_LOCKS, SLOT_WAITS };

struct _ReelRangePage {
    ReelPanelPage parent_instance;
    GtkLabel *range, *sum;
    ReelShareBar *bar;
    ReelRowTable *threads, *locks, *waits;
};

G_DEFINE_FINAL_TYPE(ReelRangePage, reel_range_page, REEL_TYPE_PANEL_PAGE)

/* A few columns of the tables that have pages of their own. */
enum { THREAD_NAME, THREAD_STATES, THREAD_RUNNING, THREAD_COLUMNS };
static const struct reel_row_column thread_columns[THREAD_COLUMNS] = {
    {"Thread", REEL_ROW_TEXT, -90, "Enter selects its lane"},
    {"What it did", REEL_ROW_STATES, 130, "Shares of its life in the range"},
    {"Running", REEL_ROW_SHARE, 70, "Of its life in the range"},
};
static const guint thread_from[THREAD_COLUMNS] = {REEL_THREAD_NAME, REEL_THREAD_STATES,
                                                  REEL_THREAD_RUNNING};

enum { LOCK_NAME, LOCK_WAIT, LOCK_USED, LOCK_COLUMNS };
static const struct reel_row_column lock_columns[LOCK_COLUMNS] = {
    {"Lock", REEL_ROW_TEXT, -90, "Enter selects its lane"},
    {"Wait", REEL_ROW_DURATION, 75, "Waited for it in the range, all threads together"},
    {"Held", REEL_ROW_SHARE, 65, "Held, of the range"},
};
static const guint lock_from[LOCK_COLUMNS] = {REEL_LOCK_NAME, REEL_LOCK_WAIT, REEL_LOCK_USED};

static const struct reel_row_column wait_columns[REEL_WAIT_COLUMNS] = {
    [REEL_WAIT_LENGTH] = {"Longest waits", REEL_ROW_DURATION, 100, "How long it lasted"},
    [REEL_WAIT_THREAD] = {"Thread", REEL_ROW_TEXT, 90, "Who waited"},
    [REEL_WAIT_STATE] = {"How", REEL_ROW_TEXT, 85, "In which state"},
    [REEL_WAIT_OBJECT] = {"For", REEL_ROW_TEXT, -90, "What it waited for"},
    [REEL_WAIT_ENDED_BY] = {"Ended by", REEL_ROW_TEXT, 90, "Whose event ended it"},
    [REEL_WAIT_START] = {"Since", REEL_ROW_MOMENT, 115, "When it began: Enter goes there"},
    [REEL_WAIT_WHERE] = {"Where", REEL_ROW_TEXT, -110, "The line of the program's own code"},
};

/* Rows of a larger table with some of its columns. */
static GPtrArray *some_columns(GPtrArray *rows, const guint *from, guint count)
{
    GPtrArray *some = g_ptr_array_new_with_free_func(g_object_unref);
    for (guint i = 0; i < rows->len; i++) {
        const ReelRow *row = rows->pdata[i];
        ReelRow *copy = reel_row_new(count);
        for (guint k = 0; k < count; k++) {
            const struct reel_row_cell *cell = &row->cell[from[k]];
            copy->cell[k] = (struct reel_row_cell){
                .text = g_strdup(cell->text),
                .number = cell->number,
                .shares = cell->shares
                              ? g_memdup2(cell->shares, REEL_STATE_ROLE_COUNT * sizeof(float))
                              : NULL,
            };
        }
        copy->thread = row->thread;
        copy->object = row->object;
        copy->identity = g_strdup(row->identity);
        g_ptr_array_add(some, copy);
    }
    return some;
}

static void show(ReelRowTable *table, GPtrArray *rows, const struct reel_error *error,
                 const char *nothing)
{
    if (error) {
        g_autofree char *text = reel_panel_error_text(error);
        reel_row_table_say(table, text);
        return;
    }
    reel_row_table_set_rows(table, rows);
    if (rows->len == 0)
        reel_row_table_say(table, nothing);
}

static void threads_answered(gpointer owner, gpointer answer, const struct reel_error *error)
{
    g_autoptr(GPtrArray) rows = answer ? some_columns(answer, thread_from, THREAD_COLUMNS) : NULL;
    show(REEL_RANGE_PAGE(owner)->threads, rows, error, "No thread lived here.");
}

static void locks_answered(gpointer owner, gpointer answer, const struct reel_error *error)
{
    g_autoptr(GPtrArray) rows = answer ? some_columns(answer, lock_from, LOCK_COLUMNS) : NULL;
    show(REEL_RANGE_PAGE(owner)->locks, rows, error, "No lock was taken here.");
}

static void waits_answered(gpointer owner, gpointer answer, const struct reel_error *error)
{
    show(REEL_RANGE_PAGE(owner)->waits, answer, error, "Nobody waited here.");
}

static void sum_answered(gpointer owner, gpointer answer, const struct reel_error *error)
{
    ReelRangePage *self = owner;
    const struct reel_range_sum *sum = answer;
    if (error) {
        g_autofree char *text = reel_panel_error_text(error);
        gtk_label_set_text(self->sum, text);
        return;
    }
    double width = (double)(sum->to_ns - sum->from_ns);
    double running =
        (sum->role_ns[REEL_STATE_ROLE_RUNNING] + sum->role_ns[REEL_STATE_ROLE_CALLBACK]) / width;
    float shares[REEL_STATE_ROLE_COUNT];
    for (unsigned role = 0; role < REEL_STATE_ROLE_COUNT; role++)
        shares[role] = sum->alive_ns > 0 ? (float)(sum->role_ns[role] / sum->alive_ns) : 0;
    reel_share_bar_set(self->bar, shares);
    g_autofree char *of =
        sum->processors ? g_strdup_printf(" of %u processors", sum->processors) : g_strdup("");
    g_autofree char *text = g_strdup_printf(
        "%.2f threads running on average%s · %u thread%s alive, %.2f on average · "
        "%'" G_GUINT64_FORMAT " event%s (%'.0f a second)",
        running, of, sum->threads, sum->threads == 1 ? "" : "s", sum->alive_ns / width,
        (guint64)sum->events, sum->events == 1 ? "" : "s", (double)sum->events / width * 1e9);
    gtk_label_set_text(self->sum, text);
}

static void ask(ReelPanelPage *page, guint slot, uint64_t from, uint64_t to, gboolean whole,
                gpointer (*read)(struct reel_query *, gpointer),
                void (*answered)(gpointer, gpointer, const struct reel_error *),
                GDestroyNotify free_answer)
{
    const struct reel_query_job job = {
        .run = read,
        .answered = answered,
        .request = reel_statistics_request_new(from, to, whole),
        .free_request = g_free,
        .free_answer = free_answer,
    };
    reel_panel_page_ask(page, slot, &job);
}

static void reel_range_page_refresh(ReelPanelPage *page)
{
    ReelRangePage *self = REEL_RANGE_PAGE(page);
    uint64_t from, to;
    gboolean whole = reel_panel_page_range(page, &from, &to);
    g_autofree char *text = reel_panel_range_text(from, to, whole);
    gtk_label_set_text(self->range, text);
    GDestroyNotify free_rows = (GDestroyNotify)g_ptr_array_unref;
    ask(page, SLOT_SUM, from, to, whole, reel_range_sum_read, sum_answered, g_free);
    ask(page, SLOT_WAITS, from, to, whole, reel_wait_statistics_read, waits_answered, free_rows);
    ask(page, SLOT_THREADS, from, to, whole, reel_thread_statistics_read, threads_answered,
        free_rows);
    ask(page, SLOT_LOCKS, from, to, whole, reel_lock_statistics_read, locks_answered, free_rows);
}

static void reel_range_page_clear(ReelPanelPage *page)
{
    ReelRangePage *self = REEL_RANGE_PAGE(page);
    reel_row_table_say(self->threads, "Adding up…");
    reel_row_table_say(self->locks, "Adding up…");
    reel_row_table_say(self->waits, "Adding up…");
    gtk_label_set_text(self->sum, "");
    reel_share_bar_set(self->bar, NULL);
}

static void activated(ReelRowTable *table, ReelRow *row, ReelPanelPage *self)
{
    (void)table;
    reel_panel_page_go(self, row);
}

static void reel_range_page_class_init(ReelRangePageClass *class)
{
    REEL_PANEL_PAGE_CLASS(class)->refresh = reel_range_page_refresh;
    REEL_PANEL_PAGE_CLASS(class)->clear = reel_range_page_clear;
    REEL_PANEL_PAGE_CLASS(class)->follows = REEL_FOLLOWS_RANGE;
}

static ReelRowTable *add_table(ReelRangePage *self, const char *name,
                               const struct reel_row_column *columns, guint count)
{
    GtkWidget *table = reel_row_table_new(name, columns, count);
    g_signal_connect(table, "activated", G_CALLBACK(activated), self);
    return REEL_ROW_TABLE(table);
}

static void reel_range_page_init(ReelRangePage *self)
{
    GtkWidget *head = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 10);
    gtk_widget_add_css_class(head, "reel-tools");
    self->range = GTK_LABEL(gtk_label_new(NULL));
    self->sum = GTK_LABEL(gtk_label_new(NULL));
    GtkWidget *bar = reel_share_bar_new();
    self->bar = REEL_SHARE_BAR(bar);
    gtk_label_set_ellipsize(self->sum, PANGO_ELLIPSIZE_END);
    gtk_label_set_xalign(self->sum, 0);
    gtk_widget_set_hexpand(GTK_WIDGET(self->sum), TRUE);
    gtk_widget_add_css_class(GTK_WIDGET(self->sum), "reel-summary");
    gtk_box_append(GTK_BOX(head), GTK_WIDGET(self->range));
    gtk_box_append(GTK_BOX(head), bar);
    gtk_box_append(GTK_BOX(head), GTK_WIDGET(self->sum));
    self->waits = add_table(self, "Longest waits", wait_columns, REEL_WAIT_COLUMNS);
    self->threads = add_table(self, "Threads in the range", thread_columns, THREAD_COLUMNS);
    self->locks = add_table(self, "Locks in the range", lock_columns, LOCK_COLUMNS);
    reel_row_table_sort(self->waits, REEL_WAIT_LENGTH, TRUE);
    reel_row_table_sort(self->locks, LOCK_WAIT, TRUE);
    GtkWidget *left = gtk_paned_new(GTK_ORIENTATION_HORIZONTAL);
    gtk_paned_set_start_child(GTK_PANED(left), GTK_WIDGET(self->threads));
    gtk_paned_set_end_child(GTK_PANED(left), GTK_WIDGET(self->locks));
    gtk_paned_set_position(GTK_PANED(left), 330);
    GtkWidget *paned = gtk_paned_new(GTK_ORIENTATION_HORIZONTAL);
    gtk_paned_set_start_child(GTK_PANED(paned), left);
    gtk_paned_set_end_child(GTK_PANED(paned), GTK_WIDGET(self->waits));
    gtk_paned_set_position(GTK_PANED(paned), 560);
    gtk_widget_set_vexpand(paned, TRUE);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    gtk_box_append(GTK_BOX(box), head);
    gtk_box_append(GTK_BOX(box), paned);
    reel_panel_page_set_child(REEL_PANEL_PAGE(self), box);
    reel_panel_page_set_primary(REEL_PANEL_PAGE(self), GTK_WIDGET(self->waits));
}
