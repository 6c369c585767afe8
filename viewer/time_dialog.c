#include "viewer/time_dialog.h"

static void time_entered(GtkDialog *dialog, int response, gpointer data)
{
    GtkWidget *entry = g_object_get_data(G_OBJECT(dialog), "entry");
    if (response == GTK_RESPONSE_OK)
        reel_window_go_to(data, gtk_editable_get_text(GTK_EDITABLE(entry)));
    gtk_window_destroy(GTK_WINDOW(dialog));
}

void reel_time_dialog_open(ReelWindow *window)
{
    GtkWidget *dialog = gtk_dialog_new_with_buttons(
        "Go to a Time", GTK_WINDOW(window), GTK_DIALOG_MODAL | GTK_DIALOG_USE_HEADER_BAR, "_Cancel",
        GTK_RESPONSE_CANCEL, "_Go", GTK_RESPONSE_OK, NULL);
    GtkWidget *entry = gtk_entry_new();
    gtk_entry_set_placeholder_text(GTK_ENTRY(entry), "2.03s   +5ms   41%   F-…");
    gtk_entry_set_activates_default(GTK_ENTRY(entry), TRUE);
    gtk_widget_set_margin_top(entry, 18);
    gtk_widget_set_margin_bottom(entry, 18);
    gtk_widget_set_margin_start(entry, 18);
    gtk_widget_set_margin_end(entry, 18);
    gtk_dialog_set_default_response(GTK_DIALOG(dialog), GTK_RESPONSE_OK);
    gtk_box_append(GTK_BOX(gtk_dialog_get_content_area(GTK_DIALOG(dialog))), entry);
    g_object_set_data(G_OBJECT(dialog), "entry", entry);
    g_signal_connect(dialog, "response", G_CALLBACK(time_entered), window);
    gtk_window_present(GTK_WINDOW(dialog));
}
