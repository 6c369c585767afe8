/* How high a line of text is, with the font and the scale that the user has. */
#ifndef REEL_VIEWER_PANEL_TEXT_HEIGHT_H
#define REEL_VIEWER_PANEL_TEXT_HEIGHT_H

#include <gtk/gtk.h>

/* In pixels, in the widget's font. */
int reel_text_height(GtkWidget *widget);

#endif
