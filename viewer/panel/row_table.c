#include "viewer/panel/row_table.h"

#include <math.h>
#include <string.h>

#include "tracer/model/time_text.h"
#include "viewer/panel/share_bar.h"

#define SCROLL_TRIES 3 /* frames: rows are as high as they are when they have been laid out */

struct column {
    ReelRowTable *table; /* not counted: it owns the column */
    guint index;
    enum reel_row_format format;
    char *title;
};

struct _ReelRowTable {
    GtkWidget parent_instance;
    GtkStack *stack;
    GtkScrolledWindow *scrolled;
    GtkColumnView *view;
    GtkLabel *message;
    GListStore *store;
    GtkSortListModel *sorted;
    GtkSingleSelection *selection;
    GPtrArray *columns; /* struct column */
    gboolean has_order;
    gboolean is_changing; /* its rows: the selection tells when they are there */
    guint scroll_to;      /* a row; */
    double scroll_back;   /* or, unless below 0, a place */
    int scroll_tries;
    guint scrolling; /* a tick callback */
};

enum { SIGNAL_ACTIVATED, SIGNAL_SELECTED, SIGNAL_COUNT };
static guint signals[SIGNAL_COUNT];

G_DEFINE_FINAL_TYPE(ReelRowTable, reel_row_table, GTK_TYPE_WIDGET)

static void column_free(gpointer data)
{
    struct column *column = data;
    g_free(column->title);
    g_free(column);
}

char *reel_row_cell_to_text(const struct reel_row_cell *cell, enum reel_row_format format)
{
    char time[REEL_TIME_TEXT];
    if (format == REEL_ROW_STATES)
        return cell->shares ? reel_share_bar_text(cell->shares) : g_strdup("");
    if (cell->text)
        return g_strdup(cell->text);
    if (isnan(cell->number))
        return g_strdup("");
    uint64_t whole = cell->number > 0 ? (uint64_t)cell->number : 0;
    switch (format) {
    case REEL_ROW_COUNT:
        return g_strdup_printf("%'.0f", cell->number);
    case REEL_ROW_DURATION:
        return g_strdup(reel_duration_text(whole, false, time));
    case REEL_ROW_MOMENT:
        return g_strdup(reel_moment_text(whole, 1, time));
    case REEL_ROW_SHARE:
        return g_strdup_printf("%.1f %%", cell->number * 100);
    default:
        return g_strdup_printf("%g", cell->number);
    }
}

/* Showing a row. */
static void show_cell(GtkListItem *item, const struct column *column)
{
    ReelRow *row = gtk_list_item_get_item(item);
    GtkWidget *child = gtk_list_item_get_child(item);
    const struct reel_row_cell *cell =
        row && column->index < row->count ? &row->cell[column->index] : NULL;
    if (column->format == REEL_ROW_STATES) {
        reel_share_bar_set(REEL_SHARE_BAR(child), cell ? cell->shares : NULL);
        return;
    }
    g_autofree char *text = cell ? reel_row_cell_to_text(cell, column->format) : g_strdup("…");
    g_strdelimit(text, "\n\r", ' ');
    gtk_label_set_text(GTK_LABEL(child), text);
}

static void filled(ReelRow *row, GtkListItem *item)
{
    (void)row;
    show_cell(item, g_object_get_data(G_OBJECT(item), "column"));
}

static void set_up(GtkSignalListItemFactory *factory, GtkListItem *item, struct column *column)
{
    (void)factory;
    GtkWidget *child;
    if (column->format == REEL_ROW_STATES) {
        child = reel_share_bar_new();
    } else {
        child = gtk_label_new(NULL);
        gtk_label_set_xalign(GTK_LABEL(child), column->format == REEL_ROW_TEXT ? 0 : 1);
        gtk_label_set_ellipsize(GTK_LABEL(child), column->format == REEL_ROW_TEXT
                                                      ? PANGO_ELLIPSIZE_END
                                                      : PANGO_ELLIPSIZE_NONE);
        gtk_label_set_single_line_mode(GTK_LABEL(child), TRUE);
        if (column->format != REEL_ROW_TEXT)
            gtk_widget_add_css_class(child, "numeric");
    }
    g_object_set_data(G_OBJECT(item), "column", column);
    gtk_list_item_set_child(item, child);
}

static void bind(GtkSignalListItemFactory *factory, GtkListItem *item, struct column *column)
{
    (void)factory;
    ReelRow *row = gtk_list_item_get_item(item);
    g_signal_connect(row, "filled", G_CALLBACK(filled), item);
    show_cell(item, column);
}

