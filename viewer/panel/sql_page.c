#include "viewer/panel/sql_page.h"

#include "viewer/panel/row_table.h"
#include "viewer/panel/sql_query.h"

enum { SLOT_RUN = 1, SLOT_NAMES };

struct _ReelSqlPage {
    ReelPanelPage parent_instance;
    GtkTextView *view;
    GtkTextBuffer *buffer;
    GtkButton *run, *stop, *copy;
    GtkLabel *status;
    ReelRowTable *table;
    GPtrArray *names; /* for completion; NULL until they are known */
    gboolean is_running;
};

G_DEFINE_FINAL_TYPE(ReelSqlPage, reel_sql_page, REEL_TYPE_PANEL_PAGE)

/* Questions to begin with. */
static const struct {
    const char *title, *text;
} examples[] = {
    {"Longest waits", "SELECT t.name, i.state, o.name AS object, (i.end_ns - i.start_ns) / 1e6 AS "
                      "ms,\n       i.start_ns, i.thread, i.stack\nFROM interval i\n"
                      "JOIN thread t ON t.id = i.thread\nLEFT JOIN object o ON o.id = i.object\n"
                      "WHERE i.state LIKE '%-wait'\nORDER BY ms DESC\nLIMIT 100"},
    {"Locks by time waited", "SELECT o.name, l.acquisitions, l.contended, l.wait_ns / 1e6 AS "
                             "wait_ms,\n       l.longest_wait_ns / 1e6 AS longest_ms, l.handoffs, "
                             "l.object\nFROM lock_total l\nJOIN object o ON o.id = l.object\n"
                             "ORDER BY l.wait_ns DESC"},
    {"What each thread did", "SELECT t.name, s.state, s.count, s.total_ns / 1e6 AS ms, s.thread\n"
                             "FROM thread_state s\nJOIN thread t ON t.id = s.thread\n"
                             "ORDER BY t.id, s.total_ns DESC"},
    {"Places that hold a lock longest",
     "SELECT o.name, s.text AS place, l.acquisitions, l.hold_ns / 1e6 AS ms,\n"
     "       l.longest_hold_ns / 1e6 AS longest_ms, l.object, l.stack\nFROM lock_site l\n"
     "JOIN object o ON o.id = l.object\nLEFT JOIN stack_site s ON s.stack = l.stack\n"
     "ORDER BY l.hold_ns DESC"},
    {"Events by kind", "SELECT o.name AS operation, c.name AS class, count(*) AS events\n"
                       "FROM event e\nJOIN operation o ON o.id = e.operation\n"
                       "JOIN class c ON c.id = e.class\nGROUP BY 1, 2\nORDER BY 3 DESC"},
    {"Events, named", "SELECT * FROM event_named LIMIT 1000"},
    {"Tables and views", "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name"},
};

static void tell(ReelSqlPage *self, const char *text, gboolean is_error)
{
    gtk_label_set_text(self->status, text);
    if (is_error)
        gtk_widget_add_css_class(GTK_WIDGET(self->status), "reel-error");
    else
        gtk_widget_remove_css_class(GTK_WIDGET(self->status), "reel-error");
}

static void set_running(ReelSqlPage *self, gboolean running)
{
    self->is_running = running;
    gtk_widget_set_sensitive(GTK_WIDGET(self->stop), running);
}

static void show_result(ReelSqlPage *self, const struct reel_sql_result *result)
{
    guint count = result->columns->len;
    g_autofree struct reel_row_column *columns = g_new0(struct reel_row_column, count);
    for (guint i = 0; i < count; i++)
        columns[i] = (struct reel_row_column){
            .title = result->columns->pdata[i],
            .format = g_array_index(result->format, enum reel_row_format, i),
        };
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    reel_row_table_set_rows(self->table, none);
    reel_row_table_set_columns(self->table, columns, count);
    reel_row_table_set_rows(self->table, result->rows);
    if (result->rows->len == 0)
        reel_row_table_say(self->table, "No rows.");
}

