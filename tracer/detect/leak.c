/* Leaks, for information: threads that ended and were never joined or detached (unless they were
 * made detached, which is not seen), and places that make objects by the hundred and destroy none.
 */
#include "tracer/detect/describe.h"
#include "tracer/detect/detectors.h"

#define MANY_OBJECTS 100u
#define MANY_THREADS 10u

struct place {
    uint64_t made, destroyed;
    uint32_t object, stack;
};

struct leak {
    const struct reel_detect_context *context;
    GHashTable *unjoined; /* threads that ended */
    GHashTable *settled;  /* joined or detached */
    GHashTable *place;    /* stack → struct place */
    GHashTable *made_at;  /* object → stack */
    uint32_t create_stack;
};

static void *leak_new(const struct reel_detect_context *context)
{
    struct leak *leak = g_new0(struct leak, 1);
    leak->context = context;
    leak->unjoined = g_hash_table_new(NULL, NULL);
    leak->settled = g_hash_table_new(NULL, NULL);
    leak->place = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    leak->made_at = g_hash_table_new(NULL, NULL);
    return leak;
}

static void leak_free(void *detector)
{
    struct leak *leak = detector;
    g_hash_table_unref(leak->unjoined);
    g_hash_table_unref(leak->settled);
    g_hash_table_unref(leak->place);
    g_hash_table_unref(leak->made_at);
    g_free(leak);
}

static void thread_event(struct leak *leak, const struct reel_event *event, uint32_t object)
{
    uint32_t target = reel_thread_of(leak->context, object);
    switch (event->operation) {
    case REEL_OP_CREATE:
        leak->create_stack = event->stack;
        break;
    case REEL_OP_EXIT:
        if (event->argument < REEL_EXIT_PROCESS)
            g_hash_table_add(leak->unjoined, GUINT_TO_POINTER(event->thread));
        break;
    case REEL_OP_WAKE:
    case REEL_OP_DETACH:
        if (event->argument == 0 && target)
            g_hash_table_add(leak->settled, GUINT_TO_POINTER(target));
        break;
    default:
        break;
    }
}

static void leak_event(void *detector, const struct reel_event *event, uint32_t object,
                       uint32_t other)
{
    struct leak *leak = detector;
    if (event->class == REEL_CLASS_THREAD) {
        thread_event(leak, event, object);
        return;
    }
    if (!object || event->class < REEL_CLASS_MUTEX || event->class > REEL_CLASS_BARRIER)
        return;
    if (event->operation == REEL_OP_INIT && event->stack) {
        struct place *place = g_hash_table_lookup(leak->place, GUINT_TO_POINTER(event->stack));
        if (!place) {
            place = g_new0(struct place, 1);
            place->stack = event->stack;
            place->object = object;
            g_hash_table_insert(leak->place, GUINT_TO_POINTER(event->stack), place);
        }
        place->made++;
        g_hash_table_insert(leak->made_at, GUINT_TO_POINTER(object),
                            GUINT_TO_POINTER(event->stack));
    } else if (event->operation == REEL_OP_DESTROY && event->argument == 0) {
        void *stack = g_hash_table_lookup(leak->made_at, GUINT_TO_POINTER(object));
        struct place *place = stack ? g_hash_table_lookup(leak->place, stack) : NULL;
        if (place)
            place->destroyed++;
        g_hash_table_remove(leak->made_at, GUINT_TO_POINTER(object));
    }
}

static void report_threads(struct leak *leak)
{
    unsigned count = 0;
    GHashTableIter iter;
    void *key;
    struct reel_finding *finding =
        reel_finding_new(REEL_FINDING_LEAK, REEL_CONFIDENCE_POSSIBLE, REEL_SEVERITY_INFO);
    g_hash_table_iter_init(&iter, leak->unjoined);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        if (g_hash_table_contains(leak->settled, key))
            continue;
        if (count++ < 16)
            reel_finding_thread(finding, GPOINTER_TO_UINT(key));
    }
    if (count < MANY_THREADS) {
        reel_finding_free(finding);
        return;
    }
    reel_finding_key(finding, "leak|threads");
    reel_finding_title(finding, "%u threads ended and were never joined", count);
    reel_finding_explain(finding,
                         "Until it is joined or detached, a thread that has ended keeps "
                         "its stack. %u did; they are made at %s. (A thread that was "
                         "made detached is not told apart.)",
                         count, reel_describe_site(leak->context, leak->create_stack));
    reel_finding_fix(finding, "Join them, or detach those whose result nobody wants.");
    reel_finding_evidence(finding, 0, 0, 0, leak->create_stack, "makes threads here");
    reel_finding_set_add(leak->context->findings, finding);
}

static void leak_finish(void *detector)
{
    struct leak *leak = detector;
    report_threads(leak);
    GHashTableIter iter;
    void *value;
    g_hash_table_iter_init(&iter, leak->place);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const struct place *place = value;
        if (place->made < MANY_OBJECTS || place->destroyed)
            continue;
        const char *class = reel_describe_class(leak->context, place->object);
        const char *site = reel_describe_site(leak->context, place->stack);
        struct reel_finding *finding =
            reel_finding_new(REEL_FINDING_LEAK, REEL_CONFIDENCE_OBSERVED, REEL_SEVERITY_INFO);
        reel_finding_key(finding, "leak|%s|%s", class, site);
        reel_finding_title(finding, "%" G_GUINT64_FORMAT " objects (%s) made at %s, none destroyed",
                           place->made, class, site);
        reel_finding_explain(finding,
                             "Each object of class %s that is initialised at %s should be "
                             "destroyed before its memory is freed; none was.",
                             class, site);
        reel_finding_fix(finding, "Destroy it where what it belongs to is freed.");
        reel_finding_evidence(finding, 0, 0, place->object, place->stack, "made here");
        reel_finding_set_add(leak->context->findings, finding);
    }
}

const struct reel_detector_class reel_leak = {
    .name = "leak",
    .new = leak_new,
    .free = leak_free,
    .event = leak_event,
    .finish = leak_finish,
};
