#include "viewer/actions.h"

#include "viewer/bookmarks.h"
#include "viewer/command_palette.h"
#include "viewer/moves.h"
#include "viewer/picture_dialog.h"
#include "viewer/time_dialog.h"

struct action {
    const char *name;
    const char *title;
    const char *group;
    const char *keys[4];
    void (*activate)(ReelWindow *window);
};

static void shortcuts(ReelWindow *window)
{
    GtkWidget *list = reel_actions_shortcuts();
    gtk_window_set_transient_for(GTK_WINDOW(list), GTK_WINDOW(window));
    gtk_window_present(GTK_WINDOW(list));
}

static void open_palette(ReelWindow *window)
{
    static const struct reel_command_list commands = {reel_actions_count, reel_actions_title,
                                                      reel_actions_keys, reel_actions_run};
    reel_command_palette_open(window, &commands);
}

static void zoom_to_state(ReelWindow *window)
{
    reel_timeline_zoom_to_state(reel_window_timeline(window));
}

static void opened(GtkNativeDialog *dialog, int response, gpointer data)
{
    if (response == GTK_RESPONSE_ACCEPT) {
        g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
        g_autofree char *path = g_file_get_path(file);
        reel_window_open(data, path, NULL);
    }
    g_object_unref(dialog);
}

