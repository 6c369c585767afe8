#include "viewer/state_service.h"

#include <string.h>

#include "tracer/model/instant.h"

struct reel_state_service {
    GThread *thread;
    GMutex mutex;
    GCond asked;
    uint64_t wanted;
    gboolean pending, ending;
    char *path;
    void (*answered)(const struct reel_state_answer *answer, gpointer data);
    gpointer data;
    gint references; /* the owner's, the worker's and those of answers under way */
    gboolean gone;   /* the owner let go: main thread only */
};

struct delivery {
    struct reel_state_service *service;
    struct reel_state_answer answer;
};

static void thread_clear(gpointer data)
{
    struct reel_state_thread *thread = data;
    g_free(thread->object);
    g_free(thread->holder);
    g_free(thread->place);
}

static void hold_clear(gpointer data)
{
    struct reel_state_hold *hold = data;
    g_free(hold->lock);
    g_free(hold->thread);
    g_free(hold->place);
}

static void edge_clear(gpointer data)
{
    g_free(((struct reel_state_edge *)data)->object);
}

static void unref(struct reel_state_service *service)
{
    if (!g_atomic_int_dec_and_test(&service->references))
        return;
    g_mutex_clear(&service->mutex);
    g_cond_clear(&service->asked);
    g_free(service->path);
    g_free(service);
}

static gboolean deliver(gpointer data)
{
    struct delivery *delivery = data;
    if (!delivery->service->gone)
        delivery->service->answered(&delivery->answer, delivery->service->data);
    g_array_free(delivery->answer.threads, TRUE);
    g_array_free(delivery->answer.holds, TRUE);
    g_array_free(delivery->answer.edges, TRUE);
    unref(delivery->service);
    g_free(delivery);
    return G_SOURCE_REMOVE;
}

struct naming {
    sqlite3_stmt *thread, *object, *place;
};

static char *ask(sqlite3_stmt *statement, uint32_t id)
{
    char *text = NULL;
    if (!id || !statement)
        return NULL;
    sqlite3_bind_int64(statement, 1, id);
    if (sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_text(statement, 0))
        text = g_utf8_make_valid((const char *)sqlite3_column_text(statement, 0), -1);
    sqlite3_reset(statement);
    return text;
}

static struct reel_state_answer answer_of(const struct reel_instant *instant,
                                          const struct naming *naming)
{
    struct reel_state_answer answer = {
        .time_ns = instant->time_ns,
        .threads = g_array_new(FALSE, TRUE, sizeof(struct reel_state_thread)),
        .holds = g_array_new(FALSE, TRUE, sizeof(struct reel_state_hold)),
        .edges = g_array_new(FALSE, TRUE, sizeof(struct reel_state_edge)),
    };
    g_array_set_clear_func(answer.threads, thread_clear);
    g_array_set_clear_func(answer.holds, hold_clear);
    g_array_set_clear_func(answer.edges, edge_clear);
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < instant->thread_count; i++) {
            const struct reel_instant_thread *from = &instant->thread[i];
            if (reel_state_waits(from->state) != (pass == 0))
                continue;
            struct reel_state_thread thread = {
                .thread = from->thread,
                .state = (uint8_t)from->state,
                .since_ns = from->since_ns,
                .object = ask(naming->object, from->object),
                .holder = ask(naming->thread, from->holder),
                .place = ask(naming->place, from->stack),
                .forever = reel_state_waits(from->state) && from->ended_event == 0,
            };
            g_array_append_val(answer.threads, thread);
        }
    for (size_t i = 0; i < instant->hold_count; i++) {
        const struct reel_instant_hold *from = &instant->hold[i];
        size_t waiter;
        struct reel_state_hold hold = {
            .lock = ask(naming->object, from->object),
            .thread = ask(naming->thread, from->thread),
            .place = ask(naming->place, from->stack),
            .since_ns = from->since_ns,
            .shared = from->shared,
            .waiters = (guint)reel_instant_waiters(instant, from->object, &waiter, 1),
        };
        g_array_append_val(answer.holds, hold);
    }
    for (size_t i = 0; i < instant->edge_count; i++) {
        struct reel_state_edge edge = {
            .from = instant->edge[i].from,
            .to = instant->edge[i].to,
            .object = ask(naming->object, instant->edge[i].object),
        };
        g_array_append_val(answer.edges, edge);
    }
    return answer;
}

static void serve(struct reel_state_service *service, struct reel_instants *instants,
                  const struct naming *naming)
{
    g_mutex_lock(&service->mutex);
    while (!service->ending) {
        if (!service->pending) {
            g_cond_wait(&service->asked, &service->mutex);
            continue;
        }
        uint64_t time_ns = service->wanted;
        service->pending = FALSE;
        g_mutex_unlock(&service->mutex);
        struct reel_error error = {0};
        const struct reel_instant *instant = reel_instants_at(instants, time_ns, &error);
        if (instant) {
            struct delivery *delivery = g_new0(struct delivery, 1);
            delivery->service = service;
            delivery->answer = answer_of(instant, naming);
            g_atomic_int_inc(&service->references);
            g_idle_add(deliver, delivery);
        }
        g_mutex_lock(&service->mutex);
    }
    g_mutex_unlock(&service->mutex);
}

static gpointer work(gpointer data)
{
    struct reel_state_service *service = data;
    struct reel_error error = {0};
    struct reel_trace *trace = reel_trace_open(service->path, REEL_TRACE_READ, &error);
    struct reel_instants *instants = trace ? reel_instants_new(trace, &error) : NULL;
    if (instants) {
        sqlite3 *database = reel_trace_database(trace);
        struct naming naming = {0};
        sqlite3_prepare_v2(database, "SELECT name FROM thread WHERE id = ?", -1, &naming.thread,
                           NULL);
        sqlite3_prepare_v2(database, "SELECT name FROM object WHERE id = ?", -1, &naming.object,
                           NULL);
        sqlite3_prepare_v2(database, "SELECT text FROM stack_site WHERE stack = ?", -1,
                           &naming.place, NULL);
        serve(service, instants, &naming);
        sqlite3_finalize(naming.thread);
        sqlite3_finalize(naming.object);
        sqlite3_finalize(naming.place);
    }
    reel_instants_free(instants);
    reel_trace_close(trace, NULL);
    unref(service);
    return NULL;
}

struct reel_state_service *
reel_state_service_new(const char *path,
                       void (*answered)(const struct reel_state_answer *answer, gpointer data),
                       gpointer data)
{
    struct reel_state_service *service = g_new0(struct reel_state_service, 1);
    g_mutex_init(&service->mutex);
    g_cond_init(&service->asked);
    service->path = g_strdup(path);
    service->answered = answered;
    service->data = data;
    service->references = 2;
    service->thread = g_thread_new("reel state", work, service);
    return service;
}

void reel_state_service_free(struct reel_state_service *service)
{
    if (!service)
        return;
    service->gone = TRUE;
    g_mutex_lock(&service->mutex);
    service->ending = TRUE;
    g_cond_signal(&service->asked);
    g_mutex_unlock(&service->mutex);
    g_thread_join(service->thread);
    unref(service);
}

void reel_state_service_ask(struct reel_state_service *service, uint64_t time_ns)
{
    g_mutex_lock(&service->mutex);
    service->wanted = time_ns;
    service->pending = TRUE;
    g_cond_signal(&service->asked);
    g_mutex_unlock(&service->mutex);
}
