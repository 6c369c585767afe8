/* reel show --at TIME: the world at an instant, as text. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tracer/commands/command.h"
#include "tracer/commands/output.h"
#include "tracer/commands/sealing.h"
#include "tracer/commands/table.h"
#include "tracer/model/instant.h"
#include "tracer/model/time_text.h"

/* Names of threads, objects and stacks, asked one at a time. */
struct naming {
    sqlite3_stmt *thread, *object, *site;
};

static bool naming_open(struct naming *naming, sqlite3 *database)
{
    return sqlite3_prepare_v2(database, "SELECT name FROM thread WHERE id = ?", -1, &naming->thread,
                              NULL) == SQLITE_OK &&
           sqlite3_prepare_v2(database, "SELECT name FROM object WHERE id = ?", -1, &naming->object,
                              NULL) == SQLITE_OK &&
           sqlite3_prepare_v2(database, "SELECT text FROM stack_site WHERE stack = ?", -1,
                              &naming->site, NULL) == SQLITE_OK;
}

static void naming_close(struct naming *naming)
{
    sqlite3_finalize(naming->thread);
    sqlite3_finalize(naming->object);
    sqlite3_finalize(naming->site);
}

static char *ask(sqlite3_stmt *statement, uint32_t id, const char *what)
{
    char *name = NULL;
    sqlite3_bind_int64(statement, 1, id);
    if (id && sqlite3_step(statement) == SQLITE_ROW)
        name = g_strdup((const char *)sqlite3_column_text(statement, 0));
    sqlite3_reset(statement);
    return name ? name : id ? g_strdup_printf("%s %u", what, id) : NULL;
}

static const struct reel_column thread_columns[] = {
    {"thread", "thread", REEL_COLUMN_TEXT},  {"state", "state", REEL_COLUMN_TEXT},
    {"for", "for_ns", REEL_COLUMN_DURATION}, {"waits for", "object", REEL_COLUMN_TEXT},
    {"held by", "holder", REEL_COLUMN_TEXT}, {"ended by", "ended_by", REEL_COLUMN_TEXT},
    {"at", "place", REEL_COLUMN_TEXT},       {"", "thread_id", REEL_COLUMN_TEXT},
};

static struct reel_table *threads_table(const struct reel_instant *instant,
                                        const struct naming *naming, bool ids)
{
    struct reel_table *table =
        reel_table_new(thread_columns, G_N_ELEMENTS(thread_columns) - (ids ? 0 : 1));
    /* Blocked first: that is what somebody looks for. */
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < instant->thread_count; i++) {
            const struct reel_instant_thread *thread = &instant->thread[i];
            if (reel_state_waits(thread->state) != (pass == 0))
                continue;
            g_autofree char *name = ask(naming->thread, thread->thread, "thread");
            g_autofree char *object = ask(naming->object, thread->object, "object");
            g_autofree char *holder = ask(naming->thread, thread->holder, "thread");
            g_autofree char *ended_by = ask(naming->thread, thread->ended_by, "thread");
            g_autofree char *place = ask(naming->site, thread->stack, "stack");
            reel_table_row(table);
            reel_table_text(table, name);
            reel_table_text(table, reel_state_name(thread->state));
            reel_table_number(table, (int64_t)(instant->time_ns - thread->since_ns));
            reel_table_text(table, object);
            reel_table_text(table, holder);
            reel_table_text(table, thread->ended_event               ? ended_by
                                   : reel_state_waits(thread->state) ? "nobody, to the end"
                                                                     : NULL);
            reel_table_text(table, place);
            if (ids)
                reel_table_number(table, thread->thread);
        }
    return table;
}

static struct reel_table *holds_table(const struct reel_instant *instant,
                                      const struct naming *naming)
{
    static const struct reel_column columns[] = {
        {"lock", "lock", REEL_COLUMN_TEXT},         {"held by", "thread", REEL_COLUMN_TEXT},
        {"mode", "mode", REEL_COLUMN_TEXT},         {"for", "for_ns", REEL_COLUMN_DURATION},
        {"waiters", "waiters", REEL_COLUMN_NUMBER}, {"taken at", "place", REEL_COLUMN_TEXT}};
    struct reel_table *table = reel_table_new(columns, G_N_ELEMENTS(columns));
    for (size_t i = 0; i < instant->hold_count; i++) {
        const struct reel_instant_hold *hold = &instant->hold[i];
        size_t waiter[1];
        g_autofree char *lock = ask(naming->object, hold->object, "object");
        g_autofree char *thread = ask(naming->thread, hold->thread, "thread");
        g_autofree char *place = ask(naming->site, hold->stack, "stack");
        reel_table_row(table);
        reel_table_text(table, lock);
        reel_table_text(table, thread);
        reel_table_text(table, hold->shared ? "shared" : "exclusive");
        reel_table_number(table, (int64_t)(instant->time_ns - hold->since_ns));
        reel_table_number(table, (int64_t)reel_instant_waiters(instant, hold->object, waiter, 1));
        reel_table_text(table, place);
    }
    return table;
}

