/* What the list of events asks the trace, in the worker: which events there are (their index), the
 * rows of one page, the place of a moment. */
#ifndef REEL_VIEWER_PANEL_EVENT_QUERY_H
#define REEL_VIEWER_PANEL_EVENT_QUERY_H

#include "viewer/query_service.h"

#define REEL_EVENT_PAGE 256u
/* Up to so many matches of a filter, each is remembered; of more, only each page's first. */
#define REEL_EVENT_EXACT_MOST 1000000u

enum {
    REEL_EVENT_TIME,
    REEL_EVENT_THREAD,
    REEL_EVENT_OPERATION,
    REEL_EVENT_OBJECT,
    REEL_EVENT_ARGUMENT,
    REEL_EVENT_WHERE,
    REEL_EVENT_COLUMNS
};

struct reel_event_request {
    char *filter; /* "" : all events */
    uint64_t end_ns;
    guint page;              /* of a request for rows */
    uint64_t from_ns, to_ns; /* that page's time: to is of the next one, UINT64_MAX for the last */
    GArray *times;           /* or exactly these; uint64_t, counted; NULL: all in that time */
};

struct reel_event_request *reel_event_request_new(const char *filter, uint64_t end_ns);
void reel_event_request_free(gpointer request);

/* A part of the index. The parts of one question follow each other. */
struct reel_event_index {
    GArray *first;              /* uint64_t: the time of each page's first event */
    GArray *exact;              /* uint64_t: of each event; only of a filter */
    guint64 count;              /* of events so far, those of earlier parts included */
    gboolean is_last, is_exact; /* `exact` of all parts together has them all */
};
void reel_event_index_free(gpointer index);
gpointer reel_event_index_read(struct reel_query *query, gpointer request);

struct reel_event_rows {
    guint page;
    GPtrArray *rows; /* ReelRow */
};
void reel_event_rows_free(gpointer rows);
gpointer reel_event_rows_read(struct reel_query *query, gpointer request);

/* How many events of the page at `from_ns` there are up to `to_ns`, in a guint64 to be freed. */
gpointer reel_event_place_read(struct reel_query *query, gpointer request);

#endif
