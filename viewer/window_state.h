/* The window's size, panes and which panels are seen, kept for the next time. Main thread only. */
#ifndef REEL_VIEWER_WINDOW_STATE_H
#define REEL_VIEWER_WINDOW_STATE_H

#include <gtk/gtk.h>

/* Widgets whose state is kept; named in the file by their place here. */
struct reel_window_state {
    GtkWindow *window;
    GtkPaned *across, *down;
    GtkWidget *state_panel, *bottom_panel;
};

/* What is not there, or makes no sense, stays as it is. */
void reel_window_state_restore(const struct reel_window_state *state);
void reel_window_state_keep(const struct reel_window_state *state);

#endif
