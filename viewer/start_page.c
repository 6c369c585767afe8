#include "viewer/start_page.h"

#include <string.h>

#include "viewer/recorder.h"

#define RECENT_MOST 8

struct _ReelStartPage {
    GtkWidget parent_instance;
    GtkWidget *scrolled, *entry;
    GtkListBox *recent, *samples;
    GtkWidget *recent_box, *samples_box;
};

enum { SIGNAL_RECORD, SIGNAL_OPEN, SIGNAL_COUNT };
static guint signals[SIGNAL_COUNT];

G_DEFINE_FINAL_TYPE(ReelStartPage, reel_start_page, GTK_TYPE_WIDGET)

static void record(ReelStartPage *self)
{
    const char *command = gtk_editable_get_text(GTK_EDITABLE(self->entry));
    if (*command)
        g_signal_emit(self, signals[SIGNAL_RECORD], 0, command);
}

static GtkWidget *row_of(const char *name, const char *note)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 16);
    GtkWidget *left = gtk_label_new(name), *right = gtk_label_new(note);
    gtk_label_set_xalign(GTK_LABEL(left), 0);
    gtk_label_set_xalign(GTK_LABEL(right), 0);
    gtk_label_set_width_chars(GTK_LABEL(left), 24);
    gtk_widget_set_hexpand(right, TRUE);
    gtk_label_set_ellipsize(GTK_LABEL(right), PANGO_ELLIPSIZE_MIDDLE);
    gtk_label_set_ellipsize(GTK_LABEL(left), PANGO_ELLIPSIZE_END);
    gtk_widget_add_css_class(right, "reel-summary");
    gtk_box_append(GTK_BOX(box), left);
    gtk_box_append(GTK_BOX(box), right);
    return box;
}

static void clear(GtkListBox *list)
{
    GtkWidget *row;
    while ((row = gtk_widget_get_first_child(GTK_WIDGET(list))))
        gtk_list_box_remove(list, row);
}

void reel_start_page_refresh(ReelStartPage *self)
{
    GList *items = gtk_recent_manager_get_items(gtk_recent_manager_get_default());
    guint count = 0;
    clear(self->recent);
    for (GList *item = items; item && count < RECENT_MOST; item = item->next) {
        g_autofree char *path =
            g_filename_from_uri(gtk_recent_info_get_uri(item->data), NULL, NULL);
        if (!path || !g_str_has_suffix(path, ".reel") || !g_file_test(path, G_FILE_TEST_EXISTS))
            continue;
        g_autofree char *base = g_path_get_basename(path);
        GtkWidget *row = row_of(base, path);
        g_object_set_data_full(G_OBJECT(row), "path", g_strdup(path), g_free);
        gtk_list_box_append(self->recent, row);
        count++;
    }
    g_list_free_full(items, (GDestroyNotify)gtk_recent_info_unref);
    gtk_widget_set_visible(self->recent_box, count > 0);
}

/* One line of the catalogue: name, program, arguments, …, what to see. */
static void add_sample(ReelStartPage *self, const char *folder, const char *line)
{
    g_auto(GStrv) field = g_strsplit(line, "\t", -1);
    if (*line == '#' || g_strv_length(field) < 9)
        return;
    g_autofree char *program = g_build_filename(folder, field[1], NULL);
    if (!g_file_test(program, G_FILE_TEST_IS_EXECUTABLE))
        return;
    g_autofree char *quoted = g_shell_quote(program);
    gboolean none = g_str_equal(field[2], "-");
    GtkWidget *row = row_of(field[0], field[8]);
    gtk_widget_set_tooltip_text(row, field[8]);
    g_object_set_data_full(G_OBJECT(row), "command",
                           g_strdup_printf("%s%s%s", quoted, none ? "" : " ", none ? "" : field[2]),
                           g_free);
    gtk_list_box_append(self->samples, row);
}

static void add_samples(ReelStartPage *self)
{
    g_autofree char *folder = reel_recorder_samples();
    g_autoptr(GBytes) text = g_resources_lookup_data("/reel/viewer/catalogue.tsv", 0, NULL);
    gtk_widget_set_visible(self->samples_box, folder != NULL && text != NULL);
    if (!folder || !text)
        return;
    g_auto(GStrv) lines = g_strsplit(g_bytes_get_data(text, NULL), "\n", -1);
    for (char **line = lines; *line; line++)
        add_sample(self, folder, *line);
}

