/* One statement of SQL over the trace, read-only, in the worker; and the names that can be in it.
 */
#ifndef REEL_VIEWER_PANEL_SQL_QUERY_H
#define REEL_VIEWER_PANEL_SQL_QUERY_H

#include "viewer/panel/row.h"
#include "viewer/query_service.h"

#define REEL_SQL_ROWS_MOST 100000u

struct reel_sql_result {
    GPtrArray *columns; /* names */
    GArray *format;     /* enum reel_row_format */
    GPtrArray *rows;    /* ReelRow; a column of time makes a row's time_ns */
    gboolean is_cut;    /* there are more rows than are shown */
    double seconds;
};
void reel_sql_result_free(gpointer result);
/* `request`: the text. Errors say what is wrong with it. */
gpointer reel_sql_read(struct reel_query *query, gpointer request);

/* All tables, views and columns, sorted, each once: GPtrArray of char *. */
gpointer reel_sql_names_read(struct reel_query *query, gpointer request);

/* What the beginning of a name may become: how many names begin with it, and the longest beginning
 * that they share (g_free). `matches`, if not NULL, gets up to `limit` of them, divided by blanks.
 */
guint reel_sql_complete(const GPtrArray *names, const char *beginning, char **common,
                        GString *matches, guint limit);

#endif