static void run_answered(gpointer owner, gpointer answer, const struct reel_error *error)
{
    ReelSqlPage *self = owner;
    const struct reel_sql_result *result = answer;
    set_running(self, FALSE);
    if (error) {
        g_autofree char *text = reel_panel_error_text(error);
        tell(self, text, TRUE);
        return;
    }
    show_result(self, result);
    gtk_widget_set_sensitive(GTK_WIDGET(self->copy), result->rows->len > 0);
    g_autofree char *text = g_strdup_printf(
        "%'u row%s%s in %.*f s", result->rows->len, result->rows->len == 1 ? "" : "s",
        result->is_cut ? ", and more that are not shown: add a LIMIT or a WHERE," : "",
        result->seconds < 1 ? 3 : 1, result->seconds);
    tell(self, text, FALSE);
}

static void run(ReelSqlPage *self)
{
    if (!reel_panel_page_document(REEL_PANEL_PAGE(self)))
        return;
    GtkTextIter start, end;
    gtk_text_buffer_get_bounds(self->buffer, &start, &end);
    const struct reel_query_job job = {
        .run = reel_sql_read,
        .answered = run_answered,
        .request = gtk_text_buffer_get_text(self->buffer, &start, &end, FALSE),
        .free_request = g_free,
        .free_answer = reel_sql_result_free,
    };
    set_running(self, TRUE);
    tell(self, "Running…", FALSE);
    reel_panel_page_ask(REEL_PANEL_PAGE(self), SLOT_RUN, &job);
}

static void stop(ReelSqlPage *self)
{
    if (!self->is_running)
        return;
    reel_panel_page_drop(REEL_PANEL_PAGE(self), SLOT_RUN);
    set_running(self, FALSE);
    tell(self, "Stopped.", FALSE);
}

static void copy(ReelSqlPage *self)
{
    g_autofree char *text = reel_row_table_to_tsv(self->table);
    gdk_clipboard_set_text(gtk_widget_get_clipboard(GTK_WIDGET(self)), text);
    tell(self, "Copied, with a heading; cells are divided by tabs.", FALSE);
}

/* The beginning of a name before the insertion mark, and where it begins. */
static char *beginning(ReelSqlPage *self, GtkTextIter *start, GtkTextIter *end)
{
    gtk_text_buffer_get_iter_at_mark(self->buffer, end, gtk_text_buffer_get_insert(self->buffer));
    *start = *end;
    while (gtk_text_iter_backward_char(start)) {
        gunichar letter = gtk_text_iter_get_char(start);
        if (!g_unichar_isalnum(letter) && letter != '_') {
            gtk_text_iter_forward_char(start);
            break;
        }
    }
    return gtk_text_buffer_get_text(self->buffer, start, end, FALSE);
}

/* Tab completes a name, as in a shell; where there is none to complete it moves on, as elsewhere.
 */
static gboolean complete(ReelSqlPage *self)
{
    GtkTextIter start, end;
    g_autofree char *word = beginning(self, &start, &end);
    if (!*word || !self->names)
        return FALSE;
    g_autofree char *common = NULL;
    g_autoptr(GString) matches = g_string_new(NULL);
    guint count = reel_sql_complete(self->names, word, &common, matches, 12);
    if (count == 0)
        return FALSE;
    if (g_strcmp0(common, word) != 0) {
        gtk_text_buffer_delete(self->buffer, &start, &end);
        gtk_text_buffer_insert(self->buffer, &start, common, -1);
    }
    tell(self, count > 1 ? matches->str : "", FALSE);
    return TRUE;
}

