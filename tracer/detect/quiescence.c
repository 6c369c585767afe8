/* Quiescence: does a process stand still for good? See wait_graph.h. Silence is the answer to every
 * doubt: a thread in a system call, a deadline, a descriptor from outside, lost events, a child
 * that is not recorded. */
#include <glib.h>

#include "tracer/detect/describe.h"
#include "tracer/detect/wait_graph.h"
#include "tracer/model/stillness.h"

/* The watch looks ten times a second, and twice. */
#define WATCH_SLACK_NS 1000000000ull

struct reel_quiescence {
    const struct reel_detect_context *context;
    GHashTable *pipes; /* objects that the program made itself */
    int64_t children;  /* made, and not yet seen to record */
    bool strangers;    /* a child runs that cannot be recorded, or a program was exec'd */
};

struct reel_quiescence *reel_quiescence_new(const struct reel_detect_context *context)
{
    struct reel_quiescence *quiescence = g_new0(struct reel_quiescence, 1);
    quiescence->context = context;
    quiescence->pipes = g_hash_table_new(NULL, NULL);
    return quiescence;
}

void reel_quiescence_free(struct reel_quiescence *quiescence)
{
    if (!quiescence)
        return;
    g_hash_table_unref(quiescence->pipes);
    g_free(quiescence);
}

void reel_quiescence_event(struct reel_quiescence *quiescence, const struct reel_event *event,
                           uint32_t object)
{
    switch (event->operation) {
    case REEL_OP_OPEN:
        if (event->class == REEL_CLASS_PIPE && object)
            g_hash_table_add(quiescence->pipes, GUINT_TO_POINTER(object));
        break;
    case REEL_OP_CREATE:
        if (event->class != REEL_CLASS_PROCESS)
            break;
        if ((event->argument & REEL_CALL_NUMBER) == REEL_CALL_FORK)
            quiescence->children++;
        else
            quiescence->strangers = true;
        break;
    case REEL_OP_CREATED:
        if (event->class == REEL_CLASS_PROCESS && event->argument)
            quiescence->children--;
        break;
    case REEL_OP_ATTACH:
        if (event->argument && event->argument != event->process)
            quiescence->children--;
        break;
    case REEL_OP_EXEC:
        quiescence->strangers = true;
        break;
    default:
        break;
    }
}

static bool is_private(const struct reel_quiescence *quiescence, const struct reel_wait *wait)
{
    const struct reel_object *object = reel_describe_facts(quiescence->context, wait->object);
    return !(wait->flags & REEL_FLAG_SHARED_OBJECT) && !(object && object->shared);
}

static bool is_public(const struct reel_quiescence *quiescence, const struct reel_wait *wait,
                      uint32_t process)
{
    const struct reel_detect_context *context = quiescence->context;
    return context->is_public && context->is_public(context->data, wait->object, process);
}

enum source { OUTSIDE, THIS_PROCESS, ALL_PROCESSES };

/* What the watch has found to be inside, which the trace alone does not tell. */
static enum source found_inside(const struct reel_quiescence *quiescence)
{
    return quiescence->context->hung ? ALL_PROCESSES : OUTSIDE;
}

/* Who could end this wait? */
static enum source source_of(const struct reel_quiescence *quiescence, const struct reel_wait *wait,
                             uint32_t process)
{
    if (wait->call & (REEL_CALL_TIMED | REEL_CALL_TRY) || wait->operation == REEL_OP_WAKE)
        return OUTSIDE;
    switch (wait->class) {
    case REEL_CLASS_MUTEX:
    case REEL_CLASS_RWLOCK:
    case REEL_CLASS_SPINLOCK:
    case REEL_CLASS_CONDITION:
    case REEL_CLASS_SEMAPHORE:
    case REEL_CLASS_BARRIER:
        if (is_public(quiescence, wait, process))
            return found_inside(quiescence);
        return is_private(quiescence, wait) ? THIS_PROCESS : ALL_PROCESSES;
    case REEL_CLASS_ONCE:
    case REEL_CLASS_QUEUE:
    case REEL_CLASS_TASK:
    case REEL_CLASS_THREAD:
        return THIS_PROCESS;
    case REEL_CLASS_PIPE:
        return g_hash_table_contains(quiescence->pipes, GUINT_TO_POINTER(wait->object)) &&
                       !quiescence->strangers && quiescence->children <= 0
                   ? ALL_PROCESSES
                   : found_inside(quiescence);
    case REEL_CLASS_FILE:
    case REEL_CLASS_EVENTFD:
    case REEL_CLASS_SOCKET:
    case REEL_CLASS_MESSAGE_QUEUE:
    case REEL_CLASS_FILE_LOCK:
    case REEL_CLASS_FUTEX:
        return found_inside(quiescence);
    case REEL_CLASS_PROCESS: {
        const struct reel_world_object *child =
            reel_world_object(quiescence->context->world, wait->object);
        return child && child->process && !quiescence->strangers ? ALL_PROCESSES
                                                                 : found_inside(quiescence);
    }
    default:
        return OUTSIDE;
    }
}

