/* Advice from measured time: see advice.h. What is said is only what the numbers carry. */
#include "tracer/detect/advice.h"

#include <glib.h>
#include <string.h>

#include "tracer/detect/describe.h"
#include "tracer/model/state.h"

enum part { COMPUTING, WAITING_LOCK, WAITING_ORDER, WAITING_IO, IDLE, READY, PARTS };

struct sums {
    double ns[PARTS];
    double total;
};

struct lock {
    char name[128], site[160];
    double acquisitions, contended, wait_ns, hold_ns, span_ns;
    int threads;
};

static enum part part_of(const char *name)
{
    enum reel_state state;
    if (!reel_state_parse(name, &state))
        return IDLE;
    switch (state) {
    case REEL_STATE_RUNNING:
    case REEL_STATE_CALLBACK:
        return COMPUTING;
    case REEL_STATE_RUNNABLE:
        return READY;
    case REEL_STATE_LOCK_WAIT:
    case REEL_STATE_GIL_WAIT:
        return WAITING_LOCK;
    case REEL_STATE_IO_WAIT:
    case REEL_STATE_BLOCKED:
    case REEL_STATE_SLEEP: /* what a slow device or service does to a thread */
        return WAITING_IO;
    case REEL_STATE_COND_WAIT:
    case REEL_STATE_SEM_WAIT:
    case REEL_STATE_BARRIER_WAIT:
    case REEL_STATE_QUEUE_WAIT:
        return WAITING_ORDER;
    default:
        return IDLE; /* joins, loops with nothing to do: waiting for work */
    }
}

static sqlite3_stmt *prepare(struct reel_trace *trace, const char *sql, struct reel_error *error)
{
    sqlite3_stmt *statement = NULL;
    sqlite3 *database = reel_trace_database(trace);
    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK)
        reel_error_set(error, REEL_ERROR_STORE, sqlite3_extended_errcode(database),
                       "%s: reading totals: %s", reel_trace_path(trace), sqlite3_errmsg(database));
    return statement;
}

static void add(struct sums *sums, const char *state, double ns)
{
    sums->ns[part_of(state ? state : "")] += ns;
    sums->total += ns;
}

/* The lock that was waited for longest. */
static bool worst_lock(struct reel_trace *trace, struct lock *lock, struct reel_error *error)
{
    sqlite3_stmt *row = prepare(
        trace,
        "SELECT coalesce(object.name, 'a lock'), acquisitions, contended, lock_total.wait_ns,"
        " lock_total.hold_ns, threads, object.last_ns - object.first_ns,"
        " (SELECT coalesce(frame.function || ' ', '') || coalesce('(' || frame.file || ':' ||"
        "  frame.line || ')', '') FROM lock_site JOIN stack ON stack.id = lock_site.stack"
        "  JOIN frame ON frame.id = stack.frame WHERE lock_site.object = object.id"
        "  ORDER BY lock_site.hold_ns DESC LIMIT 1)"
        " FROM lock_total JOIN object ON object.id = lock_total.object"
        " WHERE contended > 0 ORDER BY lock_total.wait_ns DESC LIMIT 1",
        error);
    if (!row)
        return false;
    *lock = (struct lock){.threads = 0};
    if (sqlite3_step(row) == SQLITE_ROW) {
        const char *site = (const char *)sqlite3_column_text(row, 7);
        g_strlcpy(lock->name, (const char *)sqlite3_column_text(row, 0), sizeof lock->name);
        /* The file's name is enough. */
        const char *slash = site ? strrchr(site, '/') : NULL;
        const char *open = site ? strchr(site, '(') : NULL;
        if (slash && open)
            g_snprintf(lock->site, sizeof lock->site, "%.*s%s", (int)(open + 1 - site), site,
                       slash + 1);
        else
            g_strlcpy(lock->site, site ? site : "", sizeof lock->site);
        lock->acquisitions = sqlite3_column_double(row, 1);
        lock->contended = sqlite3_column_double(row, 2);
        lock->wait_ns = sqlite3_column_double(row, 3);
        lock->hold_ns = sqlite3_column_double(row, 4);
        lock->threads = sqlite3_column_int(row, 5);
        lock->span_ns = sqlite3_column_double(row, 6);
    }
    sqlite3_finalize(row);
    return true;
}

