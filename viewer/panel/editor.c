#include "viewer/panel/editor.h"

#include <gio/gio.h>
#include <string.h>

/* How editors take a line; and whether they need a terminal. */
static const struct {
    const char *name;
    const char *form; /* %s: the file, after the line in %u; words divided by blanks */
    gboolean in_terminal;
} editors[] = {
    {"vi", "+%u %s", TRUE},
    {"vim", "+%u %s", TRUE},
    {"nvim", "+%u %s", TRUE},
    {"nano", "+%u %s", TRUE},
    {"micro", "+%u %s", TRUE},
    {"joe", "+%u %s", TRUE},
    {"jed", "%s -g %u", TRUE},
    {"mcedit", "+%u %s", TRUE},
    {"ne", "+%u %s", TRUE},
    {"mg", "+%u %s", TRUE},
    {"ed", "%s", TRUE},
    {"hx", "%s:%u", TRUE},
    {"helix", "%s:%u", TRUE},
    {"kak", "+%u %s", TRUE},
    {"emacs", "+%u %s", FALSE},
    {"emacsclient", "+%u %s", FALSE},
    {"gvim", "+%u %s", FALSE},
    {"gedit", "+%u %s", FALSE},
    {"gnome-text-editor", "%s", FALSE},
    {"kate", "-l %u %s", FALSE},
    {"code", "--goto %s:%u", FALSE},
    {"codium", "--goto %s:%u", FALSE},
    {"subl", "%s:%u", FALSE},
    {"zed", "%s:%u", FALSE},
    {"clion", "--line %u %s", FALSE},
    {"idea", "--line %u %s", FALSE},
    {"gnome-builder", "%s", FALSE},
    {"mousepad", "-l %u %s", FALSE},
    {"geany", "+%u %s", FALSE},
    {"qtcreator", "-client %s:%u", FALSE},
};

static void add_form(GPtrArray *words, const char *form, const char *file, unsigned line)
{
    g_auto(GStrv) parts = g_strsplit(form, " ", -1);
    for (char **part = parts; *part; part++) {
        GString *word = g_string_new(NULL);
        for (const char *at = *part; *at; at++) {
            if (at[0] == '%' && at[1] == 'u')
                g_string_append_printf(word, "%u", line ? line : 1);
            else if (at[0] == '%' && at[1] == 's')
                g_string_append(word, file);
            else {
                g_string_append_c(word, *at);
                continue;
            }
            at++;
        }
        g_ptr_array_add(words, g_string_free(word, FALSE));
    }
}

char **reel_editor_command(const char *editor, const char *terminal, const char *file,
                           unsigned line)
{
    g_auto(GStrv) own = NULL;
    int count = 0;
    GPtrArray *words = g_ptr_array_new();
    const char *form = "%s";
    gboolean in_terminal = FALSE;
    if (!editor || !*editor) {
        own = g_strsplit("xdg-open", " ", 1);
    } else if (!g_shell_parse_argv(editor, &count, &own, NULL)) {
        g_ptr_array_unref(words);
        return NULL;
    } else {
        g_autofree char *base = g_path_get_basename(own[0]);
        for (unsigned i = 0; i < G_N_ELEMENTS(editors); i++)
            if (strcmp(editors[i].name, base) == 0) {
                form = editors[i].form;
                in_terminal = editors[i].in_terminal;
            }
        for (char **word = own + 1; *word; word++)
            if (strcmp(*word, "-nw") == 0 || strcmp(*word, "-t") == 0)
                in_terminal = TRUE; /* emacs in a terminal */
    }
    if (in_terminal && !terminal) {
        g_strfreev(g_steal_pointer(&own));
        own = g_strsplit("xdg-open", " ", 1);
        form = "%s";
    } else if (in_terminal) {
        g_ptr_array_add(words, g_strdup(terminal));
        g_ptr_array_add(words, g_strdup("-e"));
    }
    for (char **word = own; *word; word++)
        g_ptr_array_add(words, g_strdup(*word));
    add_form(words, form, file, line);
    g_ptr_array_add(words, NULL);
    return (char **)g_ptr_array_free(words, FALSE);
}

static char *find_terminal(void)
{
    static const char *const terminals[] = {
        "x-terminal-emulator", "xterm", "konsole", "kitty", "alacritty", "foot", "xfce4-terminal"};
    const char *chosen = g_getenv("TERMINAL");
    char *path = chosen && *chosen ? g_find_program_in_path(chosen) : NULL;
    for (unsigned i = 0; !path && i < G_N_ELEMENTS(terminals); i++)
        path = g_find_program_in_path(terminals[i]);
    return path;
}

gboolean reel_editor_open(const char *file, unsigned line, GError **error)
{
    const char *editor = g_getenv("VISUAL");
    if (!editor || !*editor)
        editor = g_getenv("EDITOR");
    g_autofree char *terminal = find_terminal();
    g_auto(GStrv) command = reel_editor_command(editor, terminal, file, line);
    if (!command) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "$VISUAL or $EDITOR is no command: %s", editor);
        return FALSE;
    }
    return g_spawn_async(NULL, command, NULL,
                         G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL |
                             G_SPAWN_STDERR_TO_DEV_NULL,
                         NULL, NULL, NULL, error);
}
