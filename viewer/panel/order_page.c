#include "viewer/panel/order_page.h"

#include "viewer/panel/order_view.h"
#include "viewer/panel/row_table.h"

struct _ReelOrderPage {
    ReelPanelPage parent_instance;
    GtkStack *stack;
    GtkLabel *message, *circles;
    ReelOrderView *view;
    ReelRowTable *links, *witnesses;
    struct reel_order_graph *graph;
};

G_DEFINE_FINAL_TYPE(ReelOrderPage, reel_order_page, REEL_TYPE_PANEL_PAGE)

enum { LINK_HELD, LINK_WANTED, LINK_COUNT, LINK_DANGER, LINK_COLUMNS };
static const struct reel_row_column link_columns[LINK_COLUMNS] = {
    {"Held", REEL_ROW_TEXT, -80, "The lock that was held"},
    {"Wanted", REEL_ROW_TEXT, -80, "The lock that was asked for then"},
    {"Times", REEL_ROW_COUNT, 60, "How often"},
    {"Order", REEL_ROW_TEXT, 75,
     "circle: threads can wait for each other; guarded: something "
     "else keeps the circle from closing"},
};

enum { WITNESS_THREAD, WITNESS_DEED, WITNESS_PLACE, WITNESS_TIME, WITNESS_COLUMNS };
static const struct reel_row_column witness_columns[WITNESS_COLUMNS] = {
    {"Witness", REEL_ROW_TEXT, 90, "The thread that held the one and asked for the other"},
    {"Did", REEL_ROW_TEXT, -130, "What it did with the locks, in this order"},
    {"Where", REEL_ROW_TEXT, -130, "Enter shows the whole stack under Source"},
    {"When", REEL_ROW_MOMENT, 110, "The first time: Enter goes there"},
};

static void say(ReelOrderPage *self, const char *text)
{
    gtk_label_set_text(self->message, text);
    gtk_stack_set_visible_child_name(self->stack, "message");
}

static const struct reel_order_lock *lock_of(ReelOrderPage *self, guint lock)
{
    return &g_array_index(self->graph->lock, struct reel_order_lock, lock);
}

static const char *name_of(ReelOrderPage *self, guint lock)
{
    return lock_of(self, lock)->name;
}

static void show_links(ReelOrderPage *self)
{
    static const char *const dangers[] = {"fine", "guarded", "⚠ circle"};
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(g_object_unref);
    for (guint i = 0; i < self->graph->link->len; i++) {
        const struct reel_order_link *link =
            &g_array_index(self->graph->link, struct reel_order_link, i);
        ReelRow *row = reel_row_new(LINK_COLUMNS);
        reel_row_set_text(row, LINK_HELD, name_of(self, link->from));
        reel_row_set_text(row, LINK_WANTED, name_of(self, link->to));
        reel_row_set_number(row, LINK_COUNT, (double)link->occurrences);
        reel_row_set_text(row, LINK_DANGER, dangers[link->danger]);
        row->index = i;
        reel_row_identify(row, "%u %u", lock_of(self, link->from)->lock,
                          lock_of(self, link->to)->lock);
        if (link->witness->len) {
            const struct reel_order_witness *first =
                &g_array_index(link->witness, struct reel_order_witness, 0);
            row->time_ns = first->time_ns;
            row->thread = first->thread;
            row->stack = first->stack;
        }
        g_ptr_array_add(rows, row);
    }
    reel_row_table_set_rows(self->links, rows);
}

static void add_deed(GPtrArray *rows, const struct reel_order_witness *witness, const char *deed,
                     const char *lock, const char *place, uint64_t time_ns, uint32_t stack)
{
    ReelRow *row = reel_row_new(WITNESS_COLUMNS);
    reel_row_set_text(row, WITNESS_THREAD, witness->thread_name);
    reel_row_take_text(row, WITNESS_DEED, g_strdup_printf("%s %s", deed, lock));
    reel_row_set_text(row, WITNESS_PLACE, place ? place : "(no stack)");
    if (time_ns) {
        reel_row_set_number(row, WITNESS_TIME, (double)time_ns);
        row->time_ns = time_ns;
    }
    row->thread = witness->thread;
    row->stack = stack;
    reel_row_identify(row, "%u %s %u %u", row->thread, deed, witness->held_stack, witness->stack);
    g_ptr_array_add(rows, row);
}

