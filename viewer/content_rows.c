#include "viewer/content_rows.h"

#include <string.h>

#include "tracer/model/world.h"
#include "tracer/store/page_scan.h"

#define COUNT_EVERY 65536u
#define STEP_US     400000 /* between two steps of a job's outlines */

/* The state of a name, found by its first eight bytes: millions of them are asked for. */
struct state_names {
    uint64_t head[REEL_STATE_COUNT];
    unsigned last;
};

/* One stretch of a table's rows, gathered by one thread. */
struct job {
    struct reel_row_reader *reader;
    const char *table, *key;
    gint64 next, to; /* row ids */
    void (*take)(struct job *job, const struct reel_scan_row *row);
    struct reel_gathering *gathering;
    struct state_names names;
    struct reel_world *world;       /* of queues' events */
    struct reel_outliner *outliner; /* NULL: no outline is wanted */
    gint64 told_us;                 /* when its last step was */
    guint64 count;
};

static void refuse(struct reel_row_reader *reader, const struct reel_error *error)
{
    g_mutex_lock(&reader->lock);
    if (!reader->failed)
        reader->error = *error;
    g_mutex_unlock(&reader->lock);
    g_atomic_int_set(&reader->failed, TRUE);
}

sqlite3_stmt *reel_row_reader_ask(struct reel_row_reader *reader, sqlite3 *database,
                                  const char *sql)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK)
        return statement;
    struct reel_error error = {0};
    reel_error_set(&error, REEL_ERROR_STORE, 0, "%s: %s", reader->path, sqlite3_errmsg(database));
    refuse(reader, &error);
    return NULL;
}

uint64_t reel_row_reader_number(struct reel_row_reader *reader, sqlite3 *database, const char *sql)
{
    sqlite3_stmt *row = reel_row_reader_ask(reader, database, sql);
    uint64_t value = 0;
    if (row && sqlite3_step(row) == SQLITE_ROW)
        value = (uint64_t)sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    return value;
}

void reel_row_reader_init(struct reel_row_reader *reader, const char *path,
                          const struct reel_content_options *options)
{
    *reader = (struct reel_row_reader){.path = path, .options = options};
    g_mutex_init(&reader->lock);
}

void reel_row_reader_clear(struct reel_row_reader *reader)
{
    g_mutex_clear(&reader->lock);
}

/* Tells what the lanes look like by now, seldom enough to cost nothing. */
static void tell_step(struct job *job, gint64 every_us)
{
    const struct reel_content_options *options = job->reader->options;
    gint64 now = g_get_monotonic_time();
    if (!job->outliner || now - job->told_us < every_us)
        return;
    job->told_us = now;
    struct reel_outline_step *step = reel_outliner_step(job->outliner, job->gathering);
    if (step)
        options->step(options->data, step);
}

/* False: stop. */
static gboolean count_on(struct job *job)
{
    struct reel_row_reader *reader = job->reader;
    tell_step(job, STEP_US);
    guint64 read = __atomic_add_fetch(&reader->read, COUNT_EVERY, __ATOMIC_RELAXED);
    if (reader->options->progress && reader->expected)
        reader->options->progress(reader->options->data,
                                  MIN((double)read / (double)reader->expected, 1.0));
    return !g_atomic_int_get(&reader->failed) &&
           !g_cancellable_is_cancelled(reader->options->cancellable);
}

static gboolean is_number(int64_t value, int64_t least)
{
    return value >= least && value < REEL_MODEL_NUMBER_LIMIT;
}

static uint64_t head_of(const char *text, size_t bytes)
{
    uint64_t head = 0;
    memcpy(&head, text, MIN(bytes, sizeof head));
    return head;
}

static gboolean state_of(struct state_names *names, const struct reel_scan_value *value,
                         enum reel_state *state)
{
    if (!value->text)
        return FALSE;
    uint64_t head = head_of(value->text, (size_t)value->number);
    if (names->head[names->last] != head) {
        unsigned i = 0;
        while (i < REEL_STATE_COUNT && names->head[i] != head)
            i++;
        if (i == REEL_STATE_COUNT)
            return FALSE;
        names->last = i;
    }
    *state = (enum reel_state)names->last;
    return TRUE;
}

