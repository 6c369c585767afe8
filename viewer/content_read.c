/* Reading a sealed trace into lanes. Intervals, holds and queue events are read by three jobs on
 * two threads, each with a connection of its own: reading rows is what takes the time. */
#include <string.h>

#include "tracer/model/time_text.h"
#include "tracer/model/world.h"
#include "tracer/store/trace.h"
#include "viewer/content.h"
#include "viewer/content_lanes.h"

#define COUNT_EVERY 65536u

struct reader {
    const char *path;
    const struct reel_content_options *options;
    guint64 expected;
    guint64 read; /* atomically */
    gint failed;  /* atomically */
    GMutex lock;  /* of `error` */
    struct reel_error error;
};

/* One stretch of rows, gathered by one thread. */
struct job {
    struct reader *reader;
    void (*run)(struct job *job, sqlite3 *database);
    gint64 from, to; /* row ids */
    struct reel_gathering *gathering;
};

static void refuse(struct reader *reader, const struct reel_error *error)
{
    g_mutex_lock(&reader->lock);
    if (!reader->failed)
        reader->error = *error;
    g_mutex_unlock(&reader->lock);
    g_atomic_int_set(&reader->failed, TRUE);
}

static sqlite3_stmt *ask(struct reader *reader, sqlite3 *database, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK)
        return statement;
    struct reel_error error = {0};
    reel_error_set(&error, REEL_ERROR_STORE, 0, "%s: %s", reader->path, sqlite3_errmsg(database));
    refuse(reader, &error);
    return NULL;
}

/* False: stop. */
static gboolean count_on(struct reader *reader)
{
    guint64 read = __atomic_add_fetch(&reader->read, COUNT_EVERY, __ATOMIC_RELAXED);
    if (reader->options->progress && reader->expected)
        reader->options->progress(reader->options->data,
                                  MIN((double)read / (double)reader->expected, 1.0));
    return !g_atomic_int_get(&reader->failed) &&
           !g_cancellable_is_cancelled(reader->options->cancellable);
}

static uint64_t number(struct reader *reader, sqlite3 *database, const char *sql)
{
    sqlite3_stmt *row = ask(reader, database, sql);
    uint64_t value = 0;
    if (row && sqlite3_step(row) == SQLITE_ROW)
        value = (uint64_t)sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    return value;
}

/* The state of a name, found by its first eight bytes: millions of them are asked for. */
struct state_names {
    uint64_t head[REEL_STATE_COUNT];
    unsigned last;
};

static uint64_t head_of(const char *text, size_t bytes)
{
    uint64_t head = 0;
    memcpy(&head, text, MIN(bytes, sizeof head));
    return head;
}

static gboolean state_of(struct state_names *names, sqlite3_stmt *row, int column,
                         enum reel_state *state)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    if (!text)
        return FALSE;
    uint64_t head = head_of(text, (size_t)sqlite3_column_bytes(row, column));
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

static void read_intervals(struct job *job, sqlite3 *database)
{
    struct state_names names = {.last = 0};
    for (unsigned i = 0; i < REEL_STATE_COUNT; i++)
        names.head[i] = head_of(reel_state_name(i), strlen(reel_state_name(i)));
    sqlite3_stmt *row = ask(job->reader, database,
                            "SELECT thread, start_ns, end_ns, state, object FROM interval "
                            "WHERE id >= ?1 AND id < ?2");
    if (!row)
        return;
    sqlite3_bind_int64(row, 1, job->from);
    sqlite3_bind_int64(row, 2, job->to);
    for (guint64 count = 1; sqlite3_step(row) == SQLITE_ROW; count++) {
        enum reel_state state;
        gint64 thread = sqlite3_column_int64(row, 0), object = sqlite3_column_int64(row, 4);
        if (thread > 0 && thread < REEL_MODEL_NUMBER_LIMIT && object >= 0 &&
            object < REEL_MODEL_NUMBER_LIMIT && state_of(&names, row, 3, &state))
            reel_gathering_interval(
                job->gathering, (uint32_t)thread, (uint64_t)sqlite3_column_int64(row, 1),
                (uint64_t)sqlite3_column_int64(row, 2), state, (uint32_t)object);
        if (count % COUNT_EVERY == 0 && !count_on(job->reader))
            break;
    }
    sqlite3_finalize(row);
}