static gboolean key_pressed(GtkEventControllerKey *keys, guint key, guint code,
                            GdkModifierType modifiers, ReelSqlPage *self)
{
    (void)keys;
    (void)code;
    gboolean control = modifiers & GDK_CONTROL_MASK;
    if ((key == GDK_KEY_Return || key == GDK_KEY_KP_Enter) && control) {
        run(self);
        return TRUE;
    }
    if (key == GDK_KEY_Escape && self->is_running) {
        stop(self);
        return TRUE;
    }
    if (key == GDK_KEY_Tab && !(modifiers & (GDK_CONTROL_MASK | GDK_SHIFT_MASK)))
        return complete(self);
    return FALSE;
}

static void names_answered(gpointer owner, gpointer answer, const struct reel_error *error)
{
    ReelSqlPage *self = owner;
    if (!error && !self->names)
        self->names = g_ptr_array_ref(answer);
}

static void reel_sql_page_refresh(ReelPanelPage *page)
{
    const struct reel_query_job job = {
        .run = reel_sql_names_read,
        .answered = names_answered,
        .free_answer = (GDestroyNotify)g_ptr_array_unref,
    };
    reel_panel_page_ask(page, SLOT_NAMES, &job);
}

static void reel_sql_page_clear(ReelPanelPage *page)
{
    ReelSqlPage *self = REEL_SQL_PAGE(page);
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    reel_row_table_set_rows(self->table, none);
    reel_row_table_say(self->table, "The answer is shown here.\nA row with a column time_ns, time "
                                    "or start_ns goes there on Enter.");
    g_clear_pointer(&self->names, g_ptr_array_unref);
    gtk_widget_set_sensitive(GTK_WIDGET(self->copy), FALSE);
    set_running(self, FALSE);
    tell(self, "Ctrl+Enter runs it, Tab completes names.", FALSE);
}

static void activated(ReelRowTable *table, ReelRow *row, ReelPanelPage *self)
{
    (void)table;
    reel_panel_page_go(self, row);
}

static void example_chosen(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    (void)action;
    ReelSqlPage *self = data;
    guint index = g_variant_get_uint32(parameter);
    if (index >= G_N_ELEMENTS(examples))
        return;
    gtk_text_buffer_set_text(self->buffer, examples[index].text, -1);
    run(self);
}

static GtkWidget *make_examples(ReelSqlPage *self)
{
    g_autoptr(GSimpleActionGroup) group = g_simple_action_group_new();
    g_autoptr(GSimpleAction) action = g_simple_action_new("example", G_VARIANT_TYPE_UINT32);
    g_signal_connect_object(action, "activate", G_CALLBACK(example_chosen), self, 0);
    g_action_map_add_action(G_ACTION_MAP(group), G_ACTION(action));
    gtk_widget_insert_action_group(GTK_WIDGET(self), "sql", G_ACTION_GROUP(group));
    g_autoptr(GMenu) menu = g_menu_new();
    for (unsigned i = 0; i < G_N_ELEMENTS(examples); i++) {
        g_autoptr(GMenuItem) item = g_menu_item_new(examples[i].title, NULL);
        g_menu_item_set_action_and_target(item, "sql.example", "u", i);
        g_menu_append_item(menu, item);
    }
    GtkWidget *button = gtk_menu_button_new();
    gtk_menu_button_set_label(GTK_MENU_BUTTON(button), "Examples");
    gtk_menu_button_set_menu_model(GTK_MENU_BUTTON(button), G_MENU_MODEL(menu));
    return button;
}

static GtkButton *add_button(GtkWidget *box, ReelSqlPage *self, const char *text, const char *help,
                             void (*clicked)(ReelSqlPage *))
{
    GtkWidget *button = gtk_button_new_with_mnemonic(text);
    gtk_widget_set_tooltip_text(button, help);
    g_signal_connect_object(button, "clicked", G_CALLBACK(clicked), self, G_CONNECT_SWAPPED);
    gtk_box_append(GTK_BOX(box), button);
    return GTK_BUTTON(button);
}

