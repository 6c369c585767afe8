#include "viewer/command_palette.h"

#include <string.h>

#include "tracer/model/time_text.h"

#define SHOWN_MOST 60

enum entry_kind { ENTRY_PLACE, ENTRY_ACTION, ENTRY_FINDING, ENTRY_LANE, ENTRY_BOOKMARK };

struct entry {
    enum entry_kind kind;
    guint index;
    char *text, *detail;
};

struct palette {
    ReelWindow *window;
    const struct reel_command_list *commands;
    GtkWidget *dialog, *list;
    GArray *entries; /* struct entry, as shown */
};

static void clear_entry(gpointer data)
{
    struct entry *entry = data;
    g_free(entry->text);
    g_free(entry->detail);
}

static void palette_free(gpointer data)
{
    struct palette *palette = data;
    g_array_unref(palette->entries);
    g_free(palette);
}

/* All words of `wanted` are in `text`, whatever their case. */
static gboolean matches(const char *text, const char *wanted)
{
    g_autofree char *folded = g_utf8_casefold(text, -1);
    g_auto(GStrv) words = g_strsplit_set(wanted, " ", -1);
    for (guint i = 0; words[i]; i++) {
        g_autofree char *word = g_utf8_casefold(words[i], -1);
        if (*word && !strstr(folded, word))
            return FALSE;
    }
    return TRUE;
}

static void add(struct palette *palette, enum entry_kind kind, guint index, const char *text,
                const char *detail)
{
    if (palette->entries->len >= SHOWN_MOST)
        return;
    struct entry entry = {kind, index, g_strdup(text), g_strdup(detail)};
    g_array_append_val(palette->entries, entry);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 18);
    GtkWidget *name = gtk_label_new(text), *note = gtk_label_new(detail);
    gtk_label_set_ellipsize(GTK_LABEL(name), PANGO_ELLIPSIZE_END);
    gtk_label_set_xalign(GTK_LABEL(name), 0);
    gtk_widget_set_hexpand(name, TRUE);
    gtk_widget_add_css_class(note, "reel-summary");
    gtk_box_append(GTK_BOX(box), name);
    gtk_box_append(GTK_BOX(box), note);
    gtk_list_box_append(GTK_LIST_BOX(palette->list), box);
}

static void add_place(struct palette *palette, const char *wanted)
{
    ReelSession *session = reel_window_session(palette->window);
    ReelDocument *document = reel_session_document(session);
    uint64_t ns;
    struct reel_error error = {0};
    char text[REEL_TIME_TEXT];
    if (document && *wanted &&
        reel_moment_parse(wanted, reel_session_cursor(session), reel_document_end_ns(document), &ns,
                          &error))
        add(palette, ENTRY_PLACE, 0, wanted, reel_moment_text(ns, 1, text));
}

static void fill(struct palette *palette, const char *wanted)
{
    ReelSession *session = reel_window_session(palette->window);
    ReelDocument *document = reel_session_document(session);
    GtkWidget *row;
    while ((row = gtk_widget_get_first_child(palette->list)))
        gtk_list_box_remove(GTK_LIST_BOX(palette->list), row);
    g_array_set_size(palette->entries, 0);
    add_place(palette, wanted);
    const struct reel_command_list *commands = palette->commands;
    for (guint i = 0; i < commands->count(); i++) {
        g_autofree char *keys = commands->keys(i);
        if (matches(commands->title(i), wanted))
            add(palette, ENTRY_ACTION, i, commands->title(i), keys);
    }
    for (guint i = 0; document && i < reel_document_finding_count(document); i++) {
        const struct reel_finding_mark *finding = reel_document_finding(document, i);
        g_autofree char *text = g_strdup_printf("%s  %s", finding->kind, finding->title);
        if (matches(text, wanted) || matches(finding->id, wanted))
            add(palette, ENTRY_FINDING, i, text, finding->id);
    }
    ReelViewFile *file = reel_session_view_file(session);
    for (guint i = 0; file && i < reel_view_file_bookmark_count(file); i++) {
        const struct reel_bookmark *bookmark = reel_view_file_bookmark(file, i);
        char time[REEL_TIME_TEXT];
        reel_moment_text(bookmark->time_ns, 1, time);
        g_autofree char *text =
            g_strdup_printf("bookmark %s", *bookmark->note ? bookmark->note : time);
        if (matches(text, wanted))
            add(palette, ENTRY_BOOKMARK, i, text, time);
    }
    for (guint i = 0; document && i < reel_document_lane_count(document); i++) {
        const struct reel_lane *lane = reel_document_lane(document, i);
        if (lane->heading != G_MAXUINT && matches(lane->name, wanted))
            add(palette, ENTRY_LANE, i, lane->name, "lane");
    }
    GtkListBoxRow *first = gtk_list_box_get_row_at_index(GTK_LIST_BOX(palette->list), 0);
    if (first)
        gtk_list_box_select_row(GTK_LIST_BOX(palette->list), first);
}

