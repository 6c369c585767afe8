/* Queues of the world: what goes through pipes, sockets, message queues, annotated queues and
 * semaphores, how full they are, and the calls that move it. */
#include "tracer/model/world_private.h"

static bool input_side(const struct reel_event *event)
{
    return event->flags & REEL_FLAG_READ;
}

/* Something went in (or is about to: a write's record may come after the read it allowed). */
void reel_queue_filled(struct reel_world *world, struct reel_world_object *object, uint32_t thread,
                       int64_t amount)
{
    object->last_by = thread;
    object->last_ns = world->now;
    object->depth += amount;
}

static void drained(struct reel_world *world, struct reel_world_object *object, uint32_t thread,
                    int64_t amount)
{
    object->taken_by = thread;
    object->taken_ns = world->now;
    object->depth -= amount;
}

void reel_queue_begin(struct reel_world *world, struct reel_world_thread *thread,
                      const struct reel_event *event, uint32_t id)
{
    struct reel_world_object *object = reel_world_object_at(world, id);
    unsigned call = event->argument & REEL_CALL_NUMBER;
    if (object && !input_side(event))
        reel_queue_filled(world, object, thread->number, 0);
    bool makes_process = call == REEL_CALL_FORK || call == REEL_CALL_SPAWN ||
                         call == REEL_CALL_POPEN || call == REEL_CALL_CLONE;
    if (event->flags & (REEL_FLAG_NONBLOCKING | REEL_FLAG_TRY) || makes_process)
        return;
    reel_wait_begin(world, thread, event, id, 0);
}

/* What a call that succeeded moved through its descriptor: bytes of a pipe, messages of a queue. */
static int64_t amount_moved(const struct reel_event *event)
{
    int32_t result = (int32_t)event->argument;
    if (result < 0)
        return 0;
    if (event->class == REEL_CLASS_PIPE)
        return result;
    return event->class == REEL_CLASS_MESSAGE_QUEUE;
}

void reel_queue_end(struct reel_world *world, struct reel_world_thread *thread,
                    const struct reel_event *event, uint32_t id)
{
    struct reel_world_object *object = reel_world_object_at(world, id);
    bool found = reel_wait_end(world, thread, event, id, NULL);
    if (!found && !(event->flags & (REEL_FLAG_NONBLOCKING | REEL_FLAG_TRY)) &&
        event->class != REEL_CLASS_PROCESS)
        reel_wait_unmatched(world, thread);
    if (!object || (int32_t)event->argument < 0)
        return;
    if (input_side(event))
        drained(world, object, thread->number, amount_moved(event));
    else
        reel_queue_filled(world, object, thread->number, amount_moved(event));
    object->depth_known |= amount_moved(event) != 0;
}

void reel_queue_move(struct reel_world *world, struct reel_world_thread *thread,
                     const struct reel_event *event, uint32_t id)
{
    struct reel_world_object *object = reel_world_object_at(world, id);
    if (!object)
        return;
    if (event->operation == REEL_OP_GET)
        drained(world, object, thread->number, 1);
    else
        reel_queue_filled(world, object, thread->number, 1);
    object->depth_known |= event->operation != REEL_OP_POST;
}
