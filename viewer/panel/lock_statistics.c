/* Per lock: see statistics.h. One pass over holds, one over waits. */
#include <math.h>

#include "viewer/panel/row.h"
#include "viewer/panel/statistics.h"

struct lock_sum {
    uint32_t object;
    uint64_t taken, contended, handoffs;
    double wait_ns, longest_wait_ns, hold_ns, longest_hold_ns;
    uint32_t last_holder;
    GHashTable *threads; /* set of holders; NULL: counted elsewhere */
    unsigned thread_count;
    GArray *begins, *ends; /* uint64_t: of waits */
};

static void lock_free(gpointer data)
{
    struct lock_sum *lock = data;
    g_clear_pointer(&lock->threads, g_hash_table_unref);
    g_clear_pointer(&lock->begins, g_array_unref);
    g_clear_pointer(&lock->ends, g_array_unref);
    g_free(lock);
}

static struct lock_sum *lock_of(GHashTable *locks, uint32_t object)
{
    struct lock_sum *lock = g_hash_table_lookup(locks, GUINT_TO_POINTER(object));
    if (!lock) {
        lock = g_new0(struct lock_sum, 1);
        lock->object = object;
        g_hash_table_insert(locks, GUINT_TO_POINTER(object), lock);
    }
    return lock;
}

/* What sealing summed up. */
static void take_totals(struct reel_query *query, GHashTable *locks)
{
    sqlite3_stmt *row = reel_query_prepare(
        query, "SELECT object, acquisitions, contended, wait_ns, longest_wait_ns, hold_ns, "
               "longest_hold_ns, handoffs, threads FROM lock_total");
    while (row && reel_query_step(query, row)) {
        struct lock_sum *lock = lock_of(locks, (uint32_t)sqlite3_column_int64(row, 0));
        lock->taken = (uint64_t)sqlite3_column_int64(row, 1);
        lock->contended = (uint64_t)sqlite3_column_int64(row, 2);
        lock->wait_ns = (double)sqlite3_column_int64(row, 3);
        lock->longest_wait_ns = (double)sqlite3_column_int64(row, 4);
        lock->hold_ns = (double)sqlite3_column_int64(row, 5);
        lock->longest_hold_ns = (double)sqlite3_column_int64(row, 6);
        lock->handoffs = (uint64_t)sqlite3_column_int64(row, 7);
        lock->thread_count = (unsigned)sqlite3_column_int64(row, 8);
    }
    sqlite3_finalize(row);
}

/* The same from holds, for a part of the trace. */
static void sum_holds(struct reel_query *query, const struct reel_statistics_request *request,
                      GHashTable *locks)
{
    sqlite3_stmt *row = reel_query_prepare(
        query, "SELECT object, thread, min(end_ns, ?2) - max(start_ns, ?1), start_ns >= ?1, "
               "waited_ns > 0 FROM hold WHERE start_ns < ?2 AND end_ns > ?1");
    if (!row)
        return;
    reel_statistics_bind(row, request);
    while (reel_query_step(query, row)) {
        struct lock_sum *lock = lock_of(locks, (uint32_t)sqlite3_column_int64(row, 0));
        uint32_t thread = (uint32_t)sqlite3_column_int64(row, 1);
        double inside = (double)sqlite3_column_int64(row, 2);
        lock->hold_ns += inside;
        lock->longest_hold_ns = MAX(lock->longest_hold_ns, inside);
        if (!lock->threads)
            lock->threads = g_hash_table_new(NULL, NULL);
        g_hash_table_add(lock->threads, GUINT_TO_POINTER(thread));
        lock->thread_count = g_hash_table_size(lock->threads);
        if (sqlite3_column_int(row, 3)) {
            lock->taken++;
            lock->contended += (uint64_t)sqlite3_column_int(row, 4);
            lock->handoffs += lock->last_holder && lock->last_holder != thread;
        }
        lock->last_holder = thread;
    }
    sqlite3_finalize(row);
}

/* Waits: their sums for a part of the trace, and in any case when they begin and end, for the
 * number of threads that wait at once. */
