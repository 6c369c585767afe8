#include "tracer/model/totals.h"

#include <glib.h>
#include <string.h>

struct sum {
    uint64_t count, total_ns, longest_ns;
};

struct wait_sum {
    uint32_t thread, object;
    uint8_t state;
    struct sum sum;
};

struct lock_sum {
    struct sum wait, hold;
    uint64_t contended, handoffs;
    uint32_t last_thread, threads, first_thread;
};

struct site_sum {
    uint32_t object, stack;
    uint64_t contended, waited_ns;
    struct sum hold;
};

struct reel_totals {
    GArray *states;    /* struct sum, REEL_STATE_COUNT to a thread */
    GHashTable *waits; /* thread, state, object → struct wait_sum */
    GArray *locks;     /* struct lock_sum by object */
    GHashTable *sites; /* object << 32 | stack → struct site_sum */
    GHashTable *users; /* object << 32 | thread */
};

/* GLib's own hash of a pointer is its low half: all objects one thread uses would fall together. */
static guint mix(gconstpointer key)
{
    return (guint)((uintptr_t)key * 0x9e3779b97f4a7c15ull >> 32);
}

struct reel_totals *reel_totals_new(void)
{
    struct reel_totals *totals = g_new0(struct reel_totals, 1);
    totals->states = g_array_new(FALSE, TRUE, sizeof(struct sum));
    totals->waits = g_hash_table_new_full(mix, NULL, NULL, g_free);
    totals->locks = g_array_new(FALSE, TRUE, sizeof(struct lock_sum));
    totals->sites = g_hash_table_new_full(mix, NULL, NULL, g_free);
    totals->users = g_hash_table_new(mix, NULL);
    return totals;
}

void reel_totals_free(struct reel_totals *totals)
{
    if (!totals)
        return;
    g_array_free(totals->states, TRUE);
    g_array_free(totals->locks, TRUE);
    g_hash_table_destroy(totals->waits);
    g_hash_table_destroy(totals->sites);
    g_hash_table_destroy(totals->users);
    g_free(totals);
}

static void add(struct sum *sum, uint64_t ns)
{
    sum->count++;
    sum->total_ns += ns;
    if (ns > sum->longest_ns)
        sum->longest_ns = ns;
}

static gpointer pair(uint32_t high, uint32_t low)
{
    return GSIZE_TO_POINTER((gsize)high << 32 | low);
}

static struct lock_sum *lock_of(struct reel_totals *totals, uint32_t object)
{
    if (object >= totals->locks->len)
        g_array_set_size(totals->locks, MAX(object + 1, totals->locks->len * 2));
    return &g_array_index(totals->locks, struct lock_sum, object);
}

void reel_totals_interval(struct reel_totals *totals, const struct reel_interval *interval)
{
    uint64_t ns = interval->end_ns - interval->start_ns;
    guint at = interval->thread * REEL_STATE_COUNT + interval->state;
    if (at >= totals->states->len)
        g_array_set_size(totals->states,
                         MAX((interval->thread + 1) * REEL_STATE_COUNT, totals->states->len * 2));
    add(&g_array_index(totals->states, struct sum, at), ns);
    if (!interval->object)
        return;
    _Static_assert(REEL_STATE_COUNT <= 32, "a state takes five bits of the key");
    gpointer key = pair(interval->thread << 5 | interval->state, interval->object);
    struct wait_sum *wait = g_hash_table_lookup(totals->waits, key);
    if (!wait) {
        wait = g_new0(struct wait_sum, 1);
        wait->thread = interval->thread;
        wait->object = interval->object;
        wait->state = (uint8_t)interval->state;
        g_hash_table_insert(totals->waits, key, wait);
    }
    add(&wait->sum, ns);
    if (interval->state == REEL_STATE_LOCK_WAIT || interval->state == REEL_STATE_GIL_WAIT)
        add(&lock_of(totals, interval->object)->wait, ns);
}

void reel_totals_hold(struct reel_totals *totals, const struct reel_hold *hold)
{
    uint64_t ns = hold->end_ns - hold->start_ns;
    struct lock_sum *lock = lock_of(totals, hold->object);
    add(&lock->hold, ns);
    if (hold->waited_ns)
        lock->contended++;
    if (lock->last_thread && lock->last_thread != hold->thread)
        lock->handoffs++;
    if (lock->last_thread != hold->thread &&
        g_hash_table_add(totals->users, pair(hold->object, hold->thread)))
        lock->threads++;
    lock->last_thread = hold->thread;
    gpointer key = pair(hold->object, hold->stack);
    struct site_sum *site = g_hash_table_lookup(totals->sites, key);
    if (!site) {
        site = g_new0(struct site_sum, 1);
        site->object = hold->object;
        site->stack = hold->stack;
        g_hash_table_insert(totals->sites, key, site);
    }
    add(&site->hold, ns);
    if (hold->waited_ns) {
        site->contended++;
        site->waited_ns += hold->waited_ns;
    }
}

