/* Hangs: every thread of a process waits, without a deadline, for what only this process could
 * bring. What a deadlock or a lost wake-up explains already is not told again. */
#include <glib.h>

#include "tracer/detect/describe.h"
#include "tracer/detect/detectors.h"
#include "tracer/detect/wait_graph.h"

struct hang {
    const struct reel_detect_context *context;
    struct reel_quiescence *quiescence;
    GHashTable *reported; /* processes */
};

static void *hang_new(const struct reel_detect_context *context)
{
    struct hang *hang = g_new0(struct hang, 1);
    hang->context = context;
    hang->quiescence = reel_quiescence_new(context);
    hang->reported = g_hash_table_new(NULL, NULL);
    return hang;
}

static void hang_free(void *detector)
{
    struct hang *hang = detector;
    reel_quiescence_free(hang->quiescence);
    g_hash_table_unref(hang->reported);
    g_free(hang);
}

static void hang_event(void *detector, const struct reel_event *event, uint32_t object,
                       uint32_t other)
{
    reel_quiescence_event(((struct hang *)detector)->quiescence, event, object);
}

static bool is_explained(const struct hang *hang, uint32_t process)
{
    struct reel_finding_set *findings = hang->context->findings;
    for (size_t i = 0; i < reel_finding_set_count(findings); i++) {
        const struct reel_finding *finding = reel_finding_set_at(findings, i);
        if (finding->confidence != REEL_CONFIDENCE_OBSERVED ||
            finding->severity != REEL_SEVERITY_ERROR ||
            (finding->kind != REEL_FINDING_DEADLOCK && finding->kind != REEL_FINDING_LOST_WAKEUP &&
             finding->kind != REEL_FINDING_HANG))
            continue;
        for (size_t t = 0; t < finding->thread_count; t++) {
            const struct reel_world_thread *thread =
                reel_world_thread(hang->context->world, finding->threads[t]);
            if (thread && thread->process == process)
                return true;
        }
    }
    return false;
}

static const char *purpose(const struct reel_wait *wait)
{
    switch (wait->class) {
    case REEL_CLASS_CONDITION:
        return "for a signal of";
    case REEL_CLASS_THREAD:
    case REEL_CLASS_PROCESS:
        return "for the end of";
    case REEL_CLASS_BARRIER:
        return "for the others at";
    case REEL_CLASS_SEMAPHORE:
        return "for a post of";
    case REEL_CLASS_QUEUE:
        return (wait->call & REEL_CALL_NUMBER) == REEL_CALL_QUEUE_PUT ? "for room in"
                                                                      : "for an item of";
    case REEL_CLASS_PIPE:
        return wait->flags & REEL_FLAG_READ ? "for data from" : "for room in";
    case REEL_CLASS_TASK:
        return "for the result of";
    default:
        return "for";
    }
}

/* The wait that says most: what the program meant, rather than the condition it is made of. */
static const struct reel_wait *telling_wait(const struct reel_world_thread *thread)
{
    const struct reel_wait *innermost = &thread->wait[thread->wait_count - 1];
    for (uint32_t i = 0; i + 1 < thread->wait_count; i++)
        if (thread->wait[i].class == REEL_CLASS_QUEUE || thread->wait[i].class == REEL_CLASS_TASK)
            return &thread->wait[i];
    return innermost;
}

static int compare_texts(const void *left, const void *right)
{
    return g_strcmp0(*(char *const *)left, *(char *const *)right);
}

static void set_key(struct reel_finding *finding, GPtrArray *parts)
{
    GString *key = g_string_new("hang");
    g_ptr_array_sort(parts, compare_texts);
    for (guint i = 0; i < parts->len; i++)
        if (i == 0 || g_strcmp0(parts->pdata[i], parts->pdata[i - 1]))
            g_string_append_printf(key, "|%s", (char *)parts->pdata[i]);
    reel_finding_key(finding, "%s", key->str);
    g_string_free(key, TRUE);
}

/* What kind of thing keeps them: for the advice. */
struct tally {
    unsigned barrier, condition, queue, task, pipe, other;
    uint32_t barrier_object;
};

static void count(struct tally *tally, const struct reel_wait *wait)
{
    switch (wait->class) {
    case REEL_CLASS_BARRIER:
        tally->barrier++;
        tally->barrier_object = wait->object;
        break;
    case REEL_CLASS_CONDITION:
        tally->condition++;
        break;
    case REEL_CLASS_QUEUE:
        tally->queue++;
        break;
    case REEL_CLASS_TASK:
        tally->task++;
        break;
    case REEL_CLASS_PIPE:
        tally->pipe++;
        break;
    default:
        tally->other++;
    }
}

