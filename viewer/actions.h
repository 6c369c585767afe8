/* What can be done in the window: one table of actions with their keys. The shortcuts window is
 * made from it. */
#ifndef REEL_VIEWER_ACTIONS_H
#define REEL_VIEWER_ACTIONS_H

#include "viewer/window.h"

/* Adds all actions to the window, and their keys to its application. */
void reel_actions_add(ReelWindow *window, GtkApplication *application);
/* A window that lists them. */
GtkWidget *reel_actions_shortcuts(void);

/* The table, for the command palette: indexes are below the count. */
guint reel_actions_count(void);
const char *reel_actions_title(guint index);
/* "Ctrl+O"; g_free. */
char *reel_actions_keys(guint index);
void reel_actions_run(ReelWindow *window, guint index);
/* The keys as reel-viewer(1) lists them; g_free. */
char *reel_actions_manual(void);

#endif
