/* Questions to a trace, answered in a worker thread with a connection of its own: the main thread
 * never waits for SQLite. Every page of the viewer that reads the trace asks one of these.
 *
 * A question belongs to a slot. A new question in a slot takes the place of the one before: that is
 * not answered any more, and if it is at work it is interrupted. Questions of slot
 * REEL_QUERY_EVERY never replace each other. Otherwise they are answered in the order of asking. */
#ifndef REEL_VIEWER_QUERY_SERVICE_H
#define REEL_VIEWER_QUERY_SERVICE_H

#include <glib.h>

#include "tracer/store/trace.h"

#define REEL_QUERY_EVERY 0u
#define REEL_QUERY_SLOTS 16u /* numbers of slots are below this */

struct reel_query_service;

/* What the worker works with. Fill in `error` and return NULL when there is no answer. */
struct reel_query {
    struct reel_trace *trace;
    sqlite3 *database;
    struct reel_error error;
};

struct reel_query_job {
    /* In the worker. SQLite calls fail with SQLITE_INTERRUPT once the question is dropped; other
     * long work asks reel_query_is_dropped. What it returns after that is freed, unseen. */
    gpointer (*run)(struct reel_query *query, gpointer request);
    /* In the main thread. Exactly one of answer and error is NULL. The answer is freed after it
     * returns, so what is to be kept is counted. NULL: nobody wants to know. */
    void (*answered)(gpointer owner, gpointer answer, const struct reel_error *error);
    gpointer owner; /* must outlive the service, or drop its questions */
    gpointer request;
    GDestroyNotify free_request, free_answer; /* may be NULL */
};

/* The worker starts, and the file is opened, with the first question. Main thread. */
struct reel_query_service *reel_query_service_new(const char *path);
/* Interrupts what is under way; no `answered` is called any more. NULL is allowed. Main thread. */
void reel_query_service_free(struct reel_query_service *service);

/* `job` is copied. Main thread. */
void reel_query_service_ask(struct reel_query_service *service, guint slot,
                            const struct reel_query_job *job);
/* The slot's question is not answered any more. REEL_QUERY_EVERY: none of that slot's are. */
void reel_query_service_drop(struct reel_query_service *service, guint slot);

/* For `run`: */
gboolean reel_query_is_dropped(const struct reel_query *query);
/* Hands over a part of the answer; `answered` gets it before what `run` returns. */
void reel_query_tell(struct reel_query *query, gpointer answer);
/* Prepares, with the error filled in on failure (and NULL returned). */
sqlite3_stmt *reel_query_prepare(struct reel_query *query, const char *sql);
/* Steps: true for a row; at the end, and on errors (which are filled in), false. */
bool reel_query_step(struct reel_query *query, sqlite3_stmt *statement);
/* The column as valid UTF-8; NULL for NULL. g_free. */
char *reel_query_text(sqlite3_stmt *row, int column);

#endif
