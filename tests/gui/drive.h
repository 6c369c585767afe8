/* Driving the viewer's window from a test in the same process. */
#ifndef REEL_TESTS_GUI_DRIVE_H
#define REEL_TESTS_GUI_DRIVE_H

#include "viewer/window.h"

/* The registered application; made at the first call. */
GtkApplication *drive_application(void);
/* Lets the window work until `done` says so, ten seconds at most; what it said last. */
gboolean drive_until(gboolean (*done)(gpointer data), gpointer data);
/* Lets it work off what there is, and what comes of that. */
void drive_settle(void);
/* A window with the trace loaded, or an end of the test. */
ReelWindow *drive_open(const char *trace);
void drive_close(ReelWindow *window);
/* The `skip`th widget of a type below another one, in the order of the tree; NULL: there is none.
 */
GtkWidget *drive_find(GtkWidget *widget, GType type, guint skip);

#endif
