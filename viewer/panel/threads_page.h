/* What each thread did with its time, in the whole trace or in a range. */
#ifndef REEL_VIEWER_PANEL_THREADS_PAGE_H
#define REEL_VIEWER_PANEL_THREADS_PAGE_H

#include "viewer/panel/statistics_page.h"

G_BEGIN_DECLS

#define REEL_TYPE_THREADS_PAGE (reel_threads_page_get_type())
G_DECLARE_FINAL_TYPE(ReelThreadsPage, reel_threads_page, REEL, THREADS_PAGE, ReelStatisticsPage)

G_END_DECLS

#endif
