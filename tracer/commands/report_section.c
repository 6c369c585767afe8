#include "tracer/commands/report_section.h"

#include <glib.h>

static const char threads_sql[] =
    "WITH share AS (SELECT thread,"
    " sum(total_ns) FILTER (WHERE state IN ('running', 'callback')) AS running,"
    " sum(total_ns) FILTER (WHERE state = 'runnable') AS runnable,"
    " sum(total_ns) FILTER (WHERE state IN ('lock-wait', 'gil-wait')) AS locks,"
    " sum(total_ns) FILTER (WHERE state IN ('cond-wait', 'sem-wait', 'barrier-wait', 'join-wait',"
    "  'process-wait', 'queue-wait')) AS others,"
    " sum(total_ns) FILTER (WHERE state IN ('io-wait', 'blocked')) AS io,"
    " sum(total_ns) FILTER (WHERE state IN ('sleep', 'loop-wait', 'signal-wait')) AS idle,"
    " max(sum(total_ns), 1) AS life FROM thread_state GROUP BY thread) "
    "SELECT t.name, p.pid, life, 1000 * coalesce(running, 0) / life,"
    " 1000 * coalesce(runnable, 0) / life, 1000 * coalesce(locks, 0) / life,"
    " 1000 * coalesce(others, 0) / life, 1000 * coalesce(io, 0) / life,"
    " 1000 * coalesce(idle, 0) / life,"
    " (SELECT o.name FROM thread_wait w JOIN object o ON o.id = w.object WHERE w.thread = t.id"
    "  AND w.state NOT IN ('callback', 'sleep', 'loop-wait') ORDER BY w.total_ns DESC LIMIT 1) "
    "FROM thread t JOIN process p ON p.id = t.process LEFT JOIN share ON share.thread = t.id "
    "ORDER BY t.process, t.id";

static const char locks_sql[] =
    "SELECT o.name, c.name, l.acquisitions, 1000 * l.contended / max(l.acquisitions, 1),"
    " l.wait_ns, l.longest_wait_ns, l.hold_ns, l.longest_hold_ns, l.threads, l.handoffs,"
    " (SELECT text FROM lock_site ls JOIN stack_site s ON s.stack = ls.stack"
    "  WHERE ls.object = l.object ORDER BY ls.wait_ns DESC, ls.hold_ns DESC LIMIT 1) "
    "FROM lock_total l JOIN object o ON o.id = l.object JOIN class c ON c.id = o.class "
    "ORDER BY l.wait_ns DESC, l.acquisitions DESC";

static const char waits_sql[] =
    "SELECT o.name, c.name, sum(w.count), sum(w.total_ns), max(w.longest_ns),"
    " count(DISTINCT w.thread), o.capacity "
    "FROM thread_wait w JOIN object o ON o.id = w.object JOIN class c ON c.id = o.class "
    "WHERE w.state IN ('cond-wait', 'sem-wait', 'barrier-wait', 'queue-wait', 'io-wait') "
    "GROUP BY w.object ORDER BY sum(w.total_ns) DESC";

static const char loops_sql[] = "SELECT o.name, (SELECT name FROM thread WHERE id = w.thread),"
                                " sum(w.count) FILTER (WHERE w.state = 'loop-wait'),"
                                " sum(w.total_ns) FILTER (WHERE w.state = 'loop-wait'),"
                                " sum(w.total_ns) FILTER (WHERE w.state = 'callback'),"
                                " max(w.longest_ns) FILTER (WHERE w.state = 'callback') "
                                "FROM thread_wait w JOIN object o ON o.id = w.object "
                                "JOIN class c ON c.id = o.class AND c.name = 'loop' "
                                "GROUP BY w.object, w.thread ORDER BY 6 DESC";

static const char processes_sql[] =
    "SELECT pid, coalesce(command, executable), max(coalesce(end_ns, 0) - start_ns, 0),"
    " (SELECT count(*) FROM thread WHERE process = process.id),"
    " CASE WHEN signal > 0 THEN 'signal ' || signal WHEN exit_status >= 0 THEN exit_status END,"
    " note FROM process WHERE (SELECT count(*) FROM process) > 1 ORDER BY start_ns";

static const char gaps_sql[] =
    "SELECT t.name, g.start_ns, g.end_ns - g.start_ns, g.lost, g.reason "
    "FROM gap g LEFT JOIN thread t ON t.id = g.thread ORDER BY g.start_ns";

