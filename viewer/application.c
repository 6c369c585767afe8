#include "viewer/application.h"

#include <stdio.h>

#include "viewer/actions.h"
#include "viewer/bench.h"
#include "viewer/export_command.h"
#include "viewer/snapshot.h"
#include "viewer/window.h"

struct viewer {
    GtkCssProvider *dark, *contrast;
    gint64 started_us;
    gboolean wait, bench;
    struct reel_export_wishes export;
};

static void add_style(const char *resource)
{
    g_autoptr(GtkCssProvider) provider = gtk_css_provider_new();
    gtk_css_provider_load_from_resource(provider, resource);
    gtk_style_context_add_provider_for_display(gdk_display_get_default(),
                                               GTK_STYLE_PROVIDER(provider),
                                               GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
}

static void use(GdkDisplay *display, GtkCssProvider *provider, gboolean used, guint above)
{
    gtk_style_context_remove_provider_for_display(display, GTK_STYLE_PROVIDER(provider));
    if (used)
        gtk_style_context_add_provider_for_display(display, GTK_STYLE_PROVIDER(provider),
                                                   GTK_STYLE_PROVIDER_PRIORITY_APPLICATION + above);
}

static gboolean ends_dark(const char *theme)
{
    return theme && (g_str_has_suffix(theme, ":dark") || g_str_has_suffix(theme, "-dark") ||
                     g_str_has_suffix(theme, "Inverse"));
}

static void apply_theme(struct viewer *viewer)
{
    gboolean dark = FALSE;
    g_autofree char *theme = NULL;
    g_object_get(gtk_settings_get_default(), "gtk-application-prefer-dark-theme", &dark,
                 "gtk-theme-name", &theme, NULL);
    /* GTK_THEME overrides the settings without telling them. */
    const char *forced = g_getenv("GTK_THEME");
    const char *name = forced && *forced ? forced : theme;
    dark = forced && *forced ? ends_dark(forced) : dark || ends_dark(theme);
    gboolean contrast =
        name && (g_str_has_prefix(name, "HighContrast") || g_str_has_prefix(name, "Default-hc"));
    GdkDisplay *display = gdk_display_get_default();
    use(display, viewer->dark, dark, 1);
    use(display, viewer->contrast, contrast && !dark, 2);
}

static void change_dark(GSimpleAction *action, GVariant *state, gpointer data)
{
    (void)data;
    g_simple_action_set_state(action, state);
    g_object_set(gtk_settings_get_default(), "gtk-application-prefer-dark-theme",
                 g_variant_get_boolean(state), NULL);
}

static void about(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    (void)action;
    (void)parameter;
    gtk_show_about_dialog(gtk_application_get_active_window(data), "program-name", "Reel",
                          "version", REEL_VERSION, "comments",
                          "A visual concurrency tracer and replay debugger.", "license-type",
                          GTK_LICENSE_MIT_X11, NULL);
}

static void startup(GtkApplication *application, gpointer data)
{
    struct viewer *viewer = data;
    add_style("/reel/viewer/light.css");
    add_style("/reel/viewer/common.css");
    viewer->dark = gtk_css_provider_new();
    gtk_css_provider_load_from_resource(viewer->dark, "/reel/viewer/dark.css");
    viewer->contrast = gtk_css_provider_new();
    gtk_css_provider_load_from_resource(viewer->contrast, "/reel/viewer/contrast.css");
    apply_theme(viewer);
    g_signal_connect_swapped(gtk_settings_get_default(),
                             "notify::gtk-application-prefer-dark-theme", G_CALLBACK(apply_theme),
                             viewer);
    g_signal_connect_swapped(gtk_settings_get_default(), "notify::gtk-theme-name",
                             G_CALLBACK(apply_theme), viewer);
    gboolean dark = FALSE;
    g_object_get(gtk_settings_get_default(), "gtk-application-prefer-dark-theme", &dark, NULL);
    g_autoptr(GSimpleAction) dark_action =
        g_simple_action_new_stateful("dark", NULL, g_variant_new_boolean(dark));
    g_signal_connect(dark_action, "change-state", G_CALLBACK(change_dark), viewer);
    g_action_map_add_action(G_ACTION_MAP(application), G_ACTION(dark_action));
    g_autoptr(GSimpleAction) about_action = g_simple_action_new("about", NULL);
    g_signal_connect(about_action, "activate", G_CALLBACK(about), application);
    g_action_map_add_action(G_ACTION_MAP(application), G_ACTION(about_action));
}

/* Also dialogs are windows of the application. */
static void window_added(GtkApplication *application, GtkWindow *window)
{
    if (REEL_IS_WINDOW(window))
        reel_actions_add(REEL_WINDOW(window), application);
}

static void activate(GtkApplication *application, gpointer data)
{
    (void)data;
    gtk_window_present(GTK_WINDOW(reel_window_new(application)));
}

/* FILE, FILE#F-0001 or FILE@2.03s: a finding or a moment behind the name, unless a file is called
 * so. */
static char *split_place(const char *argument, char **place)
{
    *place = NULL;
    if (!g_file_test(argument, G_FILE_TEST_EXISTS)) {
        const char *mark = strrchr(argument, '#');
        if (!mark)
            mark = strrchr(argument, '@');
        if (mark && mark != argument) {
            *place = g_strdup(mark + 1);
            return g_strndup(argument, (gsize)(mark - argument));
        }
    }
    return g_strdup(argument);
}

/* One argument: at once, or as soon as the file is there. */
struct opening {
    ReelWindow *window;
    char *path, *place;
    guint tries;
};

static void opening_free(gpointer data)
{
    struct opening *opening = data;
    g_object_unref(opening->window);
    g_free(opening->path);
    g_free(opening->place);
    g_free(opening);
}

static gboolean open_when_there(gpointer data)
{
    struct opening *opening = data;
    enum reel_trace_state state;
    if (opening->tries-- && !reel_snapshot_state(opening->path, &state, NULL))
        return G_SOURCE_CONTINUE;
    reel_window_open(opening->window, opening->path, opening->place);
    return G_SOURCE_REMOVE;
}

static void open_files(GtkApplication *application, GFile **files, int count, const char *hint,
                       gpointer data)
{
    (void)hint;
    struct viewer *viewer = data;
    for (int i = 0; i < count; i++) {
        g_autofree char *argument = g_file_get_path(files[i]);
        g_autofree char *place = NULL;
        g_autofree char *path = argument ? split_place(argument, &place) : NULL;
        ReelWindow *window = reel_window_new(application);
        if (viewer->bench) {
            gtk_window_set_default_size(GTK_WINDOW(window), 1600, 960);
            reel_bench_run(window, viewer->started_us);
        }
        gtk_window_present(GTK_WINDOW(window));
        if (!path) {
            reel_window_say(window, "only files on this machine can be opened");
            continue;
        }
        struct opening *opening = g_new(struct opening, 1);
        *opening = (struct opening){g_object_ref(window), g_steal_pointer(&path),
                                    g_steal_pointer(&place), viewer->wait ? 100 : 0};
        if (open_when_there(opening))
            g_timeout_add_full(G_PRIORITY_DEFAULT, 100, open_when_there, opening, opening_free);
        else
            opening_free(opening);
    }
}

/* Drawing into a file needs no display: it is done before one is looked for. */
static int handle_options(GApplication *application, GVariantDict *options, gpointer data)
{
    (void)application;
    struct viewer *viewer = data;
    struct reel_export_wishes *wishes = &viewer->export;
    const char **rest = NULL;
    if (g_variant_dict_contains(options, "print-keys")) {
        g_autofree char *page = reel_actions_manual();
        fputs(page, stdout);
        return 0;
    }
    if (!g_variant_dict_lookup(options, "export", "^&ay", &wishes->file))
        return -1;
    g_variant_dict_lookup(options, "from", "&s", &wishes->from);
    g_variant_dict_lookup(options, "to", "&s", &wishes->to);
    g_variant_dict_lookup(options, "at", "&s", &wishes->at);
    g_variant_dict_lookup(options, "finding", "&s", &wishes->finding);
    g_variant_dict_lookup(options, "theme", "&s", &wishes->theme);
    g_variant_dict_lookup(options, "width", "i", &wishes->width);
    g_variant_dict_lookup(options, G_OPTION_REMAINING, "^a&ay", &rest);
    if (!rest || !rest[0] || rest[1]) {
        g_free(rest);
        fputs("reel-viewer: --export wants one trace file\n", stderr);
        return 2;
    }
    int status = reel_export_command(rest[0], wishes);
    g_free(rest);
    return status;
}

/* Files are opened through the command line, so that options may stand before them. */
static int command_line(GApplication *application, GApplicationCommandLine *line, gpointer data)
{
    struct viewer *viewer = data;
    GVariantDict *options = g_application_command_line_get_options_dict(line);
    g_autofree const char **rest = NULL;
    viewer->wait = g_variant_dict_contains(options, "wait");
    viewer->bench = g_variant_dict_contains(options, "bench");
    if (!g_variant_dict_lookup(options, G_OPTION_REMAINING, "^a&ay", &rest) || !rest[0]) {
        g_application_activate(application);
        return 0;
    }
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_object_unref);
    for (const char **name = rest; *name; name++)
        g_ptr_array_add(files, g_application_command_line_create_file_for_arg(line, *name));
    g_application_open(application, (GFile **)files->pdata, (int)files->len, "");
    return 0;
}

