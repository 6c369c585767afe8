#include "viewer/panel/statistics_page.h"

#include "viewer/panel/statistics.h"

typedef struct {
    ReelRowTable *table;
    GtkToggleButton *only_range;
    GtkLabel *what;
} ReelStatisticsPagePrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE(ReelStatisticsPage, reel_statistics_page, REEL_TYPE_PANEL_PAGE)

static ReelStatisticsPagePrivate *private_of(gpointer self)
{
    return reel_statistics_page_get_instance_private(self);
}

static void answered(gpointer owner, gpointer answer, const struct reel_error *error)
{
    ReelStatisticsPagePrivate *private = private_of(owner);
    GPtrArray *rows = answer;
    if (error) {
        g_autofree char *text = reel_panel_error_text(error);
        reel_row_table_say(private->table, text);
        return;
    }
    reel_row_table_set_rows(private->table, rows);
    if (rows->len == 0)
        reel_row_table_say(private->table, REEL_STATISTICS_PAGE_GET_CLASS(owner)->nothing);
}

static void reel_statistics_page_refresh(ReelPanelPage *page)
{
    ReelStatisticsPagePrivate *private = private_of(page);
    ReelDocument *document = reel_panel_page_document(page);
    uint64_t from, to;
    gboolean whole = reel_panel_page_range(page, &from, &to) ||
                     !gtk_toggle_button_get_active(private->only_range);
    if (whole) {
        from = reel_document_start_ns(document);
        to = reel_document_end_ns(document);
    }
    g_autofree char *range = reel_panel_range_text(from, to, whole);
    gtk_label_set_text(private->what, range);
    const struct reel_query_job job = {
        .run = REEL_STATISTICS_PAGE_GET_CLASS(page)->read,
        .answered = answered,
        .request = reel_statistics_request_new(from, to, whole),
        .free_request = g_free,
        .free_answer = (GDestroyNotify)g_ptr_array_unref,
    };
    reel_panel_page_ask(page, 1, &job);
}

static void reel_statistics_page_clear(ReelPanelPage *page)
{
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    reel_row_table_set_rows(private_of(page)->table, none);
    reel_row_table_say(private_of(page)->table, "Adding up…");
}

static gboolean reel_statistics_page_is_ranged(ReelPanelPage *page)
{
    return gtk_toggle_button_get_active(private_of(page)->only_range);
}

static void activated(ReelRowTable *table, ReelRow *row, ReelPanelPage *self)
{
    (void)table;
    reel_panel_page_go(self, row);
}

static void reel_statistics_page_constructed(GObject *object)
{
    ReelStatisticsPagePrivate *private = private_of(object);
    const ReelStatisticsPageClass *class = REEL_STATISTICS_PAGE_GET_CLASS(object);
    G_OBJECT_CLASS(reel_statistics_page_parent_class)->constructed(object);
    GtkWidget *tools = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 8);
    gtk_widget_add_css_class(tools, "reel-tools");
    private->only_range = GTK_TOGGLE_BUTTON(gtk_toggle_button_new_with_label("Only This Range"));
    gtk_widget_set_tooltip_text(GTK_WIDGET(private->only_range),
                                "Count only what lies in the selected range, or in what is seen");
    private->what = GTK_LABEL(gtk_label_new(NULL));
    gtk_label_set_xalign(private->what, 0);
    gtk_label_set_ellipsize(private->what, PANGO_ELLIPSIZE_END);
    gtk_widget_set_hexpand(GTK_WIDGET(private->what), TRUE);
    gtk_widget_add_css_class(GTK_WIDGET(private->what), "reel-summary");
    gtk_box_append(GTK_BOX(tools), GTK_WIDGET(private->what));
    gtk_box_append(GTK_BOX(tools), GTK_WIDGET(private->only_range));
    GtkWidget *table = reel_row_table_new(class->name, class->columns, class->count);
    private->table = REEL_ROW_TABLE(table);
    reel_row_table_sort(private->table, class->sort_column, TRUE);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    gtk_box_append(GTK_BOX(box), tools);
    gtk_box_append(GTK_BOX(box), table);
    g_signal_connect(table, "activated", G_CALLBACK(activated), object);
    g_signal_connect_object(private->only_range, "toggled", G_CALLBACK(reel_panel_page_outdate),
                            object, G_CONNECT_SWAPPED);
    reel_panel_page_set_child(REEL_PANEL_PAGE(object), box);
    reel_panel_page_set_primary(REEL_PANEL_PAGE(object), table);
}

static void reel_statistics_page_class_init(ReelStatisticsPageClass *class)
{
    G_OBJECT_CLASS(class)->constructed = reel_statistics_page_constructed;
    REEL_PANEL_PAGE_CLASS(class)->refresh = reel_statistics_page_refresh;
    REEL_PANEL_PAGE_CLASS(class)->clear = reel_statistics_page_clear;
    REEL_PANEL_PAGE_CLASS(class)->is_ranged = reel_statistics_page_is_ranged;
    REEL_PANEL_PAGE_CLASS(class)->follows = REEL_FOLLOWS_RANGE;
}

static void reel_statistics_page_init(ReelStatisticsPage *self)
{
    (void)self;
}
