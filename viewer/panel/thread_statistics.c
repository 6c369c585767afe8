/* Per thread, and the sum over all: see statistics.h. */
#include <inttypes.h>
#include <string.h>

#include "viewer/panel/row.h"
#include "viewer/panel/statistics.h"

struct thread_sum {
    double role_ns[REEL_STATE_ROLE_COUNT], wait_ns, longest_ns;
    guint64 waits;
};

struct reel_statistics_request *reel_statistics_request_new(uint64_t from_ns, uint64_t to_ns,
                                                            gboolean is_whole)
{
    struct reel_statistics_request *request = g_new0(struct reel_statistics_request, 1);
    request->from_ns = from_ns;
    request->to_ns = MAX(to_ns, from_ns + 1);
    request->is_whole = is_whole;
    return request;
}

void reel_statistics_bind(sqlite3_stmt *statement, const struct reel_statistics_request *request)
{
    sqlite3_bind_int64(statement, 1, (int64_t)MIN(request->from_ns, (uint64_t)INT64_MAX));
    sqlite3_bind_int64(statement, 2, (int64_t)MIN(request->to_ns, (uint64_t)INT64_MAX));
}

/* thread → struct thread_sum. Whole traces have these sums ready. */
static GHashTable *sum_states(struct reel_query *query,
                              const struct reel_statistics_request *request)
{
    sqlite3_stmt *row = reel_query_prepare(
        query, request->is_whole
                   ? "SELECT thread, state, count, total_ns, longest_ns FROM thread_state"
                   : "SELECT thread, state, count(*), "
                     "sum(min(end_ns, ?2) - max(start_ns, ?1)), "
                     "max(min(end_ns, ?2) - max(start_ns, ?1)) FROM interval "
                     "WHERE start_ns < ?2 AND end_ns > ?1 GROUP BY thread, state");
    if (!row)
        return NULL;
    if (!request->is_whole)
        reel_statistics_bind(row, request);
    GHashTable *sums = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    while (reel_query_step(query, row)) {
        enum reel_state state;
        gpointer thread = GUINT_TO_POINTER((guint)sqlite3_column_int64(row, 0));
        const char *name = (const char *)sqlite3_column_text(row, 1);
        if (!name || !reel_state_parse(name, &state))
            continue;
        struct thread_sum *sum = g_hash_table_lookup(sums, thread);
        if (!sum) {
            sum = g_new0(struct thread_sum, 1);
            g_hash_table_insert(sums, thread, sum);
        }
        double total = (double)sqlite3_column_int64(row, 3);
        sum->role_ns[reel_state_role(state)] += total;
        if (reel_state_waits(state)) {
            sum->wait_ns += total;
            sum->waits += (guint64)sqlite3_column_int64(row, 2);
            sum->longest_ns = MAX(sum->longest_ns, (double)sqlite3_column_int64(row, 4));
        }
    }
    sqlite3_finalize(row);
    return sums;
}

/* thread → what it waits most for, as text. */
static GHashTable *most_waited_for(struct reel_query *query,
                                   const struct reel_statistics_request *request)
{
    sqlite3_stmt *row = reel_query_prepare(
        query, request->is_whole
                   ? "SELECT w.thread, coalesce(o.name, c.name), max(w.total_ns) FROM thread_wait w"
                     " JOIN object o ON o.id = w.object JOIN class c ON c.id = o.class "
                     "GROUP BY w.thread"
                   : "SELECT w.thread, coalesce(o.name, c.name), max(w.total) FROM "
                     "(SELECT thread, object, sum(min(end_ns, ?2) - max(start_ns, ?1)) AS total "
                     "FROM interval WHERE start_ns < ?2 AND end_ns > ?1 AND object IS NOT NULL "
                     "GROUP BY thread, object) w JOIN object o ON o.id = w.object "
                     "JOIN class c ON c.id = o.class GROUP BY w.thread");
    if (!row)
        return NULL;
    if (!request->is_whole)
        reel_statistics_bind(row, request);
    GHashTable *names = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    while (reel_query_step(query, row))
        g_hash_table_insert(names, GUINT_TO_POINTER((guint)sqlite3_column_int64(row, 0)),
                            reel_query_text(row, 1));
    sqlite3_finalize(row);
    return names;
}

static const char select_threads[] =
    "SELECT t.id, coalesce(t.name, 'thread ' || t.id), p.pid, t.start_ns, "
    "coalesce(t.end_ns, ?2), t.cpu_ns FROM thread t JOIN process p ON p.id = t.process "
    "WHERE t.start_ns < ?2 AND coalesce(t.end_ns, ?2) > ?1 ORDER BY t.id";

