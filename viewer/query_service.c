#include "viewer/query_service.h"

#define PROGRESS_OPERATIONS 2000 /* of SQLite's machine, between two looks at the generation */

/* Shared by the owner, the worker and answers under way. */
struct reel_query_service {
    GThread *worker;
    GAsyncQueue *questions; /* struct question; one without a job ends the worker */
    char *path;
    gint references;
    gint generation[REEL_QUERY_SLOTS]; /* atomic: a question of an older one is dropped */
    gint ending;                       /* atomic */
    gboolean gone;                     /* the owner let go: main thread only */
};

struct question {
    struct reel_query query; /* first: what `run` gets */
    struct reel_query_service *service;
    struct reel_query_job job;
    guint slot;
    gint generation;
    gint references; /* the worker's and those of deliveries */
};

struct delivery {
    struct question *question;
    gpointer answer;
};

static void service_unref(struct reel_query_service *service)
{
    if (!g_atomic_int_dec_and_test(&service->references))
        return;
    g_async_queue_unref(service->questions);
    g_free(service->path);
    g_free(service);
}

static void question_unref(struct question *question)
{
    if (!g_atomic_int_dec_and_test(&question->references))
        return;
    if (question->job.free_request && question->job.request)
        question->job.free_request(question->job.request);
    service_unref(question->service);
    g_free(question);
}

static gboolean is_dropped(struct question *question)
{
    struct reel_query_service *service = question->service;
    return g_atomic_int_get(&service->ending) ||
           g_atomic_int_get(&service->generation[question->slot]) != question->generation;
}

gboolean reel_query_is_dropped(const struct reel_query *query)
{
    return is_dropped((struct question *)(gpointer)query);
}

static gboolean deliver(gpointer data)
{
    struct delivery *delivery = data;
    struct question *question = delivery->question;
    if (!question->service->gone && !is_dropped(question) && question->job.answered)
        question->job.answered(question->job.owner, delivery->answer,
                               delivery->answer ? NULL : &question->query.error);
    if (delivery->answer && question->job.free_answer)
        question->job.free_answer(delivery->answer);
    question_unref(question);
    g_free(delivery);
    return G_SOURCE_REMOVE;
}

void reel_query_tell(struct reel_query *query, gpointer answer)
{
    struct question *question = (struct question *)query;
    struct delivery *delivery = g_new(struct delivery, 1);
    delivery->question = question;
    delivery->answer = answer;
    g_atomic_int_inc(&question->references);
    g_idle_add_full(G_PRIORITY_DEFAULT, deliver, delivery, NULL);
}

static int interrupt_if_dropped(void *data)
{
    return is_dropped(data);
}

static void answer_one(struct question *question, struct reel_trace *trace,
                       const struct reel_error *no_trace)
{
    gpointer answer = NULL;
    if (is_dropped(question))
        return;
    if (trace) {
        question->query.trace = trace;
        question->query.database = reel_trace_database(trace);
        sqlite3_progress_handler(question->query.database, PROGRESS_OPERATIONS,
                                 interrupt_if_dropped, question);
        answer = question->job.run(&question->query, question->job.request);
        sqlite3_progress_handler(question->query.database, 0, NULL, NULL);
    } else {
        question->query.error = *no_trace;
    }
    reel_query_tell(&question->query, answer);
}

static gpointer work(gpointer data)
{
    struct reel_query_service *service = data;
    struct reel_trace *trace = NULL;
    struct reel_error error = {0};
    for (;;) {
        struct question *question = g_async_queue_pop(service->questions);
        gboolean is_last = question->job.run == NULL;
        if (!trace && !is_last) {
            error = (struct reel_error){0};
            trace = reel_trace_open(service->path, REEL_TRACE_READ, &error);
        }
        if (!is_last)
            answer_one(question, trace, &error);
        question_unref(question);
        if (is_last)
            break;
    }
    reel_trace_close(trace, NULL);
    service_unref(service);
    return NULL;
}

struct reel_query_service *reel_query_service_new(const char *path)
{
    struct reel_query_service *service = g_new0(struct reel_query_service, 1);
    service->questions = g_async_queue_new();
    service->path = g_strdup(path);
    service->references = 1;
    return service;
}

static void push(struct reel_query_service *service, guint slot, const struct reel_query_job *job)
{
    struct question *question = g_new0(struct question, 1);
    question->service = service;
    question->job = *job;
    question->slot = slot;
    question->generation = g_atomic_int_get(&service->generation[slot]);
    question->references = 1;
    g_atomic_int_inc(&service->references);
    g_async_queue_push(service->questions, question);
}

void reel_query_service_free(struct reel_query_service *service)
{
    if (!service)
        return;
    service->gone = TRUE;
    g_atomic_int_set(&service->ending, TRUE);
    if (service->worker) {
        push(service, REEL_QUERY_EVERY, &(struct reel_query_job){0});
        g_thread_join(service->worker);
    }
    service_unref(service);
}

void reel_query_service_drop(struct reel_query_service *service, guint slot)
{
    g_return_if_fail(slot < REEL_QUERY_SLOTS);
    g_atomic_int_inc(&service->generation[slot]);
}

void reel_query_service_ask(struct reel_query_service *service, guint slot,
                            const struct reel_query_job *job)
{
    g_return_if_fail(slot < REEL_QUERY_SLOTS && job->run);
    if (slot != REEL_QUERY_EVERY)
        reel_query_service_drop(service, slot);
    push(service, slot, job);
    if (!service->worker) {
        g_atomic_int_inc(&service->references);
        service->worker = g_thread_new("reel query", work, service);
    }
}

sqlite3_stmt *reel_query_prepare(struct reel_query *query, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(query->database, sql, -1, &statement, NULL) != SQLITE_OK)
        reel_error_set(&query->error, REEL_ERROR_STORE, sqlite3_extended_errcode(query->database),
                       "%s: %s", reel_trace_path(query->trace), sqlite3_errmsg(query->database));
    return statement;
}

bool reel_query_step(struct reel_query *query, sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        reel_error_set(&query->error, REEL_ERROR_STORE, code, "%s: %s",
                       reel_trace_path(query->trace), sqlite3_errmsg(query->database));
    return code == SQLITE_ROW;
}

char *reel_query_text(sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    return text ? g_utf8_make_valid(text, sqlite3_column_bytes(row, column)) : NULL;
}
