/* reel timeline: the threads' states over time, in characters: for terminals and CI logs.
 *
 * A column stands for a stretch of time; its character is the state that filled most of it. Two
 * things never vanish by rounding: a wait for a held lock, and a gap in the recording. Where one is
 * there but does not fill most of the column, its small character is shown. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tracer/commands/command.h"
#include "tracer/commands/output.h"
#include "tracer/commands/sealing.h"
#include "tracer/model/filter.h"
#include "tracer/model/state.h"
#include "tracer/model/time_text.h"

static const struct {
    const char *utf8, *ascii, *color, *meaning;
} marks[REEL_STATE_ROLE_COUNT] = {
    [REEL_STATE_ROLE_RUNNING] = {"█", "#", "\033[32m", "running"},
    [REEL_STATE_ROLE_RUNNABLE] = {"▒", "+", "\033[36m", "waits for a processor"},
    [REEL_STATE_ROLE_LOCK] = {"▚", "L", "\033[31m", "waits for a held lock"},
    [REEL_STATE_ROLE_ORDER] = {"▁", "-", "\033[33m", "waits for another's work"},
    [REEL_STATE_ROLE_GIL] = {"╳", "G", "\033[35m", "waits for a global lock"},
    [REEL_STATE_ROLE_IO] = {"▂", "i", "\033[94m", "in i/o"},
    [REEL_STATE_ROLE_CALLBACK] = {"▓", "@", "\033[34m", "runs a callback"},
    [REEL_STATE_ROLE_IDLE] = {"·", ".", "\033[2m", "idle"},
    [REEL_STATE_ROLE_GAP] = {"?", "?", "\033[7m", "not recorded"},
};

/* A column in which a lock wait or a gap is not the most: [busy][gap]. */
static const struct {
    const char *utf8, *ascii;
} mixed[2][2] = {{{"▖", "l"}, {"¿", "?"}}, {{"▙", "h"}, {"¿", "?"}}};

struct lane {
    uint32_t thread;
    char *name;
    double (*share)[REEL_STATE_ROLE_COUNT]; /* of each column */
};

static void lane_clear(gpointer data)
{
    struct lane *lane = data;
    g_free(lane->name);
    g_free(lane->share);
}

struct view {
    uint64_t from_ns, to_ns;
    unsigned columns;
    GArray *lanes;
};

static void add(struct view *view, struct lane *lane, uint64_t start, uint64_t end,
                enum reel_state_role role)
{
    start = MAX(start, view->from_ns);
    end = MIN(end, view->to_ns);
    if (end <= start)
        return;
    double step = (double)(view->to_ns - view->from_ns) / view->columns;
    unsigned first = (unsigned)((double)(start - view->from_ns) / step);
    for (unsigned i = first; i < view->columns; i++) {
        double left = MAX((double)(start - view->from_ns), i * step);
        double right = MIN((double)(end - view->from_ns), (i + 1) * step);
        if (right <= left) {
            if (i > first)
                break;
            continue;
        }
        lane->share[i][role] += (right - left) / step;
    }
}

