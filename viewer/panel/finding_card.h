/* A finding in full: what it means, who takes part, the evidence with its stacks, how to mend it;
 * buttons to go there, to suppress it, to copy it. */
#ifndef REEL_VIEWER_PANEL_FINDING_CARD_H
#define REEL_VIEWER_PANEL_FINDING_CARD_H

#include <gtk/gtk.h>

#include "viewer/panel/finding_cards.h"

G_BEGIN_DECLS

#define REEL_TYPE_FINDING_CARD (reel_finding_card_get_type())
G_DECLARE_FINAL_TYPE(ReelFindingCard, reel_finding_card, REEL, FINDING_CARD, GtkWidget)

/* Signal: go (guint64 time_ns or REEL_ROW_NO_TIME, guint thread, guint object, guint stack). */

GtkWidget *reel_finding_card_new(void);
/* Card number `index` of `cards`, which are counted. NULL: nothing. */
void reel_finding_card_show(ReelFindingCard *self, struct reel_finding_cards *cards, guint index);

G_END_DECLS

#endif
