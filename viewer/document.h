/* A trace as the viewer holds it: processes, threads, locks and other objects with their lanes,
 * read once by a worker thread. Everything but the progress is fixed when `loaded` is emitted;
 * until then only the main thread's properties may be looked at. */
#ifndef REEL_VIEWER_DOCUMENT_H
#define REEL_VIEWER_DOCUMENT_H

#include <gio/gio.h>

#include "viewer/content.h"

G_BEGIN_DECLS

#define REEL_TYPE_DOCUMENT (reel_document_get_type())
G_DECLARE_FINAL_TYPE(ReelDocument, reel_document, REEL, DOCUMENT, GObject)

ReelDocument *reel_document_new(const char *path);

/* A trace that is not finished is read from a sealed copy, which lives as long as the document; one
 * that no detector looked at is looked at, if it is not too large for that. */

/* Begins to read. Emits notify::progress (0…1) while reading, then `loaded` with an error message
 * or NULL.
 *
 * `outlined`: if it is large, it first emits `outlined` with another ReelDocument: the same trace
 * as far as it is known, with names, findings and lanes that fill in from afar; that one emits
 * `filled` whenever they did. Whoever shows it shows this one in its place when it is loaded. */
void reel_document_load(ReelDocument *self, gboolean outlined);
/* Stops it soon; `loaded` comes with an error. What reads it keeps it alive until then. */
void reel_document_cancel(ReelDocument *self);

/* The file to ask: the trace, or the copy of an unfinished one. */
const char *reel_document_path(ReelDocument *self);
/* The file that was opened. */
const char *reel_document_origin(ReelDocument *self);
/* Still recorded, or its recorder died: more may come. */
gboolean reel_document_is_unfinished(ReelDocument *self);
/* Somebody recorded into it when it was read. */
gboolean reel_document_is_recorded(ReelDocument *self);
gboolean reel_document_is_loaded(ReelDocument *self);
/* Its lanes are still being read: see reel_document_load. */
gboolean reel_document_is_outline(ReelDocument *self);
uint64_t reel_document_start_ns(ReelDocument *self);
uint64_t reel_document_end_ns(ReelDocument *self);
/* The same at once, without a main loop: for drawing pictures. */
gboolean reel_document_load_now(ReelDocument *self, GError **error);

/* Where to stand first: at the first error among the findings; else where threads are stuck to the
 * end, if they are; else the middle. */
uint64_t reel_document_first_look_ns(ReelDocument *self);
/* "12.4 s · 3 processes · 64 threads · 9.8 M events" */
const char *reel_document_summary(ReelDocument *self);

/* Lanes in the order they are shown. */
guint reel_document_lane_count(ReelDocument *self);
const struct reel_lane *reel_document_lane(ReelDocument *self, guint index);
/* The lane of a thread; NULL: there is none. */
const struct reel_lane *reel_document_thread_lane(ReelDocument *self, uint32_t thread);
/* The lane of a lock, queue, loop or task; NULL: there is none. */
const struct reel_lane *reel_document_object_lane(ReelDocument *self, uint32_t object);
/* G_MAXUINT for NULL. */
guint reel_document_lane_index(ReelDocument *self, const struct reel_lane *lane);
/* "" for an unknown one. */
const char *reel_document_object_name(ReelDocument *self, uint32_t object);

guint reel_document_finding_count(ReelDocument *self);
const struct reel_finding_mark *reel_document_finding(ReelDocument *self, guint index);

/* struct reel_gap_mark, in the order of time. */
const GArray *reel_document_gaps(ReelDocument *self);
/* Whether detectors have looked at it: without them no findings means nothing. */
gboolean reel_document_is_checked(ReelDocument *self);

G_END_DECLS

#endif
