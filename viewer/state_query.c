#include "viewer/state_query.h"

#include "tracer/model/instant.h"

struct question {
    uint64_t time_ns;
    uint32_t thread;
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

static void queue_clear(gpointer data)
{
    g_free(((struct reel_state_queue *)data)->name);
}

static void edge_clear(gpointer data)
{
    g_free(((struct reel_state_edge *)data)->object);
}

void reel_state_answer_free(gpointer data)
{
    struct reel_state_answer *answer = data;
    g_array_unref(answer->threads);
    g_array_unref(answer->holds);
    g_array_unref(answer->queues);
    g_array_unref(answer->edges);
    g_ptr_array_unref(answer->frames);
    g_free(answer->stack_of);
    g_free(answer);
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

static struct reel_state_answer *answer_of(const struct reel_instant *instant,
                                           const struct naming *naming)
{
    struct reel_state_answer *answer = g_new(struct reel_state_answer, 1);
    *answer = (struct reel_state_answer){
        .time_ns = instant->time_ns,
        .threads = g_array_new(FALSE, TRUE, sizeof(struct reel_state_thread)),
        .holds = g_array_new(FALSE, TRUE, sizeof(struct reel_state_hold)),
        .queues = g_array_new(FALSE, TRUE, sizeof(struct reel_state_queue)),
        .edges = g_array_new(FALSE, TRUE, sizeof(struct reel_state_edge)),
        .frames = g_ptr_array_new_with_free_func(g_free),
    };
    g_array_set_clear_func(answer->threads, thread_clear);
    g_array_set_clear_func(answer->holds, hold_clear);
    g_array_set_clear_func(answer->queues, queue_clear);
    g_array_set_clear_func(answer->edges, edge_clear);
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
            g_array_append_val(answer->threads, thread);
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
        g_array_append_val(answer->holds, hold);
    }
    for (size_t i = 0; i < instant->queue_count; i++) {
        struct reel_state_queue queue = {ask(naming->object, instant->queue[i].object),
                                         instant->queue[i].depth};
        g_array_append_val(answer->queues, queue);
    }
    for (size_t i = 0; i < instant->edge_count; i++) {
        struct reel_state_edge edge = {
            .from = instant->edge[i].from,
            .to = instant->edge[i].to,
            .object = ask(naming->object, instant->edge[i].object),
        };
        g_array_append_val(answer->edges, edge);
    }
    return answer;
}

/* The stack of what a thread waits in. */
static void add_stack(struct reel_query *query, struct reel_state_answer *answer,
                      const struct reel_instant *instant, uint32_t thread,
                      const struct naming *naming)
{
    uint32_t stack = 0;
    for (size_t i = 0; i < instant->thread_count; i++)
        if (instant->thread[i].thread == thread)
            stack = instant->thread[i].stack;
    answer->stack_of = ask(naming->thread, thread);
    sqlite3_stmt *row =
        stack ? reel_query_prepare(query, "SELECT coalesce(function, module, '?'), file, line FROM "
                                          "stack_frame WHERE stack = ?1 ORDER BY depth")
              : NULL;
    if (row)
        sqlite3_bind_int64(row, 1, stack);
    while (row && reel_query_step(query, row)) {
        g_autofree char *function = reel_query_text(row, 0), *file = reel_query_text(row, 1);
        g_autofree char *base = file ? g_path_get_basename(file) : NULL;
        g_ptr_array_add(answer->frames, base ? g_strdup_printf("%s (%s:%d)", function, base,
                                                               sqlite3_column_int(row, 2))
                                             : g_strdup(function));
    }
    sqlite3_finalize(row);
}

/* In the worker. */
static gpointer run(struct reel_query *query, gpointer request)
{
    const struct question *question = request;
    struct reel_instants *instants = reel_instants_new(query->trace, &query->error);
    const struct reel_instant *instant =
        instants ? reel_instants_at(instants, question->time_ns, &query->error) : NULL;
    struct reel_state_answer *answer = NULL;
    if (instant) {
        struct naming naming = {
            .thread = reel_query_prepare(query, "SELECT name FROM thread WHERE id = ?"),
            .object = reel_query_prepare(query, "SELECT name FROM object WHERE id = ?"),
            .place = reel_query_prepare(query, "SELECT text FROM stack_site WHERE stack = ?"),
        };
        answer = answer_of(instant, &naming);
        if (question->thread)
            add_stack(query, answer, instant, question->thread, &naming);
        sqlite3_finalize(naming.thread);
        sqlite3_finalize(naming.object);
        sqlite3_finalize(naming.place);
    }
    reel_instants_free(instants);
    return answer;
}

struct reel_query_job reel_state_question(uint64_t time_ns, uint32_t thread)
{
    struct question *question = g_new(struct question, 1);
    *question = (struct question){time_ns, thread};
    return (struct reel_query_job){.run = run,
                                   .request = question,
                                   .free_request = g_free,
                                   .free_answer = reel_state_answer_free};
}
