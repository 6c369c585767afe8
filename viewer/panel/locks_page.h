/* What each lock cost: who waited how long, who held it how long, in the whole trace or in a range.
 */
#ifndef REEL_VIEWER_PANEL_LOCKS_PAGE_H
#define REEL_VIEWER_PANEL_LOCKS_PAGE_H

#include "viewer/panel/statistics_page.h"

G_BEGIN_DECLS

#define REEL_TYPE_LOCKS_PAGE (reel_locks_page_get_type())
G_DECLARE_FINAL_TYPE(ReelLocksPage, reel_locks_page, REEL, LOCKS_PAGE, ReelStatisticsPage)

G_END_DECLS

#endif