static bool load(struct view *view, sqlite3 *database, const struct reel_filter *filter,
                 struct reel_error *error)
{
    g_autoptr(GString) sql = g_string_new(
        "SELECT i.thread, coalesce(t.name, 'thread ' || t.id), p.pid, i.start_ns, i.end_ns, "
        "i.state, (SELECT count(DISTINCT pid) FROM process) FROM interval i "
        "JOIN thread t ON t.id = i.thread JOIN process p ON p.id = t.process "
        "LEFT JOIN object o ON o.id = i.object LEFT JOIN stack s ON s.id = i.stack "
        "LEFT JOIN frame f ON f.id = coalesce(s.site, s.frame) WHERE ");
    if (!reel_filter_sql(filter, REEL_FILTER_INTERVALS, sql, error))
        return false;
    g_string_append_printf(sql,
                           " AND i.end_ns > %" PRIu64 " AND i.start_ns < %" PRIu64
                           " ORDER BY t.process, i.thread, i.start_ns",
                           view->from_ns, view->to_ns);
    sqlite3_stmt *rows;
    if (sqlite3_prepare_v2(database, sql->str, -1, &rows, NULL) != SQLITE_OK)
        return reel_error_set(error, REEL_ERROR_STORE, sqlite3_extended_errcode(database), "%s",
                              sqlite3_errmsg(database));
    reel_filter_bind(filter, rows);
    struct lane *lane = NULL;
    while (sqlite3_step(rows) == SQLITE_ROW) {
        uint32_t thread = (uint32_t)sqlite3_column_int64(rows, 0);
        enum reel_state state;
        if (!lane || lane->thread != thread) {
            struct lane fresh = {.thread = thread,
                                 .name = sqlite3_column_int(rows, 6) > 1
                                             ? g_strdup_printf("%d %s", sqlite3_column_int(rows, 2),
                                                               sqlite3_column_text(rows, 1))
                                             : g_strdup((const char *)sqlite3_column_text(rows, 1)),
                                 .share = g_malloc0_n(view->columns, sizeof *fresh.share)};
            g_array_append_val(view->lanes, fresh);
            lane = &g_array_index(view->lanes, struct lane, view->lanes->len - 1);
        }
        if (reel_state_parse((const char *)sqlite3_column_text(rows, 5), &state))
            add(view, lane, (uint64_t)sqlite3_column_int64(rows, 3),
                (uint64_t)sqlite3_column_int64(rows, 4), reel_state_role(state));
    }
    sqlite3_finalize(rows);
    return true;
}

static void print_column(const struct reel_output *output,
                         const double share[REEL_STATE_ROLE_COUNT])
{
    static const enum reel_state_role never_lost[] = {REEL_STATE_ROLE_GAP, REEL_STATE_ROLE_LOCK,
                                                      REEL_STATE_ROLE_GIL};
    unsigned most = 0;
    for (unsigned role = 1; role < REEL_STATE_ROLE_COUNT; role++)
        if (share[role] > share[most])
            most = role;
    if (share[most] <= 0) {
        fputc(' ', output->file);
        return;
    }
    const char *mark = output->utf8 ? marks[most].utf8 : marks[most].ascii;
    bool busy = most == REEL_STATE_ROLE_RUNNING || most == REEL_STATE_ROLE_CALLBACK ||
                most == REEL_STATE_ROLE_RUNNABLE;
    for (unsigned i = 0; i < G_N_ELEMENTS(never_lost); i++)
        if (share[never_lost[i]] > 0 && never_lost[i] != most) {
            bool gap = never_lost[i] == REEL_STATE_ROLE_GAP;
            mark = output->utf8 ? mixed[busy][gap].utf8 : mixed[busy][gap].ascii;
            most = never_lost[i];
            break;
        }
    if (output->color)
        fprintf(output->file, "%s%s\033[0m", marks[most].color, mark);
    else
        fputs(mark, output->file);
}

static void print(const struct reel_output *output, const struct view *view, int name_width)
{
    char from[REEL_TIME_TEXT], to[REEL_TIME_TEXT], step[REEL_TIME_TEXT];
    bool used[REEL_STATE_ROLE_COUNT] = {false};
    uint64_t width = view->to_ns - view->from_ns;
    reel_moment_text(view->from_ns, width / view->columns, from);
    reel_moment_text(view->to_ns, width / view->columns, to);
    fprintf(output->file, "%*s  %s%*s\n", name_width, "", from,
            MAX(1, (int)view->columns - (int)strlen(from)), to);
    for (guint i = 0; i < view->lanes->len; i++) {
        const struct lane *lane = &g_array_index(view->lanes, struct lane, i);
        int columns = reel_text_columns(lane->name);
        fprintf(output->file, "%.*s%*s  ", name_width, lane->name, MAX(0, name_width - columns),
                "");
        for (unsigned k = 0; k < view->columns; k++) {
            print_column(output, lane->share[k]);
            for (unsigned role = 0; role < REEL_STATE_ROLE_COUNT; role++)
                used[role] |= lane->share[k][role] > 0;
        }
        fputc('\n', output->file);
    }
    fprintf(output->file, "%*s  one column: %s\n%*s ", name_width, "",
            reel_duration_text(width / view->columns, !output->utf8, step), name_width, "");
    for (unsigned role = 0; role < REEL_STATE_ROLE_COUNT; role++)
        if (used[role])
            fprintf(output->file, " %s%s%s %s ", output->color ? marks[role].color : "",
                    output->utf8 ? marks[role].utf8 : marks[role].ascii,
                    output->color ? "\033[0m" : "", marks[role].meaning);
    fputc('\n', output->file);
}

