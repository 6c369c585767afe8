/* Deadlocks that did not happen in this run: circles in lock order that no filter excludes. Proved
 * where a reordering of this very trace reaches them, else possible. Those that happened are not
 * told again. */
#include <glib.h>

#include "tracer/detect/describe.h"
#include "tracer/detect/detectors.h"
#include "tracer/detect/lock_cycles.h"

/* Steps of the search: some seconds at most, for thousands of locks in all orders. */
#define SEARCH_STEPS 20000000ull

struct predicted {
    const struct reel_detect_context *context;
    struct reel_lock_order *order;
};

static void *predicted_new(const struct reel_detect_context *context)
{
    struct predicted *predicted = g_new0(struct predicted, 1);
    predicted->context = context;
    predicted->order = reel_lock_order_new(context);
    return predicted;
}

static void predicted_free(void *detector)
{
    struct predicted *predicted = detector;
    reel_lock_order_free(predicted->order);
    g_free(predicted);
}

static void predicted_event(void *detector, const struct reel_event *event, uint32_t object,
                            uint32_t other)
{
    reel_lock_order_event(((struct predicted *)detector)->order, event, object, other);
}

static void predicted_interval(void *detector, const struct reel_interval *interval)
{
    reel_lock_order_interval(((struct predicted *)detector)->order, interval);
}

/* The lock that the circle's edge into `dependency` is about: what the one before asks for. */
static const struct reel_held_lock *held_for(const struct reel_lock_dependency *dependency,
                                             const struct reel_lock_dependency *before)
{
    for (uint32_t i = 0; i < dependency->held_count; i++)
        if (dependency->held[i].lock == before->lock)
            return &dependency->held[i];
    return NULL; /* its own end */
}

static bool has_happened(const struct predicted *predicted, const struct reel_lock_cycle *cycle)
{
    struct reel_finding_set *findings = predicted->context->findings;
    for (size_t i = 0; i < reel_finding_set_count(findings); i++) {
        const struct reel_finding *finding = reel_finding_set_at(findings, i);
        if (finding->kind != REEL_FINDING_DEADLOCK ||
            finding->confidence != REEL_CONFIDENCE_OBSERVED)
            continue;
        bool all = true;
        for (size_t k = 0; all && k < cycle->count; k++)
            all = reel_finding_has_object(finding, cycle->dependency[k]->object);
        if (all)
            return true;
    }
    return false;
}

static int compare_texts(const void *left, const void *right)
{
    return g_strcmp0(*(char *const *)left, *(char *const *)right);
}

static void set_key(const struct predicted *predicted, struct reel_finding *finding,
                    const struct reel_lock_cycle *cycle)
{
    const struct reel_detect_context *context = predicted->context;
    GPtrArray *edges = g_ptr_array_new_with_free_func(g_free);
    for (size_t i = 0; i < cycle->count; i++) {
        const struct reel_lock_dependency *dependency = cycle->dependency[i];
        const struct reel_held_lock *held =
            held_for(dependency, cycle->dependency[(i + cycle->count - 1) % cycle->count]);
        GString *edge = g_string_new(NULL);
        if (held) {
            reel_describe_key_object(context, held->lock, edge);
            g_string_append_c(edge, '@');
            reel_describe_key_site(context, held->stack, edge);
        }
        g_string_append_c(edge, '>');
        if (dependency->class == REEL_CLASS_THREAD)
            g_string_append(edge, "thread");
        else if (dependency->need)
            reel_describe_key_object(context, dependency->object, edge);
        else
            reel_describe_key_object(context, dependency->lock, edge);
        g_string_append_c(edge, '@');
        reel_describe_key_site(context, dependency->stack, edge);
        g_ptr_array_add(edges, g_string_free(edge, FALSE));
    }
    g_ptr_array_sort(edges, compare_texts);
    GString *key = g_string_new("deadlock");
    for (guint i = 0; i < edges->len; i++)
        if (i == 0 || g_strcmp0(edges->pdata[i], edges->pdata[i - 1]))
            g_string_append_printf(key, "|%s", (char *)edges->pdata[i]);
    reel_finding_key(finding, "%s", key->str);
    g_string_free(key, TRUE);
    g_ptr_array_unref(edges);
}

