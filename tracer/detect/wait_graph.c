/* The wait-for graph: see wait_graph.h. */
#include "tracer/detect/wait_graph.h"

#include <glib.h>

#include "tracer/detect/describe.h"

struct building {
    const struct reel_detect_context *context;
    const struct reel_semaphores *semaphores;
    bool (*robust)(void *data, uint32_t object);
    void *data;
    struct reel_wait_graph *graph;
};

struct reel_wait_node *reel_wait_graph_node(const struct reel_wait_graph *graph, uint32_t thread)
{
    size_t low = 0, high = graph->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (graph->node[middle].thread < thread)
            low = middle + 1;
        else
            high = middle;
    }
    return low < graph->count && graph->node[low].thread == thread ? &graph->node[low] : NULL;
}

static bool waits_like_a_lock(const struct building *building, const struct reel_wait *wait)
{
    if (wait->call & (REEL_CALL_TIMED | REEL_CALL_TRY) || wait->operation == REEL_OP_WAKE)
        return false;
    switch (wait->class) {
    case REEL_CLASS_MUTEX:
    case REEL_CLASS_RWLOCK:
    case REEL_CLASS_SPINLOCK:
    case REEL_CLASS_FILE_LOCK:
    case REEL_CLASS_ONCE:
    case REEL_CLASS_THREAD:
    case REEL_CLASS_PROCESS:
        return true;
    case REEL_CLASS_SEMAPHORE: {
        /* Only what has been given back by its holders before, and by nobody else, is a lock. */
        const struct reel_semaphore *semaphore =
            building->semaphores ? reel_semaphores_find(building->semaphores, wait->object) : NULL;
        return semaphore && semaphore->initial > 0 && !semaphore->foreign_posts &&
               semaphore->own_posts > 0 && semaphore->units >= (size_t)semaphore->initial;
    }
    default:
        return false;
    }
}

static bool is_stuck(const struct building *building, uint32_t thread)
{
    const struct reel_wait_node *node = reel_wait_graph_node(building->graph, thread);
    return node && node->stuck;
}

/* Can no live thread of that process go on? */
static bool process_is_stuck(const struct building *building, uint32_t process, uint32_t *one)
{
    bool any = false;
    for (size_t i = 0; i < building->graph->count; i++) {
        const struct reel_wait_node *node = &building->graph->node[i];
        if (node->process != process)
            continue;
        if (!node->stuck)
            return false;
        if (!any)
            *one = node->thread;
        any = true;
    }
    return any;
}

/* A file's lock belongs to whoever has the file open: any thread of the process may let it go. */
static bool holder_is_stuck(const struct building *building, unsigned class, uint32_t holder)
{
    uint32_t one;
    const struct reel_wait_node *node = reel_wait_graph_node(building->graph, holder);
    if (class == REEL_CLASS_FILE_LOCK)
        return node && process_is_stuck(building, node->process, &one);
    return node && node->stuck;
}

static bool lock_blocks(const struct building *building, struct reel_wait_node *node)
{
    const struct reel_wait *wait = node->wait;
    const struct reel_world_object *lock =
        reel_world_object(building->context->world, wait->object);
    if (!lock)
        return false;
    bool is_file = wait->class == REEL_CLASS_FILE_LOCK;
    if (lock->owner && lock->owner_gone) {
        bool frees_itself =
            is_file || (building->robust && building->robust(building->data, wait->object));
        node->ownerless = !frees_itself;
        return !frees_itself;
    }
    if (lock->owner && !(is_file && lock->owner == node->thread)) {
        node->blocker = lock->owner;
        return holder_is_stuck(building, wait->class, lock->owner);
    }
    bool wants_shared = wait->flags & REEL_FLAG_READ;
    if (!wants_shared) {
        for (uint32_t i = 0; i < lock->reader_count; i++) {
            uint32_t reader = lock->reader[i];
            if (is_file && reader == node->thread)
                continue;
            if (holder_is_stuck(building, wait->class, reader)) {
                node->blocker = reader;
                return true;
            }
        }
        return false;
    }
    /* Held for reading, and a reader waits: behind a writer that waits for the readers. */
    for (uint32_t i = 0; lock->reader_count && i < lock->waiter_count; i++) {
        const struct reel_wait_node *writer =
            reel_wait_graph_node(building->graph, lock->waiter[i]);
        if (writer && writer != node && writer->stuck && writer->wait->object == wait->object &&
            !(writer->wait->flags & REEL_FLAG_READ)) {
            node->blocker = writer->thread;
            return true;
        }
    }
    return false;
}

