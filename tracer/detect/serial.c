/* Serial waits: a thread that asks one after the other for things that do not depend on each other,
 * and waits for each, while nothing else happens in its process. Reads and connects on several
 * descriptors in turn are told as a warning; sleeping again and again, which may stand for slow
 * calls that are not seen, only as information. */
#include "tracer/detect/describe.h"
#include "tracer/detect/detectors.h"
#include "tracer/detect/thread_times.h"

#define LEAST_WAIT_NS 3000000ull /* of one wait: shorter ones are not worth overlapping */
#define LEAST_SUM_NS  50000000ull
#define LEAST_OBJECTS 3u
#define LEAST_SLEEPS  8u

struct waiter {
    uint64_t first_ns, last_ns, waited_ns, longest_ns, waits;
    GHashTable *object; /* object → pointer to ns */
    uint32_t stack, longest_object;
    uint64_t longest_start_ns;
    uint64_t sleeps, slept_ns;
    uint32_t sleep_stack;
    bool sleeps_differ; /* from several places */
};

struct serial {
    const struct reel_detect_context *context;
    GHashTable *waiter; /* thread → struct waiter */
    GArray *times;
};

static void free_waiter(void *data)
{
    struct waiter *waiter = data;
    g_hash_table_unref(waiter->object);
    g_free(waiter);
}

static void *serial_new(const struct reel_detect_context *context)
{
    struct serial *serial = g_new0(struct serial, 1);
    serial->context = context;
    serial->waiter = g_hash_table_new_full(NULL, NULL, NULL, free_waiter);
    serial->times = reel_thread_times_new();
    return serial;
}

static void serial_free(void *detector)
{
    struct serial *serial = detector;
    g_hash_table_unref(serial->waiter);
    g_array_unref(serial->times);
    g_free(serial);
}

static bool asks_outside(const struct reel_interval *interval)
{
    switch (interval->call & REEL_CALL_NUMBER) {
    case REEL_CALL_READ:
    case REEL_CALL_RECV:
    case REEL_CALL_CONNECT:
        return interval->state == REEL_STATE_IO_WAIT;
    default:
        return false;
    }
}

static void serial_interval(void *detector, const struct reel_interval *interval)
{
    struct serial *serial = detector;
    uint64_t length = interval->end_ns - interval->start_ns;
    reel_thread_times_add(serial->times, interval);
    bool sleeps = interval->state == REEL_STATE_SLEEP;
    if (length < LEAST_WAIT_NS || (!sleeps && !asks_outside(interval)))
        return;
    struct waiter *waiter = g_hash_table_lookup(serial->waiter, GUINT_TO_POINTER(interval->thread));
    if (!waiter) {
        waiter = g_new0(struct waiter, 1);
        waiter->object = g_hash_table_new_full(NULL, NULL, NULL, g_free);
        g_hash_table_insert(serial->waiter, GUINT_TO_POINTER(interval->thread), waiter);
    }
    if (sleeps) {
        waiter->sleeps++;
        waiter->slept_ns += length;
        waiter->sleeps_differ |= waiter->sleep_stack && waiter->sleep_stack != interval->stack;
        waiter->sleep_stack = interval->stack;
        return;
    }
    if (!waiter->waits++)
        waiter->first_ns = interval->start_ns;
    waiter->last_ns = interval->end_ns;
    waiter->waited_ns += length;
    waiter->stack = interval->stack;
    uint64_t *mine = g_hash_table_lookup(waiter->object, GUINT_TO_POINTER(interval->object));
    if (!mine) {
        mine = g_new0(uint64_t, 1);
        g_hash_table_insert(waiter->object, GUINT_TO_POINTER(interval->object), mine);
    }
    *mine += length;
    if (length > waiter->longest_ns) {
        waiter->longest_ns = length;
        waiter->longest_object = interval->object;
        waiter->longest_start_ns = interval->start_ns;
    }
}

static bool is_only_thread(const struct serial *serial, uint32_t thread)
{
    const struct reel_world *world = serial->context->world;
    const struct reel_world_thread *mine = reel_world_thread(world, thread);
    for (uint32_t i = 1; mine && i < reel_world_thread_limit(world); i++) {
        const struct reel_world_thread *other = reel_world_thread(world, i);
        if (other && i != thread && other->process == mine->process)
            return false;
    }
    return mine;
}

/* Was this thread the only one of its process, or the only one that did anything? */
static bool is_alone(const struct serial *serial, uint32_t thread)
{
    const struct reel_world *world = serial->context->world;
    const struct reel_world_thread *mine = reel_world_thread(world, thread);
    struct reel_thread_times own = reel_thread_times_at(serial->times, thread);
    uint64_t others = 0;
    for (uint32_t i = 1; mine && i < reel_world_thread_limit(world); i++) {
        const struct reel_world_thread *other = reel_world_thread(world, i);
        if (!other || i == thread || other->process != mine->process)
            continue;
        struct reel_thread_times times = reel_thread_times_at(serial->times, i);
        others += reel_thread_times_running(&times) + times.state_ns[REEL_STATE_IO_WAIT] +
                  times.state_ns[REEL_STATE_SLEEP];
    }
    return mine && others * 10 < reel_thread_times_total(&own);
}

