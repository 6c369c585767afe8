#include "viewer/panel/events_page.h"

#include "tracer/model/filter.h"
#include "viewer/panel/event_list.h"
#include "viewer/panel/event_query.h"
#include "viewer/panel/row_table.h"

#define NOWHERE UINT64_MAX

struct _ReelEventsPage {
    ReelPanelPage parent_instance;
    ReelRowTable *table;
    GtkSearchEntry *filter;
    GtkToggleButton *follow;
    GtkLabel *count;
    ReelEventList *list, *next;      /* shown; to be shown when it is complete, or NULL */
    char *shown_filter, *shown_path; /* what `list` was made of; NULL: of nothing */
    uint64_t followed_ns;            /* where the cursor was when it was followed last */
    gboolean is_marking;             /* the row that was selected is looked for in the next list */
};

G_DEFINE_FINAL_TYPE(ReelEventsPage, reel_events_page, REEL_TYPE_PANEL_PAGE)

static const struct reel_row_column columns[REEL_EVENT_COLUMNS] = {
    [REEL_EVENT_TIME] = {"Time", REEL_ROW_MOMENT, 130, "When: no two events have the same time"},
    [REEL_EVENT_THREAD] = {"Thread", REEL_ROW_TEXT, 140, "Whose event it is"},
    [REEL_EVENT_OPERATION] = {"Operation", REEL_ROW_TEXT, 110, "What was done"},
    [REEL_EVENT_OBJECT] = {"Object", REEL_ROW_TEXT, -180, "What it was done to"},
    [REEL_EVENT_ARGUMENT] = {"Argument", REEL_ROW_TEXT, 160, "What else is known of it"},
    [REEL_EVENT_WHERE] = {"Where", REEL_ROW_TEXT, -200, "The line of the program's own code"},
};

/* Only when it has moved: who has scrolled away from it stays there while the trace grows. A list
 * that is about to take the place of this one is for the cursor to be followed in. */
static void follow_cursor(ReelEventsPage *self)
{
    uint64_t cursor = reel_session_cursor(reel_panel_page_session(REEL_PANEL_PAGE(self)));
    if (!self->list || self->next || cursor == self->followed_ns ||
        !gtk_toggle_button_get_active(self->follow))
        return;
    self->followed_ns = cursor;
    self->is_marking = FALSE;
    reel_event_list_find(self->list, cursor);
}

static void follow_toggled(ReelEventsPage *self)
{
    self->followed_ns = NOWHERE;
    follow_cursor(self);
}

static void placed(ReelEventList *list, guint position, ReelEventsPage *self)
{
    if (list != self->list)
        return;
    if (self->is_marking)
        reel_row_table_mark(self->table, position);
    else
        reel_row_table_select(self->table, position);
}

/* A list that was made anew of a trace that has grown takes the place of the one that is shown when
 * it is complete: nothing flickers, and it is scrolled and selected as that one was. */
static void adopt_next(ReelEventsPage *self, gboolean has_grown)
{
    ReelRow *row = has_grown ? reel_row_table_selected(self->table) : NULL;
    uint64_t ns = row && row->is_filled ? row->time_ns : REEL_ROW_NO_TIME;
    g_clear_object(&self->list);
    self->list = g_steal_pointer(&self->next);
    reel_row_table_set_model(self->table, G_LIST_MODEL(self->list), has_grown);
    if (!has_grown)
        self->followed_ns = NOWHERE;
    self->is_marking = ns != REEL_ROW_NO_TIME;
    if (self->is_marking)
        reel_event_list_find(self->list, ns);
}

static void told(ReelEventList *list, const char *error, ReelEventsPage *self)
{
    gboolean complete = reel_event_list_is_complete(list);
    if (list == self->next && complete)
        adopt_next(self, TRUE);
    if (list != self->list)
        return;
    guint count = g_list_model_get_n_items(G_LIST_MODEL(list));
    g_autofree char *text =
        g_strdup_printf("%'u event%s%s", count, count == 1 ? "" : "s", complete ? "" : " so far…");
    gtk_label_set_text(self->count, error ? "" : text);
    if (error)
        reel_row_table_say(self->table, error);
    else if (count)
        reel_row_table_say(self->table, NULL);
    else if (complete)
        reel_row_table_say(self->table, *self->shown_filter ? "No event matches the filter."
                                                            : "There are no events in this trace.");
    if (complete && !error)
        follow_cursor(self);
}

/* The page's own filter, else the window's, if that says something of events: a filter of states
 * does not. */
static const char *filter_of(ReelEventsPage *self)
{
    ReelPanelPage *page = REEL_PANEL_PAGE(self);
    const char *own = gtk_editable_get_text(GTK_EDITABLE(self->filter));
    const char *common = reel_session_filter(reel_panel_page_session(page));
    if (*own || !common || !*common)
        return own;
    struct reel_error error = {0};
    g_autoptr(GString) sql = g_string_new(NULL);
    struct reel_filter *filter =
        reel_filter_parse(common, reel_document_end_ns(reel_panel_page_document(page)), &error);
    bool fits = filter && reel_filter_sql(filter, REEL_FILTER_EVENTS, sql, &error);
    reel_filter_free(filter);
    return fits ? common : "";
}