static void read_holds(struct job *job, sqlite3 *database)
{
    sqlite3_stmt *row = ask(job->reader, database,
                            "SELECT object, thread, start_ns, end_ns, mode FROM hold "
                            "WHERE id >= ?1 AND id < ?2");
    if (!row)
        return;
    sqlite3_bind_int64(row, 1, job->from);
    sqlite3_bind_int64(row, 2, job->to);
    for (guint64 count = 1; sqlite3_step(row) == SQLITE_ROW; count++) {
        gint64 object = sqlite3_column_int64(row, 0), thread = sqlite3_column_int64(row, 1);
        const char *mode = (const char *)sqlite3_column_text(row, 4);
        if (thread > 0 && thread < REEL_MODEL_NUMBER_LIMIT && object > 0 &&
            object < REEL_MODEL_NUMBER_LIMIT)
            reel_gathering_hold(job->gathering, (uint32_t)object, (uint32_t)thread,
                                (uint64_t)sqlite3_column_int64(row, 2),
                                (uint64_t)sqlite3_column_int64(row, 3), mode && *mode == 's');
        if (count % COUNT_EVERY == 0 && !count_on(job->reader))
            break;
    }
    sqlite3_finalize(row);
}

/* How full queues were: by the model, from the events of queues, tasks and spans alone. */
static void read_queues(struct job *job, sqlite3 *database)
{
    struct reel_world *world = reel_world_new(NULL, NULL);
    sqlite3_stmt *row = ask(job->reader, database,
                            "SELECT time_ns, thread, operation, class, object, argument, flags "
                            "FROM event WHERE class IN (8, 13, 19, 22, 23, 24)");
    if (!world || !row) {
        job->gathering->out_of_memory |= !world;
        reel_world_free(world);
        sqlite3_finalize(row);
        return;
    }
    for (guint64 count = 1; sqlite3_step(row) == SQLITE_ROW; count++) {
        gint64 thread = sqlite3_column_int64(row, 1), object = sqlite3_column_int64(row, 4);
        if (count % COUNT_EVERY == 0 && !count_on(job->reader))
            break;
        if (thread <= 0 || thread >= REEL_MODEL_NUMBER_LIMIT || object <= 0 ||
            object >= REEL_MODEL_NUMBER_LIMIT)
            continue;
        const struct reel_event event = {
            .time_ns = (uint64_t)sqlite3_column_int64(row, 0),
            .thread = (uint32_t)thread,
            .operation = (uint8_t)sqlite3_column_int64(row, 2),
            .class = (uint8_t)sqlite3_column_int64(row, 3),
            .argument = (uint32_t)sqlite3_column_int64(row, 5),
            .flags = (uint8_t)sqlite3_column_int64(row, 6),
        };
        if (event.class == REEL_CLASS_TASK) {
            if (event.operation == REEL_OP_STATE)
                reel_gathering_task(job->gathering, (uint32_t)object, event.time_ns,
                                    event.argument);
            continue;
        }
        if (event.class == REEL_CLASS_SPAN) {
            if (event.operation == REEL_OP_SPAN_BEGIN || event.operation == REEL_OP_SPAN_END)
                reel_gathering_span(job->gathering, event.thread, event.time_ns, (uint32_t)object,
                                    event.operation == REEL_OP_SPAN_BEGIN);
            continue;
        }
        reel_world_apply_resolved(world, &event, (uint32_t)object, 0);
        const struct reel_world_object *queue = reel_world_object(world, (uint32_t)object);
        if (queue)
            reel_gathering_depth(job->gathering, (uint32_t)object, event.time_ns, queue->depth);
    }
    sqlite3_finalize(row);
    reel_world_free(world);
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
    job->run(job, reel_trace_database(trace));
    reel_trace_close(trace, NULL);
    if (job->gathering->out_of_memory) {
        reel_error_set(&error, REEL_ERROR_SYSTEM, 0, "%s: out of memory", job->reader->path);
        refuse(job->reader, &error);
    }
}