/* Two rows a witness, one for each stack. */
static void show_witnesses(ReelOrderPage *self, guint index)
{
    const struct reel_order_link *link =
        &g_array_index(self->graph->link, struct reel_order_link, index);
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(g_object_unref);
    for (guint i = 0; i < link->witness->len; i++) {
        const struct reel_order_witness *witness =
            &g_array_index(link->witness, struct reel_order_witness, i);
        add_deed(rows, witness, "took", name_of(self, link->from), witness->held_place,
                 witness->held_ns, witness->held_stack);
        add_deed(rows, witness, "asked for", name_of(self, link->to), witness->place,
                 witness->time_ns, witness->stack);
    }
    reel_row_table_set_rows(self->witnesses, rows);
}

static void show_link(ReelOrderPage *self, guint link)
{
    reel_order_view_select_link(self->view, link);
    show_witnesses(self, link);
}

static void show_circles(ReelOrderPage *self)
{
    const struct reel_order_graph *graph = self->graph;
    g_autoptr(GString) text = g_string_new(NULL);
    if (graph->circles->len == 0)
        g_string_append(text, "No circle can close: the locks have an order.");
    else
        g_string_append_printf(text, "%u circle%s: ", graph->circles->len,
                               graph->circles->len == 1 ? "" : "s");
    for (guint i = 0; i < graph->circles->len && i < 3; i++)
        g_string_append_printf(text, "%s%s", i ? "; " : "", (char *)graph->circles->pdata[i]);
    if (graph->circles->len > 3)
        g_string_append(text, " …");
    if (graph->was_given_up)
        g_string_append(text, " The search was given up; there may be more.");
    if (graph->drawn < graph->lock->len)
        g_string_append_printf(text, " %u locks are in the list only.",
                               graph->lock->len - graph->drawn);
    gtk_label_set_text(self->circles, text->str);
    gtk_widget_set_tooltip_text(GTK_WIDGET(self->circles), text->str);
    if (graph->circles->len)
        gtk_widget_add_css_class(GTK_WIDGET(self->circles), "reel-error");
    else
        gtk_widget_remove_css_class(GTK_WIDGET(self->circles), "reel-error");
}

static void answered(gpointer owner, gpointer answer, const struct reel_error *error)
{
    ReelOrderPage *self = owner;
    struct reel_order_graph *graph = answer;
    if (error) {
        g_autofree char *text = reel_panel_error_text(error);
        say(self, text);
        return;
    }
    g_clear_pointer(&self->graph, reel_order_graph_unref);
    self->graph = reel_order_graph_ref(graph);
    if (graph->link->len == 0) {
        say(self, "No thread asked for a lock while it held another.");
        return;
    }
    reel_order_view_show(self->view, graph);
    show_circles(self);
    show_links(self);
    /* The same one again, where the trace was read anew. */
    ReelRow *row = reel_row_table_selected(self->links);
    if (row)
        show_link(self, row->index);
    else
        reel_row_table_select(self->links, 0);
    gtk_stack_set_visible_child_name(self->stack, "graph");
}

static void reel_order_page_refresh(ReelPanelPage *page)
{
    const struct reel_query_job job = {
        .run = reel_order_graph_read,
        .answered = answered,
        .free_answer = (GDestroyNotify)reel_order_graph_unref,
    };
    reel_panel_page_ask(page, 1, &job);
}

static void reel_order_page_clear(ReelPanelPage *page)
{
    ReelOrderPage *self = REEL_ORDER_PAGE(page);
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    reel_order_view_show(self->view, NULL);
    reel_row_table_set_rows(self->links, none);
    reel_row_table_set_rows(self->witnesses, none);
    g_clear_pointer(&self->graph, reel_order_graph_unref);
    say(self, "Following the locks through the trace…");
}

static void link_row_selected(ReelRowTable *table, ReelRow *row, ReelOrderPage *self)
{
    (void)table;
    if (row && self->graph && row->index < self->graph->link->len)
        show_link(self, row->index);
}

