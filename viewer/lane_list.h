/* The lanes as the user arranged them: what is collapsed, hidden, pinned, moved, and what the
 * filter leaves. Kept beside the trace, so that it is there the next time. Main thread only. */
#ifndef REEL_VIEWER_LANE_LIST_H
#define REEL_VIEWER_LANE_LIST_H

#include "viewer/core/lane_layout.h"
#include "viewer/document.h"
#include "viewer/view_file.h"

G_BEGIN_DECLS

#define REEL_TYPE_LANE_LIST (reel_lane_list_get_type())
G_DECLARE_FINAL_TYPE(ReelLaneList, reel_lane_list, REEL, LANE_LIST, GObject)

/* `document` is loaded. `file` may be NULL: then nothing is kept. Emits `changed`. */
ReelLaneList *reel_lane_list_new(ReelDocument *document, ReelViewFile *file);

/* Valid until the next `changed`. */
const struct reel_lane_layout *reel_lane_list_layout(ReelLaneList *self);

/* Lanes are indexes of the document; G_MAXUINT does nothing. A heading collapses, another lane's
 * heading does when it is asked of that lane. */
void reel_lane_list_toggle_collapsed(ReelLaneList *self, guint lane);
void reel_lane_list_toggle_pinned(ReelLaneList *self, guint lane);
void reel_lane_list_hide(ReelLaneList *self, guint lane);
/* All that was hidden. */
void reel_lane_list_show_hidden(ReelLaneList *self);
/* Threads that only waited for work, all through. */
void reel_lane_list_hide_idle(ReelLaneList *self);
/* Up (-1) or down (1) among its siblings; headings move with their lanes. */
void reel_lane_list_move(ReelLaneList *self, guint lane, int by);
/* Uncollapses, unhides what keeps the lane from being seen. */
void reel_lane_list_reveal(ReelLaneList *self, guint lane);

/* Only lanes of these threads, and of these objects, are left. NULL, NULL: all. Both are sets of
 * numbers (GUINT_TO_POINTER) that the list takes over a reference of. */
void reel_lane_list_set_filter(ReelLaneList *self, GHashTable *threads, GHashTable *objects);

/* The lane above (-1) or below (1) in the order shown; G_MAXUINT when there is none. */
guint reel_lane_list_neighbour(ReelLaneList *self, guint lane, int by);

G_END_DECLS

#endif
