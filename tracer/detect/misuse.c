/* Misuse of locks, conditions, barriers, semaphores and threads: the detector, and the facts about
 * the past that its parts look at. Where events were lost it is silent: what is missing may be what
 * made it right. */
#include "tracer/detect/misuse.h"

#include "tracer/detect/detectors.h"

static void *misuse_new(const struct reel_detect_context *context)
{
    struct reel_misuse *misuse = g_new0(struct reel_misuse, 1);
    misuse->context = context;
    misuse->object = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    misuse->thread = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    misuse->forked = g_hash_table_new(NULL, NULL);
    misuse->cut = g_array_new(FALSE, FALSE, sizeof(struct reel_hold));
    misuse->left_locked = g_array_new(FALSE, FALSE, sizeof(struct reel_hold));
    return misuse;
}

static void misuse_free(void *detector)
{
    struct reel_misuse *misuse = detector;
    g_hash_table_unref(misuse->object);
    g_hash_table_unref(misuse->thread);
    g_hash_table_unref(misuse->forked);
    g_array_unref(misuse->cut);
    g_array_unref(misuse->left_locked);
    reel_address_map_clear(&misuse->newest);
    g_free(misuse);
}

struct reel_misuse_object *reel_misuse_object_at(struct reel_misuse *misuse, uint32_t object)
{
    struct reel_misuse_object *facts =
        g_hash_table_lookup(misuse->object, GUINT_TO_POINTER(object));
    if (!facts) {
        facts = g_new0(struct reel_misuse_object, 1);
        g_hash_table_insert(misuse->object, GUINT_TO_POINTER(object), facts);
    }
    return facts;
}

struct reel_misuse_thread *reel_misuse_thread_at(struct reel_misuse *misuse, uint32_t thread)
{
    struct reel_misuse_thread *facts =
        g_hash_table_lookup(misuse->thread, GUINT_TO_POINTER(thread));
    if (!facts) {
        facts = g_new0(struct reel_misuse_thread, 1);
        g_hash_table_insert(misuse->thread, GUINT_TO_POINTER(thread), facts);
    }
    return facts;
}

struct reel_finding *reel_misuse_finding(struct reel_misuse *misuse, const char *rule,
                                         enum reel_severity severity, uint32_t object,
                                         uint64_t time_ns, uint32_t stack)
{
    struct reel_finding *finding =
        reel_finding_new(REEL_FINDING_MISUSE, REEL_CONFIDENCE_OBSERVED, severity);
    GString *key = g_string_new(rule);
    g_string_append_c(key, '|');
    if (reel_class_of(misuse->context, object) == REEL_CLASS_THREAD)
        g_string_append(key, "thread"); /* names of threads may be numbered as they come */
    else
        reel_describe_key_object(misuse->context, object, key);
    g_string_append_c(key, '|');
    reel_describe_key_site(misuse->context, stack, key);
    reel_finding_key(finding, "misuse|%s", key->str);
    g_string_free(key, TRUE);
    reel_finding_object(finding, object);
    finding->time_ns = time_ns;
    return finding;
}

void reel_misuse_add(struct reel_misuse *misuse, struct reel_finding *finding)
{
    reel_finding_set_add(misuse->context->findings, finding);
}

static bool is_watched(unsigned class)
{
    return class >= REEL_CLASS_MUTEX && class <= REEL_CLASS_BARRIER;
}

static void misuse_event(void *detector, const struct reel_event *event, uint32_t object,
                         uint32_t other)
{
    struct reel_misuse *misuse = detector;
    if (!event->thread || reel_world_statistics(misuse->context->world)->gaps)
        return;
    if (event->operation == REEL_OP_ATTACH && event->argument && event->argument != event->process)
        g_hash_table_add(misuse->forked, GUINT_TO_POINTER(event->process));
    /* The lock part first: it looks at what the event before left open. */
    reel_misuse_lock_event(misuse, event, object, other);
    if (event->class == REEL_CLASS_THREAD || event->class == REEL_CLASS_PROCESS)
        reel_misuse_thread_event(misuse, event, object);
    else if (object && is_watched(event->class))
        reel_misuse_object_event(misuse, event, object);
}

static void misuse_hold(void *detector, const struct reel_hold *hold)
{
    struct reel_misuse *misuse = detector;
    misuse->last_hold = *hold;
    reel_misuse_thread_hold(misuse, hold);
}

static void misuse_finish(void *detector)
{
    struct reel_misuse *misuse = detector;
    if (reel_world_statistics(misuse->context->world)->gaps)
        return;
    reel_misuse_lock_finish(misuse);
    reel_misuse_thread_finish(misuse);
}

const struct reel_detector_class reel_misuse = {
    .name = "misuse",
    .new = misuse_new,
    .free = misuse_free,
    .event = misuse_event,
    .hold = misuse_hold,
    .finish = misuse_finish,
};