static void unbind(GtkSignalListItemFactory *factory, GtkListItem *item, struct column *column)
{
    (void)factory;
    (void)column;
    ReelRow *row = gtk_list_item_get_item(item);
    if (row)
        g_signal_handlers_disconnect_by_func(row, filled, item);
}

static int compare(gconstpointer a, gconstpointer b, gpointer data)
{
    const struct column *column = data;
    const ReelRow *left = a, *right = b;
    if (column->index >= left->count || column->index >= right->count)
        return GTK_ORDERING_EQUAL;
    const struct reel_row_cell *one = &left->cell[column->index], *other = NULL;
    other = &right->cell[column->index];
    if (isnan(one->number) != isnan(other->number))
        return isnan(one->number) ? GTK_ORDERING_SMALLER : GTK_ORDERING_LARGER;
    if (!isnan(one->number))
        return one->number < other->number   ? GTK_ORDERING_SMALLER
               : one->number > other->number ? GTK_ORDERING_LARGER
                                             : GTK_ORDERING_EQUAL;
    if (!one->text || !other->text)
        return GTK_ORDERING_EQUAL;
    return gtk_ordering_from_cmpfunc(g_utf8_collate(one->text, other->text));
}

static void remove_columns(ReelRowTable *self)
{
    GListModel *columns = gtk_column_view_get_columns(self->view);
    while (g_list_model_get_n_items(columns)) {
        g_autoptr(GtkColumnViewColumn) column = g_list_model_get_item(columns, 0);
        gtk_column_view_remove_column(self->view, column);
    }
    g_ptr_array_set_size(self->columns, 0);
}

/* Headings are made by the column view; they take a tooltip like any widget. */
static void explain_headings(ReelRowTable *self, const struct reel_row_column *columns, guint count)
{
    GtkWidget *header = gtk_widget_get_first_child(GTK_WIDGET(self->view));
    GtkWidget *heading = header ? gtk_widget_get_first_child(header) : NULL;
    for (guint i = 0; heading && i < count; i++) {
        if (columns[i].help)
            gtk_widget_set_tooltip_text(heading, columns[i].help);
        heading = gtk_widget_get_next_sibling(heading);
    }
}

void reel_row_table_set_columns(ReelRowTable *self, const struct reel_row_column *columns,
                                guint count)
{
    remove_columns(self);
    for (guint i = 0; i < count; i++) {
        struct column *column = g_new0(struct column, 1);
        column->table = self;
        column->index = i;
        column->format = columns[i].format;
        column->title = g_strdup(columns[i].title);
        g_ptr_array_add(self->columns, column);
        GtkListItemFactory *factory = gtk_signal_list_item_factory_new();
        g_signal_connect(factory, "setup", G_CALLBACK(set_up), column);
        g_signal_connect(factory, "bind", G_CALLBACK(bind), column);
        g_signal_connect(factory, "unbind", G_CALLBACK(unbind), column);
        g_autoptr(GtkColumnViewColumn) shown =
            gtk_column_view_column_new(columns[i].title, factory);
        gtk_column_view_column_set_resizable(shown, TRUE);
        if (columns[i].width)
            gtk_column_view_column_set_fixed_width(shown, ABS(columns[i].width));
        gtk_column_view_column_set_expand(shown, columns[i].width < 0);
        g_autoptr(GtkSorter) sorter = GTK_SORTER(gtk_custom_sorter_new(compare, column, NULL));
        gtk_column_view_column_set_sorter(shown, sorter);
        gtk_column_view_append_column(self->view, shown);
    }
    self->has_order = FALSE;
    explain_headings(self, columns, count);
}

void reel_row_table_sort(ReelRowTable *self, guint column, gboolean descending)
{
    GListModel *columns = gtk_column_view_get_columns(self->view);
    g_autoptr(GtkColumnViewColumn) by = g_list_model_get_item(columns, column);
    if (by)
        gtk_column_view_sort_by_column(self->view, by,
                                       descending ? GTK_SORT_DESCENDING : GTK_SORT_ASCENDING);
    self->has_order = TRUE;
}

ReelRow *reel_row_table_selected(ReelRowTable *self)
{
    return gtk_single_selection_get_selected_item(self->selection);
}

static void selected(ReelRowTable *self)
{
    if (!self->is_changing)
        g_signal_emit(self, signals[SIGNAL_SELECTED], 0, reel_row_table_selected(self));
}

/* The list is the column view's last child: it has the action, the view has not. It must have its
 * size before it can tell what is in sight, and its rows before it can be scrolled back. */
