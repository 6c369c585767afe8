/* Opening a source file at a line in the editor that the user has chosen: $VISUAL, else $EDITOR, in
 * a terminal if it is one of a terminal, else with what the desktop opens such files with. */
#ifndef REEL_VIEWER_PANEL_EDITOR_H
#define REEL_VIEWER_PANEL_EDITOR_H

#include <glib.h>

/* The words to run. `editor`: as in $EDITOR, with arguments if it has any; NULL or "": xdg-open.
 * `terminal`: a terminal's command that takes -e, for editors of a terminal; NULL: there is none,
 * and xdg-open is used for these. NULL when `editor` cannot be taken apart. g_strfreev. */
char **reel_editor_command(const char *editor, const char *terminal, const char *file,
                           unsigned line);
/* Runs it and does not wait. False and an error otherwise. */
gboolean reel_editor_open(const char *file, unsigned line, GError **error);

#endif