static bool read_sums(struct reel_trace *trace, struct sums *sums, int *busy_threads,
                      struct reel_error *error)
{
    sqlite3_stmt *row =
        prepare(trace, "SELECT state, sum(total_ns) FROM thread_state GROUP BY 1", error);
    if (!row)
        return false;
    while (sqlite3_step(row) == SQLITE_ROW)
        add(sums, (const char *)sqlite3_column_text(row, 0), sqlite3_column_double(row, 1));
    sqlite3_finalize(row);
    /* Threads that did more than start others and wait for them. */
    row = prepare(trace,
                  "SELECT count(*) FROM (SELECT thread, sum(total_ns) AS ns FROM thread_state"
                  " WHERE state IN ('running', 'runnable', 'callback', 'io-wait', 'sleep',"
                  " 'lock-wait', 'gil-wait') GROUP BY thread) WHERE ns * 50 >"
                  " (SELECT max(end_ns) FROM interval)",
                  error);
    if (!row)
        return false;
    *busy_threads = sqlite3_step(row) == SQLITE_ROW ? sqlite3_column_int(row, 0) : 0;
    sqlite3_finalize(row);
    return true;
}

static double number(struct reel_trace *trace, const char *sql)
{
    sqlite3_stmt *row = prepare(trace, sql, NULL);
    double value = row && sqlite3_step(row) == SQLITE_ROW ? sqlite3_column_double(row, 0) : 0;
    sqlite3_finalize(row);
    return value;
}

static double share(const struct sums *sums, enum part part)
{
    double busy = sums->total - sums->ns[IDLE];
    return busy > 0 ? 100 * sums->ns[part] / busy : 0;
}

static void say_shares(GString *text, const struct sums *sums, int threads, double duration_ns,
                       double parallelism, int processors)
{
    g_string_append_printf(
        text,
        "In %.3g s, %d thread%s worked: %.0f %% of their time computing, %.0f %% ready but without "
        "a processor, %.0f %% waiting for I/O or time, %.0f %% for locks, %.0f %% for each other. "
        "%.2f ran at a time, on %d processor%s.\n",
        duration_ns / 1e9, threads, threads == 1 ? "" : "s", share(sums, COMPUTING),
        share(sums, READY), share(sums, WAITING_IO), share(sums, WAITING_LOCK),
        share(sums, WAITING_ORDER), parallelism, processors, processors == 1 ? "" : "s");
}

/* Where the run changed its nature: tenths of it, each by what most of the time went into. */
static void say_phases(GString *text, struct reel_trace *trace, double duration_ns)
{
    enum { TENTHS = 10 };
    static const char *const names[PARTS] = {[COMPUTING] = "computing",
                                             [WAITING_LOCK] = "waiting for locks",
                                             [WAITING_ORDER] = "waiting for each other",
                                             [WAITING_IO] = "waiting for I/O or time",
                                             [IDLE] = "idle",
                                             [READY] = "waiting for a processor"};
    double ns[TENTHS][PARTS] = {{0}};
    sqlite3_stmt *row = prepare(trace, "SELECT start_ns, end_ns, state FROM interval", NULL);
    while (row && sqlite3_step(row) == SQLITE_ROW) {
        double start = sqlite3_column_double(row, 0), end = sqlite3_column_double(row, 1);
        const char *state = (const char *)sqlite3_column_text(row, 2);
        enum part part = part_of(state ? state : "");
        for (int i = 0; i < TENTHS && part != IDLE; i++) {
            double from = MAX(start, duration_ns * i / TENTHS);
            double to = MIN(end, duration_ns * (i + 1) / TENTHS);
            if (to > from)
                ns[i][part] += to - from;
        }
    }
    sqlite3_finalize(row);
    int before = -1, changes = 0;
    GString *phases = g_string_new(NULL);
    for (int i = 0; i < TENTHS; i++) {
        int most = IDLE;
        for (int k = 0; k < PARTS; k++)
            if (k != IDLE && ns[i][k] > ns[i][most])
                most = k;
        if (most == before)
            continue;
        g_string_append_printf(phases, "%sfrom %d %%: %s", changes++ ? "; " : "", i * 100 / TENTHS,
                               names[most]);
        before = most;
    }
    if (changes > 1)
        g_string_append_printf(text, "Phases by what most of the time went into: %s.\n",
                               phases->str);
    g_string_free(phases, TRUE);
}