static const GOptionEntry entries[] = {
    {"export", 0, 0, G_OPTION_ARG_FILENAME, NULL, "Draw into FILE (.png, .svg, .pdf) and leave",
     "FILE"},
    {"from", 0, 0, G_OPTION_ARG_STRING, NULL, "Begin the picture there: 2.03s, 41%", "TIME"},
    {"to", 0, 0, G_OPTION_ARG_STRING, NULL, "End the picture there", "TIME"},
    {"at", 0, 0, G_OPTION_ARG_STRING, NULL, "Where the cursor is", "TIME"},
    {"finding", 0, 0, G_OPTION_ARG_STRING, NULL, "Draw this finding in full", "F-…"},
    {"theme", 0, 0, G_OPTION_ARG_STRING, NULL, "light, dark or contrast", "THEME"},
    {"width", 0, 0, G_OPTION_ARG_INT, NULL, "Pixels (default: 1400)", "N"},
    {"wait", 0, 0, G_OPTION_ARG_NONE, NULL, "The trace may come into being a little later", NULL},
    {"print-keys", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    {"bench", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, NULL, NULL, "[TRACE[#FINDING|@TIME]…]"},
    G_OPTION_ENTRY_NULL};

static void viewer_free(gpointer data)
{
    struct viewer *viewer = data;
    g_clear_object(&viewer->dark);
    g_clear_object(&viewer->contrast);
    g_free(viewer);
}

GtkApplication *reel_application_new(void)
{
    struct viewer *viewer = g_new0(struct viewer, 1);
    viewer->started_us = g_get_monotonic_time();
    GtkApplication *application = gtk_application_new(
        "io.github.reel.Viewer",
        G_APPLICATION_HANDLES_OPEN | G_APPLICATION_HANDLES_COMMAND_LINE | G_APPLICATION_NON_UNIQUE);
    g_object_set_data_full(G_OBJECT(application), "viewer", viewer, viewer_free);
    g_application_add_main_option_entries(G_APPLICATION(application), entries);
    g_signal_connect(application, "handle-local-options", G_CALLBACK(handle_options), viewer);
    g_signal_connect(application, "command-line", G_CALLBACK(command_line), viewer);
    g_signal_connect(application, "startup", G_CALLBACK(startup), viewer);
    g_signal_connect(application, "window-added", G_CALLBACK(window_added), NULL);
    g_signal_connect(application, "activate", G_CALLBACK(activate), viewer);
    g_signal_connect(application, "open", G_CALLBACK(open_files), viewer);
    return application;
}
