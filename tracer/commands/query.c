/* reel query: SQL over a trace, for questions that no command answers. Also on unsealed traces. */
#include <stdio.h>
#include <string.h>

#include "tracer/commands/command.h"
#include "tracer/commands/output.h"
#include "tracer/commands/sealing.h"
#include "tracer/commands/table.h"

static void print_csv(const struct reel_output *output, sqlite3_stmt *statement, bool header)
{
    int columns = sqlite3_column_count(statement);
    for (int i = 0; i < columns; i++) {
        const char *text = header ? sqlite3_column_name(statement, i)
                                  : (const char *)sqlite3_column_text(statement, i);
        if (i)
            fputc(',', output->file);
        if (!text)
            continue;
        /* RFC 4180: quotes where needed, doubled inside. */
        if (!strpbrk(text, ",\"\r\n")) {
            fputs(text, output->file);
            continue;
        }
        fputc('"', output->file);
        for (const char *at = text; *at; at++) {
            if (*at == '"')
                fputc('"', output->file);
            fputc(*at, output->file);
        }
        fputc('"', output->file);
    }
    fputs(output->terminal ? "\n" : "\r\n", output->file);
}

static void add_json_row(JsonBuilder *builder, sqlite3_stmt *statement)
{
    json_builder_begin_object(builder);
    for (int i = 0; i < sqlite3_column_count(statement); i++) {
        json_builder_set_member_name(builder, sqlite3_column_name(statement, i));
        switch (sqlite3_column_type(statement, i)) {
        case SQLITE_INTEGER:
            json_builder_add_int_value(builder, sqlite3_column_int64(statement, i));
            break;
        case SQLITE_FLOAT:
            json_builder_add_double_value(builder, sqlite3_column_double(statement, i));
            break;
        case SQLITE_NULL:
            json_builder_add_null_value(builder);
            break;
        default: {
            g_autofree char *text =
                g_utf8_make_valid((const char *)sqlite3_column_text(statement, i), -1);
            json_builder_add_string_value(builder, text);
        }
        }
    }
    json_builder_end_object(builder);
}

static bool print_rows(const struct reel_output *output, sqlite3_stmt *statement,
                       const char *format)
{
    int code;
    if (strcmp(format, "csv") == 0) {
        print_csv(output, statement, true);
        while ((code = sqlite3_step(statement)) == SQLITE_ROW)
            print_csv(output, statement, false);
    } else if (strcmp(format, "json") == 0) {
        g_autoptr(JsonBuilder) builder = json_builder_new();
        json_builder_begin_array(builder);
        while ((code = sqlite3_step(statement)) == SQLITE_ROW)
            add_json_row(builder, statement);
        json_builder_end_array(builder);
        g_autoptr(JsonNode) root = json_builder_get_root(builder);
        reel_output_json(output, root);
    } else {
        int count = sqlite3_column_count(statement);
        g_autofree struct reel_column *columns = g_new0(struct reel_column, count);
        struct reel_table *table = NULL;
        while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
            if (!table) {
                for (int i = 0; i < count; i++)
                    columns[i] = (struct reel_column){
                        sqlite3_column_name(statement, i), sqlite3_column_name(statement, i),
                        sqlite3_column_type(statement, i) == SQLITE_INTEGER ? REEL_COLUMN_NUMBER
                                                                            : REEL_COLUMN_TEXT};
                table = reel_table_new(columns, (unsigned)count);
            }
            reel_table_row(table);
            for (int i = 0; i < count; i++)
                reel_table_text(table, (const char *)sqlite3_column_text(statement, i));
        }
        if (table)
            reel_table_print(table, output, NULL, 0);
        reel_table_free(table);
    }
    return code == SQLITE_DONE;
}

static int run(const struct reel_command *command, int argc, char **argv)
{
    g_autofree char *format = NULL;
    gboolean json = FALSE;
    const GOptionEntry entries[] = {
        {"format", 'f', 0, G_OPTION_ARG_STRING, &format, "table (default), json or csv", "FORMAT"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, "The same as --format json", NULL},
        G_OPTION_ENTRY_NULL};
    int status = reel_command_parse(command, entries, &argc, &argv, false);
    if (status >= 0)
        return status;
    if (argc != 3)
        return reel_command_usage(command, "a trace file and one SQL statement are wanted");
    const char *chosen = json ? "json" : format ? format : "table";
    if (strcmp(chosen, "table") && strcmp(chosen, "json") && strcmp(chosen, "csv"))
        return reel_command_usage(command, "there is no format '%s'", chosen);
    struct reel_error error = {0};
    struct reel_trace *trace = reel_trace_open_for_reading(argv[1], true, &error);
    if (!trace)
        return reel_command_fail(command, &error);
    sqlite3 *database = reel_trace_database(trace);
    sqlite3_stmt *statement = NULL;
    const char *rest = "";
    bool good = false;
    struct reel_output output;
    reel_output_open(&output, true);
    if (sqlite3_prepare_v2(database, argv[2], -1, &statement, &rest) != SQLITE_OK) {
        reel_error_set(&error, REEL_ERROR_USAGE, 0, "SQL: %s", sqlite3_errmsg(database));
        reel_error_hint(&error, "Tables and columns: reel-schema(5).");
    } else if (!statement) {
        reel_error_set(&error, REEL_ERROR_USAGE, 0, "SQL: there is no statement");
    } else if (!sqlite3_stmt_readonly(statement)) {
        reel_error_set(&error, REEL_ERROR_USAGE, 0, "SQL: only reading is allowed here");
        reel_error_hint(&error, "To change a trace, use sqlite3 on a copy.");
    } else if (rest[strspn(rest, " \t\r\n;")]) {
        reel_error_set(&error, REEL_ERROR_USAGE, 0, "SQL: one statement at a time");
    } else if (!print_rows(&output, statement, chosen)) {
        reel_error_set(&error, REEL_ERROR_STORE, sqlite3_extended_errcode(database), "SQL: %s",
                       sqlite3_errmsg(database));
    } else {
        good = true;
    }
    sqlite3_finalize(statement);
    reel_trace_close(trace, NULL);
    bool written = reel_output_close(&output);
    if (!good)
        return reel_command_fail(command, &error);
    return written ? REEL_STATUS_OK : REEL_STATUS_FAILED;
}

const struct reel_command reel_command_query = {
    .name = "query",
    .arguments = "TRACE SQL",
    .summary = "ask a trace in SQL",
    .description = "Examples:\n"
                   "  reel query t.reel 'SELECT name, start_ns, end_ns FROM thread'\n"
                   "  reel query t.reel \"SELECT * FROM event_named WHERE object = 'cache_lock'\"\n"
                   "Tables and columns are described in reel-schema(5).\n",
    .run = run,
};
