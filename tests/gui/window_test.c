/* The viewer's real window, in this process, on real traces: every action does its work without a
 * warning; the state panel says what `reel show --at` says, at instants drawn at random; opening
 * and closing leaves nothing behind. Needs a display.   window_test REEL TRACE… */
#include <gtk/gtk.h>
#include <json-glib/json-glib.h>
#include <stdlib.h>
#include <string.h>

#include "tests/gui/drive.h"
#include "viewer/actions.h"
#include "viewer/state_panel.h"

static const char *reel;
static char **traces;

static guint32 random_state = 12345;

static guint32 draw(guint32 below)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % below;
}

/* Windows that an action opened. */
static void close_others(GtkWindow *window)
{
    GListModel *all = gtk_window_get_toplevels();
    for (guint i = g_list_model_get_n_items(all); i-- > 0;) {
        g_autoptr(GtkWindow) other = g_list_model_get_item(all, i);
        if (other != window)
            gtk_window_destroy(other);
    }
    drive_settle();
}

static void every_action_does_its_work(void)
{
    for (char **trace = traces; *trace; trace++) {
        ReelWindow *window = drive_open(*trace);
        ReelSession *session = reel_window_session(window);
        for (guint round = 0; round < 2; round++) {
            /* Without a lane, then with one. */
            reel_session_set_lane(session, round ? 1 : G_MAXUINT);
            for (guint i = 0; i < reel_actions_count(); i++) {
                /* GTK 4.8 warns of a label of its own in its window of shortcuts. */
                if (g_str_equal(reel_actions_title(i), "This list"))
                    continue;
                if (g_test_verbose())
                    g_test_message("%s", reel_actions_title(i));
                reel_actions_run(window, i);
                drive_settle();
                close_others(GTK_WINDOW(window));
                g_assert_true(reel_session_from(session) < reel_session_to(session));
            }
        }
        drive_close(window);
    }
}

struct expectation {
    ReelStatePanel *panel;
    const char *title;
};

static gboolean panel_is_there(gpointer data)
{
    const struct expectation *expected = data;
    g_autofree char *text = reel_state_panel_text(expected->panel);
    return g_str_has_prefix(text, expected->title);
}

static JsonObject *show_at(const char *trace, uint64_t ns, JsonParser *parser)
{
    g_autofree char *at = g_strdup_printf("%" G_GUINT64_FORMAT "ns", (guint64)ns);
    const char *arguments[] = {reel, "show", "--json", "--at", at, trace, NULL};
    g_autofree char *out = NULL;
    g_autoptr(GError) error = NULL;
    g_assert_true(g_spawn_sync(NULL, (char **)arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out,
                               NULL, NULL, &error));
    g_assert_true(json_parser_load_from_data(parser, out, -1, &error));
    return json_node_get_object(json_parser_get_root(parser));
}

static const char *member(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);
    return node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL;
}

/* Every thread with its state and what it waits for; every held lock with its holder. */
static void compare(const char *text, JsonObject *shown, const char *trace, uint64_t ns)
{
    JsonArray *threads = json_object_get_array_member(shown, "threads");
    for (guint i = 0; i < json_array_get_length(threads); i++) {
        JsonObject *thread = json_array_get_object_element(threads, i);
        const char *object = member(thread, "object");
        g_autofree char *line =
            g_strdup_printf("%s  %s%s%s", member(thread, "thread"), member(thread, "state"),
                            object ? " " : "", object ? object : "");
        if (!strstr(text, line))
            g_error("%s at %" G_GUINT64_FORMAT ": the panel does not say \"%s\":\n%s", trace,
                    (guint64)ns, line, text);
    }
    JsonArray *holds = json_object_get_array_member(shown, "holds");
    for (guint i = 0; i < json_array_get_length(holds); i++) {
        JsonObject *hold = json_array_get_object_element(holds, i);
        g_autofree char *line =
            g_strdup_printf("  %s by %s", member(hold, "lock"), member(hold, "thread"));
        if (!strstr(text, line))
            g_error("%s at %" G_GUINT64_FORMAT ": the panel does not say \"%s\":\n%s", trace,
                    (guint64)ns, line, text);
    }
}

static void the_state_panel_says_what_show_says(void)
{
    guint compared = 0;
    for (char **trace = traces; *trace; trace++) {
        ReelWindow *window = drive_open(*trace);
        ReelSession *session = reel_window_session(window);
        ReelDocument *document = reel_session_document(session);
        ReelStatePanel *panel =
            REEL_STATE_PANEL(drive_find(GTK_WIDGET(window), REEL_TYPE_STATE_PANEL, 0));
        uint64_t start = reel_document_start_ns(document), end = reel_document_end_ns(document);
        for (guint i = 0; i < 8; i++) {
            uint64_t ns = start + (uint64_t)((double)(end - start) * draw(100000) / 100000);
            reel_session_set_cursor(session, ns, TRUE);
            g_autofree char *title =
                g_strdup_printf("State at %" G_GUINT64_FORMAT ".%09" G_GUINT64_FORMAT " s",
                                (guint64)(ns / 1000000000), (guint64)(ns % 1000000000));
            struct expectation expected = {panel, title};
            if (!drive_until(panel_is_there, &expected)) {
                g_autofree char *text = reel_state_panel_text(panel);
                g_error("%s: wanted \"%s\", the panel says\n%s", *trace, title, text);
            }
            g_autoptr(JsonParser) parser = json_parser_new();
            g_autofree char *text = reel_state_panel_text(panel);
            compare(text, show_at(*trace, ns, parser), *trace, ns);
            compared++;
        }
        drive_close(window);
    }
    g_test_message("%u instants compared", compared);
    g_assert_cmpuint(compared, >, 0);
}

/* Resident memory in pages. */
static gint64 resident(void)
{
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents("/proc/self/statm", &text, NULL, NULL));
    return g_ascii_strtoll(strchr(text, ' '), NULL, 10);
}

static guint finalized;

static void on_finalized(gpointer data, GObject *where)
{
    (void)data;
    (void)where;
    finalized++;
}

static gboolean all_finalized(gpointer count)
{
    return finalized == GPOINTER_TO_UINT(count);
}

static void a_closed_window_leaves_nothing(void)
{
    guint rounds = g_test_slow() ? 100 : 25;
    finalized = 0;
    for (guint i = 0; i < rounds; i++) {
        ReelWindow *window = drive_open(traces[0]);
        g_object_weak_ref(G_OBJECT(reel_session_document(reel_window_session(window))),
                          on_finalized, NULL);
        g_object_weak_ref(G_OBJECT(window), on_finalized, NULL);
        drive_close(window);
    }
    /* The display keeps the window that had the pointer last until there is another one. */
    drive_close(drive_open(traces[0]));
    drive_until(all_finalized, GUINT_TO_POINTER(2 * rounds));
    g_test_message("%" G_GINT64_FORMAT " pages resident", resident());
    g_assert_cmpuint(finalized, ==, 2 * rounds);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (argc < 3)
        g_error("usage: window_test REEL TRACE...");
    reel = argv[1];
    traces = argv + 2;
    g_test_add_func("/window/every-action-does-its-work", every_action_does_its_work);
    g_test_add_func("/window/the-state-panel-says-what-show-says",
                    the_state_panel_says_what_show_says);
    g_test_add_func("/window/a-closed-window-leaves-nothing", a_closed_window_leaves_nothing);
    int status = g_test_run();
    g_object_unref(drive_application());
    return status;
}