/* All rows, gathered; NULL when a job failed. */
static struct reel_gathering *gather(struct reader *reader, sqlite3 *database)
{
    gint64 intervals =
        (gint64)number(reader, database, "SELECT coalesce(max(id), 0) FROM interval");
    gint64 holds = (gint64)number(reader, database, "SELECT coalesce(max(id), 0) FROM hold");
    gboolean queues =
        number(reader, database,
               "SELECT EXISTS (SELECT 1 FROM object WHERE class IN (8, 13, 19, 22, 23, 24))") != 0;
    reader->expected = (guint64)intervals + (guint64)holds;
    gint64 middle = intervals / 2 + 1;
    struct job jobs[] = {
        {reader, read_intervals, 0, middle, NULL},
        {reader, read_intervals, middle, G_MAXINT64, NULL},
        {reader, read_holds, 0, G_MAXINT64, NULL},
        {reader, read_queues, 0, 0, NULL},
    };
    GThreadPool *pool = g_thread_pool_new(run_job, NULL, 2, FALSE, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(jobs); i++) {
        jobs[i].gathering = reel_gathering_new();
        if (jobs[i].run != read_queues || queues)
            g_thread_pool_push(pool, &jobs[i], NULL);
    }
    g_thread_pool_free(pool, FALSE, TRUE);
    for (unsigned i = 1; i < G_N_ELEMENTS(jobs); i++)
        reel_gathering_join(jobs[0].gathering, jobs[i].gathering);
    if (!reader->failed && !g_cancellable_is_cancelled(reader->options->cancellable))
        return jobs[0].gathering;
    reel_gathering_free(jobs[0].gathering);
    return NULL;
}

static char *text_of(sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    return text ? g_utf8_make_valid(text, -1) : NULL;
}

static void finding_free(gpointer data)
{
    struct reel_finding_mark *finding = data;
    for (guint i = 0; i < finding->evidence->len; i++)
        g_free(g_array_index(finding->evidence, struct reel_evidence_mark, i).role);
    g_array_unref(finding->evidence);
    g_array_unref(finding->threads);
    g_array_unref(finding->objects);
    g_free(finding->id);
    g_free(finding->kind);
    g_free(finding->severity);
    g_free(finding->confidence);
    g_free(finding->title);
    g_free(finding->explanation);
    g_free(finding->fix);
    g_free(finding);
}

static void read_numbers(sqlite3 *database, const char *sql, const char *id, GArray *into)
{
    sqlite3_stmt *row;
    if (sqlite3_prepare_v2(database, sql, -1, &row, NULL) != SQLITE_OK)
        return;
    sqlite3_bind_text(row, 1, id, -1, SQLITE_TRANSIENT);
    while (sqlite3_step(row) == SQLITE_ROW) {
        uint32_t value = (uint32_t)sqlite3_column_int64(row, 0);
        g_array_append_val(into, value);
    }
    sqlite3_finalize(row);
}

static void read_evidence(sqlite3 *database, struct reel_finding_mark *finding)
{
    sqlite3_stmt *row;
    if (sqlite3_prepare_v2(database,
                           "SELECT coalesce(time_ns, 0), thread, object, stack, role "
                           "FROM finding_event WHERE finding = ?1 ORDER BY position",
                           -1, &row, NULL) != SQLITE_OK)
        return;
    sqlite3_bind_text(row, 1, finding->id, -1, SQLITE_TRANSIENT);
    while (sqlite3_step(row) == SQLITE_ROW) {
        struct reel_evidence_mark evidence = {
            (uint64_t)sqlite3_column_int64(row, 0), (uint32_t)sqlite3_column_int64(row, 1),
            (uint32_t)sqlite3_column_int64(row, 2), (uint32_t)sqlite3_column_int64(row, 3),
            text_of(row, 4)};
        g_array_append_val(finding->evidence, evidence);
    }
    sqlite3_finalize(row);
}