static void set_fix(const struct hang *hang, struct reel_finding *finding,
                    const struct tally *tally, GString *text)
{
    const struct reel_world_object *barrier =
        reel_world_object(hang->context->world, tally->barrier_object);
    if (tally->barrier && barrier && barrier->capacity) {
        const char *name = reel_describe_object(hang->context, tally->barrier_object);
        g_string_append_printf(text, " %s was made for %u threads, and %u came.", name,
                               barrier->capacity, barrier->arrived);
        reel_finding_fix(
            finding, "Make the count of %s the number of threads that really come to it.", name);
    } else if (tally->queue > 1) {
        reel_finding_fix(finding,
                         "Bounded queues that feed each other must not both be full: limit "
                         "what is under way, take answers while you send, or give one of "
                         "them more room than can be outstanding.");
    } else if (tally->task > 1) {
        reel_finding_fix(finding, "A task must not wait in the pool for a task of the same pool: "
                                  "when all workers do, nobody is left to run what they wait for. "
                                  "Give the inner work to a pool of its own, or do it in place.");
    } else if (tally->pipe) {
        reel_finding_fix(finding, "Close the ends of the pipe that are not used, and do not write "
                                  "more than fits while nobody reads.");
    } else {
        reel_finding_fix(finding, "Look at who should have signalled: change the condition under "
                                  "the lock, signal after every change, and wait in a loop that "
                                  "tests it.");
    }
}

static void report(struct hang *hang, uint32_t process, uint64_t since_ns)
{
    const struct reel_detect_context *context = hang->context;
    struct reel_finding *finding =
        reel_finding_new(REEL_FINDING_HANG, REEL_CONFIDENCE_OBSERVED, REEL_SEVERITY_ERROR);
    GPtrArray *parts = g_ptr_array_new_with_free_func(g_free);
    GString *text = g_string_new(NULL);
    struct tally tally = {0};
    unsigned threads = 0;
    for (uint32_t i = 1; i < reel_world_thread_limit(context->world); i++) {
        const struct reel_world_thread *thread = reel_world_thread(context->world, i);
        if (!thread || thread->process != process || !thread->begun || thread->ended ||
            !thread->wait_count)
            continue;
        const struct reel_wait *wait = telling_wait(thread);
        const char *name = reel_describe_object(context, wait->object);
        count(&tally, wait);
        threads++;
        GString *part = g_string_new(reel_call_name(wait->call));
        g_string_append_c(part, ' ');
        if (wait->class != REEL_CLASS_THREAD && wait->class != REEL_CLASS_PROCESS)
            reel_describe_key_object(context, wait->object, part);
        g_string_append_c(part, '@');
        reel_describe_key_site(context, wait->stack, part);
        g_ptr_array_add(parts, g_string_free(part, FALSE));
        reel_finding_evidence(finding, wait->since_ns, i, wait->object, wait->stack,
                              "waits %s %s, here", purpose(wait), name);
        if (threads <= 6)
            g_string_append_printf(text, "%s%s waits %s %s at %s.", threads > 1 ? " " : "",
                                   reel_describe_thread(context, i), purpose(wait), name,
                                   reel_describe_site(context, wait->stack));
    }
    if (threads > 6)
        g_string_append_printf(text, " %u more threads wait as well.", threads - 6);
    g_string_append(text, " No thread is left that could end any of these waits, and none has a "
                          "deadline or waits for anything outside.");
    set_fix(hang, finding, &tally, text);
    if (threads == 1)
        reel_finding_title(finding, "the only thread waits, and nobody is left to wake it");
    else
        reel_finding_title(finding, "all %u threads wait, and nobody is left to wake them",
                           threads);
    reel_finding_explain(finding, "%s", text->str);
    finding->time_ns = since_ns;
    set_key(finding, parts);
    g_ptr_array_unref(parts);
    g_string_free(text, TRUE);
    reel_finding_set_add(context->findings, finding);
}

static void hang_look(void *detector, uint64_t now_ns)
{
    struct hang *hang = detector;
    const struct reel_world *world = hang->context->world;
    GHashTable *seen = g_hash_table_new(NULL, NULL);
    for (uint32_t i = 1; i < reel_world_thread_limit(world); i++) {
        const struct reel_world_thread *thread = reel_world_thread(world, i);
        uint64_t since_ns;
        if (!thread || !thread->begun || thread->ended ||
            !g_hash_table_add(seen, GUINT_TO_POINTER(thread->process)) ||
            g_hash_table_contains(hang->reported, GUINT_TO_POINTER(thread->process)))
            continue;
        if (!reel_quiescence_of(hang->quiescence, thread->process, &since_ns) ||
            now_ns < since_ns + hang->context->grace_ns || is_explained(hang, thread->process))
            continue;
        /* One that only waits for another process is told with that one. */
        const struct reel_wait *wait = reel_world_wait(world, i);
        if (wait && wait->class == REEL_CLASS_PROCESS)
            continue;
        g_hash_table_add(hang->reported, GUINT_TO_POINTER(thread->process));
        report(hang, thread->process, since_ns);
    }
    g_hash_table_unref(seen);
}

const struct reel_detector_class reel_hang = {
    .name = "hang",
    .new = hang_new,
    .free = hang_free,
    .event = hang_event,
    .look = hang_look,
};
