/* All events that a filter lets through, as a list of rows: only the pages around what is looked at
 * are in memory, rows come when the worker has them. Of any length. Main thread only.
 *
 * A GListModel of ReelRow; its length grows while the index is read. */
#ifndef REEL_VIEWER_PANEL_EVENT_LIST_H
#define REEL_VIEWER_PANEL_EVENT_LIST_H

#include <gio/gio.h>

#include "viewer/query_service.h"

G_BEGIN_DECLS

#define REEL_TYPE_EVENT_LIST (reel_event_list_get_type())
G_DECLARE_FINAL_TYPE(ReelEventList, reel_event_list, REEL, EVENT_LIST, GObject)

/* Signals: told (error message or NULL): the index has grown, is complete, or the filter is wrong.
 * placed (guint position): the answer to reel_event_list_find. */

/* `filter`: see tracer/model/filter.h; "" for all. `end_ns`: of the trace. */
ReelEventList *reel_event_list_new(const char *path, const char *filter, uint64_t end_ns);
gboolean reel_event_list_is_complete(ReelEventList *self);
/* The row of the last event at or before `ns`; `placed` tells. */
void reel_event_list_find(ReelEventList *self, uint64_t ns);
/* How many pages are in memory: for tests. */
guint reel_event_list_pages(ReelEventList *self);

G_END_DECLS

#endif