static ReelRow *thread_row(sqlite3_stmt *from, const struct reel_statistics_request *request,
                           const struct thread_sum *sum, const char *most)
{
    static const struct thread_sum nothing;
    if (!sum)
        sum = &nothing;
    ReelRow *row = reel_row_new(REEL_THREAD_COLUMNS);
    row->thread = (uint32_t)sqlite3_column_int64(from, 0);
    reel_row_identify(row, "%u", row->thread);
    uint64_t start = (uint64_t)sqlite3_column_int64(from, 3);
    uint64_t end = (uint64_t)sqlite3_column_int64(from, 4);
    uint64_t inside_from = MAX(start, request->from_ns), inside_to = MIN(end, request->to_ns);
    double life = inside_to > inside_from ? (double)(inside_to - inside_from) : 1;
    double shares[REEL_STATE_ROLE_COUNT];
    for (unsigned role = 0; role < REEL_STATE_ROLE_COUNT; role++)
        shares[role] = MIN(sum->role_ns[role] / life, 1.0);
    reel_row_take_text(row, REEL_THREAD_NAME, reel_query_text(from, 1));
    reel_row_set_number(row, REEL_THREAD_PROCESS, (double)sqlite3_column_int64(from, 2));
    reel_row_set_shares(row, REEL_THREAD_STATES, shares, REEL_STATE_ROLE_COUNT);
    /* Sorted by what it ran. */
    reel_row_set_number(row, REEL_THREAD_STATES,
                        shares[REEL_STATE_ROLE_RUNNING] + shares[REEL_STATE_ROLE_CALLBACK]);
    reel_row_set_number(row, REEL_THREAD_RUNNING,
                        shares[REEL_STATE_ROLE_RUNNING] + shares[REEL_STATE_ROLE_CALLBACK]);
    reel_row_set_number(row, REEL_THREAD_LOCK,
                        shares[REEL_STATE_ROLE_LOCK] + shares[REEL_STATE_ROLE_GIL]);
    reel_row_set_number(row, REEL_THREAD_ORDER, shares[REEL_STATE_ROLE_ORDER]);
    reel_row_set_number(row, REEL_THREAD_IO, shares[REEL_STATE_ROLE_IO]);
    reel_row_set_number(row, REEL_THREAD_IDLE, shares[REEL_STATE_ROLE_IDLE]);
    reel_row_set_number(row, REEL_THREAD_WAITS, (double)sum->waits);
    if (sum->waits)
        reel_row_set_number(row, REEL_THREAD_LONGEST, sum->longest_ns);
    reel_row_set_text(row, REEL_THREAD_FOR, most ? most : "");
    if (sqlite3_column_type(from, 5) != SQLITE_NULL && request->is_whole)
        reel_row_set_number(row, REEL_THREAD_CPU, (double)sqlite3_column_int64(from, 5));
    reel_row_set_number(row, REEL_THREAD_LIFE, life);
    return row;
}

gpointer reel_thread_statistics_read(struct reel_query *query, gpointer data)
{
    const struct reel_statistics_request *request = data;
    GHashTable *sums = sum_states(query, request);
    GHashTable *most = sums ? most_waited_for(query, request) : NULL;
    sqlite3_stmt *row = most ? reel_query_prepare(query, select_threads) : NULL;
    GPtrArray *rows = NULL;
    if (row) {
        reel_statistics_bind(row, request);
        rows = g_ptr_array_new_with_free_func(g_object_unref);
        while (reel_query_step(query, row)) {
            gpointer thread = GUINT_TO_POINTER((guint)sqlite3_column_int64(row, 0));
            g_ptr_array_add(rows, thread_row(row, request, g_hash_table_lookup(sums, thread),
                                             g_hash_table_lookup(most, thread)));
        }
        sqlite3_finalize(row);
    }
    if (query->error.code)
        g_clear_pointer(&rows, g_ptr_array_unref);
    g_clear_pointer(&sums, g_hash_table_unref);
    g_clear_pointer(&most, g_hash_table_unref);
    return rows;
}