static void sum_waits(struct reel_query *query, const struct reel_statistics_request *request,
                      GHashTable *locks)
{
    sqlite3_stmt *row = reel_query_prepare(
        query, "SELECT object, max(start_ns, ?1), min(end_ns, ?2) FROM interval "
               "WHERE start_ns < ?2 AND end_ns > ?1 AND state IN ('lock-wait', 'gil-wait') "
               "AND object IS NOT NULL");
    if (!row)
        return;
    reel_statistics_bind(row, request);
    while (reel_query_step(query, row)) {
        struct lock_sum *lock = lock_of(locks, (uint32_t)sqlite3_column_int64(row, 0));
        uint64_t begin = (uint64_t)sqlite3_column_int64(row, 1);
        uint64_t end = (uint64_t)sqlite3_column_int64(row, 2);
        if (!lock->begins) {
            lock->begins = g_array_new(FALSE, FALSE, sizeof(uint64_t));
            lock->ends = g_array_new(FALSE, FALSE, sizeof(uint64_t));
        }
        g_array_append_val(lock->begins, begin);
        g_array_append_val(lock->ends, end);
        if (!request->is_whole) {
            lock->wait_ns += (double)(end - begin);
            lock->longest_wait_ns = MAX(lock->longest_wait_ns, (double)(end - begin));
        }
    }
    sqlite3_finalize(row);
}

static int compare_times(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

/* The most waits that overlap. */
static unsigned most_at_once(const struct lock_sum *lock)
{
    if (!lock->begins)
        return 0;
    qsort(lock->begins->data, lock->begins->len, sizeof(uint64_t), compare_times);
    qsort(lock->ends->data, lock->ends->len, sizeof(uint64_t), compare_times);
    unsigned now = 0, most = 0;
    for (guint b = 0, e = 0; b < lock->begins->len; b++) {
        uint64_t begin = g_array_index(lock->begins, uint64_t, b);
        for (; e < lock->ends->len && g_array_index(lock->ends, uint64_t, e) <= begin; e++)
            now -= now > 0; /* a damaged trace may end waits that did not begin */
        now++;
        most = MAX(most, now);
    }
    return most;
}

static ReelRow *lock_row(const struct lock_sum *lock, double range_ns)
{
    ReelRow *row = reel_row_new(REEL_LOCK_COLUMNS);
    row->object = lock->object;
    reel_row_identify(row, "%u", row->object);
    reel_row_set_number(row, REEL_LOCK_TAKEN, (double)lock->taken);
    reel_row_set_number(row, REEL_LOCK_WAITED,
                        lock->taken ? (double)lock->contended / (double)lock->taken : NAN);
    reel_row_set_number(row, REEL_LOCK_WAIT, lock->wait_ns);
    reel_row_set_number(row, REEL_LOCK_WAIT_MOST, lock->longest_wait_ns);
    reel_row_set_number(row, REEL_LOCK_HOLD, lock->hold_ns);
    if (lock->taken)
        reel_row_set_number(row, REEL_LOCK_HOLD_MEAN, lock->hold_ns / (double)lock->taken);
    reel_row_set_number(row, REEL_LOCK_HOLD_MOST, lock->longest_hold_ns);
    reel_row_set_number(row, REEL_LOCK_USED, lock->hold_ns / range_ns);
    reel_row_set_number(row, REEL_LOCK_HANDOFFS, (double)lock->handoffs);
    reel_row_set_number(row, REEL_LOCK_WAITERS, (double)most_at_once(lock));
    reel_row_set_number(row, REEL_LOCK_THREADS, (double)lock->thread_count);
    return row;
}

gpointer reel_lock_statistics_read(struct reel_query *query, gpointer data)
{
    const struct reel_statistics_request *request = data;
    GHashTable *locks = g_hash_table_new_full(NULL, NULL, NULL, lock_free);
    if (request->is_whole)
        take_totals(query, locks);
    else
        sum_holds(query, request, locks);
    if (!query->error.code)
        sum_waits(query, request, locks);
    GPtrArray *rows = g_ptr_array_new_with_free_func(g_object_unref);
    sqlite3_stmt *name = reel_query_prepare(
        query, "SELECT coalesce(o.name, c.name || ' #' || o.id), c.name FROM object o "
               "JOIN class c ON c.id = o.class WHERE o.id = ?");
    GHashTableIter at;
    gpointer value;
    g_hash_table_iter_init(&at, locks);
    while (name && g_hash_table_iter_next(&at, NULL, &value)) {
        ReelRow *row = lock_row(value, (double)(request->to_ns - request->from_ns));
        sqlite3_bind_int64(name, 1, row->object);
        if (reel_query_step(query, name)) {
            reel_row_take_text(row, REEL_LOCK_NAME, reel_query_text(name, 0));
            reel_row_take_text(row, REEL_LOCK_CLASS, reel_query_text(name, 1));
        }
        sqlite3_reset(name);
        g_ptr_array_add(rows, row);
    }
    sqlite3_finalize(name);
    g_hash_table_unref(locks);
    if (query->error.code)
        g_clear_pointer(&rows, g_ptr_array_unref);
    return rows;
}
