/* Convoys: one lock, held nearly always and handed from thread to thread, so that threads run one
 * at a time. And their regular form, an interpreter's global lock: the holder is made to give way
 * after a switch interval.
 *
 * A global lock is seen by its name (an annotation, or the interpreter's own), or, built from a
 * mutex and a condition as CPython's is, by waits for the condition that time out again and again
 * after one interval, while of all those threads about one runs. */

#include "tracer/detect/describe.h"
#include "tracer/detect/detectors.h"
#include "tracer/detect/lock_use.h"
#include "tracer/detect/thread_times.h"

/* Below these a lock is not worth a word. */
#define LEAST_WINDOW_NS 20000000ull
#define LEAST_HANDOFFS  8u
/* A mutex is not fair: its holder mostly takes it again before the thread it woke has run. Then a
 * lock is taken many times and changes hands only when the scheduler interferes. */
#define LEAST_HOLDS           32u
#define LEAST_UNFAIR_HANDOFFS 2u

/* Timed waits for one condition. */
struct ticking {
    uint32_t condition, stack;
    uint64_t first_ns, last_ns;
    uint64_t timeouts, waited_ns, timeout_ns;
    uint64_t shortest_ns, longest_ns; /* of those that timed out */
    GHashTable *waiter;               /* thread → pointer to its waited ns */
};

struct convoy {
    const struct reel_detect_context *context;
    GHashTable *uses, *ticking;
    GArray *times;
};

static void free_ticking(void *data)
{
    struct ticking *ticking = data;
    g_hash_table_unref(ticking->waiter);
    g_free(ticking);
}

static void *convoy_new(const struct reel_detect_context *context)
{
    struct convoy *convoy = g_new0(struct convoy, 1);
    convoy->context = context;
    convoy->uses = reel_lock_uses_new();
    convoy->ticking = g_hash_table_new_full(NULL, NULL, NULL, free_ticking);
    convoy->times = reel_thread_times_new();
    return convoy;
}

static void convoy_free(void *detector)
{
    struct convoy *convoy = detector;
    g_hash_table_unref(convoy->uses);
    g_hash_table_unref(convoy->ticking);
    g_array_unref(convoy->times);
    g_free(convoy);
}

static void convoy_hold(void *detector, const struct reel_hold *hold)
{
    reel_lock_uses_hold(((struct convoy *)detector)->uses, hold);
}

static void note_tick(struct convoy *convoy, const struct reel_interval *interval)
{
    uint64_t length = interval->end_ns - interval->start_ns;
    struct ticking *ticking =
        g_hash_table_lookup(convoy->ticking, GUINT_TO_POINTER(interval->object));
    if (!ticking) {
        ticking = g_new0(struct ticking, 1);
        ticking->condition = interval->object;
        ticking->first_ns = interval->start_ns;
        ticking->shortest_ns = UINT64_MAX;
        ticking->waiter = g_hash_table_new_full(NULL, NULL, NULL, g_free);
        g_hash_table_insert(convoy->ticking, GUINT_TO_POINTER(interval->object), ticking);
    }
    uint64_t *mine = g_hash_table_lookup(ticking->waiter, GUINT_TO_POINTER(interval->thread));
    if (!mine) {
        mine = g_new0(uint64_t, 1);
        g_hash_table_insert(ticking->waiter, GUINT_TO_POINTER(interval->thread), mine);
    }
    *mine += length;
    ticking->waited_ns += length;
    ticking->last_ns = interval->end_ns;
    ticking->stack = interval->stack;
    if (!interval->ended_by) { /* nobody signalled: its time was over */
        ticking->timeouts++;
        ticking->timeout_ns += length;
        ticking->shortest_ns = MIN(ticking->shortest_ns, length);
        ticking->longest_ns = MAX(ticking->longest_ns, length);
    }
}

static void convoy_interval(void *detector, const struct reel_interval *interval)
{
    struct convoy *convoy = detector;
    reel_lock_uses_interval(convoy->uses, interval);
    reel_thread_times_add(convoy->times, interval);
    if (interval->state == REEL_STATE_COND_WAIT && interval->call & REEL_CALL_TIMED &&
        interval->ended_event)
        note_tick(convoy, interval);
}

/* Time that the users of the lock ran, as threads at a time. */
static double parallelism(const struct convoy *convoy, GHashTable *users, uint64_t window_ns)
{
    GHashTableIter iter;
    void *key;
    uint64_t running = 0;
    g_hash_table_iter_init(&iter, users);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        struct reel_thread_times times = reel_thread_times_at(convoy->times, GPOINTER_TO_UINT(key));
        running += reel_thread_times_running(&times);
    }
    return window_ns ? (double)running / (double)window_ns : 0;
}