/* A trace from before findings has no such table: then there are none. */
static GPtrArray *read_findings(sqlite3 *database)
{
    GPtrArray *findings = g_ptr_array_new_with_free_func(finding_free);
    sqlite3_stmt *rows;
    if (sqlite3_prepare_v2(database,
                           "SELECT id, kind, severity, confidence, title, explanation, fix, "
                           "coalesce(time_ns, 0), coalesce(end_ns, 0) FROM finding ORDER BY rank",
                           -1, &rows, NULL) != SQLITE_OK)
        return findings;
    while (sqlite3_step(rows) == SQLITE_ROW) {
        struct reel_finding_mark *finding = g_new0(struct reel_finding_mark, 1);
        finding->id = text_of(rows, 0);
        finding->kind = text_of(rows, 1);
        finding->severity = text_of(rows, 2);
        finding->confidence = text_of(rows, 3);
        finding->title = text_of(rows, 4);
        finding->explanation = text_of(rows, 5);
        finding->fix = text_of(rows, 6);
        finding->time_ns = (uint64_t)sqlite3_column_int64(rows, 7);
        finding->end_ns = (uint64_t)sqlite3_column_int64(rows, 8);
        finding->evidence = g_array_new(FALSE, TRUE, sizeof(struct reel_evidence_mark));
        finding->threads = g_array_new(FALSE, TRUE, sizeof(uint32_t));
        finding->objects = g_array_new(FALSE, TRUE, sizeof(uint32_t));
        read_evidence(database, finding);
        read_numbers(database,
                     "SELECT thread FROM finding_thread WHERE finding = ?1 ORDER BY position",
                     finding->id, finding->threads);
        read_numbers(database,
                     "SELECT object FROM finding_object WHERE finding = ?1 ORDER BY position",
                     finding->id, finding->objects);
        g_ptr_array_add(findings, finding);
    }
    sqlite3_finalize(rows);
    return findings;
}

GPtrArray *reel_content_read_findings(const char *path)
{
    struct reel_trace *trace = reel_trace_open(path, REEL_TRACE_READ, NULL);
    if (!trace)
        return g_ptr_array_new_with_free_func(finding_free);
    GPtrArray *findings = read_findings(reel_trace_database(trace));
    reel_trace_close(trace, NULL);
    return findings;
}

static void read_gaps(struct reader *reader, sqlite3 *database, struct reel_content *content)
{
    sqlite3_stmt *row = ask(reader, database,
                            "SELECT coalesce(thread, 0), start_ns, end_ns, coalesce(lost, -1), "
                            "reason FROM gap ORDER BY start_ns");
    while (row && sqlite3_step(row) == SQLITE_ROW) {
        struct reel_gap_mark gap = {
            (uint32_t)sqlite3_column_int64(row, 0), (uint64_t)sqlite3_column_int64(row, 1),
            (uint64_t)sqlite3_column_int64(row, 2), sqlite3_column_int64(row, 3), text_of(row, 4)};
        g_array_append_val(content->gaps, gap);
    }
    sqlite3_finalize(row);
}

static void clear_gap(gpointer data)
{
    g_free(((struct reel_gap_mark *)data)->reason);
}

static struct reel_content *content_new(void)
{
    struct reel_content *content = g_new0(struct reel_content, 1);
    content->lanes = g_ptr_array_new_with_free_func(reel_lane_free);
    content->findings = g_ptr_array_new_with_free_func(finding_free);
    content->gaps = g_array_new(FALSE, FALSE, sizeof(struct reel_gap_mark));
    g_array_set_clear_func(content->gaps, clear_gap);
    content->by_thread = g_hash_table_new(NULL, NULL);
    content->by_object = g_hash_table_new(NULL, NULL);
    content->object_names = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    return content;
}

void reel_content_free(struct reel_content *content)
{
    if (!content)
        return;
    g_ptr_array_unref(content->lanes);
    g_ptr_array_unref(content->findings);
    g_array_unref(content->gaps);
    g_hash_table_destroy(content->by_thread);
    g_hash_table_destroy(content->by_object);
    g_hash_table_destroy(content->object_names);
    g_free(content->summary);
    g_free(content);
}