static void say_lock(GString *text, const struct sums *sums, const struct lock *lock,
                     double parallelism, int threads)
{
    double held = lock->span_ns > 0 ? MIN(100, 100 * lock->hold_ns / lock->span_ns) : 0;
    char each[32], per[32];
    reel_describe_duration((uint64_t)(lock->hold_ns / MAX(lock->acquisitions, 1)), each);
    reel_describe_duration((uint64_t)(lock->span_ns / MAX(lock->acquisitions, 1)), per);
    g_string_append_printf(text,
                           "%d threads, and the lock %s held %.0f %% of the time: they ran %.2f at "
                           "a time. ",
                           threads, lock->name, held, parallelism);
    if (share(sums, WAITING_IO) > share(sums, COMPUTING))
        g_string_append_printf(text, "Do not wait for I/O while holding it%s%s.\n",
                               *lock->site ? ", as at " : "", lock->site);
    else
        g_string_append_printf(text,
                               "Shorten the section%s%s (%s held for every %s), or split "
                               "what it guards; processes would run in parallel.\n",
                               *lock->site ? " at " : "", lock->site, each, per);
}

static void say_choice(GString *text, const struct sums *sums, const struct lock *lock,
                       double parallelism, int processors, int threads, double global_lock)
{
    double computing = share(sums, COMPUTING) + share(sums, READY);
    double io = share(sums, WAITING_IO);
    int useful = MIN(processors, MAX(threads, 1));
    if (global_lock >= 50) {
        g_string_append_printf(text,
                               "%d threads share one global lock, held %.0f %% of the time: "
                               "speed-up %.2f of %d. Threads help here only while they wait for "
                               "I/O; for computing use processes, each with a lock of its own.\n",
                               threads, MIN(global_lock, 100), parallelism, useful);
    } else if (lock->threads > 1 && share(sums, WAITING_LOCK) >= 30) {
        say_lock(text, sums, lock, parallelism, threads);
    } else if (io >= 60 && threads <= 1) {
        g_string_append(text, "Bound by waiting, with one thread: independent waits can overlap. A "
                              "few: a thread for each. Hundreds: an event loop, which needs no "
                              "lock and no stack for each.\n");
    } else if (io >= 60) {
        g_string_append_printf(text,
                               "Bound by waiting: %d threads overlap their waits, which is what "
                               "threads are good for; an event loop would do the same with one. "
                               "Processes or processors would add nothing.\n",
                               threads);
    } else if (computing >= 60 && threads <= 1) {
        g_string_append_printf(text,
                               "Bound by computing, with one thread on %d processor%s: threads (or "
                               "processes, where memory need not be shared) could run up to %d at "
                               "a time.\n",
                               processors, processors == 1 ? "" : "s", processors);
    } else if (computing >= 60 && share(sums, READY) >= 40 && threads > 2 * processors) {
        g_string_append_printf(text,
                               "Bound by computing, with %d threads on %d processors: no more than "
                               "%d can run. A pool of %d does the same work with less switching.\n",
                               threads, processors, processors, processors);
    } else if (computing >= 60) {
        g_string_append_printf(
            text, "Bound by computing: %.2f ran at a time, of %d that could. %s\n", parallelism,
            useful,
            parallelism >= 0.8 * useful ? "Threads are the right choice here."
                                        : "Look at what the others waited for meanwhile.");
    } else if (share(sums, WAITING_ORDER) >= 50) {
        g_string_append(text, "The threads mostly wait for each other: hand over more at a time, "
                              "or let each do a whole piece of work from end to end.\n");
    }
}

char *reel_advice(struct reel_trace *trace, struct reel_error *error)
{
    struct sums sums = {{0}, 0};
    struct lock lock;
    int threads = 0;
    if (!read_sums(trace, &sums, &threads, error) || !worst_lock(trace, &lock, error))
        return NULL;
    double duration_ns = number(trace, "SELECT max(end_ns) FROM interval");
    int processors = (int)number(trace, "SELECT value FROM meta WHERE key = 'processors'");
    GString *text = g_string_new(NULL);
    if (duration_ns <= 0 || sums.total <= sums.ns[IDLE]) {
        g_string_assign(text, "Nothing was recorded that advice could be drawn from.\n");
        return g_string_free(text, FALSE);
    }
    double parallelism = sums.ns[COMPUTING] / duration_ns;
    processors = MAX(processors, 1);
    threads = MAX(threads, 1);
    say_shares(text, &sums, threads, duration_ns, parallelism, processors);
    say_phases(text, trace, duration_ns);
    /* How much of its life an interpreter's lock was held, in percent. */
    double global_lock =
        number(trace, "SELECT max(100.0 * hold_ns / max(1, object.last_ns - object.first_ns))"
                      " FROM lock_total JOIN object ON object.id = lock_total.object"
                      " WHERE object.name LIKE 'GIL%' AND threads > 1");
    say_choice(text, &sums, &lock, parallelism, processors, threads, global_lock);
    return g_string_free(text, FALSE);
}

void reel_advice_free(char *advice)
{
    g_free(advice);
}
