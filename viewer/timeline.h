/* The lanes: names on the left, states over time on the right. Binds to a session. */
#ifndef REEL_VIEWER_TIMELINE_H
#define REEL_VIEWER_TIMELINE_H

#include <gtk/gtk.h>

#include "viewer/draw/scene.h"
#include "viewer/session.h"
#include "viewer/wakes.h"

G_BEGIN_DECLS

#define REEL_TYPE_TIMELINE (reel_timeline_get_type())
G_DECLARE_FINAL_TYPE(ReelTimeline, reel_timeline, REEL, TIMELINE, GtkWidget)

void reel_timeline_set_session(ReelTimeline *self, ReelSession *session);
/* The vertical scrolling that it is within: only lanes in view are drawn. */
void reel_timeline_set_adjustment(ReelTimeline *self, GtkAdjustment *adjustment);
/* The trace in words, at the cursor, of the selected lane: what a screen reader says. g_free. */
char *reel_timeline_describe(ReelTimeline *self);
/* Shows the state that the selected lane is in at the cursor, with a margin. */
void reel_timeline_zoom_to_state(ReelTimeline *self);
/* Who ended what: of the selection. */
ReelWakes *reel_timeline_wakes(ReelTimeline *self);
/* How long the last picture took to put together, in µs of wall time. */
gint64 reel_timeline_paint_time(ReelTimeline *self);

G_END_DECLS

#endif
