/* A flame graph, drawn: the root on top. A click zooms to a box, arrows walk, Enter zooms,
 * Backspace goes out again. */
#ifndef REEL_VIEWER_PANEL_FLAME_VIEW_H
#define REEL_VIEWER_PANEL_FLAME_VIEW_H

#include <gtk/gtk.h>

#include "viewer/panel/flame_query.h"

G_BEGIN_DECLS

#define REEL_TYPE_FLAME_VIEW (reel_flame_view_get_type())
G_DECLARE_FINAL_TYPE(ReelFlameView, reel_flame_view, REEL, FLAME_VIEW, GtkWidget)

/* Signal selected (guint box): the box that has the focus of keys, or was clicked. */

GtkWidget *reel_flame_view_new(void);
/* Counted; NULL: nothing. */
void reel_flame_view_show(ReelFlameView *self, struct reel_flame_graph *graph);
/* Boxes whose name contains the text stand out; "" or NULL: none does. Returns the share of all
 * waiting in stacks through such boxes. */
double reel_flame_view_search(ReelFlameView *self, const char *text);
void reel_flame_view_zoom(ReelFlameView *self, uint32_t box);
/* "pay: 12.4 ms in 31 waits, 40 % of all waiting". g_free. */
char *reel_flame_view_describe(ReelFlameView *self, uint32_t box);

G_END_DECLS

#endif
