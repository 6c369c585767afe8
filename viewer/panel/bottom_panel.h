/* The panel below the timeline: tables and pages over the trace, one tab each. Pages bind to the
 * session and ask the trace when they are first seen. */
#ifndef REEL_VIEWER_PANEL_BOTTOM_PANEL_H
#define REEL_VIEWER_PANEL_BOTTOM_PANEL_H

#include <gtk/gtk.h>

#include "viewer/session.h"

G_BEGIN_DECLS

#define REEL_TYPE_BOTTOM_PANEL (reel_bottom_panel_get_type())
G_DECLARE_FINAL_TYPE(ReelBottomPanel, reel_bottom_panel, REEL, BOTTOM_PANEL, GtkWidget)

/* Property page (string): the name of the page that is seen: findings, events, … Setting it shows
 * the panel too. */
void reel_bottom_panel_set_session(ReelBottomPanel *self, ReelSession *session);
const char *reel_bottom_panel_page(ReelBottomPanel *self);
void reel_bottom_panel_show_page(ReelBottomPanel *self, const char *name);
/* Shows the source at the selected stack or the cursor, and opens it in the user's editor. */
void reel_bottom_panel_edit_source(ReelBottomPanel *self);

G_END_DECLS

#endif
