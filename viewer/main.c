/* reel-viewer: the application. Opens the traces it is given, each in a window. */
#include <gtk/gtk.h>
#include <locale.h>

#include "viewer/window.h"

struct viewer {
    GtkCssProvider *dark;
};

static void add_style(const char *resource)
{
    g_autoptr(GtkCssProvider) provider = gtk_css_provider_new();
    gtk_css_provider_load_from_resource(provider, resource);
    gtk_style_context_add_provider_for_display(gdk_display_get_default(),
                                               GTK_STYLE_PROVIDER(provider),
                                               GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
}

static void apply_theme(struct viewer *viewer)
{
    gboolean dark = FALSE;
    g_autofree char *theme = NULL;
    g_object_get(gtk_settings_get_default(), "gtk-application-prefer-dark-theme", &dark,
                 "gtk-theme-name", &theme, NULL);
    /* GTK_THEME overrides the settings without telling them. */
    const char *forced = g_getenv("GTK_THEME");
    dark = forced && *forced
               ? g_str_has_suffix(forced, ":dark") || g_str_has_suffix(forced, "-dark")
               : dark || (theme && g_str_has_suffix(theme, "-dark"));
    GdkDisplay *display = gdk_display_get_default();
    gtk_style_context_remove_provider_for_display(display, GTK_STYLE_PROVIDER(viewer->dark));
    if (dark)
        gtk_style_context_add_provider_for_display(display, GTK_STYLE_PROVIDER(viewer->dark),
                                                   GTK_STYLE_PROVIDER_PRIORITY_APPLICATION + 1);
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

static void open_files(GtkApplication *application, GFile **files, int count, const char *hint,
                       gpointer data)
{
    (void)hint;
    (void)data;
    for (int i = 0; i < count; i++) {
        g_autofree char *argument = g_file_get_path(files[i]);
        g_autofree char *place = NULL;
        g_autofree char *path = argument ? split_place(argument, &place) : NULL;
        ReelWindow *window = reel_window_new(application);
        gtk_window_present(GTK_WINDOW(window));
        if (path)
            reel_window_open(window, path, place);
        else
            reel_window_say(window, "only files on this machine can be opened");
    }
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    struct viewer viewer = {0};
    g_autoptr(GtkApplication) application = gtk_application_new(
        "io.github.reel.Viewer", G_APPLICATION_HANDLES_OPEN | G_APPLICATION_NON_UNIQUE);
    g_signal_connect(application, "startup", G_CALLBACK(startup), &viewer);
    g_signal_connect(application, "activate", G_CALLBACK(activate), &viewer);
    g_signal_connect(application, "open", G_CALLBACK(open_files), &viewer);
    int status = g_application_run(G_APPLICATION(application), argc, argv);
    g_clear_object(&viewer.dark);
    return status;
}
