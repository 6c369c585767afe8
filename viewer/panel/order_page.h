/* In which order locks are taken: a graph of held → wanted with its witnesses, circles in red. */
#ifndef REEL_VIEWER_PANEL_ORDER_PAGE_H
#define REEL_VIEWER_PANEL_ORDER_PAGE_H

#include "viewer/panel/page.h"

G_BEGIN_DECLS

#define REEL_TYPE_ORDER_PAGE (reel_order_page_get_type())
G_DECLARE_FINAL_TYPE(ReelOrderPage, reel_order_page, REEL, ORDER_PAGE, ReelPanelPage)

G_END_DECLS

#endif
