/* The source at the selected stack, or at the cursor: its frames, the file with the line. */
#ifndef REEL_VIEWER_PANEL_SOURCE_PAGE_H
#define REEL_VIEWER_PANEL_SOURCE_PAGE_H

#include "viewer/panel/page.h"

G_BEGIN_DECLS

#define REEL_TYPE_SOURCE_PAGE (reel_source_page_get_type())
G_DECLARE_FINAL_TYPE(ReelSourcePage, reel_source_page, REEL, SOURCE_PAGE, ReelPanelPage)

/* Opens what the page shows, or is about to show, in the user's editor. The page must be seen. */
void reel_source_page_edit(ReelSourcePage *self);

G_END_DECLS

#endif
