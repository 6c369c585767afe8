/* A small bar of what a thread did with its time: one part a state role, in the roles' colours and
 * patterns, and as text for those who do not see it. */
#ifndef REEL_VIEWER_PANEL_SHARE_BAR_H
#define REEL_VIEWER_PANEL_SHARE_BAR_H

#include <gtk/gtk.h>

#include "tracer/model/state.h"

G_BEGIN_DECLS

#define REEL_TYPE_SHARE_BAR (reel_share_bar_get_type())
G_DECLARE_FINAL_TYPE(ReelShareBar, reel_share_bar, REEL, SHARE_BAR, GtkWidget)

GtkWidget *reel_share_bar_new(void);
/* REEL_STATE_ROLE_COUNT parts of one, copied; NULL: nothing is known yet. What they lack to one is
 * left empty. */
void reel_share_bar_set(ReelShareBar *self, const float *shares);
/* "running 24 %, lock-wait 12 %". g_free. */
char *reel_share_bar_text(const float *shares);

G_END_DECLS

#endif
