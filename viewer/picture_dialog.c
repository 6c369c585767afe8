#include "viewer/picture_dialog.h"

#include "viewer/picture.h"

static void chosen(GtkNativeDialog *dialog, int response, gpointer data)
{
    ReelWindow *window = data;
    ReelSession *session = reel_window_session(window);
    ReelDocument *document = reel_session_document(session);
    if (response == GTK_RESPONSE_ACCEPT && document) {
        g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
        g_autofree char *path = g_file_get_path(file);
        g_autoptr(GError) error = NULL;
        struct reel_palette palette;
        reel_palette_read(&palette, GTK_WIDGET(window));
        guint finding = reel_session_finding(session);
        const struct reel_picture picture = {
            .document = document,
            .layout = reel_lane_list_layout(reel_session_lanes(session)),
            .palette = &palette,
            .from_ns = reel_session_from(session),
            .to_ns = reel_session_to(session),
            .cursor_ns = reel_session_cursor(session),
            .finding = finding < reel_document_finding_count(document)
                           ? reel_document_finding(document, finding)
                           : NULL,
            .width = gtk_widget_get_width(GTK_WIDGET(reel_window_timeline(window))),
        };
        g_autofree char *done = g_strdup_printf("saved %s", path);
        reel_window_say(window, reel_picture_write(&picture, path, &error) ? done : error->message);
    }
    g_object_unref(dialog);
}

void reel_picture_ask(ReelWindow *window)
{
    ReelDocument *document = reel_session_document(reel_window_session(window));
    if (!document) {
        reel_window_say(window, "there is nothing to save a picture of: open a trace first");
        return;
    }
    GtkFileChooserNative *dialog = gtk_file_chooser_native_new(
        "Save as a Picture", GTK_WINDOW(window), GTK_FILE_CHOOSER_ACTION_SAVE, "_Save", "_Cancel");
    g_autofree char *base = g_path_get_basename(reel_document_origin(document));
    g_autofree char *name = g_strdup_printf("%s.svg", base);
    gtk_file_chooser_set_current_name(GTK_FILE_CHOOSER(dialog), name);
    g_signal_connect(dialog, "response", G_CALLBACK(chosen), window);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}
