/* Adding a finding to a file of suppressions that the user picks. */
#ifndef REEL_VIEWER_PANEL_SUPPRESS_H
#define REEL_VIEWER_PANEL_SUPPRESS_H

#include <gtk/gtk.h>

#include "tracer/error.h"

/* Asks for the reason and the file, and appends `line` (see tracer/export/suppression.h) with that
 * reason. `over`: a widget of the window to ask in. */
void reel_suppress_ask(GtkWidget *over, const char *line);

/* Puts another reason behind " -- ", in place of what is there; NULL or blank: as it is. g_free. */
char *reel_suppress_line(const char *line, const char *reason);
/* Appends to the file, which is made if there is none. A last line without an end gets one. */
bool reel_suppress_append(const char *path, const char *line, struct reel_error *error);

#endif
