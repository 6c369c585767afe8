/* The findings of the trace: a list that jumps, and the selected one in full. */
#ifndef REEL_VIEWER_PANEL_FINDINGS_PAGE_H
#define REEL_VIEWER_PANEL_FINDINGS_PAGE_H

#include "viewer/panel/page.h"

G_BEGIN_DECLS

#define REEL_TYPE_FINDINGS_PAGE (reel_findings_page_get_type())
G_DECLARE_FINAL_TYPE(ReelFindingsPage, reel_findings_page, REEL, FINDINGS_PAGE, ReelPanelPage)

guint reel_findings_page_count(ReelFindingsPage *self);

G_END_DECLS

#endif
