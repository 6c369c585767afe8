/* A trace as the viewer holds it: processes, threads, locks and other objects with their lanes,
 * read once by a worker thread. Everything but the progress is fixed when `loaded` is emitted;
 * until then only the main thread's properties may be looked at. */
#ifndef REEL_VIEWER_DOCUMENT_H
#define REEL_VIEWER_DOCUMENT_H

#include <gio/gio.h>

#include "viewer/core/lane_data.h"

G_BEGIN_DECLS

enum reel_lane_kind {
    REEL_LANE_PROCESS, /* a heading */
    REEL_LANE_THREAD,
    REEL_LANE_LOCK,
    REEL_LANE_GROUP, /* a heading: locks */
};

struct reel_lane {
    enum reel_lane_kind kind;
    uint32_t id;      /* row of process, thread or object */
    uint32_t process; /* it belongs to; 0: none */
    char *name;
    char *detail; /* second line of its tooltip */
    uint64_t start_ns, end_ns;
    uint64_t lock_wait_ns;
    /* Threads: their states. Locks: `state` RUNNING where held, `object` the holding thread. */
    struct reel_lane_data data;
};

struct reel_finding_mark {
    char *id, *kind, *severity, *confidence, *title, *explanation, *fix;
    uint64_t time_ns, end_ns;
};

#define REEL_TYPE_DOCUMENT (reel_document_get_type())
G_DECLARE_FINAL_TYPE(ReelDocument, reel_document, REEL, DOCUMENT, GObject)

ReelDocument *reel_document_new(const char *path);

/* Begins to read. Emits notify::progress (0…1) while reading, then `loaded` with an error message
 * or NULL. Cancelling (by dropping the last reference) is quick. */
void reel_document_load(ReelDocument *self);

const char *reel_document_path(ReelDocument *self);
gboolean reel_document_is_loaded(ReelDocument *self);
uint64_t reel_document_start_ns(ReelDocument *self);
uint64_t reel_document_end_ns(ReelDocument *self);
/* Where to stand first: where threads are stuck to the end, if they are; else the middle. */
uint64_t reel_document_first_look_ns(ReelDocument *self);
uint64_t reel_document_event_count(ReelDocument *self);
/* "12.4 s · 3 processes · 64 threads · 9.8 M events" */
const char *reel_document_summary(ReelDocument *self);

/* Lanes in the order they are shown. */
guint reel_document_lane_count(ReelDocument *self);
const struct reel_lane *reel_document_lane(ReelDocument *self, guint index);
/* The lane of a thread; NULL: there is none. */
const struct reel_lane *reel_document_thread_lane(ReelDocument *self, uint32_t thread);
/* "" for an unknown one. */
const char *reel_document_object_name(ReelDocument *self, uint32_t object);

guint reel_document_finding_count(ReelDocument *self);
const struct reel_finding_mark *reel_document_finding(ReelDocument *self, guint index);

G_END_DECLS

#endif