/* Who signals the condition, and what that one takes first. */
static void explain_need(const struct predicted *predicted, struct reel_finding *finding,
                         const struct reel_lock_dependency *dependency, GString *text)
{
    const struct reel_detect_context *context = predicted->context;
    const struct reel_lock_need *need = dependency->need;
    const char *condition = reel_describe_object(context, dependency->object);
    const char *lock = reel_describe_object(context, need->lock);
    const char *signaller = reel_describe_thread(context, need->fresh.thread);
    g_string_append_printf(text,
                           "Whoever signals %s takes %s before: %s took it at %s and signalled at "
                           "%s. ",
                           condition, lock, signaller,
                           reel_describe_site(context, need->fresh.taken_stack),
                           reel_describe_site(context, need->fresh.signal_stack));
    reel_finding_evidence(finding, need->fresh.taken_ns, need->fresh.thread, need->lock,
                          need->fresh.taken_stack, "takes %s before it signals", lock);
    reel_finding_evidence(finding, need->fresh.signal_ns, need->fresh.thread, dependency->object,
                          need->fresh.signal_stack, "signals %s", condition);
}

static const char *verb_of(const struct reel_lock_dependency *dependency)
{
    if (dependency->class == REEL_CLASS_THREAD)
        return "waits for the end of";
    return dependency->need ? "waits for" : "takes";
}

static void explain(const struct predicted *predicted, struct reel_finding *finding,
                    const struct reel_lock_cycle *cycle)
{
    const struct reel_detect_context *context = predicted->context;
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < cycle->count; i++) {
        const struct reel_lock_dependency *dependency = cycle->dependency[i];
        const struct reel_lock_witness *witness = cycle->witness[i];
        const struct reel_held_lock *held =
            held_for(dependency, cycle->dependency[(i + cycle->count - 1) % cycle->count]);
        const char *thread = reel_describe_thread(context, dependency->thread);
        const char *wanted = reel_describe_object(context, dependency->object);
        if (held) {
            const char *name = reel_describe_object(context, held->lock);
            g_string_append_printf(text, "%s holds %s (taken at %s) and %s %s at %s. ", thread,
                                   name, reel_describe_site(context, held->stack),
                                   verb_of(dependency), wanted,
                                   reel_describe_site(context, dependency->stack));
            reel_finding_evidence(finding, witness->held_ns, dependency->thread, held->lock,
                                  held->stack, "holds %s, taken here", name);
        } else {
            g_string_append_printf(text, "%s takes %s at %s before it ends. ", thread, wanted,
                                   reel_describe_site(context, dependency->stack));
        }
        reel_finding_evidence(finding, witness->time_ns, dependency->thread, dependency->object,
                              dependency->stack, "%s %s, here", verb_of(dependency), wanted);
        if (dependency->need)
            explain_need(predicted, finding, dependency, text);
    }
    if (cycle->proved)
        g_string_append(text, "This run got through; another order of the same steps, which "
                              "nothing in this trace forbids, stops here for ever.");
    else
        g_string_append(text, "This run got through. No lock that both hold and no order that was "
                              "seen keeps the threads from being here at the same time.");
    reel_finding_explain(finding, "%s", text->str);
    g_string_free(text, TRUE);
}

