/* A page that is one table of statistics, of the whole trace or, at the press of a button, of the
 * selected range: what the pages of threads and of locks have in common. */
#ifndef REEL_VIEWER_PANEL_STATISTICS_PAGE_H
#define REEL_VIEWER_PANEL_STATISTICS_PAGE_H

#include "viewer/panel/page.h"
#include "viewer/panel/row_table.h"

G_BEGIN_DECLS

#define REEL_TYPE_STATISTICS_PAGE (reel_statistics_page_get_type())
G_DECLARE_DERIVABLE_TYPE(ReelStatisticsPage, reel_statistics_page, REEL, STATISTICS_PAGE,
                         ReelPanelPage)

struct _ReelStatisticsPageClass {
    ReelPanelPageClass parent_class;
    const char *name; /* of the table, read aloud */
    const struct reel_row_column *columns;
    guint count, sort_column; /* at first, the greatest first */
    /* In the worker: struct reel_statistics_request → GPtrArray of ReelRow. */
    gpointer (*read)(struct reel_query *query, gpointer request);
    const char *nothing; /* said when there are no rows */
};

G_END_DECLS

#endif