/* The time from its first hold to its last, but for what passed while its holder could run and had
 * no processor: then others wait for the machine, and it looks held nearly always. */
static uint64_t awake_window(const struct reel_lock_use *use)
{
    uint64_t window_ns = use->last_ns - use->first_ns;
    return window_ns - MIN(window_ns, use->held_starved_ns);
}

static int compare_threads(const void *left, const void *right)
{
    return GPOINTER_TO_UINT(left) < GPOINTER_TO_UINT(right) ? -1 : left != right;
}

static void add_users(struct reel_finding *finding, GHashTable *users)
{
    GList *list = g_list_sort(g_hash_table_get_keys(users), compare_threads);
    for (GList *at = list; at; at = at->next)
        reel_finding_thread(finding, GPOINTER_TO_UINT(at->data));
    g_list_free(list);
}

static void set_key(const struct convoy *convoy, struct reel_finding *finding, uint32_t object)
{
    GString *key = g_string_new(reel_finding_kind_name(finding->kind));
    g_string_append_c(key, '|');
    reel_describe_key_object(convoy->context, object, key);
    reel_finding_key(finding, "%s", key->str);
    g_string_free(key, TRUE);
}

#define GIL_FIX                                                                                    \
    "Threads do not help while they compute under one global lock: use processes for the "         \
    "computation, or move it into code that drops the lock. Threads still help while they wait "   \
    "for I/O, which drops it; there an event loop does as well."

static void report_lock(struct convoy *convoy, const struct reel_lock_use *use, bool gil)
{
    const struct reel_detect_context *context = convoy->context;
    uint64_t window_ns = use->last_ns - use->first_ns;
    double share = 100.0 * (double)use->held_ns / (double)window_ns;
    double at_once = parallelism(convoy, use->user, awake_window(use));
    unsigned users = g_hash_table_size(use->user);
    const char *name = reel_describe_object(context, use->object);
    char longest[32], mean[32], window[32], starved[160] = "";
    reel_describe_duration(use->longest_wait_ns, longest);
    reel_describe_duration(use->held_ns / MAX(use->holds, 1), mean);
    reel_describe_duration(window_ns, window);
    if (use->held_starved_ns >= window_ns / 10) {
        char length[32];
        reel_describe_duration(use->held_starved_ns, length);
        g_snprintf(starved, sizeof starved,
                   " (%s of that time, in which its holder could run and had no processor, is left "
                   "out of this.)",
                   length);
    }
    struct reel_finding *finding =
        reel_finding_new(gil ? REEL_FINDING_GIL : REEL_FINDING_CONVOY, REEL_CONFIDENCE_OBSERVED,
                         REEL_SEVERITY_WARNING);
    if (gil)
        reel_finding_title(finding, "global lock %s: %u threads took turns, %.2f ran at a time",
                           name, users, at_once);
    else
        reel_finding_title(finding, "convoy behind %s: %u threads, %.2f ran at a time", name, users,
                           at_once);
    reel_finding_explain(
        finding,
        "%s was held %.0f %% of %s by %u threads in turn, %s at a time on average; it changed "
        "hands "
        "%" G_GUINT64_FORMAT " times, %" G_GUINT64_FORMAT " of them to a thread that had waited. "
        "The threads waited %.2f times as long as all this took; the longest wait was %s, of %s at "
        "%s. Effective parallelism: %.2f of %u.%s%s",
        name, share > 100 ? 100 : share, window, users, mean, use->handoffs, use->forced,
        (double)use->waited_ns / (double)window_ns, longest,
        reel_describe_thread(context, use->longest_waiter),
        reel_describe_site(context, use->wait_stack), at_once,
        MIN(users, MAX(context->processors, 1)), starved,
        !gil && use->handoffs < use->holds / 4
            ? " Mostly the same thread took it again before the one it had woken could: whoever "
              "waits is passed over."
            : "");
    if (gil)
        reel_finding_fix(finding, "%s", GIL_FIX);
    else
        reel_finding_fix(
            finding,
            "Do less while %s is held (its longest hold begins at %s): prepare outside, "
            "lock only to publish; or split what it guards, so that threads need "
            "different locks. As it is, more threads do not make this faster.",
            name, reel_describe_site(context, use->hold_stack));
    reel_finding_evidence(finding, use->longest_hold_start_ns, use->longest_holder, use->object,
                          use->hold_stack, "holds %s longest, taken here", name);
    reel_finding_evidence(finding, use->longest_wait_start_ns, use->longest_waiter, use->object,
                          use->wait_stack, "waits longest, here");
    add_users(finding, use->user);
    finding->time_ns = use->first_ns;
    finding->end_ns = use->last_ns;
    set_key(convoy, finding, use->object);
    reel_finding_set_add(context->findings, finding);
}

