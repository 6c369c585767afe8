/* Reading a sealed trace into lanes. Intervals, holds and queue events are read by three jobs on
 * two threads, each with a connection of its own: reading rows is what takes the time. */
#include <string.h>

#include "tracer/model/time_text.h"
#include "tracer/model/world.h"
#include "tracer/store/page_scan.h"
#include "viewer/content.h"
#include "viewer/content_lanes.h"
#include "viewer/core/gathering_file.h"

#define COUNT_EVERY 65536u
#define KEPT_FROM   1000000u /* events of a trace whose lanes are kept for the next time */

struct reader {
    const char *path;
    const struct reel_content_options *options;
    guint64 expected;
    guint64 read; /* atomically */
    gint failed;  /* atomically */
    GMutex lock;  /* of `error` */
    struct reel_error error;
};

/* The state of a name, found by its first eight bytes: millions of them are asked for. */
struct state_names {
    uint64_t head[REEL_STATE_COUNT];
    unsigned last;
};

/* One stretch of a table's rows, gathered by one thread. */
struct job {
    struct reader *reader;
    const char *table, *key;
    gint64 next, to; /* row ids */
    void (*take)(struct job *job, const struct reel_scan_row *row);
    struct reel_gathering *gathering;
    struct state_names names;
    struct reel_world *world; /* of queues' events */
    guint64 count;
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
    return ++job->count % COUNT_EVERY != 0 || count_on(job->reader);
}

/* The same rows from SQLite, for files that cannot be scanned: those after the last one told. */
static void take_by_asking(struct job *job, sqlite3 *database)
{
    g_autofree char *sql = g_strdup_printf("SELECT * FROM %s WHERE %s >= ?1 AND %s < ?2",
                                           job->table, job->key, job->key);
    sqlite3_stmt *statement = ask(job->reader, database, sql);
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
    if (job->world &&
        reel_page_scan(trace, job->table, job->next, job->to, take_row, job) == REEL_SCAN_CANNOT)
        take_by_asking(job, reel_trace_database(trace));
    reel_world_free(job->world);
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
    reader->expected =
        (guint64)intervals + (guint64)holds +
        (queues ? number(reader, database,
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

/* Where to stand first: at the gravest finding that has a moment; else where threads are stuck to
 * the end; else in the middle. */
static void choose_first_look(struct reel_content *content)
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

/* Since when threads are stuck that never get on: the first of the waits that last to the end. */
static uint64_t stuck_since(const struct reel_content *content)
{
    uint64_t stuck = 0;
    for (guint i = 0; i < content->lanes->len; i++) {
        const struct reel_lane *lane = content->lanes->pdata[i];
        const struct reel_lane_data *data = &lane->data;
        if (lane->kind != REEL_LANE_THREAD || !data->count)
            continue;
        uint8_t state = data->state[data->count - 1];
        enum reel_state_role role =
            state < REEL_STATE_COUNT ? reel_state_role(state) : REEL_STATE_ROLE_GAP;
        uint64_t last = data->start[data->count] - 1;
        if ((role == REEL_STATE_ROLE_LOCK || role == REEL_STATE_ROLE_GIL ||
             role == REEL_STATE_ROLE_ORDER) &&
            (!stuck || last < stuck))
            stuck = last;
    }
    return stuck;
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

/* What was read of a large trace the last time. */
static struct reel_gathering *recall(struct reader *reader, const struct reel_content *content)
{
    return content->events >= KEPT_FROM ? reel_gathering_recall(reader->path) : NULL;
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
    struct reel_gathering *gathering = recall(&reader, content);
    gboolean recalled = gathering != NULL;
    if (!recalled)
        gathering = gather(&reader, database);
    gboolean good = gathering && !reader.failed;
    if (good && !recalled) {
        reel_gathering_finish(gathering, content->end_ns);
        if (options->keep && content->events >= KEPT_FROM)
            reel_gathering_keep(gathering, path);
    }
    if (good) {
        good = reel_content_make_lanes(content, gathering, database, &reader.error);
        content->stuck_ns = stuck_since(content);
        choose_first_look(content);
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
