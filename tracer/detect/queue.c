/* Queues out of balance: producers that mostly wait for room, consumers that mostly wait for items,
 * queues that only grow. Annotated queues and message queues; pipes and sockets show their waits as
 * I/O. Backpressure is what a bounded queue is for, so the first two are information; a queue that
 * grows without bound is a warning. */
#include "tracer/detect/describe.h"
#include "tracer/detect/detectors.h"

#define LEAST_WAITED_NS 50000000ull
#define MANY_ITEMS      1000

struct queue {
    uint64_t first_ns, last_ns;
    uint64_t full_ns, empty_ns; /* waited for room, for items */
    uint64_t puts, gets;
    int64_t depth, deepest;
    uint64_t deepest_ns;
    uint32_t put_stack, get_stack, put_thread, get_thread;
};

struct wait {
    uint64_t since_ns;
    uint32_t object, call, stack;
};

struct queues {
    const struct reel_detect_context *context;
    GHashTable *queue; /* object → struct queue */
    GHashTable *wait;  /* thread → struct wait */
};

static void *queue_new(const struct reel_detect_context *context)
{
    struct queues *queues = g_new0(struct queues, 1);
    queues->context = context;
    queues->queue = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    queues->wait = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    return queues;
}

static void queue_free(void *detector)
{
    struct queues *queues = detector;
    g_hash_table_unref(queues->queue);
    g_hash_table_unref(queues->wait);
    g_free(queues);
}

static struct queue *queue_at(struct queues *queues, uint32_t object, uint64_t now_ns)
{
    struct queue *queue = g_hash_table_lookup(queues->queue, GUINT_TO_POINTER(object));
    if (!queue) {
        queue = g_new0(struct queue, 1);
        queue->first_ns = now_ns;
        g_hash_table_insert(queues->queue, GUINT_TO_POINTER(object), queue);
    }
    queue->last_ns = now_ns;
    return queue;
}

static void wait_begins(struct queues *queues, const struct reel_event *event, uint32_t object)
{
    struct wait *wait = g_new(struct wait, 1);
    *wait = (struct wait){event->time_ns, object, event->argument & REEL_CALL_NUMBER, event->stack};
    g_hash_table_insert(queues->wait, GUINT_TO_POINTER(event->thread), wait);
}

static void wait_ends(struct queues *queues, const struct reel_event *event, struct queue *queue,
                      uint32_t object)
{
    const struct wait *wait = g_hash_table_lookup(queues->wait, GUINT_TO_POINTER(event->thread));
    if (!wait || wait->object != object)
        return;
    uint64_t length = event->time_ns - wait->since_ns;
    if (wait->call == REEL_CALL_QUEUE_PUT || wait->call == REEL_CALL_MQ_SEND) {
        queue->full_ns += length;
        queue->put_stack = wait->stack;
        queue->put_thread = event->thread;
    } else {
        queue->empty_ns += length;
        queue->get_stack = wait->stack;
        queue->get_thread = event->thread;
    }
    g_hash_table_remove(queues->wait, GUINT_TO_POINTER(event->thread));
}

static void queue_event(void *detector, const struct reel_event *event, uint32_t object,
                        uint32_t other)
{
    struct queues *queues = detector;
    if (!object || (event->class != REEL_CLASS_QUEUE && event->class != REEL_CLASS_MESSAGE_QUEUE))
        return;
    struct queue *queue = queue_at(queues, object, event->time_ns);
    switch (event->operation) {
    case REEL_OP_PUT:
        queue->puts++;
        queue->put_stack = queue->put_stack ? queue->put_stack : event->stack;
        queue->put_thread = event->thread;
        if (++queue->depth > queue->deepest) {
            queue->deepest = queue->depth;
            queue->deepest_ns = event->time_ns;
        }
        break;
    case REEL_OP_GET:
        queue->gets++;
        queue->depth--;
        queue->get_stack = queue->get_stack ? queue->get_stack : event->stack;
        queue->get_thread = event->thread;
        break;
    case REEL_OP_WAIT:
    case REEL_OP_BEGIN:
        wait_begins(queues, event, object);
        break;
    case REEL_OP_WAKE:
    case REEL_OP_END:
        wait_ends(queues, event, queue, object);
        break;
    default:
        break;
    }
}

