#include "viewer/document.h"

#include <string.h>

#include "tracer/model/time_text.h"
#include "tracer/store/trace.h"

#define LOCK_LANES_MOST 64

/* What the worker fills in; handed to the document when it is complete. */
struct content {
    GPtrArray *lanes;      /* struct reel_lane */
    GHashTable *by_thread; /* thread → lane */
    GHashTable *object_names;
    GPtrArray *findings;
    uint64_t start_ns, end_ns, events;
    uint64_t stuck_ns; /* see reel_document_first_look_ns */
    unsigned processes, threads;
    char *summary;
};

struct _ReelDocument {
    GObject parent_instance;
    char *path;
    double progress;
    GCancellable *cancellable;
    struct content *content; /* NULL until loaded */
};

enum { PROPERTY_PROGRESS = 1 };
enum { SIGNAL_LOADED, SIGNAL_COUNT };
static guint signals[SIGNAL_COUNT];

G_DEFINE_FINAL_TYPE(ReelDocument, reel_document, G_TYPE_OBJECT)

static void lane_free(gpointer data)
{
    struct reel_lane *lane = data;
    reel_lane_data_clear(&lane->data);
    g_free(lane->name);
    g_free(lane->detail);
    g_free(lane);
}

static void finding_free(gpointer data)
{
    struct reel_finding_mark *finding = data;
    g_free(finding->id);
    g_free(finding->kind);
    g_free(finding->severity);
    g_free(finding->confidence);
    g_free(finding->title);
    g_free(finding->explanation);
    g_free(finding->fix);
    g_free(finding);
}

static void content_free(gpointer data)
{
    struct content *content = data;
    if (!content)
        return;
    g_ptr_array_free(content->lanes, TRUE);
    g_ptr_array_free(content->findings, TRUE);
    g_hash_table_destroy(content->by_thread);
    g_hash_table_destroy(content->object_names);
    g_free(content->summary);
    g_free(content);
}

/* Reading: all of this runs in the worker. */
struct reader {
    sqlite3 *database;
    GCancellable *cancellable;
    GTask *task;
    struct content *content;
    uint64_t intervals, read;
    struct reel_error error;
};

static char *text_of(sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    return text ? g_utf8_make_valid(text, -1) : NULL;
}

static bool ask(struct reader *reader, const char *sql, sqlite3_stmt **statement)
{
    if (sqlite3_prepare_v2(reader->database, sql, -1, statement, NULL) == SQLITE_OK)
        return true;
    return reel_error_set(&reader->error, REEL_ERROR_STORE, 0, "%s",
                          sqlite3_errmsg(reader->database));
}

