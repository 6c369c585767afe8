/* Adding a finding to a file of suppressions that the user picks. */
#ifndef REEL_VIEWER_PANEL_SUPPRESS_H
#define REEL_VIEWER_PANEL_SUPPRESS_H

#include <gtk/gtk.h>

/* Asks for the reason and the file, and appends `line` (see tracer/export/suppression.h) with that
 * reason. `over`: a widget of the window to ask in. */
void reel_suppress_ask(GtkWidget *over, const char *line);

#endif
