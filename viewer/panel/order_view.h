/* The graph of lock order, drawn: boxes are locks, an arrow leads from what was held to what was
 * asked for; circles are red and thick, those that something keeps from closing are dashed. Tab and
 * arrows walk, Enter activates. */
#ifndef REEL_VIEWER_PANEL_ORDER_VIEW_H
#define REEL_VIEWER_PANEL_ORDER_VIEW_H

#include <gtk/gtk.h>

#include "viewer/panel/order_query.h"

G_BEGIN_DECLS

#define REEL_TYPE_ORDER_VIEW (reel_order_view_get_type())
G_DECLARE_FINAL_TYPE(ReelOrderView, reel_order_view, REEL, ORDER_VIEW, GtkWidget)

/* Signals: lock-activated (guint index of a lock), link-selected (guint index of a link). */

GtkWidget *reel_order_view_new(void);
/* Counted; NULL: nothing. */
void reel_order_view_show(ReelOrderView *self, struct reel_order_graph *graph);
void reel_order_view_select_link(ReelOrderView *self, guint link);

G_END_DECLS

#endif
