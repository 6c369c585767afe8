/* reel events: the events of a trace, one a line, in exact order. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tracer/commands/command.h"
#include "tracer/commands/output.h"
#include "tracer/commands/sealing.h"
#include "tracer/commands/table.h"
#include "tracer/model/event_text.h"
#include "tracer/model/filter.h"
#include "tracer/model/state.h"
#include "tracer/model/time_text.h"

static const char select_events[] =
    "SELECT e.time_ns, t.id, coalesce(t.name, 'thread ' || t.id), p.pid, e.operation, op.name, "
    "c.name, o.name, e.argument, e.flags, f.function, f.file, f.line, "
    "(SELECT group_concat(value, ' ') FROM event_extra x WHERE x.event = e.time_ns), e.object "
    "FROM " REEL_FILTER_EVENTS_FROM " WHERE ";

static void print_event(const struct reel_output *output, sqlite3_stmt *row, bool several)
{
    g_autoptr(GString) detail = g_string_new(NULL);
    unsigned operation = (unsigned)sqlite3_column_int(row, 4);
    reel_event_text_argument(detail, operation, sqlite3_column_int64(row, 8));
    reel_event_text_flags(detail, (unsigned)sqlite3_column_int(row, 9));
    const char *object = (const char *)sqlite3_column_text(row, 7);
    const char *function = (const char *)sqlite3_column_text(row, 10);
    const char *file = (const char *)sqlite3_column_text(row, 11);
    const char *extra = (const char *)sqlite3_column_text(row, 13);
    if ((operation == REEL_OP_READ || operation == REEL_OP_WRITE) &&
        reel_event_text_access(detail, extra))
        extra = NULL;
    if (several)
        fprintf(output->file, "%7d ", sqlite3_column_int(row, 3));
    g_autofree char *unnamed =
        sqlite3_column_int64(row, 14)
            ? g_strdup_printf("#%" PRId64, (int64_t)sqlite3_column_int64(row, 14))
            : g_strdup("");
    fprintf(output->file, "%14.9f  %-16s %s%-12s%s %-10s %-24s %s",
            (double)sqlite3_column_int64(row, 0) / 1e9, sqlite3_column_text(row, 2),
            reel_output_style(output, REEL_STYLE_BOLD), sqlite3_column_text(row, 5),
            reel_output_style(output, REEL_STYLE_PLAIN), sqlite3_column_text(row, 6),
            object ? object : unnamed, detail->str);
    if (extra && *extra)
        fprintf(output->file, " [%s]", extra);
    if (function) {
        fprintf(output->file, "  %s%s", reel_output_style(output, REEL_STYLE_DIM), function);
        if (file) {
            g_autofree char *base = g_path_get_basename(file);
            fprintf(output->file, " (%s:%d)", base, sqlite3_column_int(row, 12));
        }
        fputs(reel_output_style(output, REEL_STYLE_PLAIN), output->file);
    }
    fputc('\n', output->file);
}

static void print_json(const struct reel_output *output, sqlite3_stmt *row)
{
    static const char *const names[] = {"time_ns",   "thread_id", "thread", "pid",      NULL,
                                        "operation", "class",     "object", "argument", "flags",
                                        "function",  "file",      "line",   "extra"};
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        if (!names[i] || sqlite3_column_type(row, (int)i) == SQLITE_NULL)
            continue;
        json_builder_set_member_name(builder, names[i]);
        if (sqlite3_column_type(row, (int)i) == SQLITE_INTEGER)
            json_builder_add_int_value(builder, sqlite3_column_int64(row, (int)i));
        else {
            g_autofree char *text =
                g_utf8_make_valid((const char *)sqlite3_column_text(row, (int)i), -1);
            json_builder_add_string_value(builder, text);
        }
    }
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autoptr(JsonGenerator) generator = json_generator_new();
    json_generator_set_root(generator, root);
    g_autofree char *text = json_generator_to_data(generator, NULL);
    fprintf(output->file, "%s\n", text);
}

static int run(const struct reel_command *command, int argc, char **argv)
{
    g_autofree char *filter_text = NULL;
    gboolean json = FALSE;
    gint64 limit = 0;
    const GOptionEntry entries[] = {
        {"filter", 'f', 0, G_OPTION_ARG_STRING, &filter_text,
         "Only events that match, as thread:worker* lock:cache op:acquire at:1s..2s", "FILTER"},
        {"limit", 'n', 0, G_OPTION_ARG_INT64, &limit, "At most so many", "N"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, "One JSON object a line", NULL},
        G_OPTION_ENTRY_NULL};
    struct reel_error error = {0};
    struct reel_trace *trace;
    int status = reel_command_open(command, entries, argc, argv, true, &trace);
    if (status >= 0)
        return status;
    uint64_t end_ns = reel_trace_meta_number(trace, "duration_ns");
    sqlite3 *database = reel_trace_database(trace);
    sqlite3_stmt *rows = NULL;
    g_autoptr(GString) sql = g_string_new(select_events);
    struct reel_filter *filter = reel_filter_parse(filter_text ? filter_text : "", end_ns, &error);
    bool good = filter && reel_filter_sql(filter, REEL_FILTER_EVENTS, sql, &error);
    if (good) {
        g_string_append_printf(sql, " ORDER BY e.time_ns LIMIT %" PRId64,
                               limit > 0 ? (int64_t)limit : -1);
        good = sqlite3_prepare_v2(database, sql->str, -1, &rows, NULL) == SQLITE_OK;
        if (!good)
            reel_error_set(&error, REEL_ERROR_STORE, sqlite3_extended_errcode(database), "%s: %s",
                           reel_trace_path(trace), sqlite3_errmsg(database));
    }
    struct reel_output output;
    reel_output_open(&output, good);
    if (good) {
        sqlite3_stmt *processes;
        bool several = false;
        if (sqlite3_prepare_v2(database, "SELECT count(DISTINCT pid) > 1 FROM process", -1,
                               &processes, NULL) == SQLITE_OK) {
            several = sqlite3_step(processes) == SQLITE_ROW && sqlite3_column_int(processes, 0);
            sqlite3_finalize(processes);
        }
        reel_filter_bind(filter, rows);
        int code;
        while ((code = sqlite3_step(rows)) == SQLITE_ROW && !ferror(output.file)) {
            if (json)
                print_json(&output, rows);
            else
                print_event(&output, rows, several);
        }
        good = code == SQLITE_DONE || ferror(output.file);
        if (!good)
            reel_error_set(&error, REEL_ERROR_STORE, sqlite3_extended_errcode(database), "%s: %s",
                           reel_trace_path(trace), sqlite3_errmsg(database));
    }
    sqlite3_finalize(rows);
    reel_filter_free(filter);
    reel_trace_close(trace, NULL);
    bool written = reel_output_close(&output);
    if (!good)
        return reel_command_fail(command, &error);
    return written ? REEL_STATUS_OK : REEL_STATUS_FAILED;
}

const struct reel_command reel_command_events = {
    .name = "events",
    .arguments = "TRACE",
    .summary = "list the events of a trace",
    .description =
        "A filter is a list of terms that must all hold; '-' before one turns it round:\n"
        "  thread:worker*  process:4711  object:NAME  lock:NAME  queue:NAME  op:acquire\n"
        "  class:mutex  func:main  file:bank.c  at:2.0s..2.1s  or a plain word\n",
    .run = run,
};
