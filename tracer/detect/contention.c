/* Contention: what each lock cost in waiting, as a share of the time of those who use it. Told
 * where it is a tenth or more and no convoy, which says more, has been found. Waiting for a
 * processor is not waiting for a lock: see reel_lock_use_blame. */
#include "tracer/detect/describe.h"
#include "tracer/detect/detectors.h"
#include "tracer/detect/lock_use.h"
#include "tracer/detect/thread_times.h"

#define LEAST_WAITED_NS 50000000ull
#define LEAST_WAITS     20u
#define GRAVE_WAITED_NS 500000000ull /* and a third of the time: a warning */

struct contention {
    const struct reel_detect_context *context;
    GHashTable *uses;
    GArray *times;
};

static void *contention_new(const struct reel_detect_context *context)
{
    struct contention *contention = g_new0(struct contention, 1);
    contention->context = context;
    contention->uses = reel_lock_uses_new();
    contention->times = reel_thread_times_new();
    return contention;
}

static void contention_free(void *detector)
{
    struct contention *contention = detector;
    g_hash_table_unref(contention->uses);
    g_array_unref(contention->times);
    g_free(contention);
}

static void contention_hold(void *detector, const struct reel_hold *hold)
{
    reel_lock_uses_hold(((struct contention *)detector)->uses, hold);
}

static void contention_interval(void *detector, const struct reel_interval *interval)
{
    struct contention *contention = detector;
    reel_lock_uses_interval(contention->uses, interval);
    reel_thread_times_add(contention->times, interval);
}

static bool is_told(const struct contention *contention, uint32_t object)
{
    struct reel_finding_set *findings = contention->context->findings;
    for (size_t i = 0; i < reel_finding_set_count(findings); i++) {
        const struct reel_finding *finding = reel_finding_set_at(findings, i);
        if ((finding->kind == REEL_FINDING_CONVOY || finding->kind == REEL_FINDING_GIL ||
             finding->kind == REEL_FINDING_DEADLOCK) &&
            reel_finding_has_object(finding, object))
            return true;
    }
    return false;
}

static void report(struct contention *contention, const struct reel_lock_use *use, uint64_t life_ns)
{
    const struct reel_detect_context *context = contention->context;
    uint64_t blame_ns = reel_lock_use_blame(use);
    double share = (double)blame_ns / (double)life_ns;
    uint64_t window_ns = use->last_ns - use->first_ns;
    char waited[32], longest[32], hold[32], starved[160] = "";
    reel_describe_duration(use->waited_ns, waited);
    reel_describe_duration(use->longest_wait_ns, longest);
    reel_describe_duration(use->held_ns / MAX(use->holds, 1), hold);
    const char *name = reel_describe_object(context, use->object);
    struct reel_finding *finding = reel_finding_new(
        REEL_FINDING_CONTENTION, REEL_CONFIDENCE_OBSERVED,
        share >= 0.3 && blame_ns >= GRAVE_WAITED_NS ? REEL_SEVERITY_WARNING : REEL_SEVERITY_INFO);
    reel_finding_title(finding, "%.0f %% of its users' time goes into waiting for %s", 100 * share,
                       name);
    if (use->waited_ns - blame_ns >= use->waited_ns / 10) {
        char length[32];
        reel_describe_duration(use->waited_ns - blame_ns, length);
        g_snprintf(starved, sizeof starved,
                   " %s of the waiting is not counted against it: the lock was free, or who held "
                   "it had no processor.",
                   length);
    }
    reel_finding_explain(
        finding,
        "%u threads use %s. They waited for it %" G_GUINT64_FORMAT " times, %s in all, %s at most "
        "(at %s); on average %.2f of them were waiting. It was held %" G_GUINT64_FORMAT
        " times, %s on average, %.0f %% of the time, and changed hands %" G_GUINT64_FORMAT
        " times.%s",
        g_hash_table_size(use->user), name, use->waits, waited, longest,
        reel_describe_site(context, use->wait_stack),
        window_ns ? (double)use->waited_ns / (double)window_ns : 0, use->holds, hold,
        window_ns ? MIN(100.0, 100.0 * (double)use->held_ns / (double)window_ns) : 0, use->handoffs,
        starved);
    reel_finding_fix(finding,
                     "Hold %s for less (its longest hold begins at %s), ask for it less "
                     "often, or split what it guards.",
                     name, reel_describe_site(context, use->hold_stack));
    reel_finding_evidence(finding, use->longest_wait_start_ns, use->longest_waiter, use->object,
                          use->wait_stack, "waits longest, here");
    reel_finding_evidence(finding, use->longest_hold_start_ns, use->longest_holder, use->object,
                          use->hold_stack, "holds %s longest, taken here", name);
    GString *key = g_string_new("contention|");
    reel_describe_key_object(context, use->object, key);
    reel_finding_key(finding, "%s", key->str);
    g_string_free(key, TRUE);
    finding->time_ns = use->first_ns;
    finding->end_ns = use->last_ns;
    reel_finding_set_add(context->findings, finding);
}

static void contention_finish(void *detector)
{
    struct contention *contention = detector;
    GPtrArray *uses = reel_lock_uses_ranked(contention->uses);
    for (guint i = 0; i < uses->len; i++) {
        const struct reel_lock_use *use = uses->pdata[i];
        uint64_t life_ns = 0;
        GHashTableIter iter;
        void *key;
        g_hash_table_iter_init(&iter, use->user);
        while (g_hash_table_iter_next(&iter, &key, NULL)) {
            struct reel_thread_times times =
                reel_thread_times_at(contention->times, GPOINTER_TO_UINT(key));
            life_ns += reel_thread_times_total(&times);
        }
        uint64_t blame_ns = reel_lock_use_blame(use);
        if (blame_ns >= LEAST_WAITED_NS && use->waits >= LEAST_WAITS && blame_ns >= life_ns / 10 &&
            !is_told(contention, use->object))
            report(contention, use, life_ns);
    }
    g_ptr_array_unref(uses);
}

const struct reel_detector_class reel_contention = {
    .name = "contention",
    .new = contention_new,
    .free = contention_free,
    .interval = contention_interval,
    .hold = contention_hold,
    .finish = contention_finish,
};
