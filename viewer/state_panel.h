/* The panel beside the lanes: the state of everything at the cursor. */
#ifndef REEL_VIEWER_STATE_PANEL_H
#define REEL_VIEWER_STATE_PANEL_H

#include <gtk/gtk.h>

#include "viewer/session.h"

G_BEGIN_DECLS

#define REEL_TYPE_STATE_PANEL (reel_state_panel_get_type())
G_DECLARE_FINAL_TYPE(ReelStatePanel, reel_state_panel, REEL, STATE_PANEL, GtkWidget)

void reel_state_panel_set_session(ReelStatePanel *self, ReelSession *session);
/* What it says, as text; g_free. */
char *reel_state_panel_text(ReelStatePanel *self);

G_END_DECLS

#endif