static void reel_events_page_refresh(ReelPanelPage *page)
{
    ReelEventsPage *self = REEL_EVENTS_PAGE(page);
    ReelDocument *document = reel_panel_page_document(page);
    const char *filter = filter_of(self), *path = reel_document_path(document);
    if (self->list && g_strcmp0(filter, self->shown_filter) == 0 &&
        g_strcmp0(path, self->shown_path) == 0) {
        follow_cursor(self);
        return;
    }
    gboolean has_grown = self->list && g_strcmp0(filter, self->shown_filter) == 0;
    g_free(self->shown_filter);
    self->shown_filter = g_strdup(filter);
    g_free(self->shown_path);
    self->shown_path = g_strdup(path);
    g_clear_object(&self->next);
    self->next = reel_event_list_new(path, filter, reel_document_end_ns(document));
    g_signal_connect_object(self->next, "told", G_CALLBACK(told), self, 0);
    g_signal_connect_object(self->next, "placed", G_CALLBACK(placed), self, 0);
    if (!has_grown) {
        adopt_next(self, FALSE);
        reel_row_table_say(self->table, "Looking for events…");
    }
}

static void reel_events_page_clear(ReelPanelPage *page)
{
    ReelEventsPage *self = REEL_EVENTS_PAGE(page);
    reel_row_table_set_model(self->table, NULL, FALSE);
    g_clear_object(&self->list);
    g_clear_object(&self->next);
    g_clear_pointer(&self->shown_filter, g_free);
    g_clear_pointer(&self->shown_path, g_free);
    gtk_label_set_text(self->count, "");
    reel_row_table_say(self->table, "Looking for events…");
}

static void activated(ReelRowTable *table, ReelRow *row, ReelPanelPage *self)
{
    (void)table;
    reel_panel_page_go(self, row);
}

static void selected(ReelRowTable *table, ReelRow *row, ReelPanelPage *self)
{
    (void)table;
    if (row && row->stack)
        reel_session_set_stack(reel_panel_page_session(self), row->stack);
}

static void reel_events_page_dispose(GObject *object)
{
    ReelEventsPage *self = REEL_EVENTS_PAGE(object);
    g_clear_object(&self->list);
    g_clear_object(&self->next);
    G_OBJECT_CLASS(reel_events_page_parent_class)->dispose(object);
}

static void reel_events_page_finalize(GObject *object)
{
    g_free(REEL_EVENTS_PAGE(object)->shown_filter);
    g_free(REEL_EVENTS_PAGE(object)->shown_path);
    G_OBJECT_CLASS(reel_events_page_parent_class)->finalize(object);
}

static void reel_events_page_class_init(ReelEventsPageClass *class)
{
    REEL_PANEL_PAGE_CLASS(class)->refresh = reel_events_page_refresh;
    REEL_PANEL_PAGE_CLASS(class)->clear = reel_events_page_clear;
    REEL_PANEL_PAGE_CLASS(class)->follows = REEL_FOLLOWS_CURSOR | REEL_FOLLOWS_FILTER;
    G_OBJECT_CLASS(class)->dispose = reel_events_page_dispose;
    G_OBJECT_CLASS(class)->finalize = reel_events_page_finalize;
}

static void reel_events_page_init(ReelEventsPage *self)
{
    self->followed_ns = NOWHERE;
    GtkWidget *tools = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 8);
    gtk_widget_add_css_class(tools, "reel-tools");
    self->filter = GTK_SEARCH_ENTRY(gtk_search_entry_new());
    g_object_set(self->filter, "placeholder-text",
                 "thread:worker* lock:queue.lock op:acquire -file:main.c at:1s..2s", NULL);
    gtk_widget_set_hexpand(GTK_WIDGET(self->filter), TRUE);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->filter), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   "Filter of events", -1);
    self->follow = GTK_TOGGLE_BUTTON(gtk_toggle_button_new_with_label("Follow Cursor"));
    gtk_toggle_button_set_active(self->follow, TRUE);
    gtk_widget_set_tooltip_text(GTK_WIDGET(self->follow),
                                "Keep the last event before the cursor in sight");
    self->count = GTK_LABEL(gtk_label_new(NULL));
    gtk_widget_add_css_class(GTK_WIDGET(self->count), "numeric");
    gtk_box_append(GTK_BOX(tools), GTK_WIDGET(self->filter));
    gtk_box_append(GTK_BOX(tools), GTK_WIDGET(self->follow));
    gtk_box_append(GTK_BOX(tools), GTK_WIDGET(self->count));
    GtkWidget *table = reel_row_table_new("Events", columns, REEL_EVENT_COLUMNS);
    self->table = REEL_ROW_TABLE(table);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    gtk_box_append(GTK_BOX(box), tools);
    gtk_box_append(GTK_BOX(box), table);
    g_signal_connect_object(self->filter, "search-changed", G_CALLBACK(reel_panel_page_outdate),
                            self, G_CONNECT_SWAPPED);
    g_signal_connect_object(self->follow, "toggled", G_CALLBACK(follow_toggled), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect(table, "activated", G_CALLBACK(activated), self);
    g_signal_connect(table, "selected", G_CALLBACK(selected), self);
    reel_panel_page_set_child(REEL_PANEL_PAGE(self), box);
    reel_panel_page_set_primary(REEL_PANEL_PAGE(self), table);
}
