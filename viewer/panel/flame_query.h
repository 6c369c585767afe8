/* The stacks of waits, merged, in the worker: what the waiting flame graph shows. */
#ifndef REEL_VIEWER_PANEL_FLAME_QUERY_H
#define REEL_VIEWER_PANEL_FLAME_QUERY_H

#include "tracer/model/state.h"
#include "viewer/core/flame.h"
#include "viewer/query_service.h"

enum reel_flame_group {
    REEL_FLAME_BY_STACK,  /* the stack alone */
    REEL_FLAME_BY_STATE,  /* what is waited for, then the stack */
    REEL_FLAME_BY_OBJECT, /* which lock, queue … */
    REEL_FLAME_BY_THREAD, /* who waits */
};

struct reel_flame_request {
    uint64_t from_ns, to_ns;
    guint roles; /* bits of enum reel_state_role: which waits */
    enum reel_flame_group group;
};

/* What a box is, besides its name: a row of the trace, 0 for none. */
struct reel_flame_link {
    uint32_t stack; /* one that has this box's frame on top */
    uint32_t object, thread;
    int role; /* of a group by state; -1: none */
};

struct reel_flame_graph {
    gint references;
    struct reel_flame flame;
    GPtrArray *names; /* by name, from 1; char * */
    GArray *links;    /* struct reel_flame_link, by box */
    gboolean is_without_stacks;
};

struct reel_flame_graph *reel_flame_graph_ref(struct reel_flame_graph *graph);
void reel_flame_graph_unref(struct reel_flame_graph *graph);
const char *reel_flame_graph_name(const struct reel_flame_graph *graph, uint32_t box);

/* For a query service. */
gpointer reel_flame_graph_read(struct reel_query *query, gpointer request);

#endif