static bool semaphore_blocks(const struct building *building, struct reel_wait_node *node)
{
    const struct reel_semaphore *semaphore =
        reel_semaphores_find(building->semaphores, node->wait->object);
    if (!semaphore || !semaphore->units)
        return false;
    for (size_t i = 0; i < semaphore->units; i++)
        if (!is_stuck(building, semaphore->unit[i].thread))
            return false;
    node->blocker = semaphore->unit[0].thread;
    return true;
}

static bool is_blocked(const struct building *building, struct reel_wait_node *node)
{
    const struct reel_wait *wait = node->wait;
    switch (wait->class) {
    case REEL_CLASS_SEMAPHORE:
        return semaphore_blocks(building, node);
    case REEL_CLASS_THREAD: {
        const struct reel_wait_node *target = reel_wait_graph_node(building->graph, wait->owner);
        node->blocker = wait->owner;
        return target && target->stuck && target != node;
    }
    case REEL_CLASS_PROCESS: {
        const struct reel_world_object *process =
            reel_world_object(building->context->world, wait->object);
        return process && process->process &&
               process_is_stuck(building, process->process, &node->blocker);
    }
    default:
        return lock_blocks(building, node);
    }
}

struct reel_wait_graph *reel_wait_graph_new(const struct reel_detect_context *context,
                                            const struct reel_semaphores *semaphores,
                                            bool (*robust)(void *data, uint32_t object), void *data)
{
    struct reel_wait_graph *graph = g_new0(struct reel_wait_graph, 1);
    const struct building building = {context, semaphores, robust, data, graph};
    uint32_t limit = reel_world_thread_limit(context->world);
    graph->node = g_new0(struct reel_wait_node, limit);
    bool changed = false;
    for (uint32_t i = 1; i < limit; i++) {
        const struct reel_world_thread *thread = reel_world_thread(context->world, i);
        if (!thread || !thread->begun || thread->ended)
            continue;
        struct reel_wait_node *node = &graph->node[graph->count++];
        node->thread = i;
        node->process = thread->process;
        node->wait = reel_world_wait(context->world, i);
        node->waits = node->stuck = node->wait && waits_like_a_lock(&building, node->wait);
        changed |= node->stuck;
    }
    while (changed) {
        changed = false;
        for (size_t i = 0; i < graph->count; i++) {
            struct reel_wait_node *node = &graph->node[i];
            if (!node->stuck)
                continue;
            node->blocker = 0;
            node->ownerless = false;
            if (!is_blocked(&building, node)) {
                node->stuck = node->ownerless = false;
                node->blocker = 0;
                changed = true;
            }
        }
    }
    return graph;
}

void reel_wait_graph_free(struct reel_wait_graph *graph)
{
    if (!graph)
        return;
    g_free(graph->node);
    g_free(graph);
}

size_t reel_wait_graph_circle(const struct reel_wait_graph *graph, uint32_t from, uint32_t *circle)
{
    /* Every stuck thread has one blocker: walk as far as there are threads, and be in a circle. */
    uint32_t at = from;
    for (size_t i = 0; i < graph->count; i++) {
        const struct reel_wait_node *node = reel_wait_graph_node(graph, at);
        if (!node || !node->stuck || !node->blocker || node->ownerless)
            return 0;
        at = node->blocker;
    }
    /* Begin with the lowest number, wherever one came from. */
    uint32_t lowest = at;
    for (size_t i = 0; i < graph->count; i++) {
        at = reel_wait_graph_node(graph, at)->blocker;
        lowest = at < lowest ? at : lowest;
    }
    for (size_t i = 0; at != lowest && i < graph->count; i++)
        at = reel_wait_graph_node(graph, at)->blocker;
    size_t count = 0;
    uint32_t first = at;
    do {
        if (count == graph->count)
            return 0;
        circle[count++] = at;
        at = reel_wait_graph_node(graph, at)->blocker;
    } while (at != first);
    return count;
}