static int run(const struct reel_command *command, int argc, char **argv)
{
    g_autofree char *from = NULL, *to = NULL, *filter_text = NULL;
    int width = 0;
    const GOptionEntry entries[] = {
        {"from", 0, 0, G_OPTION_ARG_STRING, &from, "Begin here", "TIME"},
        {"to", 0, 0, G_OPTION_ARG_STRING, &to, "End here", "TIME"},
        {"filter", 'f', 0, G_OPTION_ARG_STRING, &filter_text,
         "Only what matches, as thread:worker* -state:idle", "FILTER"},
        {"width", 'w', 0, G_OPTION_ARG_INT, &width, "Columns (default: the terminal's)", "N"},
        G_OPTION_ENTRY_NULL};
    struct reel_error error = {0};
    struct reel_trace *trace;
    int status = reel_command_open(command, entries, argc, argv, false, &trace);
    if (status >= 0)
        return status;
    struct reel_output output;
    reel_output_open(&output, true);
    sqlite3 *database = reel_trace_database(trace);
    sqlite3_stmt *bounds;
    struct view view = {.lanes = g_array_new(FALSE, TRUE, sizeof(struct lane))};
    g_array_set_clear_func(view.lanes, lane_clear);
    uint64_t end_ns = 0;
    if (sqlite3_prepare_v2(database, "SELECT min(start_ns), max(end_ns) FROM interval", -1, &bounds,
                           NULL) == SQLITE_OK) {
        if (sqlite3_step(bounds) == SQLITE_ROW) {
            view.from_ns = (uint64_t)sqlite3_column_int64(bounds, 0);
            view.to_ns = end_ns = (uint64_t)sqlite3_column_int64(bounds, 1);
        }
        sqlite3_finalize(bounds);
    }
    struct reel_filter *filter = reel_filter_parse(filter_text ? filter_text : "", end_ns, &error);
    bool good = filter && (!from || reel_moment_parse(from, 0, end_ns, &view.from_ns, &error)) &&
                (!to || reel_moment_parse(to, 0, end_ns, &view.to_ns, &error));
    if (good && view.to_ns <= view.from_ns && end_ns)
        good = reel_error_set(&error, REEL_ERROR_USAGE, 0, "the end is not after the beginning");
    const int name_width = 20;
    view.columns = (unsigned)CLAMP((width > 0 ? width : output.width) - name_width - 2, 10, 2000);
    good = good && load(&view, database, filter, &error);
    if (good) {
        if (view.lanes->len == 0)
            fputs("Nothing to show: no thread has a state in that range.\n", output.file);
        else
            print(&output, &view, name_width);
    }
    reel_filter_free(filter);
    g_array_free(view.lanes, TRUE);
    reel_trace_close(trace, NULL);
    bool written = reel_output_close(&output);
    if (!good)
        return reel_command_fail(command, &error);
    return written ? REEL_STATUS_OK : REEL_STATUS_FAILED;
}

const struct reel_command reel_command_timeline = {
    .name = "timeline",
    .arguments = "TRACE",
    .summary = "draw the threads' states over time, in characters",
    .run = run,
};
