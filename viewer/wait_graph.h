/* The wait-for graph at the cursor: threads are circles, what they wait for is a square on the edge
 * to its holder; a cycle is red and thick. Also as text, for those who do not see it. */
#ifndef REEL_VIEWER_WAIT_GRAPH_H
#define REEL_VIEWER_WAIT_GRAPH_H

#include <gtk/gtk.h>

#include "viewer/session.h"
#include "viewer/state_query.h"

G_BEGIN_DECLS

#define REEL_TYPE_WAIT_GRAPH (reel_wait_graph_get_type())
G_DECLARE_FINAL_TYPE(ReelWaitGraph, reel_wait_graph, REEL, WAIT_GRAPH, GtkWidget)

/* A node that is chosen (by a click, or Tab and Enter) has its lane selected. */
void reel_wait_graph_set_session(ReelWaitGraph *self, ReelSession *session);
/* Copies what it needs. */
void reel_wait_graph_show(ReelWaitGraph *self, ReelDocument *document,
                          const struct reel_state_answer *answer);
gboolean reel_wait_graph_has_cycle(ReelWaitGraph *self);

G_END_DECLS

#endif
