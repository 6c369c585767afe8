/* What is being looked at: the document, the visible range, the cursor, the selected lane,
 * playback. The one object that widgets bind to; they never talk to each other. Main thread only.
 */
#ifndef REEL_VIEWER_SESSION_H
#define REEL_VIEWER_SESSION_H

#include "viewer/document.h"
#include "viewer/lane_list.h"

G_BEGIN_DECLS

#define REEL_TYPE_SESSION (reel_session_get_type())
G_DECLARE_FINAL_TYPE(ReelSession, reel_session, REEL, SESSION, GObject)

ReelSession *reel_session_new(void);

/* Properties, each with notify: document (object), from, to, cursor (uint64, ns), lane (uint: index
 * of the selected lane, G_MAXUINT none), finding (uint: index of the selected finding, G_MAXUINT
 * none), selection-from, selection-to (uint64, ns; equal: nothing is selected), filter (string),
 * stack (uint: row of the selected stack, 0 none), playing (boolean), speed (double: trace time per
 * real time). */
ReelDocument *reel_session_document(ReelSession *self);
void reel_session_set_document(ReelSession *self, ReelDocument *document);
/* The same trace, read anew after it grew: range, cursor, lane, finding and filter stay. `follow`:
 * the end stays in view, and the cursor at it. */
void reel_session_update_document(ReelSession *self, ReelDocument *document, gboolean follow);

uint64_t reel_session_from(ReelSession *self);
uint64_t reel_session_to(ReelSession *self);
/* Kept within the document, at least 10 ns wide. Remembered for `back`. */
void reel_session_show_range(ReelSession *self, uint64_t from_ns, uint64_t to_ns);
void reel_session_show_all(ReelSession *self);
/* Factor below 1: closer. `at_ns` stays where it is on the screen. */
void reel_session_zoom(ReelSession *self, double factor, uint64_t at_ns);
/* By a share of what is visible; negative: to the left. */
void reel_session_pan(ReelSession *self, double share);
void reel_session_back(ReelSession *self);
void reel_session_forward(ReelSession *self);

uint64_t reel_session_cursor(ReelSession *self);
/* `reveal`: scroll the visible range so that the cursor is in it. */
void reel_session_set_cursor(ReelSession *self, uint64_t ns, gboolean reveal);

guint reel_session_lane(ReelSession *self);
void reel_session_set_lane(ReelSession *self, guint index);
/* The lane of an object (lock, queue, loop, task) or of a thread: selected, and made visible. False
 * when it has none, which is told by the signal laneless (guint object) if it is an object. */
gboolean reel_session_select_object(ReelSession *self, uint32_t object);
gboolean reel_session_select_thread(ReelSession *self, uint32_t thread);

/* How the user arranged the lanes, and the bookmarks; NULL without a document. */
ReelLaneList *reel_session_lanes(ReelSession *self);
ReelViewFile *reel_session_view_file(ReelSession *self);

/* The finding whose picture is drawn in full: an index, G_MAXUINT for none. */
guint reel_session_finding(ReelSession *self);
void reel_session_set_finding(ReelSession *self, guint index);
/* Selects it and goes where it became true, with its evidence in view. */
void reel_session_go_to_finding(ReelSession *self, guint index);

/* A range picked out to look at or to measure. Equal ends: none. */
void reel_session_selection(ReelSession *self, uint64_t *from_ns, uint64_t *to_ns);
void reel_session_select_range(ReelSession *self, uint64_t from_ns, uint64_t to_ns);

/* A filter in the grammar of tracer/model/filter.h, "" for none. It may be wrong: who evaluates it
 * says so. */
const char *reel_session_filter(ReelSession *self);
void reel_session_set_filter(ReelSession *self, const char *filter);

/* The stack whose source is looked at: of an event, a wait, a piece of evidence. */
guint reel_session_stack(ReelSession *self);
void reel_session_set_stack(ReelSession *self, guint stack);

/* To the next (1) or previous (-1) change of a lane; G_MAXUINT: of any thread. */
void reel_session_step(ReelSession *self, int direction, guint lane);
/* To the next or previous finding: selected too. */
void reel_session_step_finding(ReelSession *self, int direction);

gboolean reel_session_is_playing(ReelSession *self);
void reel_session_set_playing(ReelSession *self, gboolean playing);
double reel_session_speed(ReelSession *self);
void reel_session_set_speed(ReelSession *self, double speed);

G_END_DECLS

#endif
