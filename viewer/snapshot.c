#include "viewer/snapshot.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "tracer/detect/detector.h"
#include "tracer/export/suppression.h"
#include "tracer/export/trace_texts.h"
#include "tracer/symbols/sealing.h"

static void pass_on(GError **error, const struct reel_error *from)
{
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s%s%s", from->message,
                *from->hint ? "\n" : "", from->hint);
}

gboolean reel_snapshot_state(const char *path, enum reel_trace_state *state, GError **error)
{
    struct reel_error own = {0};
    struct reel_trace *trace = reel_trace_open(path, REEL_TRACE_READ, &own);
    if (!trace) {
        pass_on(error, &own);
        return FALSE;
    }
    *state = reel_trace_state(trace);
    reel_trace_close(trace, NULL);
    return TRUE;
}

/* A consistent copy, though somebody may be writing. */
static gboolean copy_database(sqlite3 *from, const char *to, GError **error)
{
    sqlite3 *copy = NULL;
    gboolean good = sqlite3_open(to, &copy) == SQLITE_OK;
    sqlite3_backup *backup = good ? sqlite3_backup_init(copy, "main", from, "main") : NULL;
    if (backup) {
        good = sqlite3_backup_step(backup, -1) == SQLITE_DONE;
        sqlite3_backup_finish(backup);
    }
    if (!good || !backup)
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "cannot copy the trace to %s: %s", to,
                    sqlite3_errmsg(copy));
    sqlite3_close(copy);
    return good && backup;
}

/* Whoever has a database in write-ahead mode open holds a lock on this byte of its index:
 * https://www.sqlite.org/walformat.html, section 2.3. Only while this process has it not open. */
static gboolean somebody_records(const char *path)
{
    g_autofree char *index = g_strconcat(path, "-shm", NULL);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 128, .l_len = 1};
    int file = open(index, O_RDWR | O_CLOEXEC);
    gboolean locked = file >= 0 && fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    if (file >= 0)
        close(file);
    return locked;
}

/* Nothing happens in a program that hangs, but time passes: it lasts until now. */
static gboolean lasts_until_now(struct reel_trace *trace, struct reel_error *error)
{
    char *began = reel_trace_meta(trace, "recorded_at");
    g_autoptr(GDateTime) then = began ? g_date_time_new_from_iso8601(began, NULL) : NULL;
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    sqlite3_free(began);
    gint64 lasted_us = then ? g_date_time_difference(now, then) : 0;
    if (lasted_us <= 0)
        return TRUE;
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, lasted_us * 1000);
    return reel_trace_set_meta(trace, "duration_ns", text, error);
}

char *reel_snapshot_take(const char *path, gboolean *recording, GError **error)
{
    struct reel_error own = {0};
    *recording = somebody_records(path);
    struct reel_trace *trace = reel_trace_open(path, REEL_TRACE_READ, &own);
    if (!trace) {
        pass_on(error, &own);
        return NULL;
    }
    g_autofree char *copy = NULL;
    int descriptor = g_file_open_tmp("reel-XXXXXX.reel", &copy, error);
    if (descriptor < 0) {
        reel_trace_close(trace, NULL);
        return NULL;
    }
    close(descriptor);
    gboolean good = copy_database(reel_trace_database(trace), copy, error);
    reel_trace_close(trace, NULL);
    if (good) {
        const struct reel_sealing_options options = {.tolerant = true};
        trace = reel_trace_open(copy, REEL_TRACE_WRITE, &own);
        good = trace && (!*recording || lasts_until_now(trace, &own)) &&
               reel_seal_named(trace, &options, NULL, &own);
        reel_trace_close(trace, NULL);
        if (!good)
            pass_on(error, &own);
    }
    if (good)
        return g_steal_pointer(&copy);
    reel_snapshot_remove(g_steal_pointer(&copy));
    return NULL;
}

void reel_snapshot_remove(char *copy)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    for (unsigned i = 0; copy && i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *file = g_strconcat(copy, suffixes[i], NULL);
        g_unlink(file);
    }
    g_free(copy);
}

gboolean reel_snapshot_wants_check(const char *path, guint64 most_events)
{
    struct reel_trace *trace = reel_trace_open(path, REEL_TRACE_READ, NULL);
    sqlite3_stmt *row;
    gboolean wants = FALSE;
    if (trace && sqlite3_prepare_v2(
                     reel_trace_database(trace),
                     "SELECT NOT EXISTS (SELECT 1 FROM finding) AND NOT EXISTS (SELECT 1 FROM "
                     "meta WHERE key = 'checked') AND coalesce((SELECT cast(value AS INTEGER) "
                     "FROM meta WHERE key = 'events'), (SELECT count(*) FROM event)) <= ?1",
                     -1, &row, NULL) == SQLITE_OK) {
        sqlite3_bind_int64(row, 1, (sqlite3_int64)most_events);
        wants = sqlite3_step(row) == SQLITE_ROW && sqlite3_column_int(row, 0);
        sqlite3_finalize(row);
    }
    reel_trace_close(trace, NULL);
    return wants;
}

struct reel_finding_set *reel_snapshot_detect(struct reel_trace *trace, struct reel_error *error)
{
    struct reel_finding_set *findings = reel_detect_trace(trace, error);
    struct reel_suppressions *suppressions = reel_suppressions_new();
    struct reel_trace_texts *texts = findings ? reel_trace_texts_new(trace, error) : NULL;
    if (texts && reel_suppressions_add_default(suppressions, error))
        reel_suppressions_apply(suppressions, findings, reel_trace_texts_names(texts));
    else
        g_clear_pointer(&findings, reel_finding_set_free);
    reel_trace_texts_free(texts);
    reel_suppressions_free(suppressions);
    return findings;
}

gboolean reel_snapshot_check(const char *path, GError **error)
{
    struct reel_error own = {0};
    if (access(path, W_OK) != 0)
        return TRUE;
    struct reel_trace *trace = reel_trace_open(path, REEL_TRACE_WRITE, &own);
    struct reel_finding_set *findings = trace ? reel_snapshot_detect(trace, &own) : NULL;
    gboolean good = findings && reel_findings_write(findings, trace, &own);
    reel_finding_set_free(findings);
    reel_trace_close(trace, NULL);
    if (!good)
        pass_on(error, &own);
    return good;
}
