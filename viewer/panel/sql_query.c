#include "viewer/panel/sql_query.h"

#include <math.h>
#include <string.h>

void reel_sql_result_free(gpointer data)
{
    struct reel_sql_result *result = data;
    g_ptr_array_unref(result->columns);
    g_array_unref(result->format);
    g_ptr_array_unref(result->rows);
    g_free(result);
}

/* Reading this file's tables and nothing else: no other files, no settings, no changes. */
static int allow(void *data, int action, const char *first, const char *second,
                 const char *database, const char *trigger)
{
    (void)data;
    (void)second;
    (void)database;
    (void)trigger;
    static const char *const pragmas[] = {"table_info", "table_xinfo",   "table_list", "index_list",
                                          "index_info", "function_list", NULL};
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_FUNCTION:
    case SQLITE_RECURSIVE:
        return SQLITE_OK;
    case SQLITE_PRAGMA:
        return first && g_strv_contains(pragmas, first) ? SQLITE_OK : SQLITE_DENY;
    default:
        return SQLITE_DENY;
    }
}

static sqlite3_stmt *prepare(struct reel_query *query, const char *text)
{
    sqlite3_stmt *statement = NULL;
    const char *rest = "";
    sqlite3_set_authorizer(query->database, allow, NULL);
    int code = sqlite3_prepare_v2(query->database, text, -1, &statement, &rest);
    sqlite3_set_authorizer(query->database, NULL, NULL);
    if (code == SQLITE_AUTH) {
        reel_error_set(&query->error, REEL_ERROR_USAGE, 0,
                       "Only reading is allowed here: SELECT, WITH … SELECT, or VALUES.");
        reel_error_hint(&query->error, "To change a trace, use sqlite3 on a copy of it.");
    } else if (code != SQLITE_OK) {
        int at = sqlite3_error_offset(query->database);
        reel_error_set(&query->error, REEL_ERROR_USAGE, 0, "%s", sqlite3_errmsg(query->database));
        if (at >= 0 && (size_t)at < strlen(text)) {
            g_autofree char *near = g_utf8_make_valid(text + at, -1);
            char *end = g_utf8_offset_to_pointer(near, MIN(g_utf8_strlen(near, -1), 30));
            *end = '\0';
            g_strdelimit(near, "\n\r\t", ' ');
            reel_error_hint(&query->error, "At: %s", near);
        }
    } else if (!statement) {
        reel_error_set(&query->error, REEL_ERROR_USAGE, 0, "There is no statement to run.");
    } else if (rest[strspn(rest, " \t\r\n;")] || !sqlite3_stmt_readonly(statement)) {
        reel_error_set(&query->error, REEL_ERROR_USAGE, 0,
                       "One statement at a time, and only reading.");
    }
    if (query->error.code) {
        sqlite3_finalize(statement);
        return NULL;
    }
    return statement;
}

static gboolean is_time(const char *name)
{
    return g_ascii_strcasecmp(name, "time") == 0 || g_ascii_strcasecmp(name, "time_ns") == 0 ||
           g_ascii_strcasecmp(name, "start_ns") == 0 || g_ascii_strcasecmp(name, "first_ns") == 0 ||
           g_ascii_strcasecmp(name, "end_ns") == 0 || g_ascii_strcasecmp(name, "last_ns") == 0;
}

/* Which column says where a row is: the surest name first; -1: none. */
static int time_column(sqlite3_stmt *statement)
{
    static const char *const names[] = {"time_ns", "time", "start_ns", "first_ns"};
    int count = sqlite3_column_count(statement);
    for (unsigned n = 0; n < G_N_ELEMENTS(names); n++)
        for (int i = 0; i < count; i++)
            if (g_ascii_strcasecmp(sqlite3_column_name(statement, i), names[n]) == 0)
                return i;
    for (int i = 0; i < count; i++)
        if (g_str_has_suffix(sqlite3_column_name(statement, i), "_ns") &&
            is_time(sqlite3_column_name(statement, i)))
            return i;
    return -1;
}