static gboolean scroll_now(GtkWidget *widget, GdkFrameClock *clock, gpointer data)
{
    (void)clock;
    (void)data;
    ReelRowTable *self = REEL_ROW_TABLE(widget);
    GtkWidget *list = self->view ? gtk_widget_get_last_child(GTK_WIDGET(self->view)) : NULL;
    if (list && gtk_widget_get_height(list) <= 1)
        return G_SOURCE_CONTINUE;
    if (list && self->scroll_back >= 0 && self->scroll_tries-- > 0) {
        gtk_adjustment_set_value(gtk_scrolled_window_get_vadjustment(self->scrolled),
                                 self->scroll_back);
        return G_SOURCE_CONTINUE;
    }
    self->scrolling = 0;
    if (list && self->scroll_back < 0 &&
        self->scroll_to < g_list_model_get_n_items(G_LIST_MODEL(self->selection)))
        gtk_widget_activate_action(list, "list.scroll-to-item", "u", self->scroll_to);
    return G_SOURCE_REMOVE;
}

static void scroll_soon(ReelRowTable *self)
{
    if (!self->scrolling)
        self->scrolling = gtk_widget_add_tick_callback(GTK_WIDGET(self), scroll_now, NULL, NULL);
}

/* A list follows the row it had on top, wherever that goes; who reads a table wants the place. */
static void keep_scrolled(ReelRowTable *self, double scrolled)
{
    gtk_adjustment_set_value(gtk_scrolled_window_get_vadjustment(self->scrolled), scrolled);
    if (self->scrolling)
        return; /* on its way elsewhere */
    self->scroll_back = scrolled;
    self->scroll_tries = SCROLL_TRIES;
    scroll_soon(self);
}

/* The rows to show: the ones already there for what they still stand for, filled anew. */
static GPtrArray *rows_kept(ReelRowTable *self, GPtrArray *rows)
{
    g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);
    guint before = g_list_model_get_n_items(G_LIST_MODEL(self->store));
    GPtrArray *kept = g_ptr_array_new_with_free_func(g_object_unref);
    for (guint i = 0; i < before; i++) {
        g_autoptr(ReelRow) row = g_list_model_get_item(G_LIST_MODEL(self->store), i);
        if (row->identity)
            g_hash_table_insert(known, row->identity, row);
    }
    for (guint i = 0; i < rows->len; i++) {
        ReelRow *row = rows->pdata[i], *shown = NULL;
        if (row->identity)
            shown = g_hash_table_lookup(known, row->identity);
        if (shown) {
            g_hash_table_remove(known, row->identity);
            reel_row_fill(shown, row);
        }
        g_ptr_array_add(kept, g_object_ref(shown ? shown : row));
    }
    return kept;
}

/* Puts them into the store, leaving alone what is the same at its beginning and its end. */
static void replace_rows(ReelRowTable *self, GPtrArray *rows)
{
    GListModel *store = G_LIST_MODEL(self->store);
    guint before = g_list_model_get_n_items(store), first = 0, last = 0;
    for (; first < MIN(before, rows->len); first++) {
        g_autoptr(ReelRow) row = g_list_model_get_item(store, first);
        if (row != rows->pdata[first])
            break;
    }
    for (; last < MIN(before, rows->len) - first; last++) {
        g_autoptr(ReelRow) row = g_list_model_get_item(store, before - last - 1);
        if (row != rows->pdata[rows->len - last - 1])
            break;
    }
    if (before != first + last || rows->len != first + last)
        g_list_store_splice(self->store, first, before - first - last, rows->pdata + first,
                            rows->len - first - last);
}

void reel_row_table_set_rows(ReelRowTable *self, GPtrArray *rows)
{
    GtkAdjustment *adjustment = gtk_scrolled_window_get_vadjustment(self->scrolled);
    double scrolled = gtk_adjustment_get_value(adjustment);
    ReelRow *before = reel_row_table_selected(self);
    self->is_changing = TRUE;
    if (gtk_single_selection_get_model(self->selection) != G_LIST_MODEL(self->sorted))
        gtk_single_selection_set_model(self->selection, G_LIST_MODEL(self->sorted));
    g_autoptr(GPtrArray) kept = rows_kept(self, rows);
    replace_rows(self, kept);
    /* What is the same row may say something else now. */
    gtk_sorter_changed(gtk_column_view_get_sorter(self->view), GTK_SORTER_CHANGE_DIFFERENT);
    self->is_changing = FALSE;
    if (reel_row_table_selected(self) != before)
        selected(self);
    reel_row_table_say(self, NULL);
    keep_scrolled(self, scrolled);
}