static char *count_text(uint64_t count)
{
    if (count >= 10000000)
        return g_strdup_printf("%.0f M", (double)count / 1e6);
    if (count >= 1000000)
        return g_strdup_printf("%.1f M", (double)count / 1e6);
    if (count >= 10000)
        return g_strdup_printf("%.0f k", (double)count / 1e3);
    return g_strdup_printf("%" G_GUINT64_FORMAT, (guint64)count);
}

void reel_content_choose_first_look(struct reel_content *content)
{
    for (guint i = 0; i < content->findings->len; i++) {
        const struct reel_finding_mark *finding = content->findings->pdata[i];
        if (finding->time_ns && g_strcmp0(finding->severity, "error") == 0) {
            content->first_look_ns = finding->time_ns;
            return;
        }
    }
    content->first_look_ns = content->stuck_ns > content->start_ns
                                 ? content->stuck_ns
                                 : content->start_ns + (content->end_ns - content->start_ns) / 2;
}

static uint64_t stuck_since(struct reader *reader, sqlite3 *database)
{
    return number(reader, database,
                  "SELECT min(end_ns) - 1 FROM interval WHERE ended_event IS NULL AND state IN "
                  "('lock-wait', 'gil-wait', 'cond-wait', 'sem-wait', 'barrier-wait', "
                  "'queue-wait', 'join-wait')");
}

static void read_facts(struct reader *reader, sqlite3 *database, struct reel_content *content)
{
    content->start_ns = number(reader, database, "SELECT min(start_ns) FROM thread");
    content->end_ns = number(reader, database,
                             "SELECT coalesce((SELECT cast(value AS INTEGER) FROM meta WHERE key = "
                             "'end_ns'), (SELECT max(end_ns) FROM interval), 0)");
    /* Sealing counts them; counting rows reads the whole table. */
    content->events = number(reader, database,
                             "SELECT coalesce((SELECT cast(value AS INTEGER) FROM meta WHERE key = "
                             "'events'), (SELECT count(*) FROM event))");
    content->checked = number(reader, database,
                              "SELECT EXISTS (SELECT 1 FROM finding) OR EXISTS (SELECT 1 FROM meta "
                              "WHERE key = 'checked')") != 0;
    if (content->end_ns <= content->start_ns)
        content->end_ns = content->start_ns + 1;
}

struct reel_content *reel_content_read(const char *path, const struct reel_content_options *options,
                                       GError **error)
{
    struct reader reader = {.path = path, .options = options};
    struct reel_trace *trace = reel_trace_open(path, REEL_TRACE_READ, &reader.error);
    if (!trace) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s\n%s", reader.error.message,
                    reader.error.hint);
        return NULL;
    }
    g_mutex_init(&reader.lock);
    sqlite3 *database = reel_trace_database(trace);
    struct reel_content *content = content_new();
    read_facts(&reader, database, content);
    g_ptr_array_unref(content->findings);
    content->findings = read_findings(database);
    read_gaps(&reader, database, content);
    struct reel_gathering *gathering = gather(&reader, database);
    gboolean good = gathering && !reader.failed;
    if (good) {
        reel_gathering_finish(gathering, content->end_ns);
        good = reel_content_make_lanes(content, gathering, database, &reader.error);
        content->stuck_ns = stuck_since(&reader, database);
        reel_content_choose_first_look(content);
    }
    reel_gathering_free(gathering);
    reel_trace_close(trace, NULL);
    g_mutex_clear(&reader.lock);
    if (good) {
        char duration[REEL_TIME_TEXT];
        g_autofree char *events = count_text(content->events);
        content->summary = g_strdup_printf(
            "%s · %u process%s · %u thread%s · %s events",
            reel_duration_text(content->end_ns - content->start_ns, false, duration),
            content->processes, content->processes == 1 ? "" : "es", content->threads,
            content->threads == 1 ? "" : "s", events);
        return content;
    }
    reel_content_free(content);
    if (!g_cancellable_set_error_if_cancelled(options->cancellable, error))
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s\n%s", reader.error.message,
                    reader.error.hint);
    return NULL;
}
