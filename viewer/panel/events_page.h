/* Every event in exact order, or those that a filter lets through: a list of any length. */
#ifndef REEL_VIEWER_PANEL_EVENTS_PAGE_H
#define REEL_VIEWER_PANEL_EVENTS_PAGE_H

#include "viewer/panel/page.h"

G_BEGIN_DECLS

#define REEL_TYPE_EVENTS_PAGE (reel_events_page_get_type())
G_DECLARE_FINAL_TYPE(ReelEventsPage, reel_events_page, REEL, EVENTS_PAGE, ReelPanelPage)

G_END_DECLS

#endif