gpointer reel_range_sum_read(struct reel_query *query, gpointer data)
{
    const struct reel_statistics_request *request = data;
    struct reel_range_sum *sum = g_new0(struct reel_range_sum, 1);
    sum->from_ns = request->from_ns;
    sum->to_ns = request->to_ns;
    char *processors = reel_trace_meta(query->trace, "processors");
    sum->processors = processors ? (unsigned)g_ascii_strtoull(processors, NULL, 10) : 0;
    sqlite3_free(processors);
    GHashTable *states = sum_states(query, request);
    if (states) {
        GHashTableIter at;
        gpointer value;
        g_hash_table_iter_init(&at, states);
        while (g_hash_table_iter_next(&at, NULL, &value)) {
            sum->threads++;
            for (unsigned role = 0; role < REEL_STATE_ROLE_COUNT; role++) {
                sum->role_ns[role] += ((struct thread_sum *)value)->role_ns[role];
                sum->alive_ns += ((struct thread_sum *)value)->role_ns[role];
            }
        }
        g_hash_table_unref(states);
    }
    sqlite3_stmt *row = reel_query_prepare(
        query, "SELECT count(*) FROM event WHERE time_ns >= ?1 AND time_ns < ?2");
    if (row) {
        reel_statistics_bind(row, request);
        if (reel_query_step(query, row))
            sum->events = (uint64_t)sqlite3_column_int64(row, 0);
        sqlite3_finalize(row);
    }
    if (query->error.code)
        g_clear_pointer(&sum, g_free);
    return sum;
}

gpointer reel_wait_statistics_read(struct reel_query *query, gpointer data)
{
    const struct reel_statistics_request *request = data;
    g_autoptr(GString) sql = g_string_new(
        "SELECT i.thread, i.start_ns, i.end_ns, i.state, i.object, i.stack, "
        "coalesce(t.name, 'thread ' || t.id), coalesce(o.name, c.name), e.name, s.text, "
        "i.ended_event FROM (SELECT *, min(end_ns, ?2) - max(start_ns, ?1) AS inside "
        "FROM interval WHERE start_ns < ?2 AND end_ns > ?1 AND state IN (");
    const char *separator = "";
    for (unsigned state = 0; state < REEL_STATE_COUNT; state++)
        if (reel_state_waits(state) && reel_state_role(state) != REEL_STATE_ROLE_IDLE) {
            g_string_append_printf(sql, "%s'%s'", separator, reel_state_name(state));
            separator = ",";
        }
    g_string_append_printf(sql,
                           ") ORDER BY inside DESC LIMIT %d) i JOIN thread t ON t.id = i.thread "
                           "LEFT JOIN object o ON o.id = i.object "
                           "LEFT JOIN class c ON c.id = o.class "
                           "LEFT JOIN thread e ON e.id = i.ended_by "
                           "LEFT JOIN stack_site s ON s.stack = i.stack ORDER BY i.inside DESC",
                           REEL_WAITS_MOST);
    sqlite3_stmt *from = reel_query_prepare(query, sql->str);
    if (!from)
        return NULL;
    reel_statistics_bind(from, request);
    GPtrArray *rows = g_ptr_array_new_with_free_func(g_object_unref);
    while (reel_query_step(query, from)) {
        ReelRow *row = reel_row_new(REEL_WAIT_COLUMNS);
        row->thread = (uint32_t)sqlite3_column_int64(from, 0);
        row->time_ns = (uint64_t)sqlite3_column_int64(from, 1);
        row->end_ns = (uint64_t)sqlite3_column_int64(from, 2);
        row->object = (uint32_t)sqlite3_column_int64(from, 4);
        row->stack = (uint32_t)sqlite3_column_int64(from, 5);
        reel_row_identify(row, "%u %" PRIu64, row->thread, row->time_ns);
        reel_row_set_number(row, REEL_WAIT_LENGTH, (double)(row->end_ns - row->time_ns));
        reel_row_take_text(row, REEL_WAIT_THREAD, reel_query_text(from, 6));
        reel_row_take_text(row, REEL_WAIT_STATE, reel_query_text(from, 3));
        reel_row_take_text(row, REEL_WAIT_OBJECT, reel_query_text(from, 7));
        char *ended = reel_query_text(from, 8);
        reel_row_take_text(row, REEL_WAIT_ENDED_BY,
                           ended || sqlite3_column_type(from, 10) != SQLITE_NULL
                               ? ended
                               : g_strdup("nobody, to the end"));
        reel_row_set_number(row, REEL_WAIT_START, (double)row->time_ns);
        reel_row_take_text(row, REEL_WAIT_WHERE, reel_query_text(from, 9));
        g_ptr_array_add(rows, row);
    }
    sqlite3_finalize(from);
    if (query->error.code)
        g_clear_pointer(&rows, g_ptr_array_unref);
    return rows;
}
