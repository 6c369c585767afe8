/* The application: its style sheets, following the desktop's theme, its options and actions. */
#ifndef REEL_VIEWER_APPLICATION_H
#define REEL_VIEWER_APPLICATION_H

#include <gtk/gtk.h>

/* One for the process. */
GtkApplication *reel_application_new(void);

#endif
