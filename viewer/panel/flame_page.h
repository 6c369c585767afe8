/* Where threads wait: the stacks of waits, as wide as the time that was waited there. */
#ifndef REEL_VIEWER_PANEL_FLAME_PAGE_H
#define REEL_VIEWER_PANEL_FLAME_PAGE_H

#include "viewer/panel/page.h"

G_BEGIN_DECLS

#define REEL_TYPE_FLAME_PAGE (reel_flame_page_get_type())
G_DECLARE_FINAL_TYPE(ReelFlamePage, reel_flame_page, REEL, FLAME_PAGE, ReelPanelPage)

G_END_DECLS

#endif
