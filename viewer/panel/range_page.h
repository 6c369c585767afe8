/* Statistics of the selected range, else of what is in view: states, parallelism, longest waits. */
#ifndef REEL_VIEWER_PANEL_RANGE_PAGE_H
#define REEL_VIEWER_PANEL_RANGE_PAGE_H

#include "viewer/panel/page.h"

G_BEGIN_DECLS

#define REEL_TYPE_RANGE_PAGE (reel_range_page_get_type())
G_DECLARE_FINAL_TYPE(ReelRangePage, reel_range_page, REEL, RANGE_PAGE, ReelPanelPage)

G_END_DECLS

#endif
