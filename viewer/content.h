/* What a document holds once it is read: the lanes with their data, names, findings, gaps. Made in
 * a worker thread by reel_content_read, fixed afterwards. */
#ifndef REEL_VIEWER_CONTENT_H
#define REEL_VIEWER_CONTENT_H

#include <gio/gio.h>

#include "viewer/core/depth_data.h"
#include "viewer/core/lane_data.h"

enum reel_lane_kind {
    REEL_LANE_PROCESS, /* a heading: its threads stand below it */
    REEL_LANE_GROUP,   /* a heading: locks, queues … */
    REEL_LANE_THREAD,
    REEL_LANE_SPANS, /* a thread's annotated spans, below it */
    REEL_LANE_LOCK,
    REEL_LANE_QUEUE, /* queue, pipe, semaphore, message queue */
    REEL_LANE_LOOP,
    REEL_LANE_TASK,
};

struct reel_lane {
    enum reel_lane_kind kind;
    uint32_t id;       /* row of process, thread or object; 0 for a group */
    uint32_t process;  /* it belongs to; 0: none */
    guint heading;     /* index of the heading it stands below; G_MAXUINT for a heading */
    gboolean is_spare; /* one of too many of its kind: not shown until it is asked for */
    char *name;
    char *detail; /* second line of its tooltip */
    uint64_t start_ns, end_ns;
    uint64_t lock_wait_ns;
    int64_t capacity; /* of a queue; 0: not known */
    /* Threads: their states. Locks: `state` RUNNING where held, `object` the holding thread. Loops:
     * callbacks and waits, `object` the thread. Tasks: their states. Spans: `object` the innermost
     * span. */
    struct reel_lane_data data;
    /* Threads: how many locks they hold. Locks: how many threads wait. Queues: items, bytes. */
    struct reel_depth_data depth;
    struct reel_depth_data readers; /* of a lock that is held in shared mode */
};

struct reel_evidence_mark {
    uint64_t time_ns; /* 0: of no moment */
    uint32_t thread, object, stack;
    char *role;
};

struct reel_finding_mark {
    char *id, *kind, *severity, *confidence, *title, *explanation, *fix;
    uint64_t time_ns, end_ns;
    GArray *evidence; /* struct reel_evidence_mark */
    GArray *threads;  /* uint32_t */
    GArray *objects;  /* uint32_t */
};

struct reel_gap_mark {
    uint32_t thread; /* 0: not of one thread */
    uint64_t start_ns, end_ns;
    int64_t lost; /* -1: not known */
    char *reason;
};

struct reel_content {
    GPtrArray *lanes;      /* struct reel_lane, a heading before its lanes */
    GHashTable *by_thread; /* thread → lane */
    GHashTable *by_object; /* object → lane of a lock, queue, loop or task */
    GHashTable *object_names;
    GPtrArray *findings;
    GArray *gaps;
    uint64_t start_ns, end_ns, events;
    uint64_t stuck_ns;      /* where threads are stuck to the end; 0: nowhere */
    uint64_t first_look_ns; /* see reel_document_first_look_ns */
    unsigned processes, threads;
    gboolean checked; /* detectors have looked at this trace */
    char *summary;
};

/* What all outlines of a trace are cut to. */
struct reel_outline_shape {
    uint64_t from_ns, to_ns;
    size_t cells; /* 0: no outline is wanted */
};

struct reel_outline_step;

struct reel_content_options {
    GCancellable *cancellable; /* may be NULL */
    /* Called in the worker now and then; may be NULL. */
    void (*progress)(gpointer data, double share);
    /* Called in any of the worker's threads now and then, if a shape is given: what lanes look like
     * so far, for the callee to keep (content_outline.h). */
    void (*step)(gpointer data, struct reel_outline_step *step);
    struct reel_outline_shape shape;
    gpointer data;
    gboolean keep; /* what was gathered, for the next time, if the trace is large */
};

/* Reads a sealed trace. NULL and an error (message, and what to do) on failure. May be called in
 * any thread. */
struct reel_content *reel_content_read(const char *path, const struct reel_content_options *options,
                                       GError **error);
/* What can be told of it at once: names, findings, lanes with empty outlines, of the shape that
 * comes back. Only if it has as many `events`; else, and if it cannot be read, NULL. */
struct reel_content *reel_content_read_outline(const char *path, guint64 events,
                                               struct reel_outline_shape *shape);
void reel_content_free(struct reel_content *content);

#endif