static void open_trace(ReelWindow *window)
{
    GtkFileChooserNative *dialog = gtk_file_chooser_native_new(
        "Open a Trace", GTK_WINDOW(window), GTK_FILE_CHOOSER_ACTION_OPEN, "_Open", "_Cancel");
    g_autoptr(GtkFileFilter) filter = gtk_file_filter_new();
    gtk_file_filter_set_name(filter, "Reel traces");
    gtk_file_filter_add_pattern(filter, "*.reel");
    gtk_file_chooser_add_filter(GTK_FILE_CHOOSER(dialog), filter);
    g_signal_connect(dialog, "response", G_CALLBACK(opened), window);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

/* The pages of the panel, in the order of their tabs. */
#define PAGES(X)                                                                                   \
    X(findings) X(events) X(locks) X(order) X(threads) X(flame) X(range) X(source) X(sql)
#define SHOW_PAGE(name)                                                                            \
    static void show_##name(ReelWindow *window)                                                    \
    {                                                                                              \
        reel_window_show_page(window, #name);                                                      \
    }
PAGES(SHOW_PAGE)

static const struct action actions[] = {
    {"open", "Open a trace", "Trace", {"<Control>o"}, open_trace},
    {"record", "Record a program", "Trace", {"<Control>r"}, reel_window_show_start},
    {"export", "Save what is seen as a picture", "Trace", {"<Control>s"}, reel_picture_ask},
    {"command", "Command palette", "Trace", {"colon", "<Control>k"}, open_palette},
    {"search", "Filter", "Trace", {"slash", "<Control>f"}, reel_window_focus_filter},
    {"filter-this", "Filter by this lane", "Trace", {"<Control>l"}, reel_move_filter_this},
    {"no-filter", "No filter and no selection", "Trace", {"Escape"}, reel_move_no_filter},
    {"go-to-time",
     "Go to a time (2.03s, 41%)",
     "Trace",
     {"t", "<Control>g"},
     reel_time_dialog_open},
    {"describe", "Say what is here", "Trace", {"i"}, reel_window_describe},
    {"shortcuts", "This list", "Trace", {"question", "<Control>question"}, shortcuts},
    {"zoom-in", "Closer", "View", {"w", "plus", "<Control>plus"}, reel_move_zoom_in},
    {"zoom-out", "Wider", "View", {"s", "minus", "<Control>minus"}, reel_move_zoom_out},
    {"zoom-to-selection", "Zoom to the selection", "View", {"z"}, reel_move_zoom_to_selection},
    {"zoom-to-state", "Zoom to this state", "View", {"Return"}, zoom_to_state},
    {"pan-left", "Earlier", "View", {"a", "Left"}, reel_move_pan_left},
    {"pan-right", "Later", "View", {"d", "Right"}, reel_move_pan_right},
    {"show-all", "Whole trace", "View", {"0"}, reel_move_show_all},
    {"back", "Back to what was in view", "View", {"<Alt>Left", "<Shift>z"}, reel_move_back},
    {"forward", "Forward again", "View", {"<Alt>Right"}, reel_move_forward},
    {"lane-up", "Lane above", "Lanes", {"Up"}, reel_move_lane_up},
    {"lane-down", "Lane below", "Lanes", {"Down"}, reel_move_lane_down},
    {"collapse", "Collapse or expand", "Lanes", {"c"}, reel_move_collapse},
    {"pin-lane", "Pin or unpin this lane", "Lanes", {"<Shift>p", "asterisk"}, reel_move_pin},
    {"hide-lane", "Hide this lane", "Lanes", {"h"}, reel_move_hide},
    {"hide-idle", "Hide idle threads", "Lanes", {"<Control>h"}, reel_move_hide_idle},
    {"show-hidden", "Show hidden lanes", "Lanes", {"<Shift>h"}, reel_move_show_hidden},
    {"move-lane-up", "Move this lane up", "Lanes", {"<Control>Up"}, reel_move_lane_earlier},
    {"move-lane-down", "Move this lane down", "Lanes", {"<Control>Down"}, reel_move_lane_later},
    {"waker", "To who ended this wait", "Who waits for whom", {"u"}, reel_move_to_waker},
    {"owner", "To who holds what it wants", "Who waits for whom", {"o"}, reel_move_to_owner},
    {"lock-lane", "To the lane of what it wants", "Who waits for whom", {"l"}, reel_move_to_lock},
    {"wait-graph", "Wait-for graph", "Who waits for whom", {"g"}, reel_window_focus_graph},
    {"play", "Play or pause", "Replay", {"space"}, reel_move_play},
    {"slower", "Slower", "Replay", {"less"}, reel_move_slower},
    {"faster", "Faster", "Replay", {"greater"}, reel_move_faster},
    {"next", "Next change of any thread", "Replay", {"n"}, reel_move_next},
    {"previous", "Previous change of any thread", "Replay", {"p"}, reel_move_previous},
    {"next-in-lane",
     "Next change in this lane",
     "Replay",
     {"period", "<Shift>n"},
     reel_move_next_in_lane},
    {"previous-in-lane",
     "Previous change in this lane",
     "Replay",
     {"comma"},
     reel_move_previous_in_lane},
    {"next-of-lock", "Next change of this lock", "Replay", {"<Control>n"}, reel_move_next_of_lock},
    {"previous-of-lock",
     "Previous change of this lock",
     "Replay",
     {"<Control>p"},
     reel_move_previous_of_lock},
    {"next-finding", "Next finding", "Replay", {"bracketright"}, reel_move_next_finding},
    {"previous-finding", "Previous finding", "Replay", {"bracketleft"}, reel_move_previous_finding},
    {"follow", "Follow what is recorded", "Replay", {"f"}, reel_window_toggle_follow},
    {"first", "To the beginning", "Replay", {"Home"}, reel_move_first},
    {"last", "To the end", "Replay", {"End"}, reel_move_last},
    {"bookmark", "Bookmark this moment", "Bookmarks", {"m"}, reel_bookmarks_ask},
    {"next-bookmark", "Next bookmark", "Bookmarks", {"braceright"}, reel_move_next_bookmark},
    {"previous-bookmark",
     "Previous bookmark",
     "Bookmarks",
     {"braceleft"},
     reel_move_previous_bookmark},
    {"bookmarks", "All bookmarks", "Bookmarks", {"<Control>m"}, reel_bookmarks_show},
    {"page-findings", "Findings", "Panel", {"<Alt>1"}, show_findings},
    {"page-events", "Events", "Panel", {"<Alt>2"}, show_events},
    {"page-locks", "Locks", "Panel", {"<Alt>3"}, show_locks},
    {"page-order", "Lock order", "Panel", {"<Alt>4"}, show_order},
    {"page-threads", "Threads", "Panel", {"<Alt>5"}, show_threads},
    {"page-flame", "Waiting flame graph", "Panel", {"<Alt>6"}, show_flame},
    {"page-range", "Statistics of the range", "Panel", {"<Alt>7", "r"}, show_range},
    {"page-source", "Source", "Panel", {"<Alt>8"}, show_source},
    {"page-sql", "SQL", "Panel", {"<Alt>9"}, show_sql},
    {"edit-source", "Source in your editor", "Panel", {"e"}, reel_window_edit_source},
};

static void activate(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    (void)parameter;
    const char *name = g_action_get_name(G_ACTION(action));
    for (unsigned i = 0; i < G_N_ELEMENTS(actions); i++)
        if (g_str_equal(actions[i].name, name))
            actions[i].activate(data);
}

/* Keys of an application come before those of the widget that has the focus: fit for Ctrl+O, but a
 * plain letter would never reach an entry, nor an arrow a list. Those are the window's, after the
 * focused widget had its turn. */
static void add_keys(GtkApplication *application, GtkShortcutController *plain,
                     const char *detailed, const char *const *keys)
{
    const char *modified[G_N_ELEMENTS(actions[0].keys) + 1] = {NULL};
    for (unsigned i = 0, count = 0; i < G_N_ELEMENTS(actions[0].keys) && keys[i]; i++) {
        guint key;
        GdkModifierType modifiers;
        if (!gtk_accelerator_parse(keys[i], &key, &modifiers))
            continue;
        if (modifiers & (GDK_CONTROL_MASK | GDK_ALT_MASK))
            modified[count++] = keys[i];
        else
            gtk_shortcut_controller_add_shortcut(
                plain, gtk_shortcut_new(gtk_keyval_trigger_new(key, modifiers),
                                        gtk_named_action_new(detailed)));
    }
    gtk_application_set_accels_for_action(application, detailed, modified);
}

void reel_actions_add(ReelWindow *window, GtkApplication *application)
{
    GtkEventController *plain = gtk_shortcut_controller_new();
    gtk_event_controller_set_propagation_phase(plain, GTK_PHASE_BUBBLE);
    gtk_widget_add_controller(GTK_WIDGET(window), plain);
    for (unsigned i = 0; i < G_N_ELEMENTS(actions); i++) {
        g_autoptr(GSimpleAction) action = g_simple_action_new(actions[i].name, NULL);
        g_signal_connect(action, "activate", G_CALLBACK(activate), window);
        g_action_map_add_action(G_ACTION_MAP(window), G_ACTION(action));
        g_autofree char *detailed = g_strdup_printf("win.%s", actions[i].name);
        add_keys(application, GTK_SHORTCUT_CONTROLLER(plain), detailed, actions[i].keys);
    }
}

GtkWidget *reel_actions_shortcuts(void)
{
    /* GtkShortcutsWindow is made from XML only. */
    g_autoptr(GString) xml =
        g_string_new("<interface><object class=\"GtkShortcutsWindow\" id=\"w\">"
                     "<property name=\"modal\">1</property><child>"
                     "<object class=\"GtkShortcutsSection\">");
    const char *group = NULL;
    for (unsigned i = 0; i < G_N_ELEMENTS(actions); i++) {
        if (!group || !g_str_equal(group, actions[i].group)) {
            if (group)
                g_string_append(xml, "</object></child>");
            group = actions[i].group;
            g_string_append_printf(xml,
                                   "<child><object class=\"GtkShortcutsGroup\">"
                                   "<property name=\"title\">%s</property>",
                                   group);
        }
        g_autofree char *title = g_markup_escape_text(actions[i].title, -1);
        g_autofree char *key = g_markup_escape_text(actions[i].keys[0], -1);
        g_string_append_printf(xml,
                               "<child><object class=\"GtkShortcutsShortcut\">"
                               "<property name=\"accelerator\">%s</property>"
                               "<property name=\"title\">%s</property></object></child>",
                               key, title);
    }
    g_string_append(xml, "</object></child></object></child></object></interface>");
    g_autoptr(GtkBuilder) builder = gtk_builder_new_from_string(xml->str, -1);
    return GTK_WIDGET(gtk_builder_get_object(builder, "w"));
}

guint reel_actions_count(void)
{
    return G_N_ELEMENTS(actions);
}

const char *reel_actions_title(guint index)
{
    return actions[index].title;
}

char *reel_actions_keys(guint index)
{
    guint key;
    GdkModifierType modifiers;
    if (!gtk_accelerator_parse(actions[index].keys[0], &key, &modifiers))
        return g_strdup("");
    return gtk_accelerator_get_label(key, modifiers);
}

void reel_actions_run(ReelWindow *window, guint index)
{
    actions[index].activate(window);
}

/* A key as a manual page writes it: roff's own signs are kept from it. */
static void append_key(GString *page, const char *key)
{
    guint value;
    GdkModifierType modifiers;
    const char *name =
        gtk_accelerator_parse(key, &value, &modifiers) ? gdk_keyval_name(value) : key;
    gunichar letter = gdk_keyval_to_unicode(value);
    if (modifiers & GDK_CONTROL_MASK)
        g_string_append(page, "Ctrl+");
    if (modifiers & GDK_ALT_MASK)
        g_string_append(page, "Alt+");
    if (modifiers & GDK_SHIFT_MASK)
        g_string_append(page, "Shift+");
    if (letter == '.' || letter == '\'')
        g_string_append(page, "\\&");
    if (letter > ' ' && letter < 0x7f)
        g_string_append_unichar(page, letter);
    else
        g_string_append(page, name);
}

char *reel_actions_manual(void)
{
    GString *page = g_string_new(NULL);
    const char *group = NULL;
    for (unsigned i = 0; i < G_N_ELEMENTS(actions); i++) {
        if (!group || !g_str_equal(group, actions[i].group))
            g_string_append_printf(page, ".SS %s\n", actions[i].group);
        group = actions[i].group;
        g_string_append(page, ".TP\n.B \"");
        for (unsigned k = 0; k < G_N_ELEMENTS(actions[i].keys) && actions[i].keys[k]; k++) {
            g_string_append(page, k ? "  " : "");
            append_key(page, actions[i].keys[k]);
        }
        g_string_append_printf(page, "\"\n%s.\n", actions[i].title);
    }
    return g_string_free(page, FALSE);
}
