/* In which order locks were taken, from what deadlock prediction gathers
 * (tracer/detect/lock_order), in the worker: locks, edges held → wanted with their witnesses,
 * circles. */
#ifndef REEL_VIEWER_PANEL_ORDER_QUERY_H
#define REEL_VIEWER_PANEL_ORDER_QUERY_H

#include "viewer/core/order_layout.h"
#include "viewer/query_service.h"

#define REEL_ORDER_NODES_MOST     150u /* drawn; edges of circles first, then the most frequent */
#define REEL_ORDER_WITNESSES_MOST 50u  /* kept of an edge */

struct reel_order_lock {
    uint32_t lock;   /* as in lock_order.h: an object, or REEL_LOCK_END | thread */
    uint32_t object; /* 0: none */
    char *name;
};

enum reel_order_danger {
    REEL_ORDER_FINE,    /* in no circle */
    REEL_ORDER_GUARDED, /* in a circle of locks that something keeps from closing */
    REEL_ORDER_CIRCLE,  /* in a circle that can close */
};

/* A thread that asked for one lock while it held the other. */
struct reel_order_witness {
    uint64_t time_ns, held_ns; /* it asked; it had taken what it held (0: not known) */
    uint32_t thread, held_stack, stack;
    uint64_t occurrences;
    char *thread_name, *held_place, *place; /* places NULL: not known */
};

struct reel_order_link {
    uint32_t from, to; /* indexes of locks: held, wanted */
    uint64_t occurrences;
    enum reel_order_danger danger;
    GArray *witness; /* struct reel_order_witness */
};

struct reel_order_graph {
    gint references;
    GArray *lock;       /* struct reel_order_lock; drawn ones first */
    GArray *link;       /* struct reel_order_link; dangerous ones first, then the most frequent */
    guint drawn;        /* locks, that are laid out: the first of `lock` */
    GArray *node;       /* struct reel_order_node, of the drawn locks */
    GPtrArray *circles; /* char *: "alice.lock → bob.lock → alice.lock (proved)" */
    gboolean was_given_up; /* the search for circles: there may be more */
};

struct reel_order_graph *reel_order_graph_ref(struct reel_order_graph *graph);
void reel_order_graph_unref(struct reel_order_graph *graph);

/* For a query service. */
gpointer reel_order_graph_read(struct reel_query *query, gpointer request);

#endif
