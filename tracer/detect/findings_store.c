/* Findings in the trace: tables `finding`, `finding_thread`, `finding_object` and `finding_event`.
 */
#include <glib.h>

#include "tracer/detect/detector.h"

static bool fail(struct reel_trace *trace, const char *what, struct reel_error *error)
{
    sqlite3 *database = reel_trace_database(trace);
    return reel_error_set(error, REEL_ERROR_STORE, sqlite3_extended_errcode(database),
                          "%s: %s findings: %s", reel_trace_path(trace), what,
                          sqlite3_errmsg(database));
}

enum { INSERT_FINDING, INSERT_THREAD, INSERT_OBJECT, INSERT_EVENT, INSERTS };
static const char *const inserts[INSERTS] = {
    "INSERT INTO finding(rank, id, kind, confidence, severity, title, explanation, fix, key,"
    " time_ns, end_ns, occurrences) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
    "INSERT INTO finding_thread(finding, position, thread) VALUES (?,?,?)",
    "INSERT INTO finding_object(finding, position, object) VALUES (?,?,?)",
    "INSERT INTO finding_event(finding, position, time_ns, thread, object, stack, role)"
    " VALUES (?,?,?,?,?,?,?)",
};

static bool step(sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return code == SQLITE_DONE;
}

static void bind_number(sqlite3_stmt *statement, int at, uint64_t number)
{
    if (number)
        sqlite3_bind_int64(statement, at, (int64_t)number);
    else
        sqlite3_bind_null(statement, at);
}

static void bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    sqlite3_bind_text(statement, at, text, -1, SQLITE_TRANSIENT);
}

static bool put_numbers(sqlite3_stmt *statement, const char *id, const uint32_t *number,
                        size_t count)
{
    bool good = true;
    for (size_t i = 0; good && i < count; i++) {
        bind_text(statement, 1, id);
        sqlite3_bind_int64(statement, 2, (int64_t)i);
        sqlite3_bind_int64(statement, 3, number[i]);
        good = step(statement);
    }
    return good;
}

static bool put(sqlite3_stmt *const *statement, const struct reel_finding *finding, size_t rank)
{
    sqlite3_stmt *row = statement[INSERT_FINDING];
    sqlite3_bind_int64(row, 1, (int64_t)rank);
    bind_text(row, 2, finding->id);
    bind_text(row, 3, reel_finding_kind_name(finding->kind));
    bind_text(row, 4, reel_confidence_name(finding->confidence));
    bind_text(row, 5, reel_severity_name(finding->severity));
    bind_text(row, 6, finding->title);
    bind_text(row, 7, finding->explanation);
    bind_text(row, 8, finding->fix);
    bind_text(row, 9, finding->key);
    bind_number(row, 10, finding->time_ns);
    bind_number(row, 11, finding->end_ns);
    sqlite3_bind_int64(row, 12, (int64_t)finding->occurrences);
    bool good =
        step(row) &&
        put_numbers(statement[INSERT_THREAD], finding->id, finding->threads,
                    finding->thread_count) &&
        put_numbers(statement[INSERT_OBJECT], finding->id, finding->objects, finding->object_count);
    for (size_t i = 0; good && i < finding->evidence_count; i++) {
        const struct reel_evidence *evidence = &finding->evidence[i];
        row = statement[INSERT_EVENT];
        bind_text(row, 1, finding->id);
        sqlite3_bind_int64(row, 2, (int64_t)i);
        bind_number(row, 3, evidence->time_ns);
        bind_number(row, 4, evidence->thread);
        bind_number(row, 5, evidence->object);
        bind_number(row, 6, evidence->stack);
        bind_text(row, 7, evidence->role);
        good = step(row);
    }
    return good;
}

bool reel_findings_write(struct reel_finding_set *findings, struct reel_trace *trace,
                         struct reel_error *error)
{
    sqlite3 *database = reel_trace_database(trace);
    sqlite3_stmt *statement[INSERTS] = {NULL};
    if (!reel_trace_begin(trace, error))
        return false;
    bool good = sqlite3_exec(database,
                             "DELETE FROM finding_event; DELETE FROM finding_object;"
                             "DELETE FROM finding_thread; DELETE FROM finding",
                             NULL, NULL, NULL) == SQLITE_OK;
    for (int i = 0; good && i < INSERTS; i++)
        good = sqlite3_prepare_v2(database, inserts[i], -1, &statement[i], NULL) == SQLITE_OK;
    for (size_t i = 0; good && i < reel_finding_set_count(findings); i++)
        good = put(statement, reel_finding_set_at(findings, i), i + 1);
    if (!good)
        fail(trace, "writing", error);
    for (int i = 0; i < INSERTS; i++)
        sqlite3_finalize(statement[i]);
    /* No findings means something only for a trace that was looked at. */
    return good && reel_trace_set_meta(trace, "checked", "1", error) &&
           reel_trace_commit(trace, error);
}