void reel_row_table_set_model(ReelRowTable *self, GListModel *model, gboolean keep)
{
    GtkAdjustment *adjustment = gtk_scrolled_window_get_vadjustment(self->scrolled);
    double scrolled = gtk_adjustment_get_value(adjustment);
    GListModel *columns = gtk_column_view_get_columns(self->view);
    for (guint i = 0; i < g_list_model_get_n_items(columns); i++) {
        g_autoptr(GtkColumnViewColumn) column = g_list_model_get_item(columns, i);
        gtk_column_view_column_set_sorter(column, NULL);
    }
    gtk_single_selection_set_model(self->selection, model);
    reel_row_table_say(self, NULL);
    if (keep)
        keep_scrolled(self, scrolled);
}

void reel_row_table_say(ReelRowTable *self, const char *text)
{
    gtk_label_set_text(self->message, text ? text : "");
    gtk_stack_set_visible_child_name(self->stack, text ? "message" : "rows");
}

GListModel *reel_row_table_rows(ReelRowTable *self)
{
    return G_LIST_MODEL(self->selection);
}

void reel_row_table_mark(ReelRowTable *self, guint position)
{
    gtk_single_selection_set_selected(self->selection, position);
}

void reel_row_table_select(ReelRowTable *self, guint position)
{
    if (position >= g_list_model_get_n_items(G_LIST_MODEL(self->selection)))
        return;
    gtk_single_selection_set_selected(self->selection, position);
    self->scroll_to = position;
    self->scroll_back = -1;
    scroll_soon(self);
}

static void append_row(ReelRowTable *self, const ReelRow *row, GString *text)
{
    for (guint i = 0; i < self->columns->len; i++) {
        const struct column *column = self->columns->pdata[i];
        g_autofree char *cell =
            i < row->count ? reel_row_cell_to_text(&row->cell[i], column->format) : g_strdup("");
        g_strdelimit(cell, "\t\n\r", ' ');
        g_string_append_printf(text, "%s%s", i ? "\t" : "", cell);
    }
    g_string_append_c(text, '\n');
}

char *reel_row_table_to_tsv(ReelRowTable *self)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < self->columns->len; i++)
        g_string_append_printf(text, "%s%s", i ? "\t" : "",
                               ((struct column *)self->columns->pdata[i])->title);
    g_string_append_c(text, '\n');
    GListModel *model = G_LIST_MODEL(self->selection);
    for (guint i = 0; i < g_list_model_get_n_items(model); i++) {
        g_autoptr(ReelRow) row = g_list_model_get_item(model, i);
        append_row(self, row, text);
    }
    return g_string_free(text, FALSE);
}

static gboolean copy_selected(GtkWidget *widget, GVariant *arguments, gpointer data)
{
    (void)arguments;
    ReelRowTable *self = data;
    ReelRow *row = reel_row_table_selected(self);
    if (!row)
        return FALSE;
    g_autoptr(GString) text = g_string_new(NULL);
    append_row(self, row, text);
    gdk_clipboard_set_text(gtk_widget_get_clipboard(widget), text->str);
    return TRUE;
}

static void activated(GtkColumnView *view, guint position, gpointer data)
{
    (void)view;
    ReelRowTable *self = data;
    g_autoptr(ReelRow) row = g_list_model_get_item(G_LIST_MODEL(self->selection), position);
    if (row && row->is_filled)
        g_signal_emit(self, signals[SIGNAL_ACTIVATED], 0, row);
}

static void reel_row_table_dispose(GObject *object)
{
    ReelRowTable *self = REEL_ROW_TABLE(object);
    if (self->scrolling)
        gtk_widget_remove_tick_callback(GTK_WIDGET(self), self->scrolling);
    self->scrolling = 0;
    if (self->view)
        gtk_column_view_set_model(self->view, NULL);
    g_clear_object(&self->selection);
    g_clear_object(&self->sorted);
    g_clear_object(&self->store);
    GtkWidget *stack = GTK_WIDGET(self->stack);
    self->stack = NULL;
    self->view = NULL;
    g_clear_pointer(&stack, gtk_widget_unparent);
    G_OBJECT_CLASS(reel_row_table_parent_class)->dispose(object);
}

static void reel_row_table_finalize(GObject *object)
{
    g_ptr_array_unref(REEL_ROW_TABLE(object)->columns);
    G_OBJECT_CLASS(reel_row_table_parent_class)->finalize(object);
}