static void reel_sql_page_dispose(GObject *object)
{
    g_clear_pointer(&REEL_SQL_PAGE(object)->names, g_ptr_array_unref);
    G_OBJECT_CLASS(reel_sql_page_parent_class)->dispose(object);
}

static void reel_sql_page_class_init(ReelSqlPageClass *class)
{
    REEL_PANEL_PAGE_CLASS(class)->refresh = reel_sql_page_refresh;
    REEL_PANEL_PAGE_CLASS(class)->clear = reel_sql_page_clear;
    G_OBJECT_CLASS(class)->dispose = reel_sql_page_dispose;
}

static void reel_sql_page_init(ReelSqlPage *self)
{
    self->view = GTK_TEXT_VIEW(gtk_text_view_new());
    gtk_text_view_set_monospace(self->view, TRUE);
    gtk_text_view_set_accepts_tab(self->view, FALSE);
    gtk_text_view_set_left_margin(self->view, 8);
    gtk_text_view_set_top_margin(self->view, 6);
    gtk_text_view_set_wrap_mode(self->view, GTK_WRAP_WORD_CHAR);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->view), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   "SQL statement", GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                   "Ctrl+Enter runs it, Tab completes names", -1);
    self->buffer = gtk_text_view_get_buffer(self->view);
    gtk_text_buffer_set_enable_undo(self->buffer, TRUE);
    gtk_text_buffer_set_text(self->buffer, "SELECT * FROM event_named LIMIT 1000", -1);
    GtkEventController *keys = gtk_event_controller_key_new();
    gtk_event_controller_set_propagation_phase(keys, GTK_PHASE_CAPTURE);
    g_signal_connect_object(keys, "key-pressed", G_CALLBACK(key_pressed), self, 0);
    gtk_widget_add_controller(GTK_WIDGET(self->view), keys);
    GtkWidget *scrolled = gtk_scrolled_window_new();
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), GTK_WIDGET(self->view));
    gtk_widget_set_vexpand(scrolled, TRUE);
    GtkWidget *tools = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    gtk_widget_add_css_class(tools, "reel-tools");
    self->run = add_button(tools, self, "_Run", "Ctrl+Enter", run);
    self->stop = add_button(tools, self, "Sto_p", "Escape", stop);
    gtk_box_append(GTK_BOX(tools), make_examples(self));
    self->copy = add_button(tools, self, "_Copy as TSV", "All rows, for a spreadsheet", copy);
    self->status = GTK_LABEL(gtk_label_new(NULL));
    gtk_label_set_xalign(self->status, 0);
    gtk_label_set_wrap(self->status, TRUE);
    gtk_label_set_wrap_mode(self->status, PANGO_WRAP_WORD_CHAR);
    gtk_label_set_selectable(self->status, TRUE);
    gtk_widget_add_css_class(GTK_WIDGET(self->status), "reel-sql-status");
    GtkWidget *left = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    gtk_box_append(GTK_BOX(left), tools);
    gtk_box_append(GTK_BOX(left), scrolled);
    gtk_box_append(GTK_BOX(left), GTK_WIDGET(self->status));
    GtkWidget *table = reel_row_table_new("Result", NULL, 0);
    self->table = REEL_ROW_TABLE(table);
    g_signal_connect(table, "activated", G_CALLBACK(activated), self);
    GtkWidget *paned = gtk_paned_new(GTK_ORIENTATION_HORIZONTAL);
    gtk_paned_set_start_child(GTK_PANED(paned), left);
    gtk_paned_set_end_child(GTK_PANED(paned), table);
    gtk_paned_set_shrink_start_child(GTK_PANED(paned), FALSE);
    gtk_paned_set_resize_start_child(GTK_PANED(paned), FALSE);
    gtk_paned_set_position(GTK_PANED(paned), 430);
    reel_panel_page_set_child(REEL_PANEL_PAGE(self), paned);
    reel_panel_page_set_primary(REEL_PANEL_PAGE(self), GTK_WIDGET(self->view));
}