/* Somebody has woken it, and it has only not been seen to run: not still. */
static bool is_woken(const struct reel_quiescence *quiescence, const struct reel_wait *wait)
{
    const struct reel_world *world = quiescence->context->world;
    const struct reel_world_object *object = reel_world_object(world, wait->object);
    if (wait->woken_ns)
        return true;
    if (wait->class == REEL_CLASS_THREAD) {
        const struct reel_world_thread *target = reel_world_thread(world, wait->owner);
        return !target || target->ended;
    }
    if (wait->class == REEL_CLASS_SEMAPHORE)
        return !object || !object->depth_known || object->depth > 0;
    if (wait->class == REEL_CLASS_MUTEX || wait->class == REEL_CLASS_SPINLOCK)
        return !object || !object->owner;
    if (wait->class == REEL_CLASS_RWLOCK)
        return !object || (!object->owner && !object->reader_count);
    return false;
}

enum stillness { MOVES, STILL, STILL_IF_ALL };

static enum stillness stillness_of(const struct reel_quiescence *quiescence, uint32_t process,
                                   uint64_t *since_ns)
{
    const struct reel_world *world = quiescence->context->world;
    enum stillness stillness = MOVES;
    struct reel_detect_outside outside = {0};
    *since_ns = 0;
    if (quiescence->context->outside)
        outside = quiescence->context->outside(quiescence->context->data, process);
    if (outside.threads && !quiescence->context->hung)
        return MOVES; /* who knows what they do */
    for (uint32_t i = 1; i < reel_world_thread_limit(world); i++) {
        const struct reel_world_thread *thread = reel_world_thread(world, i);
        if (!thread || thread->process != process)
            continue;
        if (thread->lost_events)
            return MOVES;
        if (thread->created && !thread->begun)
            return MOVES; /* being made */
        if (!thread->begun || thread->ended)
            continue;
        const struct reel_wait *wait = reel_world_wait(world, i);
        enum source source = wait ? source_of(quiescence, wait, process) : OUTSIDE;
        if (source == OUTSIDE || is_woken(quiescence, wait) ||
            !reel_outlasts_signals(wait->class, outside.handled))
            return MOVES;
        if (source == ALL_PROCESSES)
            stillness = STILL_IF_ALL;
        else if (stillness == MOVES)
            stillness = STILL;
        if (wait->since_ns > *since_ns)
            *since_ns = wait->since_ns;
    }
    return stillness;
}

static bool stands_still(const struct reel_quiescence *quiescence, uint32_t process,
                         uint64_t *since_ns)
{
    const struct reel_world *world = quiescence->context->world;
    enum stillness stillness = stillness_of(quiescence, process, since_ns);
    if (stillness != STILL_IF_ALL)
        return stillness == STILL;
    if (!quiescence->context->hung && (quiescence->strangers || quiescence->children > 0))
        return false;
    for (uint32_t i = 1; i < reel_world_thread_limit(world); i++) {
        const struct reel_world_thread *thread = reel_world_thread(world, i);
        uint64_t since;
        if (!thread || !thread->begun || thread->ended || thread->process == process)
            continue;
        if (stillness_of(quiescence, thread->process, &since) == MOVES)
            return false;
        if (since > *since_ns)
            *since_ns = since;
    }
    return true;
}

/* A watched run all of which stood still for longer than it may, and was not called hung, was not:
 * the watch knows more than the trace. It says nothing of a part of a program. */
static bool was_cleared(const struct reel_quiescence *quiescence, uint64_t since_ns)
{
    const struct reel_detect_context *context = quiescence->context;
    if (!context->watched_ns || context->hung ||
        context->end_ns < since_ns + context->watched_ns + WATCH_SLACK_NS)
        return false;
    for (uint32_t i = 1; i < reel_world_thread_limit(context->world); i++) {
        const struct reel_world_thread *thread = reel_world_thread(context->world, i);
        uint64_t since;
        if (thread && thread->begun && !thread->ended &&
            !stands_still(quiescence, thread->process, &since))
            return false;
    }
    return true;
}

bool reel_quiescence_of(const struct reel_quiescence *quiescence, uint32_t process,
                        uint64_t *since_ns)
{
    return stands_still(quiescence, process, since_ns) && !was_cleared(quiescence, *since_ns);
}