static void link_clicked(ReelOrderView *view, guint link, ReelOrderPage *self)
{
    (void)view;
    GListModel *rows = reel_row_table_rows(self->links);
    for (guint i = 0; i < g_list_model_get_n_items(rows); i++) {
        g_autoptr(ReelRow) row = g_list_model_get_item(rows, i);
        if (row->index == link)
            reel_row_table_select(self->links, i);
    }
}

static void lock_activated(ReelOrderView *view, guint lock, ReelPanelPage *page)
{
    (void)view;
    const ReelOrderPage *self = REEL_ORDER_PAGE(page);
    reel_panel_page_go_to(page, REEL_ROW_NO_TIME, 0,
                          g_array_index(self->graph->lock, struct reel_order_lock, lock).object, 0);
}

static void activated(ReelRowTable *table, ReelRow *row, ReelPanelPage *self)
{
    (void)table;
    reel_panel_page_go(self, row);
}

static void reel_order_page_finalize(GObject *object)
{
    g_clear_pointer(&REEL_ORDER_PAGE(object)->graph, reel_order_graph_unref);
    G_OBJECT_CLASS(reel_order_page_parent_class)->finalize(object);
}

static void reel_order_page_class_init(ReelOrderPageClass *class)
{
    REEL_PANEL_PAGE_CLASS(class)->refresh = reel_order_page_refresh;
    REEL_PANEL_PAGE_CLASS(class)->clear = reel_order_page_clear;
    G_OBJECT_CLASS(class)->finalize = reel_order_page_finalize;
}

static void reel_order_page_init(ReelOrderPage *self)
{
    self->circles = GTK_LABEL(gtk_label_new(NULL));
    gtk_label_set_xalign(self->circles, 0);
    gtk_label_set_ellipsize(self->circles, PANGO_ELLIPSIZE_END);
    gtk_widget_add_css_class(GTK_WIDGET(self->circles), "reel-tools");
    GtkWidget *view = reel_order_view_new();
    self->view = REEL_ORDER_VIEW(view);
    GtkWidget *scrolled = gtk_scrolled_window_new();
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), view);
    gtk_widget_set_size_request(scrolled, 220, -1);
    GtkWidget *links = reel_row_table_new("Lock order", link_columns, LINK_COLUMNS);
    GtkWidget *witnesses = reel_row_table_new("Witnesses", witness_columns, WITNESS_COLUMNS);
    self->links = REEL_ROW_TABLE(links);
    self->witnesses = REEL_ROW_TABLE(witnesses);
    GtkWidget *tables = gtk_paned_new(GTK_ORIENTATION_HORIZONTAL);
    gtk_paned_set_start_child(GTK_PANED(tables), links);
    gtk_paned_set_end_child(GTK_PANED(tables), witnesses);
    gtk_paned_set_position(GTK_PANED(tables), 300);
    GtkWidget *paned = gtk_paned_new(GTK_ORIENTATION_HORIZONTAL);
    gtk_paned_set_start_child(GTK_PANED(paned), scrolled);
    gtk_paned_set_end_child(GTK_PANED(paned), tables);
    gtk_paned_set_position(GTK_PANED(paned), 380);
    gtk_widget_set_vexpand(paned, TRUE);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(self->circles));
    gtk_box_append(GTK_BOX(box), paned);
    self->message = GTK_LABEL(gtk_label_new(NULL));
    gtk_label_set_wrap(self->message, TRUE);
    gtk_label_set_justify(self->message, GTK_JUSTIFY_CENTER);
    gtk_widget_add_css_class(GTK_WIDGET(self->message), "reel-empty");
    self->stack = GTK_STACK(gtk_stack_new());
    gtk_stack_add_named(self->stack, GTK_WIDGET(self->message), "message");
    gtk_stack_add_named(self->stack, box, "graph");
    g_signal_connect(view, "lock-activated", G_CALLBACK(lock_activated), self);
    g_signal_connect(view, "link-selected", G_CALLBACK(link_clicked), self);
    g_signal_connect(links, "selected", G_CALLBACK(link_row_selected), self);
    g_signal_connect(links, "activated", G_CALLBACK(activated), self);
    g_signal_connect(witnesses, "activated", G_CALLBACK(activated), self);
    reel_panel_page_set_child(REEL_PANEL_PAGE(self), GTK_WIDGET(self->stack));
    reel_panel_page_set_primary(REEL_PANEL_PAGE(self), view);
}