static void report(void *data, const struct reel_lock_cycle *cycle)
{
    struct predicted *predicted = data;
    const struct reel_detect_context *context = predicted->context;
    if (has_happened(predicted, cycle))
        return;
    struct reel_finding *finding = reel_finding_new(
        REEL_FINDING_DEADLOCK, cycle->proved ? REEL_CONFIDENCE_PROVED : REEL_CONFIDENCE_POSSIBLE,
        cycle->proved ? REEL_SEVERITY_ERROR : REEL_SEVERITY_WARNING);
    const struct reel_lock_dependency *first = cycle->dependency[0], *second = cycle->dependency[1];
    bool joins = false;
    const struct reel_lock_dependency *waits = NULL; /* for a condition */
    for (size_t i = 0; i < cycle->count; i++) {
        joins |= cycle->dependency[i]->class == REEL_CLASS_THREAD;
        waits = cycle->dependency[i]->need ? cycle->dependency[i] : waits;
    }
    explain(predicted, finding, cycle);
    set_key(predicted, finding, cycle);
    finding->time_ns = cycle->witness[0]->time_ns;
    finding->occurrences = first->occurrences;
    for (size_t i = 1; i < cycle->count; i++) {
        finding->time_ns = MAX(finding->time_ns, cycle->witness[i]->time_ns);
        finding->occurrences = MIN(finding->occurrences, cycle->dependency[i]->occurrences);
    }
    if (waits) {
        reel_finding_title(finding, "%s is waited for under a lock that keeps its signaller away",
                           reel_describe_object(context, waits->object));
        reel_finding_fix(finding, "Let go of every lock but the condition's own mutex before you "
                                  "wait for the condition, or signal it without taking others.");
    } else if (joins) {
        const struct reel_lock_dependency *other =
            first->class == REEL_CLASS_THREAD ? second : first;
        reel_finding_title(finding,
                           "a thread is joined under a lock that it takes"
                           " itself, %s",
                           reel_describe_object(context, other->object));
        reel_finding_fix(finding, "Let go of the lock before the join.");
    } else if (cycle->count == 2) {
        reel_finding_title(finding, "%s and %s are taken in opposite orders",
                           reel_describe_object(context, second->object),
                           reel_describe_object(context, first->object));
        reel_finding_fix(finding,
                         "Take both locks in one order everywhere, for example by address or by a "
                         "number of your own; or take the second one with trylock and let go of "
                         "the first when that fails.");
    } else {
        reel_finding_title(finding, "%zu locks are taken in a circle", cycle->count);
        reel_finding_fix(finding, "Give the locks one order and take them only in that order.");
    }
    reel_finding_set_add(context->findings, finding);
}

/* A reader that asks again for the lock it reads, while a writer waits that goes first: it waits
 * for the writer, who waits for it. */
static void find_rereads(struct predicted *predicted)
{
    const struct reel_detect_context *context = predicted->context;
    size_t count = reel_lock_order_count(predicted->order);
    for (size_t i = 0; i < count; i++) {
        const struct reel_lock_dependency *reader = reel_lock_order_at(predicted->order, i);
        for (size_t k = 0; reader->rereads && k < count; k++) {
            const struct reel_lock_dependency *writer = reel_lock_order_at(predicted->order, k);
            if (writer->lock != reader->lock || writer->shared || writer->need ||
                writer->thread == reader->thread ||
                reel_lock_order_excludes(predicted->order, reader, &reader->witness[0], writer,
                                         &writer->witness[0]))
                continue;
            const char *name = reel_describe_object(context, reader->lock);
            struct reel_finding *finding = reel_finding_new(
                REEL_FINDING_DEADLOCK, REEL_CONFIDENCE_POSSIBLE, REEL_SEVERITY_WARNING);
            GString *key = g_string_new("deadlock|reread|");
            reel_describe_key_object(context, reader->lock, key);
            reel_describe_key_site(context, reader->stack, key);
            reel_finding_key(finding, "%s", key->str);
            g_string_free(key, TRUE);
            reel_finding_title(finding,
                               "%s is read-locked twice, and writers go"
                               " first",
                               name);
            reel_finding_explain(
                finding,
                "%s holds %s for reading and read-locks it again at %s. Should %s ask to write (as "
                "at %s) in between, the second read lock waits for that writer, and the writer for "
                "the first read lock.",
                reel_describe_thread(context, reader->thread), name,
                reel_describe_site(context, reader->stack),
                reel_describe_thread(context, writer->thread),
                reel_describe_site(context, writer->stack));
            reel_finding_fix(finding, "Take the read lock once, in the outermost function.");
            reel_finding_evidence(finding, reader->witness[0].time_ns, reader->thread, reader->lock,
                                  reader->stack, "reads %s again, here", name);
            reel_finding_evidence(finding, writer->witness[0].time_ns, writer->thread, writer->lock,
                                  writer->stack, "writes %s, here", name);
            reel_finding_set_add(context->findings, finding);
            break;
        }
    }
}