static bool bind_and_run(sqlite3_stmt *statement, const int64_t *values, int count)
{
    for (int i = 0; i < count; i++)
        sqlite3_bind_int64(statement, i + 1, values[i]);
    bool good = sqlite3_step(statement) == SQLITE_DONE;
    sqlite3_reset(statement);
    return good;
}

static bool write_threads(struct reel_totals *totals, sqlite3_stmt *statement)
{
    for (guint i = 0; i < totals->states->len; i++) {
        const struct sum *sum = &g_array_index(totals->states, struct sum, i);
        if (sum->count == 0)
            continue;
        sqlite3_bind_text(statement, 5, reel_state_name(i % REEL_STATE_COUNT), -1, SQLITE_STATIC);
        const int64_t values[] = {i / REEL_STATE_COUNT, (int64_t)sum->count, (int64_t)sum->total_ns,
                                  (int64_t)sum->longest_ns};
        if (!bind_and_run(statement, values, 4))
            return false;
    }
    return true;
}

static bool write_waits(struct reel_totals *totals, sqlite3_stmt *statement)
{
    GHashTableIter iterator;
    gpointer value;
    g_hash_table_iter_init(&iterator, totals->waits);
    while (g_hash_table_iter_next(&iterator, NULL, &value)) {
        const struct wait_sum *wait = value;
        sqlite3_bind_text(statement, 6, reel_state_name(wait->state), -1, SQLITE_STATIC);
        const int64_t values[] = {wait->thread, wait->object, (int64_t)wait->sum.count,
                                  (int64_t)wait->sum.total_ns, (int64_t)wait->sum.longest_ns};
        if (!bind_and_run(statement, values, 5))
            return false;
    }
    return true;
}

static bool write_locks(struct reel_totals *totals, sqlite3_stmt *statement)
{
    for (guint object = 1; object < totals->locks->len; object++) {
        const struct lock_sum *lock = &g_array_index(totals->locks, struct lock_sum, object);
        if (lock->hold.count == 0 && lock->wait.count == 0)
            continue;
        const int64_t values[] = {object,
                                  (int64_t)lock->hold.count,
                                  (int64_t)lock->contended,
                                  (int64_t)lock->wait.total_ns,
                                  (int64_t)lock->wait.longest_ns,
                                  (int64_t)lock->hold.total_ns,
                                  (int64_t)lock->hold.longest_ns,
                                  (int64_t)lock->handoffs,
                                  lock->threads};
        if (!bind_and_run(statement, values, 9))
            return false;
    }
    return true;
}

static bool write_sites(struct reel_totals *totals, sqlite3_stmt *statement)
{
    GHashTableIter iterator;
    gpointer value;
    g_hash_table_iter_init(&iterator, totals->sites);
    while (g_hash_table_iter_next(&iterator, NULL, &value)) {
        const struct site_sum *site = value;
        const int64_t values[] = {site->object,
                                  (int64_t)site->hold.count,
                                  (int64_t)site->contended,
                                  (int64_t)site->waited_ns,
                                  (int64_t)site->hold.total_ns,
                                  (int64_t)site->hold.longest_ns};
        if (site->stack)
            sqlite3_bind_int64(statement, 7, site->stack);
        else
            sqlite3_bind_null(statement, 7);
        if (!bind_and_run(statement, values, 6))
            return false;
    }
    return true;
}

bool reel_totals_write(struct reel_totals *totals, struct reel_trace *trace,
                       struct reel_error *error)
{
    static const struct {
        const char *sql;
        bool (*write)(struct reel_totals *, sqlite3_stmt *);
    } tables[] = {
        {"INSERT INTO thread_state(thread, count, total_ns, longest_ns, state) VALUES(?,?,?,?,?)",
         write_threads},
        {"INSERT INTO thread_wait(thread, object, count, total_ns, longest_ns, state) "
         "VALUES(?,?,?,?,?,?)",
         write_waits},
        {"INSERT INTO lock_total(object, acquisitions, contended, wait_ns, longest_wait_ns, "
         "hold_ns, longest_hold_ns, handoffs, threads) VALUES(?,?,?,?,?,?,?,?,?)",
         write_locks},
        {"INSERT INTO lock_site(object, acquisitions, contended, wait_ns, hold_ns, "
         "longest_hold_ns, stack) VALUES(?,?,?,?,?,?,?)",
         write_sites},
    };
    sqlite3 *database = reel_trace_database(trace);
    bool good = sqlite3_exec(database,
                             "DELETE FROM thread_state; DELETE FROM thread_wait;"
                             "DELETE FROM lock_total; DELETE FROM lock_site",
                             NULL, NULL, NULL) == SQLITE_OK;
    for (unsigned i = 0; good && i < G_N_ELEMENTS(tables); i++) {
        sqlite3_stmt *statement;
        good = sqlite3_prepare_v2(database, tables[i].sql, -1, &statement, NULL) == SQLITE_OK;
        if (!good)
            break;
        good = tables[i].write(totals, statement);
        sqlite3_finalize(statement);
    }
    if (!good)
        reel_error_set(error, REEL_ERROR_STORE, sqlite3_extended_errcode(database),
                       "%s: cannot write totals: %s", reel_trace_path(trace),
                       sqlite3_errmsg(database));
    return good;
}