static const char *text_at(sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    return text ? text : "";
}

static struct reel_finding *take(sqlite3_stmt *row)
{
    enum reel_finding_kind kind;
    enum reel_confidence confidence;
    enum reel_severity severity;
    if (!reel_finding_kind_parse(text_at(row, 1), &kind) ||
        !reel_confidence_parse(text_at(row, 2), &confidence) ||
        !reel_severity_parse(text_at(row, 3), &severity))
        return NULL; /* of a newer Reel, or damaged */
    struct reel_finding *finding = reel_finding_new(kind, confidence, severity);
    reel_finding_title(finding, "%s", text_at(row, 4));
    reel_finding_explain(finding, "%s", text_at(row, 5));
    reel_finding_fix(finding, "%s", text_at(row, 6));
    reel_finding_key(finding, "%s", text_at(row, 7));
    finding->time_ns = (uint64_t)sqlite3_column_int64(row, 8);
    finding->end_ns = (uint64_t)sqlite3_column_int64(row, 9);
    finding->occurrences = (uint64_t)sqlite3_column_int64(row, 10);
    return finding;
}

static uint32_t number_at(sqlite3_stmt *row, int column)
{
    int64_t value = sqlite3_column_int64(row, column);
    return value > 0 && value <= UINT32_MAX ? (uint32_t)value : 0;
}

/* What belongs to the finding `id`, in order. */
static bool take_parts(sqlite3 *database, struct reel_finding *finding, const char *id)
{
    static const char *const queries[] = {
        "SELECT thread FROM finding_thread WHERE finding = ? ORDER BY position",
        "SELECT object FROM finding_object WHERE finding = ? ORDER BY position",
        ("SELECT time_ns, thread, object, stack, role FROM finding_event"
         " WHERE finding = ? ORDER BY position"),
    };
    bool good = true;
    for (int i = 0; good && i < 3; i++) {
        sqlite3_stmt *row = NULL;
        good = sqlite3_prepare_v2(database, queries[i], -1, &row, NULL) == SQLITE_OK;
        if (!good)
            break;
        bind_text(row, 1, id);
        int code;
        while ((code = sqlite3_step(row)) == SQLITE_ROW) {
            if (i == 0)
                reel_finding_thread(finding, number_at(row, 0));
            else if (i == 1)
                reel_finding_object(finding, number_at(row, 0));
            else
                reel_finding_evidence(finding, (uint64_t)sqlite3_column_int64(row, 0),
                                      number_at(row, 1), number_at(row, 2), number_at(row, 3), "%s",
                                      text_at(row, 4));
        }
        good = code == SQLITE_DONE;
        sqlite3_finalize(row);
    }
    return good;
}

struct reel_finding_set *reel_findings_read(struct reel_trace *trace, struct reel_error *error)
{
    sqlite3 *database = reel_trace_database(trace);
    sqlite3_stmt *row = NULL;
    if (sqlite3_prepare_v2(database,
                           "SELECT id, kind, confidence, severity, title, explanation, fix, key,"
                           " time_ns, end_ns, occurrences FROM finding ORDER BY rank",
                           -1, &row, NULL) != SQLITE_OK) {
        fail(trace, "reading", error);
        return NULL;
    }
    struct reel_finding_set *set = reel_finding_set_new();
    int code;
    bool good = true;
    while (good && (code = sqlite3_step(row)) == SQLITE_ROW) {
        struct reel_finding *finding = take(row);
        if (!finding)
            continue;
        good = take_parts(database, finding, text_at(row, 0));
        reel_finding_set_add(set, finding);
    }
    if (!good || code != SQLITE_DONE) {
        good = fail(trace, "reading", error);
        reel_finding_set_free(set);
        set = NULL;
    }
    sqlite3_finalize(row);
    return set;
}
