/* reel report: where the time went. Per thread, per lock, per queue, per loop, per process. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tracer/commands/command.h"
#include "tracer/commands/output.h"
#include "tracer/commands/report_section.h"
#include "tracer/commands/sealing.h"
#include "tracer/commands/table.h"
#include "tracer/detect/advice.h"
#include "tracer/model/time_text.h"

static double number_of(sqlite3 *database, const char *sql)
{
    sqlite3_stmt *statement;
    double value = 0;
    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK)
        return 0;
    if (sqlite3_step(statement) == SQLITE_ROW)
        value = sqlite3_column_double(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

static void print_head(const struct reel_output *output, struct reel_trace *trace)
{
    sqlite3 *database = reel_trace_database(trace);
    char text[REEL_TIME_TEXT];
    char *command = reel_trace_meta(trace, "command"), *lost = reel_trace_meta(trace, "lost"),
         *scheduling = reel_trace_meta(trace, "scheduling"),
         *processors = reel_trace_meta(trace, "processors");
    double duration = number_of(database, "SELECT max(end_ns) FROM interval");
    fprintf(output->file, "%s%s%s\n", reel_output_style(output, REEL_STYLE_BOLD),
            command ? command : "(unknown program)", reel_output_style(output, REEL_STYLE_PLAIN));
    const double processes = number_of(database, "SELECT count(*) FROM process"),
                 threads = number_of(database, "SELECT count(*) FROM thread");
    fprintf(output->file, "  %s, %.0f process%s, %.0f thread%s, %.0f events",
            reel_duration_text((uint64_t)duration, !output->utf8, text), processes,
            processes == 1 ? "" : "es", threads, threads == 1 ? "" : "s",
            number_of(database, "SELECT count(*) FROM event"));
    if (lost && strcmp(lost, "0") != 0)
        fprintf(output->file, ", %s%s lost%s", reel_output_style(output, REEL_STYLE_BAD), lost,
                reel_output_style(output, REEL_STYLE_PLAIN));
    fputc('\n', output->file);
    double running = number_of(database, "SELECT sum(total_ns) FROM thread_state WHERE state IN "
                                         "('running', 'callback')");
    if (duration > 0)
        fprintf(output->file, "  %.2f threads running on average, on %s processors%s\n",
                running / duration, processors ? processors : "?",
                scheduling && strcmp(scheduling, "recorded") == 0
                    ? ""
                    : " (running includes waiting for a processor: no context switches recorded)");
    sqlite3_free(command);
    sqlite3_free(lost);
    sqlite3_free(scheduling);
    sqlite3_free(processors);
}

/* What follows from all of it. */
static bool tell_advice(const struct reel_output *output, JsonBuilder *builder,
                        struct reel_trace *trace, struct reel_error *error)
{
    char *advice = reel_advice(trace, error);
    if (!advice)
        return false;
    if (builder) {
        json_builder_set_member_name(builder, "advice");
        g_autofree char *valid = g_utf8_make_valid(advice, -1);
        json_builder_add_string_value(builder, valid);
    } else if (*advice) {
        fprintf(output->file, "\n%sAdvice%s\n", reel_output_style(output, REEL_STYLE_BOLD),
                reel_output_style(output, REEL_STYLE_PLAIN));
        g_auto(GStrv) paragraphs = g_strsplit(advice, "\n", -1);
        for (char **paragraph = paragraphs; *paragraph; paragraph++)
            if (**paragraph)
                reel_output_paragraph(output, *paragraph, 2);
    }
    reel_advice_free(advice);
    return true;
}

static int run(const struct reel_command *command, int argc, char **argv)
{
    gboolean json = FALSE;
    int rows = 12;
    const GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON (schema reel.report/1)", NULL},
        {"rows", 'n', 0, G_OPTION_ARG_INT, &rows, "Rows of a table at most (default 12; 0: all)",
         "N"},
        G_OPTION_ENTRY_NULL};
    struct reel_error error = {0};
    struct reel_trace *trace;
    int status = reel_command_open(command, entries, argc, argv, false, &trace);
    if (status >= 0)
        return status;
    struct reel_output output;
    reel_output_open(&output, !json);
    g_autoptr(JsonBuilder) builder = json_builder_new();
    if (json) {
        json_builder_begin_object(builder);
        json_builder_set_member_name(builder, "schema");
        json_builder_add_string_value(builder, "reel.report/1");
        json_builder_set_member_name(builder, "trace");
        json_builder_add_string_value(builder, reel_trace_path(trace));
    } else {
        print_head(&output, trace);
    }
    bool good = true;
    for (unsigned i = 0; good && reel_report_sections[i].title; i++) {
        const struct reel_report_section *section = &reel_report_sections[i];
        unsigned left_out = 0;
        struct reel_table *table =
            reel_report_table(trace, section, json ? 0 : rows, &left_out, &error);
        good = table != NULL;
        if (!good)
            break;
        if (json) {
            json_builder_set_member_name(builder, section->key);
            json_builder_add_value(builder, reel_table_json(table));
        } else if (reel_table_rows(table)) {
            fputc('\n', output.file);
            reel_table_print(table, &output, section->title, 0);
            if (left_out)
                fprintf(output.file, "  %s(%u more: --rows 0)%s\n",
                        reel_output_style(&output, REEL_STYLE_DIM), left_out,
                        reel_output_style(&output, REEL_STYLE_PLAIN));
        }
        reel_table_free(table);
    }
    if (good)
        good = tell_advice(&output, json ? builder : NULL, trace, &error);
    if (json && good) {
        json_builder_end_object(builder);
        g_autoptr(JsonNode) root = json_builder_get_root(builder);
        reel_output_json(&output, root);
    }
    reel_trace_close(trace, NULL);
    bool written = reel_output_close(&output);
    if (!good)
        return reel_command_fail(command, &error);
    return written ? REEL_STATUS_OK : REEL_STATUS_FAILED;
}

const struct reel_command reel_command_report = {
    .name = "report",
    .arguments = "TRACE",
    .summary = "say where the time went: threads, locks, queues, loops, processes",
    .run = run,
};
