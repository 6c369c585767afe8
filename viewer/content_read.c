/* Reading a sealed trace into lanes: first what they are called, then what is in them. */
#include "tracer/model/time_text.h"
#include "tracer/store/trace.h"
#include "viewer/content.h"
#include "viewer/content_lanes.h"
#include "viewer/content_outline.h"
#include "viewer/content_rows.h"
#include "viewer/core/gathering_file.h"

#define KEPT_FROM 1000000u /* events of a trace whose lanes are kept for the next time */

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
static void read_findings(sqlite3 *database, GPtrArray *findings)
{
    sqlite3_stmt *rows;
    if (sqlite3_prepare_v2(database,
                           "SELECT id, kind, severity, confidence, title, explanation, fix, "
                           "coalesce(time_ns, 0), coalesce(end_ns, 0) FROM finding ORDER BY rank",
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
}

static void read_gaps(struct reel_row_reader *reader, sqlite3 *database,
                      struct reel_content *content)
{
    sqlite3_stmt *row =
        reel_row_reader_ask(reader, database,
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

static void read_facts(struct reel_row_reader *reader, sqlite3 *database,
                       struct reel_content *content)
{
    content->start_ns =
        reel_row_reader_number(reader, database, "SELECT min(start_ns) FROM thread");
    content->end_ns = reel_row_reader_number(
        reader, database,
        "SELECT coalesce((SELECT cast(value AS INTEGER) FROM meta WHERE key = "
        "'end_ns'), (SELECT max(end_ns) FROM interval), 0)");
    /* Sealing counts them; counting rows reads the whole table. */
    content->events = reel_row_reader_number(
        reader, database,
        "SELECT coalesce((SELECT cast(value AS INTEGER) FROM meta WHERE key = "
        "'events'), (SELECT count(*) FROM event))");
    content->checked = reel_row_reader_number(
                           reader, database,
                           "SELECT EXISTS (SELECT 1 FROM finding) OR EXISTS (SELECT 1 FROM meta "
                           "WHERE key = 'checked')") != 0;
    if (content->end_ns <= content->start_ns)
        content->end_ns = content->start_ns + 1;
}

/* What was read of a large trace the last time. */
static struct reel_gathering *recall(struct reel_row_reader *reader,
                                     const struct reel_content *content)
{
    return content->events >= KEPT_FROM ? reel_gathering_recall(reader->path) : NULL;
}

/* What is known without reading rows. */
static struct reel_content *read_what_is_around(struct reel_row_reader *reader, sqlite3 *database)
{
    struct reel_content *content = content_new();
    read_facts(reader, database, content);
    read_findings(database, content->findings);
    read_gaps(reader, database, content);
    return content;
}

static void summarize(struct reel_content *content)
{
    char duration[REEL_TIME_TEXT];
    g_autofree char *events = count_text(content->events);
    content->summary =
        g_strdup_printf("%s · %u process%s · %u thread%s · %s events",
                        reel_duration_text(content->end_ns - content->start_ns, false, duration),
                        content->processes, content->processes == 1 ? "" : "es", content->threads,
                        content->threads == 1 ? "" : "s", events);
    choose_first_look(content);
}

struct reel_content *reel_content_read_outline(const char *path, guint64 events,
                                               struct reel_outline_shape *shape)
{
    static const struct reel_content_options none;
    struct reel_row_reader reader;
    reel_row_reader_init(&reader, path, &none);
    struct reel_trace *trace = reel_trace_open(path, REEL_TRACE_READ, &reader.error);
    sqlite3 *database = trace ? reel_trace_database(trace) : NULL;
    struct reel_content *content = trace ? read_what_is_around(&reader, database) : NULL;
    struct reel_gathering *nothing = reel_gathering_new();
    gboolean good = content && content->events >= events && !reader.failed &&
                    reel_content_make_lanes(content, nothing, database, &reader.error);
    reel_gathering_free(nothing);
    reel_trace_close(trace, NULL);
    reel_row_reader_clear(&reader);
    if (!good) {
        reel_content_free(content);
        return NULL;
    }
    *shape = reel_content_make_outline(content);
    summarize(content);
    return content;
}

struct reel_content *reel_content_read(const char *path, const struct reel_content_options *options,
                                       GError **error)
{
    struct reel_row_reader reader;
    reel_row_reader_init(&reader, path, options);
    struct reel_trace *trace = reel_trace_open(path, REEL_TRACE_READ, &reader.error);
    if (!trace) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s\n%s", reader.error.message,
                    reader.error.hint);
        reel_row_reader_clear(&reader);
        return NULL;
    }
    sqlite3 *database = reel_trace_database(trace);
    struct reel_content *content = read_what_is_around(&reader, database);
    struct reel_gathering *gathering = recall(&reader, content);
    gboolean recalled = gathering != NULL;
    if (!recalled)
        gathering = reel_row_reader_gather(&reader, database);
    gboolean good = gathering && !reader.failed;
    if (good && !recalled) {
        reel_gathering_finish(gathering, content->end_ns);
        if (options->keep && content->events >= KEPT_FROM)
            reel_gathering_keep(gathering, path);
    }
    if (good) {
        good = reel_content_make_lanes(content, gathering, database, &reader.error);
        content->stuck_ns = stuck_since(content);
        summarize(content);
    }
    reel_gathering_free(gathering);
    reel_trace_close(trace, NULL);
    reel_row_reader_clear(&reader);
    if (good)
        return content;
    reel_content_free(content);
    if (!g_cancellable_set_error_if_cancelled(options->cancellable, error))
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s\n%s", reader.error.message,
                    reader.error.hint);
    return NULL;
}
