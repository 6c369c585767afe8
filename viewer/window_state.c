#include "viewer/window_state.h"

#define GROUP "window"

static char *file_name(void)
{
    return g_build_filename(g_get_user_config_dir(), "reel", "viewer", NULL);
}

/* Below `least`: as it was. */
static int number(GKeyFile *keys, const char *key, int least)
{
    int value = g_key_file_get_integer(keys, GROUP, key, NULL);
    return value >= least && value < 20000 ? value : -1;
}

void reel_window_state_restore(const struct reel_window_state *state)
{
    g_autoptr(GKeyFile) keys = g_key_file_new();
    g_autofree char *name = file_name();
    if (!g_key_file_load_from_file(keys, name, G_KEY_FILE_NONE, NULL))
        return;
    int width = number(keys, "width", 400), height = number(keys, "height", 300);
    if (width > 0 && height > 0)
        gtk_window_set_default_size(state->window, width, height);
    if (g_key_file_get_boolean(keys, GROUP, "maximized", NULL))
        gtk_window_maximize(state->window);
    int across = number(keys, "across", 100), down = number(keys, "down", 60);
    if (across > 0)
        gtk_paned_set_position(state->across, across);
    if (down > 0)
        gtk_paned_set_position(state->down, down);
    if (g_key_file_has_key(keys, GROUP, "state-panel", NULL))
        gtk_widget_set_visible(state->state_panel,
                               g_key_file_get_boolean(keys, GROUP, "state-panel", NULL));
    if (g_key_file_has_key(keys, GROUP, "bottom-panel", NULL))
        gtk_widget_set_visible(state->bottom_panel,
                               g_key_file_get_boolean(keys, GROUP, "bottom-panel", NULL));
}

void reel_window_state_keep(const struct reel_window_state *state)
{
    g_autoptr(GKeyFile) keys = g_key_file_new();
    g_autofree char *name = file_name(), *folder = g_path_get_dirname(name);
    int width, height;
    gtk_window_get_default_size(state->window, &width, &height);
    g_key_file_set_integer(keys, GROUP, "width", width);
    g_key_file_set_integer(keys, GROUP, "height", height);
    g_key_file_set_boolean(keys, GROUP, "maximized", gtk_window_is_maximized(state->window));
    g_key_file_set_integer(keys, GROUP, "across", gtk_paned_get_position(state->across));
    g_key_file_set_integer(keys, GROUP, "down", gtk_paned_get_position(state->down));
    g_key_file_set_boolean(keys, GROUP, "state-panel", gtk_widget_get_visible(state->state_panel));
    g_key_file_set_boolean(keys, GROUP, "bottom-panel",
                           gtk_widget_get_visible(state->bottom_panel));
    g_mkdir_with_parents(folder, 0700);
    g_key_file_save_to_file(keys, name, NULL); /* losing it loses nothing that matters */
}
