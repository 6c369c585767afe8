#include "viewer/bookmarks.h"

#include "tracer/model/time_text.h"

static void note_entered(GtkDialog *dialog, int response, gpointer data)
{
    ReelSession *session = reel_window_session(data);
    GtkWidget *entry = g_object_get_data(G_OBJECT(dialog), "entry");
    ReelViewFile *file = reel_session_view_file(session);
    if (response == GTK_RESPONSE_OK && file)
        reel_view_file_add_bookmark(file, reel_session_cursor(session),
                                    gtk_editable_get_text(GTK_EDITABLE(entry)));
    gtk_window_destroy(GTK_WINDOW(dialog));
}

void reel_bookmarks_ask(ReelWindow *window)
{
    ReelSession *session = reel_window_session(window);
    char time[REEL_TIME_TEXT];
    if (!reel_session_view_file(session))
        return;
    GtkWidget *dialog = gtk_dialog_new_with_buttons(
        "Bookmark", GTK_WINDOW(window), GTK_DIALOG_MODAL | GTK_DIALOG_USE_HEADER_BAR, "_Cancel",
        GTK_RESPONSE_CANCEL, "_Keep", GTK_RESPONSE_OK, NULL);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 8);
    GtkWidget *label = gtk_label_new(reel_moment_text(reel_session_cursor(session), 1, time));
    GtkWidget *entry = gtk_entry_new();
    gtk_entry_set_placeholder_text(GTK_ENTRY(entry), "A note, or nothing");
    gtk_entry_set_activates_default(GTK_ENTRY(entry), TRUE);
    gtk_dialog_set_default_response(GTK_DIALOG(dialog), GTK_RESPONSE_OK);
    gtk_widget_add_css_class(box, "reel-dialog");
    gtk_box_append(GTK_BOX(box), label);
    gtk_box_append(GTK_BOX(box), entry);
    gtk_box_append(GTK_BOX(gtk_dialog_get_content_area(GTK_DIALOG(dialog))), box);
    g_object_set_data(G_OBJECT(dialog), "entry", entry);
    g_signal_connect(dialog, "response", G_CALLBACK(note_entered), window);
    gtk_window_present(GTK_WINDOW(dialog));
}

static void fill(GtkListBox *list, ReelViewFile *file);

static void remove_bookmark(GtkButton *button, gpointer data)
{
    ReelViewFile *file = g_object_get_data(G_OBJECT(data), "file");
    reel_view_file_remove_bookmark(file,
                                   GPOINTER_TO_UINT(g_object_get_data(G_OBJECT(button), "index")));
    fill(data, file);
}

static void fill(GtkListBox *list, ReelViewFile *file)
{
    GtkWidget *row;
    while ((row = gtk_widget_get_first_child(GTK_WIDGET(list))))
        gtk_list_box_remove(list, row);
    for (guint i = 0; i < reel_view_file_bookmark_count(file); i++) {
        const struct reel_bookmark *bookmark = reel_view_file_bookmark(file, i);
        char time[REEL_TIME_TEXT];
        GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
        GtkWidget *moment = gtk_label_new(reel_moment_text(bookmark->time_ns, 1, time));
        GtkWidget *note = gtk_label_new(bookmark->note);
        GtkWidget *gone = gtk_button_new_from_icon_name("edit-delete-symbolic");
        gtk_label_set_xalign(GTK_LABEL(note), 0);
        gtk_label_set_ellipsize(GTK_LABEL(note), PANGO_ELLIPSIZE_END);
        gtk_widget_set_hexpand(note, TRUE);
        gtk_widget_set_tooltip_text(gone, "Remove this bookmark");
        g_object_set_data(G_OBJECT(gone), "index", GUINT_TO_POINTER(i));
        g_signal_connect(gone, "clicked", G_CALLBACK(remove_bookmark), list);
        gtk_box_append(GTK_BOX(box), moment);
        gtk_box_append(GTK_BOX(box), note);
        gtk_box_append(GTK_BOX(box), gone);
        gtk_list_box_append(list, box);
    }
}

static void go(GtkListBox *list, GtkListBoxRow *row, gpointer data)
{
    ReelSession *session = reel_window_session(data);
    const struct reel_bookmark *bookmark = reel_view_file_bookmark(
        reel_session_view_file(session), (guint)gtk_list_box_row_get_index(row));
    (void)list;
    if (bookmark)
        reel_session_set_cursor(session, bookmark->time_ns, TRUE);
}

void reel_bookmarks_show(ReelWindow *window)
{
    ReelViewFile *file = reel_session_view_file(reel_window_session(window));
    if (!file)
        return;
    if (reel_view_file_bookmark_count(file) == 0) {
        reel_window_say(window, "no bookmarks yet: m makes one at the cursor");
        return;
    }
    GtkWidget *dialog = g_object_new(GTK_TYPE_WINDOW, "transient-for", window, "title", "Bookmarks",
                                     "default-width", 460, "default-height", 300, NULL);
    GtkWidget *scrolled = gtk_scrolled_window_new(), *list = gtk_list_box_new();
    gtk_list_box_set_activate_on_single_click(GTK_LIST_BOX(list), TRUE);
    g_object_set_data_full(G_OBJECT(list), "file", g_object_ref(file), g_object_unref);
    fill(GTK_LIST_BOX(list), file);
    g_signal_connect(list, "row-activated", G_CALLBACK(go), window);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), list);
    gtk_window_set_child(GTK_WINDOW(dialog), scrolled);
    gtk_window_present(GTK_WINDOW(dialog));
}