/* A condition is waited for under the very lock that whoever signals it takes first. */
static void find_starving(struct predicted *predicted)
{
    const struct reel_detect_context *context = predicted->context;
    for (size_t i = 0; i < reel_lock_order_starving_count(predicted->order); i++) {
        const struct reel_lock_dependency *wait = reel_lock_order_starving_at(predicted->order, i);
        const struct reel_lock_cycle cycle = {
            &wait, &(const struct reel_lock_witness *){&wait->witness[0]}, 1, false};
        if (has_happened(predicted, &cycle))
            continue;
        struct reel_finding *finding = reel_finding_new(
            REEL_FINDING_DEADLOCK, REEL_CONFIDENCE_POSSIBLE, REEL_SEVERITY_WARNING);
        const struct reel_held_lock *held = held_for(wait, wait);
        const char *condition = reel_describe_object(context, wait->object);
        const char *lock = reel_describe_object(context, held->lock);
        GString *text = g_string_new(NULL);
        g_string_printf(text, "%s holds %s (taken at %s) while it waits for %s at %s. ",
                        reel_describe_thread(context, wait->thread), lock,
                        reel_describe_site(context, held->stack), condition,
                        reel_describe_site(context, wait->stack));
        reel_finding_evidence(finding, wait->witness[0].held_ns, wait->thread, held->lock,
                              held->stack, "holds %s, taken here", lock);
        reel_finding_evidence(finding, wait->witness[0].time_ns, wait->thread, wait->object,
                              wait->stack, "waits for %s, here", condition);
        explain_need(predicted, finding, wait, text);
        g_string_append(text, "In this run that one had the lock in time; should the wait begin "
                              "first, both wait for ever.");
        reel_finding_explain(finding, "%s", text->str);
        g_string_free(text, TRUE);
        set_key(predicted, finding, &cycle);
        finding->time_ns = wait->witness[0].time_ns;
        finding->occurrences = wait->occurrences;
        reel_finding_title(finding, "%s is waited for under %s, which its signallers take first",
                           condition, lock);
        reel_finding_fix(finding,
                         "Let go of %s before you wait for %s: only the mutex given to the wait is "
                         "let go by it.",
                         lock, condition);
        reel_finding_set_add(context->findings, finding);
    }
}

static void predicted_finish(void *detector)
{
    struct predicted *predicted = detector;
    reel_lock_order_end(predicted->order);
    find_rereads(predicted);
    find_starving(predicted);
    if (reel_lock_cycles(predicted->order, SEARCH_STEPS, report, predicted))
        return;
    struct reel_finding *finding =
        reel_finding_new(REEL_FINDING_DEADLOCK, REEL_CONFIDENCE_POSSIBLE, REEL_SEVERITY_INFO);
    reel_finding_key(finding, "deadlock|search given up");
    reel_finding_title(finding, "lock orders were not searched to the end");
    reel_finding_explain(finding,
                         "Very many locks are taken in very many orders; the search for "
                         "circles was ended after %llu steps. Short circles were searched "
                         "first; there may be longer ones that are not reported.",
                         (unsigned long long)SEARCH_STEPS);
    reel_finding_fix(finding, "Cure the circles that are reported, and look again.");
    reel_finding_set_add(predicted->context->findings, finding);
}

const struct reel_detector_class reel_deadlock_predicted = {
    .name = "deadlock (predicted)",
    .new = predicted_new,
    .free = predicted_free,
    .event = predicted_event,
    .interval = predicted_interval,
    .finish = predicted_finish,
};