static struct reel_finding *new_finding(const struct queues *queues, const struct queue *queue,
                                        uint32_t object, const char *what,
                                        enum reel_severity severity)
{
    struct reel_finding *finding =
        reel_finding_new(REEL_FINDING_QUEUE, REEL_CONFIDENCE_OBSERVED, severity);
    GString *key = g_string_new(what);
    g_string_append_c(key, '|');
    reel_describe_key_object(queues->context, object, key);
    reel_finding_key(finding, "queue|%s", key->str);
    g_string_free(key, TRUE);
    finding->time_ns = queue->first_ns;
    finding->end_ns = queue->last_ns;
    reel_finding_object(finding, object);
    return finding;
}

static void report_growth(const struct queues *queues, const struct queue *queue, uint32_t object)
{
    const char *name = reel_describe_object(queues->context, object);
    struct reel_finding *finding =
        new_finding(queues, queue, object, "grows", REEL_SEVERITY_WARNING);
    reel_finding_title(finding, "%s only grows: %" G_GINT64_FORMAT " items wait at the end", name,
                       queue->depth);
    reel_finding_explain(finding,
                         "%" G_GUINT64_FORMAT " items went into %s and %" G_GUINT64_FORMAT
                         " came out; it was deepest (%" G_GINT64_FORMAT ") near the end. Its "
                         "consumers do not keep up, and each item waits longer than the last.",
                         queue->puts, name, queue->gets, queue->deepest);
    reel_finding_fix(finding, "Bound the queue, so that producers wait, or add consumers, or drop "
                              "what is too old to be of use.");
    reel_finding_evidence(finding, queue->deepest_ns, queue->put_thread, object, queue->put_stack,
                          "puts here");
    reel_finding_set_add(queues->context->findings, finding);
}

static void report_wait(const struct queues *queues, const struct queue *queue, uint32_t object,
                        bool full)
{
    const struct reel_detect_context *context = queues->context;
    uint64_t waited = full ? queue->full_ns : queue->empty_ns;
    const char *name = reel_describe_object(context, object);
    char text[32];
    reel_describe_duration(waited, text);
    struct reel_finding *finding =
        new_finding(queues, queue, object, full ? "full" : "empty", REEL_SEVERITY_INFO);
    reel_finding_title(finding, "%s is %s most of the time: %s waited %s", name,
                       full ? "full" : "empty", full ? "producers" : "consumers", text);
    reel_finding_explain(
        finding,
        "%s waited %s for %s %s (at %s), while it was in use for %" G_GUINT64_FORMAT " ms.",
        full ? "Producers" : "Consumers", text, full ? "room in" : "items of", name,
        reel_describe_site(context, full ? queue->put_stack : queue->get_stack),
        (queue->last_ns - queue->first_ns) / 1000000);
    reel_finding_fix(finding, full ? "The consumers set the pace: make them quicker or add some. "
                                     "More room would only delay the wait."
                                   : "The producers set the pace: fewer consumers would do.");
    reel_finding_evidence(finding, 0, full ? queue->put_thread : queue->get_thread, object,
                          full ? queue->put_stack : queue->get_stack, "waits here");
    reel_finding_set_add(context->findings, finding);
}

static void queue_finish(void *detector)
{
    struct queues *queues = detector;
    GHashTableIter iter;
    void *key, *value;
    g_hash_table_iter_init(&iter, queues->queue);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        const struct queue *queue = value;
        uint32_t object = GPOINTER_TO_UINT(key);
        uint64_t window = queue->last_ns - queue->first_ns;
        if (queue->depth >= MANY_ITEMS && queue->gets && queue->depth >= queue->deepest / 10 * 9)
            report_growth(queues, queue, object);
        else if (queue->full_ns >= LEAST_WAITED_NS && queue->full_ns >= window / 2)
            report_wait(queues, queue, object, true);
        else if (queue->empty_ns >= LEAST_WAITED_NS && queue->empty_ns >= 2 * window)
            report_wait(queues, queue, object, false);
    }
}

const struct reel_detector_class reel_queue = {
    .name = "queue",
    .new = queue_new,
    .free = queue_free,
    .event = queue_event,
    .finish = queue_finish,
};
