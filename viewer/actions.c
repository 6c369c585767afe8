#include "viewer/actions.h"

struct action {
    const char *name;
    const char *title;
    const char *group;
    const char *keys[4];
    void (*activate)(ReelWindow *window);
};

static uint64_t middle(ReelSession *session)
{
    uint64_t cursor = reel_session_cursor(session);
    uint64_t from = reel_session_from(session), to = reel_session_to(session);
    return cursor >= from && cursor <= to ? cursor : from + (to - from) / 2;
}

static void zoom_in(ReelWindow *window)
{
    ReelSession *session = reel_window_session(window);
    reel_session_zoom(session, 0.6, middle(session));
}

static void zoom_out(ReelWindow *window)
{
    ReelSession *session = reel_window_session(window);
    reel_session_zoom(session, 1 / 0.6, middle(session));
}

static void pan_left(ReelWindow *window)
{
    reel_session_pan(reel_window_session(window), -0.2);
}

static void pan_right(ReelWindow *window)
{
    reel_session_pan(reel_window_session(window), 0.2);
}

static void show_all(ReelWindow *window)
{
    reel_session_show_all(reel_window_session(window));
}

static void back(ReelWindow *window)
{
    reel_session_back(reel_window_session(window));
}

static void forward(ReelWindow *window)
{
    reel_session_forward(reel_window_session(window));
}

static void move_lane(ReelWindow *window, int by)
{
    ReelSession *session = reel_window_session(window);
    ReelDocument *document = reel_session_document(session);
    guint count = document ? reel_document_lane_count(document) : 0;
    if (count == 0)
        return;
    guint lane = reel_session_lane(session);
    int next = lane == G_MAXUINT ? 0 : (int)lane + by;
    reel_session_set_lane(session, (guint)CLAMP(next, 0, (int)count - 1));
}

static void lane_up(ReelWindow *window)
{
    move_lane(window, -1);
}

static void lane_down(ReelWindow *window)
{
    move_lane(window, 1);
}

static void next(ReelWindow *window)
{
    reel_session_step(reel_window_session(window), 1, FALSE);
}

static void previous(ReelWindow *window)
{
    reel_session_step(reel_window_session(window), -1, FALSE);
}

static void next_in_lane(ReelWindow *window)
{
    reel_session_step(reel_window_session(window), 1, TRUE);
}

static void previous_in_lane(ReelWindow *window)
{
    reel_session_step(reel_window_session(window), -1, TRUE);
}

static void next_finding(ReelWindow *window)
{
    reel_session_step_finding(reel_window_session(window), 1);
}

static void previous_finding(ReelWindow *window)
{
    reel_session_step_finding(reel_window_session(window), -1);
}

static void play(ReelWindow *window)
{
    ReelSession *session = reel_window_session(window);
    reel_session_set_playing(session, !reel_session_is_playing(session));
}

static void slower(ReelWindow *window)
{
    ReelSession *session = reel_window_session(window);
    reel_session_set_speed(session, reel_session_speed(session) / 2);
}

static void faster(ReelWindow *window)
{
    ReelSession *session = reel_window_session(window);
    reel_session_set_speed(session, reel_session_speed(session) * 2);
}

static void first(ReelWindow *window)
{
    reel_session_set_cursor(reel_window_session(window), 0, TRUE);
}

static void last(ReelWindow *window)
{
    reel_session_set_cursor(reel_window_session(window), UINT64_MAX, TRUE);
}

static void shortcuts(ReelWindow *window)
{
    GtkWidget *list = reel_actions_shortcuts();
    gtk_window_set_transient_for(GTK_WINDOW(list), GTK_WINDOW(window));
    gtk_window_present(GTK_WINDOW(list));
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

static const struct action actions[] = {
    {"open", "Open a trace", "Trace", {"<Control>o"}, open_trace},
    {"go-to-time", "Go to a time (2.03s, 41%)", "Trace", {"t", "<Control>g"}, reel_window_ask_time},
    {"describe", "Say what is here", "Trace", {"i"}, reel_window_describe},
    {"shortcuts", "This list", "Trace", {"question", "<Control>question"}, shortcuts},
    {"zoom-in", "Closer", "View", {"w", "plus", "<Control>plus"}, zoom_in},
    {"zoom-out", "Wider", "View", {"s", "minus", "<Control>minus"}, zoom_out},
    {"pan-left", "Earlier", "View", {"a", "Left"}, pan_left},
    {"pan-right", "Later", "View", {"d", "Right"}, pan_right},
    {"show-all", "Whole trace", "View", {"0"}, show_all},
    {"back", "Back to what was in view", "View", {"<Alt>Left", "<Shift>z"}, back},
    {"forward", "Forward again", "View", {"<Alt>Right"}, forward},
    {"lane-up", "Lane above", "View", {"Up"}, lane_up},
    {"lane-down", "Lane below", "View", {"Down"}, lane_down},
    {"play", "Play or pause", "Replay", {"space"}, play},
    {"slower", "Slower", "Replay", {"less"}, slower},
    {"faster", "Faster", "Replay", {"greater"}, faster},
    {"next", "Next change of any thread", "Replay", {"n"}, next},
    {"previous", "Previous change of any thread", "Replay", {"p"}, previous},
    {"next-in-lane", "Next change in this lane", "Replay", {"period", "<Shift>n"}, next_in_lane},
    {"previous-in-lane",
     "Previous change in this lane",
     "Replay",
     {"comma", "<Shift>p"},
     previous_in_lane},
    {"next-finding", "Next finding", "Replay", {"bracketright"}, next_finding},
    {"previous-finding", "Previous finding", "Replay", {"bracketleft"}, previous_finding},
    {"first", "To the beginning", "Replay", {"Home"}, first},
    {"last", "To the end", "Replay", {"End"}, last},
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
