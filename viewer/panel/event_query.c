#include "viewer/panel/event_query.h"

#include "tracer/model/event_text.h"
#include "tracer/model/filter.h"
#include "viewer/panel/row.h"

#define TELL_EVERY 131072u /* events between two parts of the index */

struct reel_event_request *reel_event_request_new(const char *filter, uint64_t end_ns)
{
    struct reel_event_request *request = g_new0(struct reel_event_request, 1);
    request->filter = g_strdup(filter ? filter : "");
    request->end_ns = end_ns;
    return request;
}

void reel_event_request_free(gpointer data)
{
    struct reel_event_request *request = data;
    g_free(request->filter);
    if (request->times)
        g_array_unref(request->times);
    g_free(request);
}

void reel_event_index_free(gpointer data)
{
    struct reel_event_index *index = data;
    g_array_unref(index->first);
    g_array_unref(index->exact);
    g_free(index);
}

void reel_event_rows_free(gpointer data)
{
    struct reel_event_rows *rows = data;
    g_ptr_array_unref(rows->rows);
    g_free(rows);
}

/* "head WHERE the filter AND tail", prepared and bound. NULL and an error otherwise. */
static sqlite3_stmt *prepare_filtered(struct reel_query *query,
                                      const struct reel_event_request *request, const char *head,
                                      const char *tail)
{
    struct reel_filter *filter = reel_filter_parse(request->filter, request->end_ns, &query->error);
    sqlite3_stmt *statement = NULL;
    g_autoptr(GString) sql = g_string_new(head);
    g_string_append(sql, " WHERE ");
    if (filter && reel_filter_sql(filter, REEL_FILTER_EVENTS, sql, &query->error)) {
        g_string_append(sql, tail);
        statement = reel_query_prepare(query, sql->str);
    }
    if (statement) {
        /* Bound texts live as long as the filter, which goes first: write them into the SQL. */
        reel_filter_bind(filter, statement);
        char *expanded = sqlite3_expanded_sql(statement);
        sqlite3_finalize(statement);
        statement = expanded ? reel_query_prepare(query, expanded) : NULL;
        sqlite3_free(expanded);
    }
    reel_filter_free(filter);
    return statement;
}

static struct reel_event_index *index_new(guint64 count)
{
    struct reel_event_index *index = g_new0(struct reel_event_index, 1);
    index->first = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    index->exact = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    index->count = count;
    return index;
}

gpointer reel_event_index_read(struct reel_query *query, gpointer data)
{
    const struct reel_event_request *request = data;
    bool filtered = *request->filter != '\0';
    sqlite3_stmt *row = filtered ? prepare_filtered(query, request, "SELECT e.time_ns FROM event e",
                                                    " ORDER BY e.time_ns")
                                 : reel_query_prepare(query, "SELECT time_ns FROM event ORDER BY "
                                                             "time_ns");
    if (!row)
        return NULL;
    struct reel_event_index *index = index_new(0);
    gint64 told = g_get_monotonic_time();
    while (reel_query_step(query, row)) {
        uint64_t time = (uint64_t)sqlite3_column_int64(row, 0);
        if (index->count % REEL_EVENT_PAGE == 0)
            g_array_append_val(index->first, time);
        if (filtered && index->count < REEL_EVENT_EXACT_MOST)
            g_array_append_val(index->exact, time);
        index->count++;
        /* Whole pages only: a page that grows would have to be asked for again. */
        if (index->count % REEL_EVENT_PAGE == 0 && index->first->len &&
            (index->count % TELL_EVERY == 0 || g_get_monotonic_time() - told > 200000)) {
            guint64 count = index->count;
            reel_query_tell(query, index);
            index = index_new(count);
            told = g_get_monotonic_time();
        }
    }
    sqlite3_finalize(row);
    if (query->error.code) {
        reel_event_index_free(index);
        return NULL;
    }
    index->is_last = TRUE;
    index->is_exact = filtered && index->count <= REEL_EVENT_EXACT_MOST;
    return index;
}