/* id, thread, start_ns, end_ns, state, object */
static void take_interval(struct job *job, const struct reel_scan_row *row)
{
    enum reel_state state;
    if (is_number(row->value[1].number, 1) && is_number(row->value[5].number, 0) &&
        state_of(&job->names, &row->value[4], &state))
        reel_gathering_interval(job->gathering, (uint32_t)row->value[1].number,
                                (uint64_t)row->value[2].number, (uint64_t)row->value[3].number,
                                state, (uint32_t)row->value[5].number);
}

/* id, object, thread, start_ns, end_ns, mode */
static void take_hold(struct job *job, const struct reel_scan_row *row)
{
    const struct reel_scan_value *mode = &row->value[5];
    if (is_number(row->value[1].number, 1) && is_number(row->value[2].number, 1))
        reel_gathering_hold(job->gathering, (uint32_t)row->value[1].number,
                            (uint32_t)row->value[2].number, (uint64_t)row->value[3].number,
                            (uint64_t)row->value[4].number,
                            mode->text && mode->number && *mode->text == 's');
}

/* How full a queue is after an event, by the model; a task's state; a span's ends. */
static void take_queue_event(struct job *job, const struct reel_event *event, uint32_t object)
{
    switch (event->class) {
    case REEL_CLASS_TASK:
        if (event->operation == REEL_OP_STATE)
            reel_gathering_task(job->gathering, object, event->time_ns, event->argument);
        break;
    case REEL_CLASS_SPAN:
        if (event->operation == REEL_OP_SPAN_BEGIN || event->operation == REEL_OP_SPAN_END)
            reel_gathering_span(job->gathering, event->thread, event->time_ns, object,
                                event->operation == REEL_OP_SPAN_BEGIN);
        break;
    case REEL_CLASS_SEMAPHORE:
    case REEL_CLASS_PIPE:
    case REEL_CLASS_MESSAGE_QUEUE:
    case REEL_CLASS_QUEUE: {
        reel_world_apply_resolved(job->world, event, object, 0);
        const struct reel_world_object *queue = reel_world_object(job->world, object);
        if (queue)
            reel_gathering_depth(job->gathering, object, event->time_ns, queue->depth);
        break;
    }
    default:
        break;
    }
}

/* time_ns, thread, operation, class, object, argument, stack, flags */
static void take_event(struct job *job, const struct reel_scan_row *row)
{
    if (!is_number(row->value[1].number, 1) || !is_number(row->value[4].number, 1))
        return;
    const struct reel_event event = {
        .time_ns = (uint64_t)row->id,
        .thread = (uint32_t)row->value[1].number,
        .operation = (uint8_t)row->value[2].number,
        .class = (uint8_t)row->value[3].number,
        .argument = (uint32_t)row->value[5].number,
        .flags = (uint8_t)row->value[7].number,
    };
    take_queue_event(job, &event, (uint32_t)row->value[4].number);
}

static bool take_row(void *data, const struct reel_scan_row *row)
{
    struct job *job = data;
    job->next = row->id + 1;
    job->take(job, row);
    return ++job->count % COUNT_EVERY != 0 || count_on(job);
}

/* The same rows from SQLite, for files that cannot be scanned: those after the last one told. */
static void take_by_asking(struct job *job, sqlite3 *database)
{
    g_autofree char *sql = g_strdup_printf("SELECT * FROM %s WHERE %s >= ?1 AND %s < ?2",
                                           job->table, job->key, job->key);
    sqlite3_stmt *statement = reel_row_reader_ask(job->reader, database, sql);
    if (!statement)
        return;
    sqlite3_bind_int64(statement, 1, job->next);
    sqlite3_bind_int64(statement, 2, job->to);
    int columns = MIN(sqlite3_column_count(statement), (int)REEL_SCAN_COLUMNS);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        struct reel_scan_row row = {.id = sqlite3_column_int64(statement, 0),
                                    .columns = (unsigned)columns};
        for (int i = 0; i < columns; i++) {
            struct reel_scan_value *value = &row.value[i];
            value->text = sqlite3_column_type(statement, i) == SQLITE_TEXT
                              ? (const char *)sqlite3_column_text(statement, i)
                              : NULL;
            value->number = value->text ? sqlite3_column_bytes(statement, i)
                                        : sqlite3_column_int64(statement, i);
            value->is_null = sqlite3_column_type(statement, i) == SQLITE_NULL;
        }
        if (!take_row(job, &row))
            break;
    }
    sqlite3_finalize(statement);
}