static void go(struct palette *palette, guint at)
{
    if (at >= palette->entries->len)
        return;
    struct entry entry = g_array_index(palette->entries, struct entry, at);
    ReelWindow *window = palette->window;
    ReelSession *session = reel_window_session(window);
    const struct reel_command_list *commands = palette->commands;
    g_autofree char *text = g_strdup(entry.text);
    gtk_window_destroy(GTK_WINDOW(palette->dialog)); /* frees the palette */
    switch (entry.kind) {
    case ENTRY_PLACE:
        reel_window_go_to(window, text);
        break;
    case ENTRY_ACTION:
        commands->run(window, entry.index);
        break;
    case ENTRY_FINDING:
        reel_session_go_to_finding(session, entry.index);
        break;
    case ENTRY_LANE:
        reel_lane_list_reveal(reel_session_lanes(session), entry.index);
        reel_session_set_lane(session, entry.index);
        break;
    case ENTRY_BOOKMARK: {
        const struct reel_bookmark *bookmark =
            reel_view_file_bookmark(reel_session_view_file(session), entry.index);
        if (bookmark)
            reel_session_set_cursor(session, bookmark->time_ns, TRUE);
        break;
    }
    }
}

static void on_activated(GtkListBox *list, GtkListBoxRow *row, gpointer data)
{
    (void)list;
    go(data, (guint)gtk_list_box_row_get_index(row));
}

static void on_entered(GtkEntry *entry, gpointer data)
{
    (void)entry;
    struct palette *palette = data;
    GtkListBoxRow *row = gtk_list_box_get_selected_row(GTK_LIST_BOX(palette->list));
    if (row)
        go(palette, (guint)gtk_list_box_row_get_index(row));
}

static void on_changed(GtkEditable *entry, gpointer data)
{
    fill(data, gtk_editable_get_text(entry));
}

static void close_palette(struct palette *palette)
{
    gtk_window_destroy(GTK_WINDOW(palette->dialog));
}

/* Up and down choose while the keyboard stays in the entry. */
static gboolean on_key(GtkEventControllerKey *controller, guint key, guint code,
                       GdkModifierType modifiers, gpointer data)
{
    (void)controller;
    (void)code;
    (void)modifiers;
    struct palette *palette = data;
    if (key == GDK_KEY_Escape) {
        close_palette(palette);
        return TRUE;
    }
    if (key != GDK_KEY_Up && key != GDK_KEY_Down)
        return FALSE;
    GtkListBoxRow *row = gtk_list_box_get_selected_row(GTK_LIST_BOX(palette->list));
    int at = row ? gtk_list_box_row_get_index(row) + (key == GDK_KEY_Down ? 1 : -1) : 0;
    GtkListBoxRow *next = gtk_list_box_get_row_at_index(GTK_LIST_BOX(palette->list), MAX(at, 0));
    if (next) {
        gtk_list_box_select_row(GTK_LIST_BOX(palette->list), next);
        GtkWidget *focus = gtk_window_get_focus(GTK_WINDOW(palette->dialog));
        gtk_widget_grab_focus(GTK_WIDGET(next)); /* scrolls to it */
        if (focus)
            gtk_widget_grab_focus(focus);
    }
    return TRUE;
}

void reel_command_palette_open(ReelWindow *window, const struct reel_command_list *commands)
{
    struct palette *palette = g_new0(struct palette, 1);
    palette->window = window;
    palette->commands = commands;
    palette->entries = g_array_new(FALSE, TRUE, sizeof(struct entry));
    g_array_set_clear_func(palette->entries, clear_entry);
    palette->dialog = g_object_new(GTK_TYPE_WINDOW, "transient-for", window, "modal", TRUE, "title",
                                   "Command", "default-width", 560, "default-height", 420, NULL);
    g_object_set_data_full(G_OBJECT(palette->dialog), "palette", palette, palette_free);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    gtk_widget_add_css_class(box, "reel-palette");
    GtkWidget *entry = gtk_entry_new();
    gtk_entry_set_placeholder_text(GTK_ENTRY(entry),
                                   "A command, a lane, a finding, a time (2.03s, 41%, +5ms)");
    gtk_accessible_update_property(GTK_ACCESSIBLE(entry), GTK_ACCESSIBLE_PROPERTY_LABEL, "Command",
                                   -1);
    GtkWidget *scrolled = gtk_scrolled_window_new();
    gtk_widget_set_vexpand(scrolled, TRUE);
    palette->list = gtk_list_box_new();
    gtk_list_box_set_activate_on_single_click(GTK_LIST_BOX(palette->list), TRUE);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), palette->list);
    gtk_box_append(GTK_BOX(box), entry);
    gtk_box_append(GTK_BOX(box), scrolled);
    gtk_window_set_child(GTK_WINDOW(palette->dialog), box);
    g_signal_connect(entry, "changed", G_CALLBACK(on_changed), palette);
    g_signal_connect(entry, "activate", G_CALLBACK(on_entered), palette);
    g_signal_connect(palette->list, "row-activated", G_CALLBACK(on_activated), palette);
    GtkEventController *keys = gtk_event_controller_key_new();
    gtk_event_controller_set_propagation_phase(keys, GTK_PHASE_CAPTURE);
    g_signal_connect(keys, "key-pressed", G_CALLBACK(on_key), palette);
    gtk_widget_add_controller(palette->dialog, keys);
    fill(palette, "");
    gtk_window_present(GTK_WINDOW(palette->dialog));
}