const struct reel_report_section reel_report_sections[] = {
    {"Threads",
     "threads",
     threads_sql,
     {{"thread", "thread", REEL_COLUMN_TEXT},
      {"pid", "pid", REEL_COLUMN_TEXT},
      {"life", "life_ns", REEL_COLUMN_DURATION},
      {"running", "running", REEL_COLUMN_SHARE},
      {"runnable", "runnable", REEL_COLUMN_SHARE},
      {"lock", "lock_wait", REEL_COLUMN_SHARE},
      {"others", "order_wait", REEL_COLUMN_SHARE},
      {"i/o", "io_wait", REEL_COLUMN_SHARE},
      {"idle", "idle", REEL_COLUMN_SHARE},
      {"waits most for", "waits_most_for", REEL_COLUMN_TEXT}}},
    {"Locks",
     "locks",
     locks_sql,
     {{"lock", "lock", REEL_COLUMN_TEXT},
      {"kind", "class", REEL_COLUMN_TEXT},
      {"taken", "acquisitions", REEL_COLUMN_NUMBER},
      {"waited", "contended", REEL_COLUMN_SHARE},
      {"wait", "wait_ns", REEL_COLUMN_DURATION},
      {"longest", "longest_wait_ns", REEL_COLUMN_DURATION},
      {"held", "hold_ns", REEL_COLUMN_DURATION},
      {"longest", "longest_hold_ns", REEL_COLUMN_DURATION},
      {"threads", "threads", REEL_COLUMN_NUMBER},
      {"hand-offs", "handoffs", REEL_COLUMN_NUMBER},
      {"worst site", "worst_site", REEL_COLUMN_TEXT}}},
    {"Queues, pipes, sockets, conditions, semaphores, barriers",
     "waits",
     waits_sql,
     {{"object", "object", REEL_COLUMN_TEXT},
      {"kind", "class", REEL_COLUMN_TEXT},
      {"waits", "waits", REEL_COLUMN_NUMBER},
      {"wait", "wait_ns", REEL_COLUMN_DURATION},
      {"longest", "longest_wait_ns", REEL_COLUMN_DURATION},
      {"threads", "threads", REEL_COLUMN_NUMBER},
      {"capacity", "capacity", REEL_COLUMN_NUMBER}}},
    {"Event loops",
     "loops",
     loops_sql,
     {{"loop", "loop", REEL_COLUMN_TEXT},
      {"thread", "thread", REEL_COLUMN_TEXT},
      {"iterations", "iterations", REEL_COLUMN_NUMBER},
      {"waiting", "wait_ns", REEL_COLUMN_DURATION},
      {"callbacks", "callback_ns", REEL_COLUMN_DURATION},
      {"longest", "longest_callback_ns", REEL_COLUMN_DURATION}}},
    {"Processes",
     "processes",
     processes_sql,
     {{"pid", "pid", REEL_COLUMN_TEXT},
      {"command", "command", REEL_COLUMN_TEXT},
      {"life", "life_ns", REEL_COLUMN_DURATION},
      {"threads", "threads", REEL_COLUMN_NUMBER},
      {"exit", "exit", REEL_COLUMN_TEXT},
      {"note", "note", REEL_COLUMN_TEXT}}},
    {"Gaps in the recording",
     "gaps",
     gaps_sql,
     {{"thread", "thread", REEL_COLUMN_TEXT},
      {"from", "start_ns", REEL_COLUMN_DURATION},
      {"for", "length_ns", REEL_COLUMN_DURATION},
      {"events", "lost", REEL_COLUMN_NUMBER},
      {"why", "reason", REEL_COLUMN_TEXT}}},
    {.title = NULL},
};

struct reel_table *reel_report_table(struct reel_trace *trace,
                                     const struct reel_report_section *section, int rows,
                                     unsigned *left_out, struct reel_error *error)
{
    sqlite3 *database = reel_trace_database(trace);
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(database, section->sql, -1, &statement, NULL) != SQLITE_OK) {
        reel_error_set(error, REEL_ERROR_STORE, sqlite3_extended_errcode(database), "%s: %s",
                       reel_trace_path(trace), sqlite3_errmsg(database));
        return NULL;
    }
    unsigned columns = (unsigned)sqlite3_column_count(statement);
    struct reel_table *table = reel_table_new(section->columns, columns);
    *left_out = 0;
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        if (rows > 0 && reel_table_rows(table) >= (unsigned)rows) {
            ++*left_out;
            continue;
        }
        reel_table_row(table);
        for (unsigned k = 0; k < columns; k++) {
            int type = sqlite3_column_type(statement, (int)k);
            if (type == SQLITE_NULL)
                reel_table_none(table);
            else if (section->columns[k].kind == REEL_COLUMN_TEXT)
                reel_table_text(table, (const char *)sqlite3_column_text(statement, (int)k));
            else
                reel_table_number(table, sqlite3_column_int64(statement, (int)k));
        }
    }
    if (code != SQLITE_DONE) {
        reel_error_set(error, REEL_ERROR_STORE, sqlite3_extended_errcode(database), "%s: %s",
                       reel_trace_path(trace), sqlite3_errmsg(database));
        reel_table_free(table);
        table = NULL;
    }
    sqlite3_finalize(statement);
    return table;
}