static ReelRow *row_of(sqlite3_stmt *from, int time_at)
{
    int count = sqlite3_column_count(from);
    ReelRow *row = reel_row_new((guint)count);
    for (int i = 0; i < count; i++) {
        switch (sqlite3_column_type(from, i)) {
        case SQLITE_INTEGER:
            /* Text too: a double would lose the last digits of a large one. */
            reel_row_take_text(row, (guint)i, reel_query_text(from, i));
            reel_row_set_number(row, (guint)i, (double)sqlite3_column_int64(from, i));
            break;
        case SQLITE_FLOAT:
            reel_row_take_text(row, (guint)i,
                               g_strdup_printf("%g", sqlite3_column_double(from, i)));
            reel_row_set_number(row, (guint)i, sqlite3_column_double(from, i));
            break;
        case SQLITE_NULL:
            reel_row_set_text(row, (guint)i, "");
            break;
        case SQLITE_BLOB:
            reel_row_take_text(row, (guint)i,
                               g_strdup_printf("(%d bytes)", sqlite3_column_bytes(from, i)));
            break;
        default:
            reel_row_take_text(row, (guint)i, reel_query_text(from, i));
        }
    }
    if (time_at >= 0 && sqlite3_column_type(from, time_at) == SQLITE_INTEGER &&
        sqlite3_column_int64(from, time_at) >= 0)
        row->time_ns = (uint64_t)sqlite3_column_int64(from, time_at);
    for (int i = 0; i < count; i++) {
        const char *name = sqlite3_column_name(from, i);
        int64_t value =
            sqlite3_column_type(from, i) == SQLITE_INTEGER ? sqlite3_column_int64(from, i) : 0;
        if (value <= 0 || value > UINT32_MAX)
            continue;
        if (g_ascii_strcasecmp(name, "thread") == 0)
            row->thread = (uint32_t)value;
        else if (g_ascii_strcasecmp(name, "object") == 0)
            row->object = (uint32_t)value;
        else if (g_ascii_strcasecmp(name, "stack") == 0)
            row->stack = (uint32_t)value;
    }
    return row;
}

gpointer reel_sql_read(struct reel_query *query, gpointer request)
{
    sqlite3_stmt *statement = prepare(query, request);
    if (!statement)
        return NULL;
    gint64 begun = g_get_monotonic_time();
    struct reel_sql_result *result = g_new0(struct reel_sql_result, 1);
    result->columns = g_ptr_array_new_with_free_func(g_free);
    result->format = g_array_new(FALSE, FALSE, sizeof(enum reel_row_format));
    result->rows = g_ptr_array_new_with_free_func(g_object_unref);
    int count = sqlite3_column_count(statement), time_at = time_column(statement);
    for (int i = 0; i < count; i++) {
        enum reel_row_format format = REEL_ROW_TEXT;
        g_ptr_array_add(result->columns, g_utf8_make_valid(sqlite3_column_name(statement, i), -1));
        g_array_append_val(result->format, format);
    }
    while (reel_query_step(query, statement)) {
        if (result->rows->len == REEL_SQL_ROWS_MOST) {
            result->is_cut = TRUE;
            break;
        }
        ReelRow *row = row_of(statement, time_at);
        for (int i = 0; result->rows->len == 0 && i < count; i++)
            if (!isnan(row->cell[i].number)) /* numbers stand right */
                g_array_index(result->format, enum reel_row_format, i) = REEL_ROW_COUNT;
        g_ptr_array_add(result->rows, row);
    }
    sqlite3_finalize(statement);
    result->seconds = (double)(g_get_monotonic_time() - begun) / 1e6;
    if (query->error.code)
        g_clear_pointer(&result, reel_sql_result_free);
    return result;
}

static int compare_names(gconstpointer left, gconstpointer right)
{
    return g_ascii_strcasecmp(*(const char *const *)left, *(const char *const *)right);
}

gpointer reel_sql_names_read(struct reel_query *query, gpointer request)
{
    (void)request;
    sqlite3_stmt *row = reel_query_prepare(
        query, "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') "
               "UNION SELECT c.name FROM sqlite_schema s, pragma_table_info(s.name) c "
               "WHERE s.type IN ('table', 'view')");
    if (!row)
        return NULL;
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    while (reel_query_step(query, row))
        g_ptr_array_add(names, reel_query_text(row, 0));
    sqlite3_finalize(row);
    static const char *const words[] = {"SELECT",   "FROM", "WHERE",     "GROUP BY", "ORDER BY",
                                        "LIMIT",    "JOIN", "LEFT JOIN", "HAVING",   "DISTINCT",
                                        "count(*)", "sum(", "max(",      "DESC"};
    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++)
        g_ptr_array_add(names, g_strdup(words[i]));
    g_ptr_array_sort(names, compare_names);
    return names;
}

guint reel_sql_complete(const GPtrArray *names, const char *beginning, char **common,
                        GString *matches, guint limit)
{
    guint count = 0;
    size_t length = strlen(beginning), shared = 0;
    const char *first = NULL;
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        if (g_ascii_strncasecmp(name, beginning, length) != 0)
            continue;
        if (!first) {
            first = name;
            shared = strlen(name);
        } else {
            size_t same = 0;
            while (same < shared && g_ascii_tolower(first[same]) == g_ascii_tolower(name[same]))
                same++;
            shared = same;
        }
        if (matches && count < limit)
            g_string_append_printf(matches, "%s%s", count ? "  " : "", name);
        else if (matches && count == limit)
            g_string_append(matches, "  …");
        count++;
    }
    *common = first ? g_strndup(first, shared) : NULL;
    return count;
}
