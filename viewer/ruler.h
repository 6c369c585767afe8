/* The ruler above the lanes, and the overview of the whole trace above it. */
#ifndef REEL_VIEWER_RULER_H
#define REEL_VIEWER_RULER_H

#include <gtk/gtk.h>

#include "viewer/session.h"

G_BEGIN_DECLS

#define REEL_TYPE_RULER (reel_ruler_get_type())
G_DECLARE_FINAL_TYPE(ReelRuler, reel_ruler, REEL, RULER, GtkWidget)

void reel_ruler_set_session(ReelRuler *self, ReelSession *session);

#define REEL_TYPE_OVERVIEW (reel_overview_get_type())
G_DECLARE_FINAL_TYPE(ReelOverview, reel_overview, REEL, OVERVIEW, GtkWidget)

void reel_overview_set_session(ReelOverview *self, ReelSession *session);

G_END_DECLS

#endif
