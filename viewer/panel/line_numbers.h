/* The line numbers of a text view, in its left gutter. */
#ifndef REEL_VIEWER_PANEL_LINE_NUMBERS_H
#define REEL_VIEWER_PANEL_LINE_NUMBERS_H

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define REEL_TYPE_LINE_NUMBERS (reel_line_numbers_get_type())
G_DECLARE_FINAL_TYPE(ReelLineNumbers, reel_line_numbers, REEL, LINE_NUMBERS, GtkWidget)

/* Puts itself into the gutter of `view`. */
void reel_line_numbers_add(GtkTextView *view);

G_END_DECLS

#endif