static ReelRow *row_of(sqlite3_stmt *from)
{
    ReelRow *row = reel_row_new(REEL_EVENT_COLUMNS);
    row->time_ns = (uint64_t)sqlite3_column_int64(from, 0);
    row->thread = (uint32_t)sqlite3_column_int64(from, 1);
    row->object = (uint32_t)sqlite3_column_int64(from, 6);
    row->stack = (uint32_t)sqlite3_column_int64(from, 10);
    g_autoptr(GString) detail = g_string_new(NULL);
    reel_event_text_argument(detail, (unsigned)sqlite3_column_int(from, 3),
                             sqlite3_column_int64(from, 8));
    reel_event_text_flags(detail, (unsigned)sqlite3_column_int(from, 9));
    g_autofree char *extra = reel_query_text(from, 14);
    if (extra && *extra)
        g_string_append_printf(detail, "%s[%s]", detail->len ? " " : "", extra);
    g_autofree char *class = reel_query_text(from, 5);
    g_autofree char *name = reel_query_text(from, 7);
    g_autofree char *function = reel_query_text(from, 11);
    g_autofree char *file = reel_query_text(from, 12);
    g_autofree char *base = file ? g_path_get_basename(file) : NULL;
    g_autofree char *thread = reel_query_text(from, 2);
    reel_row_set_number(row, REEL_EVENT_TIME, (double)row->time_ns);
    reel_row_take_text(row, REEL_EVENT_THREAD, g_steal_pointer(&thread));
    reel_row_take_text(row, REEL_EVENT_OPERATION, reel_query_text(from, 4));
    reel_row_take_text(row, REEL_EVENT_OBJECT,
                       name ? g_strdup_printf("%s %s", class, name) : g_strdup(class));
    g_autofree char *argument = g_utf8_make_valid(detail->str, -1);
    reel_row_take_text(row, REEL_EVENT_ARGUMENT, g_steal_pointer(&argument));
    reel_row_take_text(row, REEL_EVENT_WHERE,
                       function && base ? g_strdup_printf("%s (%s:%d)", function, base,
                                                          sqlite3_column_int(from, 13))
                                        : g_strdup(function));
    return row;
}

static const char select_rows[] =
    "SELECT e.time_ns, e.thread, coalesce(t.name, 'thread ' || t.id), e.operation, op.name, "
    "c.name, e.object, o.name, e.argument, e.flags, e.stack, f.function, f.file, f.line, "
    "(SELECT group_concat(value, ' ') FROM event_extra x WHERE x.event = e.time_ns) "
    "FROM " REEL_FILTER_EVENTS_FROM;

gpointer reel_event_rows_read(struct reel_query *query, gpointer data)
{
    const struct reel_event_request *request = data;
    g_autoptr(GString) tail = g_string_new(NULL);
    sqlite3_stmt *row;
    if (request->times) {
        g_autoptr(GString) sql = g_string_new(select_rows);
        g_string_append(sql, " WHERE e.time_ns IN (");
        for (guint i = 0; i < request->times->len; i++)
            g_string_append_printf(sql, "%s%" G_GUINT64_FORMAT, i ? "," : "",
                                   (guint64)g_array_index(request->times, uint64_t, i));
        g_string_append(sql, ") ORDER BY e.time_ns");
        row = reel_query_prepare(query, sql->str);
    } else {
        g_string_append_printf(tail,
                               " AND e.time_ns >= %" G_GINT64_FORMAT
                               " AND e.time_ns < %" G_GINT64_FORMAT " ORDER BY e.time_ns LIMIT %u",
                               (gint64)request->from_ns,
                               (gint64)MIN(request->to_ns, (uint64_t)INT64_MAX), REEL_EVENT_PAGE);
        row = prepare_filtered(query, request, select_rows, tail->str);
    }
    if (!row)
        return NULL;
    struct reel_event_rows *rows = g_new0(struct reel_event_rows, 1);
    rows->page = request->page;
    rows->rows = g_ptr_array_new_with_free_func(g_object_unref);
    while (reel_query_step(query, row))
        g_ptr_array_add(rows->rows, row_of(row));
    sqlite3_finalize(row);
    if (query->error.code)
        g_clear_pointer(&rows, reel_event_rows_free);
    return rows;
}

gpointer reel_event_place_read(struct reel_query *query, gpointer data)
{
    const struct reel_event_request *request = data;
    g_autofree char *tail =
        g_strdup_printf(" AND e.time_ns >= %" G_GINT64_FORMAT " AND e.time_ns <= %" G_GINT64_FORMAT,
                        (gint64)request->from_ns, (gint64)MIN(request->to_ns, (uint64_t)INT64_MAX));
    sqlite3_stmt *row = prepare_filtered(query, request, "SELECT count(*) FROM event e", tail);
    guint64 *count = NULL;
    if (row && reel_query_step(query, row)) {
        count = g_new(guint64, 1);
        *count = (guint64)sqlite3_column_int64(row, 0);
    }
    sqlite3_finalize(row);
    return count;
}