static uint64_t number(struct reader *reader, const char *sql)
{
    sqlite3_stmt *statement;
    uint64_t value = 0;
    if (!ask(reader, sql, &statement))
        return 0;
    if (sqlite3_step(statement) == SQLITE_ROW)
        value = (uint64_t)sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

struct progress_note {
    GWeakRef document;
    double progress;
};

static gboolean tell_progress(gpointer data)
{
    struct progress_note *note = data;
    g_autoptr(ReelDocument) document = g_weak_ref_get(&note->document);
    if (document) {
        document->progress = note->progress;
        g_object_notify(G_OBJECT(document), "progress");
    }
    g_weak_ref_clear(&note->document);
    g_free(note);
    return G_SOURCE_REMOVE;
}

static bool count_on(struct reader *reader)
{
    if (++reader->read % 65536 == 0) {
        struct progress_note *note = g_new0(struct progress_note, 1);
        g_weak_ref_init(&note->document, g_task_get_source_object(reader->task));
        note->progress = reader->intervals ? (double)reader->read / (double)reader->intervals : 1.0;
        g_idle_add(tell_progress, note);
    }
    return !g_cancellable_is_cancelled(reader->cancellable);
}

static struct reel_lane *add_lane(struct reader *reader, enum reel_lane_kind kind, uint32_t id,
                                  uint32_t process, char *name)
{
    struct reel_lane *lane = g_new0(struct reel_lane, 1);
    lane->kind = kind;
    lane->id = id;
    lane->process = process;
    lane->name = name ? name : g_strdup_printf("%u", id);
    reel_lane_data_init(&lane->data);
    g_ptr_array_add(reader->content->lanes, lane);
    return lane;
}

/* Processes with their threads below them. */
static bool read_threads(struct reader *reader)
{
    sqlite3_stmt *rows;
    if (!ask(
            reader,
            "SELECT t.id, t.name, t.process, p.pid, coalesce(p.command, p.executable), "
            "t.start_ns, coalesce(t.end_ns, 0), coalesce((SELECT sum(total_ns) FROM thread_state s "
            "WHERE s.thread = t.id AND s.state IN ('lock-wait', 'gil-wait')), 0), t.tid "
            "FROM thread t JOIN process p ON p.id = t.process ORDER BY t.process, t.id",
            &rows))
        return false;
    uint32_t process = 0;
    while (sqlite3_step(rows) == SQLITE_ROW) {
        uint32_t id = (uint32_t)sqlite3_column_int64(rows, 0);
        uint32_t owner = (uint32_t)sqlite3_column_int64(rows, 2);
        if (owner != process) {
            g_autofree char *command = text_of(rows, 4);
            g_autofree char *first = command ? g_strndup(command, strcspn(command, " ")) : NULL;
            g_autofree char *base = first ? g_path_get_basename(first) : NULL;
            struct reel_lane *heading = add_lane(
                reader, REEL_LANE_PROCESS, owner, owner,
                g_strdup_printf("%s (%d)", base ? base : "process", sqlite3_column_int(rows, 3)));
            heading->detail = g_steal_pointer(&command);
            process = owner;
            reader->content->processes++;
        }
        struct reel_lane *lane = add_lane(reader, REEL_LANE_THREAD, id, owner, text_of(rows, 1));
        lane->start_ns = (uint64_t)sqlite3_column_int64(rows, 5);
        lane->end_ns = (uint64_t)sqlite3_column_int64(rows, 6);
        lane->lock_wait_ns = (uint64_t)sqlite3_column_int64(rows, 7);
        lane->detail = g_strdup_printf("kernel thread %d", sqlite3_column_int(rows, 8));
        g_hash_table_insert(reader->content->by_thread, GUINT_TO_POINTER(id), lane);
        reader->content->threads++;
    }
    sqlite3_finalize(rows);
    return true;
}

static bool no_memory(struct reader *reader)
{
    return reel_error_set(&reader->error, REEL_ERROR_SYSTEM, 0, "out of memory");
}

/* The state of a name, found by its first eight bytes: millions of them are asked for. */
static bool state_of(const char *name, int bytes, enum reel_state *state)
{
    static uint64_t known[REEL_STATE_COUNT];
    uint64_t head = 0;
    if (!name || bytes < 1)
        return false;
    memcpy(&head, name, (size_t)MIN(bytes, 8));
    if (!known[0])
        for (unsigned i = REEL_STATE_COUNT; i-- > 0;) {
            const char *text = reel_state_name(i);
            memcpy(&known[i], text, MIN(strlen(text), 8));
        }
    for (unsigned i = 0; i < REEL_STATE_COUNT; i++)
        if (known[i] == head) {
            *state = (enum reel_state)i;
            return true;
        }
    return false;
}

static bool read_intervals(struct reader *reader)
{
    sqlite3_stmt *rows;
    if (!ask(reader, "SELECT thread, start_ns, end_ns, state, object FROM interval", &rows))
        return false;
    struct reel_lane *lane = NULL;
    bool good = true;
    while (good && sqlite3_step(rows) == SQLITE_ROW) {
        uint32_t thread = (uint32_t)sqlite3_column_int64(rows, 0);
        if (!lane || lane->id != thread)
            lane = g_hash_table_lookup(reader->content->by_thread, GUINT_TO_POINTER(thread));
        enum reel_state state;
        const char *name = (const char *)sqlite3_column_text(rows, 3);
        if (!lane || !state_of(name, sqlite3_column_bytes(rows, 3), &state))
            continue;
        if (!reel_lane_data_append(&lane->data, (uint64_t)sqlite3_column_int64(rows, 1),
                                   (uint64_t)sqlite3_column_int64(rows, 2), state,
                                   (uint32_t)sqlite3_column_int64(rows, 4)))
            good = no_memory(reader);
        good = good && count_on(reader);
    }
    sqlite3_finalize(rows);
    return good;
}

/* The locks that cost most, each with who held it when. */
static bool read_locks(struct reader *reader)
{
    sqlite3_stmt *rows;
    g_autoptr(GHashTable) lanes = g_hash_table_new(NULL, NULL);
    if (!ask(reader,
             "SELECT l.object, o.name, l.wait_ns, l.acquisitions, c.name FROM lock_total l "
             "JOIN object o ON o.id = l.object JOIN class c ON c.id = o.class "
             "WHERE o.class <> 9 ORDER BY l.wait_ns DESC, l.acquisitions DESC LIMIT " G_STRINGIFY(
                 LOCK_LANES_MOST),
             &rows))
        return false;
    while (sqlite3_step(rows) == SQLITE_ROW) {
        if (g_hash_table_size(lanes) == 0)
            add_lane(reader, REEL_LANE_GROUP, 0, 0, g_strdup("Locks"));
        uint32_t id = (uint32_t)sqlite3_column_int64(rows, 0);
        struct reel_lane *lane = add_lane(reader, REEL_LANE_LOCK, id, 0, text_of(rows, 1));
        char wait[REEL_TIME_TEXT];
        lane->lock_wait_ns = (uint64_t)sqlite3_column_int64(rows, 2);
        lane->detail =
            g_strdup_printf("%s, taken %lld times, waited for %s", sqlite3_column_text(rows, 4),
                            (long long)sqlite3_column_int64(rows, 3),
                            reel_duration_text(lane->lock_wait_ns, false, wait));
        g_hash_table_insert(lanes, GUINT_TO_POINTER(id), lane);
    }
    sqlite3_finalize(rows);
    if (g_hash_table_size(lanes) == 0)
        return true;
    if (!ask(reader, "SELECT object, thread, start_ns, end_ns FROM hold ORDER BY start_ns", &rows))
        return false;
    bool good = true;
    while (good && sqlite3_step(rows) == SQLITE_ROW) {
        struct reel_lane *lane =
            g_hash_table_lookup(lanes, GUINT_TO_POINTER((uint32_t)sqlite3_column_int64(rows, 0)));
        if (lane &&
            !reel_lane_data_append(&lane->data, (uint64_t)sqlite3_column_int64(rows, 2),
                                   (uint64_t)sqlite3_column_int64(rows, 3), REEL_STATE_RUNNING,
                                   (uint32_t)sqlite3_column_int64(rows, 1)))
            good = no_memory(reader);
        good = good && count_on(reader);
    }
    sqlite3_finalize(rows);
    return good;
}

static bool read_names(struct reader *reader)
{
    sqlite3_stmt *rows;
    if (!ask(reader, "SELECT id, name FROM object WHERE name IS NOT NULL", &rows))
        return false;
    while (sqlite3_step(rows) == SQLITE_ROW)
        g_hash_table_insert(reader->content->object_names,
                            GUINT_TO_POINTER((uint32_t)sqlite3_column_int64(rows, 0)),
                            text_of(rows, 1));
    sqlite3_finalize(rows);
    return true;
}

/* A trace from before findings has no such table: then there are none. */
static void read_findings(struct reader *reader)
{
    sqlite3_stmt *rows;
    if (sqlite3_prepare_v2(reader->database,
                           "SELECT id, kind, severity, confidence, title, explanation, fix, "
                           "coalesce(time_ns, 0), coalesce(end_ns, 0) FROM finding",
                           -1, &rows, NULL) != SQLITE_OK)
        return;
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
        g_ptr_array_add(reader->content->findings, finding);
    }
    sqlite3_finalize(rows);
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

static bool finish(struct reader *reader)
{
    struct content *content = reader->content;
    for (guint i = 0; i < content->lanes->len; i++) {
        struct reel_lane *lane = content->lanes->pdata[i];
        if (!reel_lane_data_finish(&lane->data))
            return no_memory(reader);
    }
    char duration[REEL_TIME_TEXT];
    g_autofree char *events = count_text(content->events);
    content->summary =
        g_strdup_printf("%s · %u process%s · %u thread%s · %s events",
                        reel_duration_text(content->end_ns - content->start_ns, false, duration),
                        content->processes, content->processes == 1 ? "" : "es", content->threads,
                        content->threads == 1 ? "" : "s", events);
    return true;
}

static void load_in_worker(GTask *task, gpointer source, gpointer task_data,
                           GCancellable *cancellable)
{
    (void)source;
    const char *path = task_data;
    struct reader reader = {.cancellable = cancellable, .task = task};
    struct reel_trace *trace = reel_trace_open(path, REEL_TRACE_READ, &reader.error);
    if (!trace) {
        g_task_return_new_error(task, G_IO_ERROR, G_IO_ERROR_FAILED, "%s\n%s", reader.error.message,
                                reader.error.hint);
        return;
    }
    if (reel_trace_state(trace) != REEL_TRACE_SEALED) {
        g_task_return_new_error(task, G_IO_ERROR, G_IO_ERROR_FAILED,
                                "%s is not sealed.\nFinish it first: reel recover %s", path, path);
        reel_trace_close(trace, NULL);
        return;
    }
    reader.database = reel_trace_database(trace);
    struct content *content = reader.content = g_new0(struct content, 1);
    content->lanes = g_ptr_array_new_with_free_func(lane_free);
    content->findings = g_ptr_array_new_with_free_func(finding_free);
    content->by_thread = g_hash_table_new(NULL, NULL);
    content->object_names = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    content->start_ns = number(&reader, "SELECT min(start_ns) FROM thread");
    content->end_ns = number(&reader, "SELECT max(end_ns) FROM interval");
    content->events = number(&reader, "SELECT count(*) FROM event");
    content->stuck_ns = number(
        &reader, "SELECT min(end_ns) - 1 FROM interval WHERE ended_event IS NULL AND state IN "
                 "('lock-wait', 'gil-wait', 'cond-wait', 'sem-wait', 'barrier-wait', "
                 "'queue-wait', 'join-wait')");
    reader.intervals = number(&reader, "SELECT coalesce(max(id), 0) FROM interval") +
                       number(&reader, "SELECT coalesce(max(id), 0) FROM hold");
    bool good = read_threads(&reader) && read_names(&reader) && read_intervals(&reader) &&
                read_locks(&reader);
    read_findings(&reader);
    good = good && finish(&reader);
    reel_trace_close(trace, NULL);
    if (good) {
        g_task_return_pointer(task, content, content_free);
    } else {
        content_free(content);
        if (!g_task_return_error_if_cancelled(task))
            g_task_return_new_error(task, G_IO_ERROR, G_IO_ERROR_FAILED, "%s",
                                    reader.error.message);
    }
}

static void loaded(GObject *source, GAsyncResult *result, gpointer data)
{
    (void)data;
    ReelDocument *self = REEL_DOCUMENT(source);
    g_autoptr(GError) error = NULL;
    struct content *content = g_task_propagate_pointer(G_TASK(result), &error);
    if (content) {
        self->content = content;
        self->progress = 1.0;
        g_object_notify(source, "progress");
    }
    g_signal_emit(self, signals[SIGNAL_LOADED], 0, error ? error->message : NULL);
}

void reel_document_load(ReelDocument *self)
{
    g_return_if_fail(REEL_IS_DOCUMENT(self));
    g_autoptr(GTask) task = g_task_new(self, self->cancellable, loaded, NULL);
    g_task_set_task_data(task, g_strdup(self->path), g_free);
    g_task_run_in_thread(task, load_in_worker);
}

static void reel_document_get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    if (id == PROPERTY_PROGRESS)
        g_value_set_double(value, REEL_DOCUMENT(object)->progress);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

static void reel_document_dispose(GObject *object)
{
    ReelDocument *self = REEL_DOCUMENT(object);
    if (self->cancellable)
        g_cancellable_cancel(self->cancellable);
    g_clear_object(&self->cancellable);
    G_OBJECT_CLASS(reel_document_parent_class)->dispose(object);
}

static void reel_document_finalize(GObject *object)
{
    ReelDocument *self = REEL_DOCUMENT(object);
    content_free(self->content);
    g_free(self->path);
    G_OBJECT_CLASS(reel_document_parent_class)->finalize(object);
}

static void reel_document_class_init(ReelDocumentClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);
    object_class->get_property = reel_document_get_property;
    object_class->dispose = reel_document_dispose;
    object_class->finalize = reel_document_finalize;
    g_object_class_install_property(object_class, PROPERTY_PROGRESS,
                                    g_param_spec_double("progress", NULL, NULL, 0, 1, 0,
                                                        G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
    signals[SIGNAL_LOADED] = g_signal_new("loaded", REEL_TYPE_DOCUMENT, G_SIGNAL_RUN_LAST, 0, NULL,
                                          NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void reel_document_init(ReelDocument *self)
{
    self->cancellable = g_cancellable_new();
}

ReelDocument *reel_document_new(const char *path)
{
    ReelDocument *self = g_object_new(REEL_TYPE_DOCUMENT, NULL);
    self->path = g_strdup(path);
    return self;
}

const char *reel_document_path(ReelDocument *self)
{
    return self->path;
}

gboolean reel_document_is_loaded(ReelDocument *self)
{
    return self->content != NULL;
}

uint64_t reel_document_start_ns(ReelDocument *self)
{
    return self->content ? self->content->start_ns : 0;
}

uint64_t reel_document_end_ns(ReelDocument *self)
{
    return self->content ? self->content->end_ns : 0;
}

uint64_t reel_document_first_look_ns(ReelDocument *self)
{
    if (!self->content)
        return 0;
    uint64_t start = self->content->start_ns, end = self->content->end_ns;
    return self->content->stuck_ns > start ? self->content->stuck_ns : start + (end - start) / 2;
}

uint64_t reel_document_event_count(ReelDocument *self)
{
    return self->content ? self->content->events : 0;
}

const char *reel_document_summary(ReelDocument *self)
{
    return self->content ? self->content->summary : "";
}

guint reel_document_lane_count(ReelDocument *self)
{
    return self->content ? self->content->lanes->len : 0;
}

const struct reel_lane *reel_document_lane(ReelDocument *self, guint index)
{
    g_return_val_if_fail(self->content && index < self->content->lanes->len, NULL);
    return self->content->lanes->pdata[index];
}

const struct reel_lane *reel_document_thread_lane(ReelDocument *self, uint32_t thread)
{
    return self->content ? g_hash_table_lookup(self->content->by_thread, GUINT_TO_POINTER(thread))
                         : NULL;
}

const char *reel_document_object_name(ReelDocument *self, uint32_t object)
{
    const char *name =
        self->content ? g_hash_table_lookup(self->content->object_names, GUINT_TO_POINTER(object))
                      : NULL;
    return name ? name : "";
}

guint reel_document_finding_count(ReelDocument *self)
{
    return self->content ? self->content->findings->len : 0;
}

const struct reel_finding_mark *reel_document_finding(ReelDocument *self, guint index)
{
    g_return_val_if_fail(self->content && index < self->content->findings->len, NULL);
    return self->content->findings->pdata[index];
}
