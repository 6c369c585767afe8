/* Lost wake-ups: a signal that found no waiter, and then a wait for it that nobody is left to end.
 *
 * A signal without a waiter is nothing bad by itself: a queue does it all the time, and whoever
 * comes later sees the items. It was lost if a thread then waits without a deadline, the process
 * stands still, nobody has signalled since, and all who ever did have ended or only wait for other
 * threads' ends. */
#include <glib.h>

#include "tracer/detect/describe.h"
#include "tracer/detect/detectors.h"
#include "tracer/detect/wait_graph.h"

struct lost_signal {
    uint64_t time_ns;
    uint32_t thread, stack;
};

struct condition {
    struct lost_signal first, last; /* those that found nobody */
    uint64_t wakes;                 /* waits that a signal ended */
    GHashTable *signallers;
};

struct lost_wakeup {
    const struct reel_detect_context *context;
    struct reel_quiescence *quiescence;
    GHashTable *conditions; /* object → struct condition */
    GHashTable *reported;   /* threads */
};

static void free_condition(void *data)
{
    struct condition *condition = data;
    g_hash_table_unref(condition->signallers);
    g_free(condition);
}

static void *lost_new(const struct reel_detect_context *context)
{
    struct lost_wakeup *lost = g_new0(struct lost_wakeup, 1);
    lost->context = context;
    lost->quiescence = reel_quiescence_new(context);
    lost->conditions = g_hash_table_new_full(NULL, NULL, NULL, free_condition);
    lost->reported = g_hash_table_new(NULL, NULL);
    return lost;
}

static void lost_free(void *detector)
{
    struct lost_wakeup *lost = detector;
    reel_quiescence_free(lost->quiescence);
    g_hash_table_unref(lost->conditions);
    g_hash_table_unref(lost->reported);
    g_free(lost);
}

static void lost_event(void *detector, const struct reel_event *event, uint32_t object,
                       uint32_t other)
{
    struct lost_wakeup *lost = detector;
    reel_quiescence_event(lost->quiescence, event, object);
    if (event->class != REEL_CLASS_CONDITION ||
        (event->operation != REEL_OP_SIGNAL && event->operation != REEL_OP_BROADCAST))
        return;
    struct condition *condition = g_hash_table_lookup(lost->conditions, GUINT_TO_POINTER(object));
    if (!condition) {
        condition = g_new0(struct condition, 1);
        condition->signallers = g_hash_table_new(NULL, NULL);
        g_hash_table_insert(lost->conditions, GUINT_TO_POINTER(object), condition);
    }
    g_hash_table_add(condition->signallers, GUINT_TO_POINTER(event->thread));
    const struct reel_world_object *known = reel_world_object(lost->context->world, object);
    if (known && known->waiter_count) {
        condition->wakes++;
        return;
    }
    condition->last = (struct lost_signal){event->time_ns, event->thread, event->stack};
    if (!condition->first.time_ns)
        condition->first = condition->last;
}

/* Has everybody who ever signalled it gone, or does nothing but wait for others to end? */
static bool signallers_are_gone(const struct lost_wakeup *lost, const struct condition *condition)
{
    GHashTableIter iter;
    void *key;
    g_hash_table_iter_init(&iter, condition->signallers);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        uint32_t number = GPOINTER_TO_UINT(key);
        const struct reel_world_thread *thread = reel_world_thread(lost->context->world, number);
        if (!thread || thread->ended)
            continue;
        const struct reel_wait *wait = reel_world_wait(lost->context->world, number);
        if (!wait || wait->class != REEL_CLASS_THREAD)
            return false;
    }
    return true;
}

static void report(struct lost_wakeup *lost, const struct condition *condition, uint32_t waiter,
                   const struct reel_wait *wait)
{
    const struct reel_detect_context *context = lost->context;
    const char *name = reel_describe_object(context, wait->object);
    struct reel_finding *finding =
        reel_finding_new(REEL_FINDING_LOST_WAKEUP, REEL_CONFIDENCE_OBSERVED, REEL_SEVERITY_ERROR);
    char ago[32];
    reel_describe_duration(wait->since_ns - condition->last.time_ns, ago);
    reel_finding_title(finding, "%s was signalled before %s waited for it", name,
                       reel_describe_thread(context, waiter));
    reel_finding_explain(finding,
                         "%s signalled %s at %s, when nobody waited for it: the signal was lost. "
                         "%s later %s began to wait for it at %s. Nobody has signalled since, and "
                         "nobody is left who would.",
                         reel_describe_thread(context, condition->last.thread), name,
                         reel_describe_site(context, condition->last.stack), ago,
                         reel_describe_thread(context, waiter),
                         reel_describe_site(context, wait->stack));
    reel_finding_fix(finding, "A signal leaves nothing behind: note what happened in a variable, "
                              "change it under the mutex, and wait only while it says that there "
                              "is reason to: while (!ready) pthread_cond_wait(…).");
    reel_finding_evidence(finding, condition->last.time_ns, condition->last.thread, wait->object,
                          condition->last.stack, "signals %s here; nobody waits", name);
    reel_finding_evidence(finding, wait->since_ns, waiter, wait->object, wait->stack,
                          "waits for %s here, and is never woken", name);
    finding->time_ns = wait->since_ns;
    GString *key = g_string_new(NULL);
    reel_describe_key_object(context, wait->object, key);
    g_string_append_c(key, '|');
    reel_describe_key_site(context, condition->last.stack, key);
    g_string_append_c(key, '|');
    reel_describe_key_site(context, wait->stack, key);
    reel_finding_key(finding, "lost-wakeup|%s", key->str);
    g_string_free(key, TRUE);
    reel_finding_set_add(context->findings, finding);
}

static void lost_look(void *detector, uint64_t now_ns)
{
    struct lost_wakeup *lost = detector;
    const struct reel_world *world = lost->context->world;
    for (uint32_t i = 1; i < reel_world_thread_limit(world); i++) {
        const struct reel_world_thread *thread = reel_world_thread(world, i);
        const struct reel_wait *wait =
            thread && thread->begun && !thread->ended ? reel_world_wait(world, i) : NULL;
        if (!wait || wait->class != REEL_CLASS_CONDITION || wait->woken_ns)
            continue;
        const struct condition *condition =
            g_hash_table_lookup(lost->conditions, GUINT_TO_POINTER(wait->object));
        uint64_t since_ns;
        if (!condition || !condition->last.time_ns || condition->wakes ||
            condition->last.time_ns > wait->since_ns || !signallers_are_gone(lost, condition) ||
            !reel_quiescence_of(lost->quiescence, thread->process, &since_ns) ||
            now_ns < since_ns + lost->context->grace_ns)
            continue;
        if (g_hash_table_add(lost->reported, GUINT_TO_POINTER(i)))
            report(lost, condition, i, wait);
    }
}

const struct reel_detector_class reel_lost_wakeup = {
    .name = "lost wake-up",
    .new = lost_new,
    .free = lost_free,
    .event = lost_event,
    .look = lost_look,
};
