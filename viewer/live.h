/* A trace that grows while it is looked at: read anew now and then, never more than a fifth of the
 * time. Also finds what a large trace has not been checked for yet. Main thread only. */
#ifndef REEL_VIEWER_LIVE_H
#define REEL_VIEWER_LIVE_H

#include "viewer/document.h"

G_BEGIN_DECLS

#define REEL_TYPE_LIVE (reel_live_get_type())
G_DECLARE_FINAL_TYPE(ReelLive, reel_live, REEL, LIVE, GObject)

/* `document` is loaded. Emits `refreshed` with a newer reading (ReelDocument). */
ReelLive *reel_live_new(ReelDocument *document);
gboolean reel_live_is_growing(ReelLive *self);
/* Whether the end is to stay in view. */
gboolean reel_live_follows(ReelLive *self);
void reel_live_set_follows(ReelLive *self, gboolean follows);
/* Reads it now. */
void reel_live_look(ReelLive *self);

G_END_DECLS

#endif
