/* Statistics of a range of time, or of the whole trace, as rows of tables: per thread, per lock,
 * the longest waits, and the sum of it all. For a query service, in its worker. What reaches over
 * the range's edges counts with the part inside. */
#ifndef REEL_VIEWER_PANEL_STATISTICS_H
#define REEL_VIEWER_PANEL_STATISTICS_H

#include "tracer/model/state.h"
#include "viewer/query_service.h"

struct reel_statistics_request {
    uint64_t from_ns, to_ns; /* to > from */
    gboolean is_whole;       /* the range is all of the trace: sums made while sealing will do */
};

struct reel_statistics_request *reel_statistics_request_new(uint64_t from_ns, uint64_t to_ns,
                                                            gboolean is_whole);
/* Binds the range to ?1 and ?2. */
void reel_statistics_bind(sqlite3_stmt *statement, const struct reel_statistics_request *request);

enum {
    REEL_THREAD_NAME,
    REEL_THREAD_PROCESS,
    REEL_THREAD_STATES,
    REEL_THREAD_RUNNING,
    REEL_THREAD_LOCK,
    REEL_THREAD_ORDER,
    REEL_THREAD_IO,
    REEL_THREAD_IDLE,
    REEL_THREAD_WAITS,
    REEL_THREAD_LONGEST,
    REEL_THREAD_FOR,
    REEL_THREAD_CPU,
    REEL_THREAD_LIFE,
    REEL_THREAD_COLUMNS
};
/* GPtrArray of ReelRow, each of a thread that lives in the range; `thread` is set. */
gpointer reel_thread_statistics_read(struct reel_query *query, gpointer request);

enum {
    REEL_LOCK_NAME,
    REEL_LOCK_CLASS,
    REEL_LOCK_TAKEN,
    REEL_LOCK_WAITED,
    REEL_LOCK_WAIT,
    REEL_LOCK_WAIT_MOST,
    REEL_LOCK_HOLD,
    REEL_LOCK_HOLD_MEAN,
    REEL_LOCK_HOLD_MOST,
    REEL_LOCK_USED,
    REEL_LOCK_HANDOFFS,
    REEL_LOCK_WAITERS,
    REEL_LOCK_THREADS,
    REEL_LOCK_COLUMNS
};
/* GPtrArray of ReelRow, each of a lock that was taken or waited for; `object` is set. */
gpointer reel_lock_statistics_read(struct reel_query *query, gpointer request);

enum {
    REEL_WAIT_LENGTH,
    REEL_WAIT_THREAD,
    REEL_WAIT_STATE,
    REEL_WAIT_OBJECT,
    REEL_WAIT_ENDED_BY,
    REEL_WAIT_START,
    REEL_WAIT_WHERE,
    REEL_WAIT_COLUMNS
};
#define REEL_WAITS_MOST 200
/* GPtrArray of ReelRow: the longest waits, the longest first; where to go is set. */
gpointer reel_wait_statistics_read(struct reel_query *query, gpointer request);

/* The sum over all threads. */
struct reel_range_sum {
    uint64_t from_ns, to_ns, events;
    double role_ns[REEL_STATE_ROLE_COUNT]; /* of all threads together */
    double alive_ns;
    unsigned threads, processors;
};
/* struct reel_range_sum, to be freed by g_free. */
gpointer reel_range_sum_read(struct reel_query *query, gpointer request);

#endif
