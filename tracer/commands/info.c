/* reel info: what a trace is, before looking into it. */
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "tracer/commands/command.h"
#include "tracer/commands/output.h"
#include "tracer/commands/sealing.h"
#include "tracer/commands/table.h"
#include "tracer/model/time_text.h"

static int64_t count(sqlite3 *database, const char *sql)
{
    sqlite3_stmt *statement;
    int64_t value = 0;
    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK)
        return 0;
    if (sqlite3_step(statement) == SQLITE_ROW)
        value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

static void fact(struct reel_table *table, const char *name, const char *value)
{
    if (!value)
        return;
    reel_table_row(table);
    reel_table_text(table, name);
    reel_table_text(table, value);
}

static int run(const struct reel_command *command, int argc, char **argv)
{
    gboolean json = FALSE;
    const GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON (schema reel.info/1)", NULL},
        G_OPTION_ENTRY_NULL};
    int status = reel_command_parse(command, entries, &argc, &argv, false);
    if (status >= 0)
        return status;
    if (argc != 2)
        return reel_command_usage(command, "one trace file is wanted");
    struct reel_error error = {0};
    struct reel_trace *trace = reel_trace_open(argv[1], REEL_TRACE_READ, &error);
    if (!trace)
        return reel_command_fail(command, &error);
    sqlite3 *database = reel_trace_database(trace);
    static const char *const states[] = {"being recorded, or its recorder died",
                                         "recorded, not sealed", "sealed"};
    enum reel_trace_state state = reel_trace_state(trace);
    int64_t events = state == REEL_TRACE_SEALED
                         ? count(database, "SELECT count(*) FROM event")
                         : count(database, "SELECT coalesce(sum(count), 0) FROM chunk");
    struct stat file = {0};
    stat(argv[1], &file);
    struct reel_output output;
    reel_output_open(&output, false);
    if (json) {
        g_autoptr(JsonBuilder) builder = json_builder_new();
        json_builder_begin_object(builder);
        json_builder_set_member_name(builder, "schema");
        json_builder_add_string_value(builder, "reel.info/1");
        json_builder_set_member_name(builder, "state");
        json_builder_add_string_value(builder, state == REEL_TRACE_SEALED   ? "sealed"
                                               : state == REEL_TRACE_CLOSED ? "closed"
                                                                            : "recording");
        const struct {
            const char *name;
            int64_t value;
        } numbers[] = {{"bytes", file.st_size},
                       {"events", events},
                       {"processes", count(database, "SELECT count(*) FROM process")},
                       {"threads", count(database, "SELECT count(*) FROM thread")},
                       {"objects", count(database, "SELECT count(*) FROM object")},
                       {"gaps", count(database, "SELECT count(*) FROM gap")}};
        for (unsigned i = 0; i < G_N_ELEMENTS(numbers); i++) {
            json_builder_set_member_name(builder, numbers[i].name);
            json_builder_add_int_value(builder, numbers[i].value);
        }
        json_builder_set_member_name(builder, "meta");
        json_builder_begin_object(builder);
        sqlite3_stmt *rows;
        if (sqlite3_prepare_v2(database, "SELECT key, value FROM meta", -1, &rows, NULL) ==
            SQLITE_OK) {
            while (sqlite3_step(rows) == SQLITE_ROW) {
                json_builder_set_member_name(builder, (const char *)sqlite3_column_text(rows, 0));
                json_builder_add_string_value(builder, (const char *)sqlite3_column_text(rows, 1));
            }
            sqlite3_finalize(rows);
        }
        json_builder_end_object(builder);
        json_builder_end_object(builder);
        g_autoptr(JsonNode) root = json_builder_get_root(builder);
        reel_output_json(&output, root);
    } else {
        static const struct reel_column columns[] = {{"", "name", REEL_COLUMN_TEXT},
                                                     {"", "value", REEL_COLUMN_TEXT}};
        struct reel_table *table = reel_table_new(columns, 2);
        char buffer[REEL_TIME_TEXT];
        g_autofree char *number = NULL;
        char *value;
        fact(table, "command", value = reel_trace_meta(trace, "command"));
        sqlite3_free(value);
        fact(table, "recorded", value = reel_trace_meta(trace, "recorded_at"));
        sqlite3_free(value);
        value = reel_trace_meta(trace, "duration_ns");
        if (value)
            fact(table, "duration",
                 reel_duration_text(g_ascii_strtoull(value, NULL, 10), !output.utf8, buffer));
        sqlite3_free(value);
        fact(table, "state", states[state]);
        int64_t threads = count(database, "SELECT count(*) FROM thread"),
                processes = count(database, "SELECT count(*) FROM process");
        number = g_strdup_printf("%" PRId64 " in %" PRId64 " thread%s of %" PRId64 " process%s",
                                 events, threads, threads == 1 ? "" : "s", processes,
                                 processes == 1 ? "" : "es");
        fact(table, "events", number);
        g_autofree char *size =
            g_format_size_full((guint64)file.st_size, G_FORMAT_SIZE_LONG_FORMAT);
        fact(table, "file", size);
        fact(table, "events lost", value = reel_trace_meta(trace, "lost"));
        sqlite3_free(value);
        fact(table, "context switches", value = reel_trace_meta(trace, "scheduling"));
        sqlite3_free(value);
        fact(table, "stopped early", value = reel_trace_meta(trace, "stopped"));
        sqlite3_free(value);
        fact(table, "processors", value = reel_trace_meta(trace, "processors"));
        sqlite3_free(value);
        fact(table, "kernel", value = reel_trace_meta(trace, "kernel"));
        sqlite3_free(value);
        reel_table_print(table, &output, NULL, 0);
        reel_table_free(table);
    }
    reel_trace_close(trace, NULL);
    return reel_output_close(&output) ? REEL_STATUS_OK : REEL_STATUS_FAILED;
}

const struct reel_command reel_command_info = {
    .name = "info",
    .arguments = "TRACE",
    .summary = "say what a trace file holds",
    .run = run,
};
