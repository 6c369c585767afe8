#include "viewer/panel/suppress.h"

#include <string.h>

#include "viewer/panel/suppression_file.h"

struct request {
    GtkWidget *reason, *file, *message;
    char *line;
};

static void file_chosen(GtkNativeDialog *chooser, int response, gpointer data)
{
    g_autoptr(GtkEditable) entry = data;
    g_autoptr(GFile) file = response == GTK_RESPONSE_ACCEPT
                                ? gtk_file_chooser_get_file(GTK_FILE_CHOOSER(chooser))
                                : NULL;
    g_autofree char *path = file ? g_file_get_path(file) : NULL;
    if (path)
        gtk_editable_set_text(entry, path);
    g_object_unref(chooser);
}

/* Not to save: it would ask whether to replace a file that is only added to. */
static void choose_file(GtkButton *button, GtkEditable *entry)
{
    GtkFileChooserNative *chooser = gtk_file_chooser_native_new(
        "Suppressions", GTK_WINDOW(gtk_widget_get_root(GTK_WIDGET(button))),
        GTK_FILE_CHOOSER_ACTION_OPEN, "_Choose", "_Cancel");
    g_signal_connect(chooser, "response", G_CALLBACK(file_chosen), g_object_ref(entry));
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(chooser));
}

static void answered(GtkDialog *dialog, int response, gpointer data)
{
    struct request *request = data;
    if (response == GTK_RESPONSE_OK) {
        struct reel_error error = {0};
        const char *path = gtk_editable_get_text(GTK_EDITABLE(request->file));
        g_autofree char *line =
            reel_suppress_line(request->line, gtk_editable_get_text(GTK_EDITABLE(request->reason)));
        if (!reel_suppress_append(path, line, &error)) {
            gtk_label_set_text(GTK_LABEL(request->message), error.message);
            gtk_widget_set_visible(request->message, TRUE);
            return; /* the dialog stays: another file may do */
        }
    }
    gtk_window_destroy(GTK_WINDOW(dialog));
    g_free(request->line);
    g_free(request);
}

static GtkWidget *add_entry(GtkGrid *grid, int row, const char *name, const char *text)
{
    GtkWidget *label = gtk_label_new_with_mnemonic(name);
    GtkWidget *entry = gtk_entry_new();
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_label_set_mnemonic_widget(GTK_LABEL(label), entry);
    gtk_entry_set_activates_default(GTK_ENTRY(entry), TRUE);
    gtk_editable_set_text(GTK_EDITABLE(entry), text);
    gtk_editable_set_width_chars(GTK_EDITABLE(entry), 60);
    gtk_widget_set_hexpand(entry, TRUE);
    gtk_grid_attach(grid, label, 0, row, 1, 1);
    gtk_grid_attach(grid, entry, 1, row, 1, 1);
    return entry;
}

void reel_suppress_ask(GtkWidget *over, const char *line)
{
    GtkRoot *root = gtk_widget_get_root(over);
    if (!GTK_IS_WINDOW(root))
        return;
    struct request *request = g_new0(struct request, 1);
    request->line = g_strdup(line);
    GtkWidget *dialog = gtk_dialog_new_with_buttons(
        "Suppress a Finding", GTK_WINDOW(root),
        GTK_DIALOG_MODAL | GTK_DIALOG_USE_HEADER_BAR | GTK_DIALOG_DESTROY_WITH_PARENT, "_Cancel",
        GTK_RESPONSE_CANCEL, "_Add", GTK_RESPONSE_OK, NULL);
    GtkWidget *box = gtk_dialog_get_content_area(GTK_DIALOG(dialog));
    GtkGrid *grid = GTK_GRID(gtk_grid_new());
    gtk_grid_set_row_spacing(grid, 8);
    gtk_grid_set_column_spacing(grid, 8);
    const char *title = strstr(line, " -- ");
    g_autofree char *first = title ? g_strstrip(g_strdup(title + 4)) : g_strdup("");
    g_autofree char *folder = g_get_current_dir();
    g_autofree char *path = g_build_filename(folder, "reel.supp", NULL);
    request->reason = add_entry(grid, 0, "Wh_y it is no fault", first);
    request->file = add_entry(grid, 1, "_File to add it to", path);
    GtkWidget *browse = gtk_button_new_with_mnemonic("_Browse…");
    g_signal_connect(browse, "clicked", G_CALLBACK(choose_file), request->file);
    gtk_grid_attach(grid, browse, 2, 1, 1, 1);
    GtkWidget *help =
        gtk_label_new("Then: reel check --suppressions FILE -- PROGRAM does not report it again.");
    gtk_label_set_xalign(GTK_LABEL(help), 0);
    gtk_widget_add_css_class(help, "reel-summary");
    gtk_grid_attach(grid, help, 1, 2, 2, 1);
    request->message = gtk_label_new(NULL);
    gtk_label_set_wrap(GTK_LABEL(request->message), TRUE);
    gtk_label_set_xalign(GTK_LABEL(request->message), 0);
    gtk_widget_add_css_class(request->message, "reel-error");
    gtk_widget_set_visible(request->message, FALSE);
    gtk_grid_attach(grid, request->message, 1, 3, 2, 1);
    gtk_widget_add_css_class(GTK_WIDGET(grid), "reel-dialog");
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(grid));
    gtk_dialog_set_default_response(GTK_DIALOG(dialog), GTK_RESPONSE_OK);
    g_signal_connect(dialog, "response", G_CALLBACK(answered), request);
    gtk_window_present(GTK_WINDOW(dialog));
}
