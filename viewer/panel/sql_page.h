/* A question in SQL to the trace, which is only read. */
#ifndef REEL_VIEWER_PANEL_SQL_PAGE_H
#define REEL_VIEWER_PANEL_SQL_PAGE_H

#include "viewer/panel/page.h"

G_BEGIN_DECLS

#define REEL_TYPE_SQL_PAGE (reel_sql_page_get_type())
G_DECLARE_FINAL_TYPE(ReelSqlPage, reel_sql_page, REEL, SQL_PAGE, ReelPanelPage)

G_END_DECLS

#endif