/* The selected row, if it is in sight: a list would take its first one. */
static gboolean reel_row_table_grab_focus(GtkWidget *widget)
{
    ReelRowTable *self = REEL_ROW_TABLE(widget);
    GtkWidget *list = gtk_widget_get_last_child(GTK_WIDGET(self->view));
    for (GtkWidget *row = gtk_widget_get_first_child(list); row;
         row = gtk_widget_get_next_sibling(row))
        if (gtk_widget_get_state_flags(row) & GTK_STATE_FLAG_SELECTED)
            return gtk_widget_grab_focus(row);
    return g_list_model_get_n_items(G_LIST_MODEL(self->selection)) > 0 &&
           gtk_widget_grab_focus(list);
}

static void reel_row_table_class_init(ReelRowTableClass *class)
{
    G_OBJECT_CLASS(class)->dispose = reel_row_table_dispose;
    G_OBJECT_CLASS(class)->finalize = reel_row_table_finalize;
    GTK_WIDGET_CLASS(class)->grab_focus = reel_row_table_grab_focus;
    gtk_widget_class_set_layout_manager_type(GTK_WIDGET_CLASS(class), GTK_TYPE_BIN_LAYOUT);
    signals[SIGNAL_ACTIVATED] = g_signal_new("activated", REEL_TYPE_ROW_TABLE, G_SIGNAL_RUN_LAST, 0,
                                             NULL, NULL, NULL, G_TYPE_NONE, 1, REEL_TYPE_ROW);
    signals[SIGNAL_SELECTED] = g_signal_new("selected", REEL_TYPE_ROW_TABLE, G_SIGNAL_RUN_LAST, 0,
                                            NULL, NULL, NULL, G_TYPE_NONE, 1, REEL_TYPE_ROW);
}

static void reel_row_table_init(ReelRowTable *self)
{
    self->columns = g_ptr_array_new_with_free_func(column_free);
    self->store = g_list_store_new(REEL_TYPE_ROW);
    self->view = GTK_COLUMN_VIEW(gtk_column_view_new(NULL));
    self->sorted = gtk_sort_list_model_new(g_object_ref(G_LIST_MODEL(self->store)),
                                           g_object_ref(gtk_column_view_get_sorter(self->view)));
    self->selection = gtk_single_selection_new(NULL);
    gtk_single_selection_set_autoselect(self->selection, FALSE);
    gtk_single_selection_set_can_unselect(self->selection, TRUE);
    gtk_single_selection_set_model(self->selection, G_LIST_MODEL(self->sorted));
    gtk_column_view_set_model(self->view, GTK_SELECTION_MODEL(self->selection));
    gtk_column_view_set_show_row_separators(self->view, TRUE);
    gtk_widget_add_css_class(GTK_WIDGET(self->view), "data-table");
    g_signal_connect(self->view, "activate", G_CALLBACK(activated), self);
    g_signal_connect_object(self->selection, "notify::selected", G_CALLBACK(selected), self,
                            G_CONNECT_SWAPPED);
    GtkEventController *keys = gtk_shortcut_controller_new();
    gtk_shortcut_controller_add_shortcut(
        GTK_SHORTCUT_CONTROLLER(keys),
        gtk_shortcut_new(gtk_shortcut_trigger_parse_string("<Control>c"),
                         gtk_callback_action_new(copy_selected, self, NULL)));
    gtk_widget_add_controller(GTK_WIDGET(self->view), keys);
    self->scrolled = GTK_SCROLLED_WINDOW(gtk_scrolled_window_new());
    gtk_scrolled_window_set_child(self->scrolled, GTK_WIDGET(self->view));
    gtk_widget_set_vexpand(GTK_WIDGET(self), TRUE);
    gtk_widget_set_hexpand(GTK_WIDGET(self), TRUE);
    self->message = GTK_LABEL(gtk_label_new(NULL));
    gtk_label_set_wrap(self->message, TRUE);
    gtk_label_set_justify(self->message, GTK_JUSTIFY_CENTER);
    gtk_widget_add_css_class(GTK_WIDGET(self->message), "reel-empty");
    self->stack = GTK_STACK(gtk_stack_new());
    gtk_stack_add_named(self->stack, GTK_WIDGET(self->scrolled), "rows");
    gtk_stack_add_named(self->stack, GTK_WIDGET(self->message), "message");
    gtk_widget_set_parent(GTK_WIDGET(self->stack), GTK_WIDGET(self));
}

GtkWidget *reel_row_table_new(const char *name, const struct reel_row_column *columns, guint count)
{
    ReelRowTable *self = g_object_new(REEL_TYPE_ROW_TABLE, NULL);
    reel_row_table_set_columns(self, columns, count);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->view), GTK_ACCESSIBLE_PROPERTY_LABEL, name,
                                   -1);
    return GTK_WIDGET(self);
}