static void on_recent(GtkListBox *list, GtkListBoxRow *row, gpointer data)
{
    (void)list;
    const char *path = g_object_get_data(G_OBJECT(gtk_list_box_row_get_child(row)), "path");
    g_signal_emit(data, signals[SIGNAL_OPEN], 0, path);
}

static void on_sample(GtkListBox *list, GtkListBoxRow *row, gpointer data)
{
    (void)list;
    ReelStartPage *self = data;
    const char *command = g_object_get_data(G_OBJECT(gtk_list_box_row_get_child(row)), "command");
    gtk_editable_set_text(GTK_EDITABLE(self->entry), command);
    record(self);
}

static GtkWidget *section(GtkWidget *page, const char *title, GtkListBox **list)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 4);
    GtkWidget *label = gtk_label_new(title);
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_widget_add_css_class(label, "reel-panel-title");
    *list = GTK_LIST_BOX(gtk_list_box_new());
    gtk_widget_add_css_class(GTK_WIDGET(*list), "reel-list");
    gtk_accessible_update_property(GTK_ACCESSIBLE(*list), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
    gtk_box_append(GTK_BOX(box), label);
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(*list));
    gtk_box_append(GTK_BOX(page), box);
    return box;
}

static void reel_start_page_dispose(GObject *object)
{
    g_clear_pointer(&REEL_START_PAGE(object)->scrolled, gtk_widget_unparent);
    G_OBJECT_CLASS(reel_start_page_parent_class)->dispose(object);
}

static void reel_start_page_class_init(ReelStartPageClass *class)
{
    G_OBJECT_CLASS(class)->dispose = reel_start_page_dispose;
    gtk_widget_class_set_layout_manager_type(GTK_WIDGET_CLASS(class), GTK_TYPE_BIN_LAYOUT);
    signals[SIGNAL_RECORD] = g_signal_new("record", REEL_TYPE_START_PAGE, G_SIGNAL_RUN_LAST, 0,
                                          NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
    signals[SIGNAL_OPEN] = g_signal_new("open", REEL_TYPE_START_PAGE, G_SIGNAL_RUN_LAST, 0, NULL,
                                        NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void reel_start_page_init(ReelStartPage *self)
{
    self->scrolled = gtk_scrolled_window_new();
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(self->scrolled), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    gtk_widget_set_parent(self->scrolled, GTK_WIDGET(self));
    GtkWidget *page = gtk_box_new(GTK_ORIENTATION_VERTICAL, 16);
    gtk_widget_set_size_request(page, 680, -1);
    gtk_widget_set_halign(page, GTK_ALIGN_CENTER);
    gtk_widget_add_css_class(page, "reel-start");
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(self->scrolled), page);
    GtkWidget *title = gtk_label_new("See what your threads do");
    gtk_widget_add_css_class(title, "title-1");
    gtk_widget_add_css_class(title, "reel-headline");
    gtk_box_append(GTK_BOX(page), title);
    GtkWidget *line = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 8);
    self->entry = gtk_entry_new();
    gtk_entry_set_placeholder_text(GTK_ENTRY(self->entry), "A program with its arguments");
    gtk_widget_set_hexpand(self->entry, TRUE);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->entry), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   "Program to record", -1);
    GtkWidget *go = gtk_button_new_with_label("Record"),
              *open = gtk_button_new_with_label("Open a Trace…");
    gtk_widget_add_css_class(go, "suggested-action");
    gtk_actionable_set_action_name(GTK_ACTIONABLE(open), "win.open");
    gtk_box_append(GTK_BOX(line), self->entry);
    gtk_box_append(GTK_BOX(line), go);
    gtk_box_append(GTK_BOX(line), open);
    gtk_box_append(GTK_BOX(page), line);
    GtkWidget *hint = gtk_label_new("In a terminal: reel record -o my.reel -- ./my-program, then "
                                    "reel view my.reel");
    gtk_label_set_selectable(GTK_LABEL(hint), TRUE);
    gtk_widget_add_css_class(hint, "reel-summary");
    gtk_box_append(GTK_BOX(page), hint);
    self->recent_box = section(page, "Recent traces", &self->recent);
    self->samples_box = section(page, "Samples: record one and see", &self->samples);
    add_samples(self);
    g_signal_connect_swapped(self->entry, "activate", G_CALLBACK(record), self);
    g_signal_connect_swapped(go, "clicked", G_CALLBACK(record), self);
    g_signal_connect(self->recent, "row-activated", G_CALLBACK(on_recent), self);
    g_signal_connect(self->samples, "row-activated", G_CALLBACK(on_sample), self);
}