static struct reel_table *edges_table(const struct reel_instant *instant,
                                      const struct naming *naming)
{
    static const struct reel_column columns[] = {{"thread", "from", REEL_COLUMN_TEXT},
                                                 {"waits for", "object", REEL_COLUMN_TEXT},
                                                 {"held by", "to", REEL_COLUMN_TEXT}};
    struct reel_table *table = reel_table_new(columns, G_N_ELEMENTS(columns));
    for (size_t i = 0; i < instant->edge_count; i++) {
        const struct reel_instant_edge *edge = &instant->edge[i];
        g_autofree char *from = ask(naming->thread, edge->from, "thread");
        g_autofree char *object = ask(naming->object, edge->object, "object");
        g_autofree char *to = ask(naming->thread, edge->to, "thread");
        reel_table_row(table);
        reel_table_text(table, from);
        reel_table_text(table, object);
        reel_table_text(table, to);
    }
    return table;
}

static struct reel_table *queues_table(const struct reel_instant *instant,
                                       const struct naming *naming)
{
    static const struct reel_column columns[] = {{"queue", "queue", REEL_COLUMN_TEXT},
                                                 {"depth", "depth", REEL_COLUMN_NUMBER}};
    struct reel_table *table = reel_table_new(columns, G_N_ELEMENTS(columns));
    for (size_t i = 0; i < instant->queue_count; i++) {
        g_autofree char *name = ask(naming->object, instant->queue[i].object, "object");
        reel_table_row(table);
        reel_table_text(table, name);
        reel_table_number(table, instant->queue[i].depth);
    }
    return table;
}

static void show(const struct reel_output *output, const struct reel_instant *instant,
                 const struct naming *naming, bool json)
{
    struct {
        const char *title, *key;
        struct reel_table *table;
    } parts[] = {{"Threads", "threads", threads_table(instant, naming, json)},
                 {"Held locks", "holds", holds_table(instant, naming)},
                 {"Who waits for whom", "wait_for", edges_table(instant, naming)},
                 {"Queues and semaphores", "queues", queues_table(instant, naming)}};
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "schema");
    json_builder_add_string_value(builder, "reel.instant/1");
    json_builder_set_member_name(builder, "time_ns");
    json_builder_add_int_value(builder, (int64_t)instant->time_ns);
    if (!json) {
        char text[REEL_TIME_TEXT];
        fprintf(output->file, "%sAt %s%s\n", reel_output_style(output, REEL_STYLE_BOLD),
                reel_moment_text(instant->time_ns, 1, text),
                reel_output_style(output, REEL_STYLE_PLAIN));
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++) {
        if (json) {
            json_builder_set_member_name(builder, parts[i].key);
            json_builder_add_value(builder, reel_table_json(parts[i].table));
        } else if (reel_table_rows(parts[i].table)) {
            fputc('\n', output->file);
            reel_table_print(parts[i].table, output, parts[i].title, 0);
        }
        reel_table_free(parts[i].table);
    }
    json_builder_end_object(builder);
    if (json) {
        g_autoptr(JsonNode) root = json_builder_get_root(builder);
        reel_output_json(output, root);
    }
}

static int run(const struct reel_command *command, int argc, char **argv)
{
    g_autofree char *at = NULL;
    gboolean json = FALSE;
    const GOptionEntry entries[] = {
        {"at", 0, 0, G_OPTION_ARG_STRING, &at,
         "The instant: 2.03s, 150ms, 41% … (default: the end)", "TIME"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON (schema reel.instant/1)", NULL},
        G_OPTION_ENTRY_NULL};
    struct reel_error error = {0};
    struct reel_trace *trace;
    int status = reel_command_open(command, entries, argc, argv, false, &trace);
    if (status >= 0)
        return status;
    uint64_t end_ns = reel_trace_meta_number(trace, "end_ns");
    uint64_t time_ns = reel_instant_last(trace, end_ns);
    struct reel_instants *instants = NULL;
    const struct reel_instant *instant = NULL;
    struct naming naming = {0};
    struct reel_output output;
    bool good = (!at || reel_moment_parse(at, time_ns, end_ns, &time_ns, &error)) &&
                (instants = reel_instants_new(trace, &error)) &&
                (instant = reel_instants_at(instants, MIN(time_ns, end_ns), &error));
    if (good && !naming_open(&naming, reel_trace_database(trace)))
        good = reel_error_set(&error, REEL_ERROR_STORE, 0, "%s: %s", reel_trace_path(trace),
                              sqlite3_errmsg(reel_trace_database(trace)));
    bool written = true;
    if (good) {
        reel_output_open(&output, !json);
        show(&output, instant, &naming, json);
        written = reel_output_close(&output);
    }
    naming_close(&naming);
    reel_instants_free(instants);
    reel_trace_close(trace, NULL);
    if (!good)
        return reel_command_fail(command, &error);
    return written ? REEL_STATUS_OK : REEL_STATUS_FAILED;
}

const struct reel_command reel_command_show = {
    .name = "show",
    .arguments = "TRACE",
    .summary = "show the state of everything at an instant",
    .run = run,
};
