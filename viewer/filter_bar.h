/* The filter: an entry, a chip for every term of what is in force, and what it left. Evaluates the
 * session's filter in the worker and tells the lane list. */
#ifndef REEL_VIEWER_FILTER_BAR_H
#define REEL_VIEWER_FILTER_BAR_H

#include <gtk/gtk.h>

#include "viewer/session.h"

G_BEGIN_DECLS

#define REEL_TYPE_FILTER_BAR (reel_filter_bar_get_type())
G_DECLARE_FINAL_TYPE(ReelFilterBar, reel_filter_bar, REEL, FILTER_BAR, GtkWidget)

void reel_filter_bar_set_session(ReelFilterBar *self, ReelSession *session);
/* Puts the keyboard into the entry. */
void reel_filter_bar_focus(ReelFilterBar *self);

G_END_DECLS

#endif