static void report(struct serial *serial, uint32_t thread, const struct waiter *waiter)
{
    const struct reel_detect_context *context = serial->context;
    unsigned objects = g_hash_table_size(waiter->object);
    char waited[32], longest[32];
    reel_describe_duration(waiter->waited_ns, waited);
    reel_describe_duration(waiter->longest_ns, longest);
    struct reel_finding *finding =
        reel_finding_new(REEL_FINDING_SERIAL, REEL_CONFIDENCE_OBSERVED, REEL_SEVERITY_WARNING);
    reel_finding_title(finding, "%u waits in a row took %s; together they could take %s", objects,
                       waited, longest);
    reel_finding_explain(
        finding,
        "%s waited for %u different descriptors, one after the other (last at %s): %s in all, "
        "while "
        "nothing else happened in its process. The longest of them was %s. If none needs another's "
        "answer, waiting for all of them at the same time takes as long as the longest.",
        reel_describe_thread(context, thread), objects, reel_describe_site(context, waiter->stack),
        waited, longest);
    reel_finding_fix(finding, "Send all requests first and then collect the answers; or a thread "
                              "for each; or an event loop (poll, epoll) over all of them.");
    reel_finding_evidence(finding, waiter->longest_start_ns, thread, waiter->longest_object,
                          waiter->stack, "waits longest for this one");
    GHashTableIter iter;
    void *key;
    g_hash_table_iter_init(&iter, waiter->object);
    for (unsigned i = 0; i < 8 && g_hash_table_iter_next(&iter, &key, NULL); i++)
        reel_finding_object(finding, GPOINTER_TO_UINT(key));
    GString *text = g_string_new(NULL);
    reel_describe_key_site(context, waiter->stack, text);
    reel_finding_key(finding, "serial|%s", text->str);
    g_string_free(text, TRUE);
    finding->time_ns = waiter->first_ns;
    finding->end_ns = waiter->last_ns;
    reel_finding_set_add(context->findings, finding);
}

static void report_sleeps(struct serial *serial, uint32_t thread, const struct waiter *waiter)
{
    const struct reel_detect_context *context = serial->context;
    char slept[32];
    reel_describe_duration(waiter->slept_ns, slept);
    struct reel_finding *finding =
        reel_finding_new(REEL_FINDING_SERIAL, REEL_CONFIDENCE_OBSERVED, REEL_SEVERITY_INFO);
    reel_finding_title(finding, "the only thread slept %" G_GUINT64_FORMAT " times, %s in all",
                       waiter->sleeps, slept);
    reel_finding_explain(finding,
                         "%s sleeps at %s, again and again, and that is nearly all the program "
                         "does: %s. If these sleeps stand for independent work that waits, threads "
                         "or an event loop would let them pass at the same time.",
                         reel_describe_thread(context, thread),
                         reel_describe_site(context, waiter->sleep_stack), slept);
    reel_finding_fix(finding, "Start independent waits together: a thread for each, or timers on "
                              "an event loop.");
    reel_finding_evidence(finding, 0, thread, 0, waiter->sleep_stack, "sleeps here");
    GString *text = g_string_new(NULL);
    reel_describe_key_site(context, waiter->sleep_stack, text);
    reel_finding_key(finding, "serial|sleep|%s", text->str);
    g_string_free(text, TRUE);
    reel_finding_set_add(context->findings, finding);
}

static void serial_finish(void *detector)
{
    struct serial *serial = detector;
    GHashTableIter iter;
    void *key, *value;
    g_hash_table_iter_init(&iter, serial->waiter);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        const struct waiter *waiter = value;
        uint32_t thread = GPOINTER_TO_UINT(key);
        struct reel_thread_times own = reel_thread_times_at(serial->times, thread);
        uint64_t life = reel_thread_times_total(&own);
        if (!is_alone(serial, thread))
            continue;
        if (g_hash_table_size(waiter->object) >= LEAST_OBJECTS &&
            waiter->waited_ns >= LEAST_SUM_NS && waiter->waited_ns >= life / 2)
            report(serial, thread, waiter);
        else if (is_only_thread(serial, thread) && waiter->sleeps >= LEAST_SLEEPS &&
                 !waiter->sleeps_differ && waiter->slept_ns >= LEAST_SUM_NS &&
                 waiter->slept_ns >= life / 5 * 4)
            report_sleeps(serial, thread, waiter);
    }
}

const struct reel_detector_class reel_serial = {
    .name = "serial",
    .new = serial_new,
    .free = serial_free,
    .interval = serial_interval,
    .finish = serial_finish,
};