/* Whether its users stood in line for it rather than once behind one long hold. */
static bool has_queue(const struct reel_lock_use *use, uint64_t window_ns)
{
    if (use->handoffs >= LEAST_HANDOFFS && use->waits >= LEAST_HANDOFFS)
        return true;
    return use->holds >= LEAST_HOLDS && use->handoffs >= LEAST_UNFAIR_HANDOFFS &&
           use->longest_hold_ns < window_ns / 8;
}

static bool is_convoy(const struct convoy *convoy, const struct reel_lock_use *use, bool gil)
{
    uint64_t window_ns = awake_window(use);
    /* Threads that sleep with the lock held are slow for another reason. */
    double at_once = parallelism(convoy, use->user, window_ns);
    return use->last_ns - use->first_ns >= LEAST_WINDOW_NS && has_queue(use, window_ns) &&
           reel_lock_use_waiters(use) >= 2 &&
           use->held_ns - use->held_starved_ns >= window_ns / 4 * (gil ? 2 : 3) &&
           reel_lock_use_blame(use) >= window_ns / 2 && at_once < 1.5 && (gil || at_once > 0.25);
}

/* A global lock without a name: see above. */
static bool is_ticking(const struct convoy *convoy, const struct ticking *ticking)
{
    uint64_t window_ns = ticking->last_ns - ticking->first_ns;
    if (window_ns < LEAST_WINDOW_NS || ticking->timeouts < LEAST_HANDOFFS ||
        g_hash_table_size(ticking->waiter) < 2 || ticking->waited_ns < window_ns / 2)
        return false;
    uint64_t mean = ticking->timeout_ns / ticking->timeouts;
    double at_once = parallelism(convoy, ticking->waiter, window_ns);
    return mean <= 100000000 && ticking->shortest_ns >= mean / 4 && at_once > 0.5 && at_once < 1.4;
}

static void report_ticking(struct convoy *convoy, const struct ticking *ticking)
{
    const struct reel_detect_context *context = convoy->context;
    uint64_t window_ns = ticking->last_ns - ticking->first_ns;
    double at_once = parallelism(convoy, ticking->waiter, window_ns);
    unsigned users = g_hash_table_size(ticking->waiter);
    char interval[32], window[32];
    reel_describe_duration(ticking->shortest_ns, interval);
    reel_describe_duration(window_ns, window);
    struct reel_finding *finding =
        reel_finding_new(REEL_FINDING_GIL, REEL_CONFIDENCE_OBSERVED, REEL_SEVERITY_WARNING);
    reel_finding_title(finding, "a global lock: %u threads took turns, %.2f ran at a time", users,
                       at_once);
    reel_finding_explain(
        finding,
        "For %s, %u threads waited in turn for %s (at %s), each time for about %s before asking "
        "again, %" G_GUINT64_FORMAT " times without being let in; meanwhile %.2f of them ran. So "
        "behaves an interpreter's global lock whose holder gives way after a switch interval.",
        window, users, reel_describe_object(context, ticking->condition),
        reel_describe_site(context, ticking->stack), interval, ticking->timeouts, at_once);
    reel_finding_fix(finding, "%s", GIL_FIX);
    reel_finding_evidence(finding, ticking->first_ns, 0, ticking->condition, ticking->stack,
                          "waits here for its turn");
    add_users(finding, ticking->waiter);
    finding->time_ns = ticking->first_ns;
    finding->end_ns = ticking->last_ns;
    set_key(convoy, finding, ticking->condition);
    reel_finding_set_add(context->findings, finding);
}

static void convoy_finish(void *detector)
{
    struct convoy *convoy = detector;
    GPtrArray *uses = reel_lock_uses_ranked(convoy->uses);
    bool named = false;
    for (guint i = 0; i < uses->len; i++) {
        const struct reel_lock_use *use = uses->pdata[i];
        const struct reel_world_object *lock =
            reel_world_object(convoy->context->world, use->object);
        bool gil = lock && lock->gil;
        named |= gil;
        if (is_convoy(convoy, use, gil))
            report_lock(convoy, use, gil);
    }
    g_ptr_array_unref(uses);
    GHashTableIter iter;
    void *ticking;
    g_hash_table_iter_init(&iter, convoy->ticking);
    while (!named && g_hash_table_iter_next(&iter, NULL, &ticking))
        if (is_ticking(convoy, ticking))
            report_ticking(convoy, ticking);
}

const struct reel_detector_class reel_convoy = {
    .name = "convoy",
    .new = convoy_new,
    .free = convoy_free,
    .interval = convoy_interval,
    .hold = convoy_hold,
    .finish = convoy_finish,
};