static void run_job(gpointer data, gpointer user)
{
    (void)user;
    struct job *job = data;
    struct reel_error error = {0};
    struct reel_trace *trace = reel_trace_open(job->reader->path, REEL_TRACE_READ, &error);
    if (!trace) {
        refuse(job->reader, &error);
        return;
    }
    for (unsigned i = 0; i < REEL_STATE_COUNT; i++)
        job->names.head[i] = head_of(reel_state_name(i), strlen(reel_state_name(i)));
    job->world = reel_world_new(NULL, NULL);
    job->gathering->out_of_memory |= !job->world;
    job->told_us = g_get_monotonic_time();
    if (job->reader->options->shape.cells)
        job->outliner = reel_outliner_new(&job->reader->options->shape);
    if (job->world &&
        reel_page_scan(trace, job->table, job->next, job->to, take_row, job) == REEL_SCAN_CANNOT)
        take_by_asking(job, reel_trace_database(trace));
    tell_step(job, 0);
    reel_outliner_free(job->outliner);
    reel_world_free(job->world);
    reel_trace_close(trace, NULL);
    if (job->gathering->out_of_memory) {
        reel_error_set(&error, REEL_ERROR_SYSTEM, 0, "%s: out of memory", job->reader->path);
        refuse(job->reader, &error);
    }
}

/* Closing is the last that happens to a loop, at a time that is the row's. */
static void gather_closings(struct reel_row_reader *reader, sqlite3 *database,
                            struct reel_gathering *gathering)
{
    g_autofree char *sql = g_strdup_printf(
        "SELECT o.id, o.last_ns FROM object o JOIN event e ON e.time_ns = o.last_ns WHERE "
        "o.class = %d AND e.object = o.id AND e.operation = %d",
        REEL_CLASS_LOOP, REEL_OP_CLOSE);
    sqlite3_stmt *row = reel_row_reader_ask(reader, database, sql);
    while (row && sqlite3_step(row) == SQLITE_ROW) {
        int64_t loop = sqlite3_column_int64(row, 0);
        if (is_number(loop, 1))
            reel_gathering_closed(gathering, (uint32_t)loop,
                                  (uint64_t)sqlite3_column_int64(row, 1));
    }
    sqlite3_finalize(row);
}

struct reel_gathering *reel_row_reader_gather(struct reel_row_reader *reader, sqlite3 *database)
{
    gint64 intervals = (gint64)reel_row_reader_number(reader, database,
                                                      "SELECT coalesce(max(id), 0) FROM interval");
    gint64 holds =
        (gint64)reel_row_reader_number(reader, database, "SELECT coalesce(max(id), 0) FROM hold");
    g_autofree char *told = g_strdup_printf(
        "SELECT EXISTS (SELECT 1 FROM object WHERE class IN (%d, %d, %d, %d, %d, %d))",
        REEL_CLASS_SEMAPHORE, REEL_CLASS_PIPE, REEL_CLASS_MESSAGE_QUEUE, REEL_CLASS_QUEUE,
        REEL_CLASS_TASK, REEL_CLASS_SPAN);
    gboolean queues = reel_row_reader_number(reader, database, told) != 0;
    reader->expected = (guint64)intervals + (guint64)holds +
                       (queues ? reel_row_reader_number(
                                     reader, database,
                                     "SELECT cast(value AS INTEGER) FROM meta WHERE key = 'events'")
                               : 0);
    gint64 middle = intervals / 2 + 1;
    struct job jobs[] = {
        {.table = "interval", .key = "id", .to = middle, .take = take_interval},
        {.table = "interval", .key = "id", .next = middle, .to = G_MAXINT64, .take = take_interval},
        {.table = "hold", .key = "id", .to = G_MAXINT64, .take = take_hold},
        {.table = "event", .key = "time_ns", .to = G_MAXINT64, .take = take_event},
    };
    GThreadPool *pool = g_thread_pool_new(run_job, NULL, 2, FALSE, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(jobs); i++) {
        jobs[i].reader = reader;
        jobs[i].gathering = reel_gathering_new();
        if (jobs[i].take != take_event || queues)
            g_thread_pool_push(pool, &jobs[i], NULL);
    }
    g_thread_pool_free(pool, FALSE, TRUE);
    for (unsigned i = 1; i < G_N_ELEMENTS(jobs); i++)
        reel_gathering_join(jobs[0].gathering, jobs[i].gathering);
    gather_closings(reader, database, jobs[0].gathering);
    if (!reader->failed && !g_cancellable_is_cancelled(reader->options->cancellable))
        return jobs[0].gathering;
    reel_gathering_free(jobs[0].gathering);
    return NULL;
}
