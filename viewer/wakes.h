/* Who ended the wait that is selected, and whom this thread set free: arrows for the timeline,
 * asked of the trace in the worker whenever the selection changes. Main thread only. */
#ifndef REEL_VIEWER_WAKES_H
#define REEL_VIEWER_WAKES_H

#include "viewer/draw/scene.h"
#include "viewer/session.h"

G_BEGIN_DECLS

#define REEL_TYPE_WAKES (reel_wakes_get_type())
G_DECLARE_FINAL_TYPE(ReelWakes, reel_wakes, REEL, WAKES, GObject)

/* Follows the session's lane and cursor. Emits `changed`. */
ReelWakes *reel_wakes_new(ReelSession *session);

/* Valid until `changed`: at most 200. */
const struct reel_scene_arrow *reel_wakes_arrows(ReelWakes *self, guint *count);

/* The thread that ended the wait at the cursor, and when: 0 when it is not known (yet). */
uint32_t reel_wakes_waker(ReelWakes *self, uint64_t *time_ns);
/* The thread that held what is waited for at the cursor, when the wait began; 0: nobody. */
uint32_t reel_wakes_owner(ReelWakes *self);

/* A state that is pointed at, of which more is wanted: asked for when it is another one than
 * before, `changed` when it is known. The texts are NULL until then, or when there is nothing to
 * say. */
void reel_wakes_point(ReelWakes *self, uint32_t thread, uint64_t start_ns, uint64_t end_ns);
void reel_wakes_pointed(ReelWakes *self, uint32_t thread, uint64_t start_ns, uint32_t *ended_by,
                        const char **place);

G_END_DECLS

#endif
