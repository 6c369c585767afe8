/* Processes of the world: what fork, exec and exit do to threads and locks. */
#include <stdlib.h>

#include "tracer/model/world_private.h"

static struct reel_world_process *process_at(struct reel_world *world, uint32_t number)
{
    if (!number || number >= REEL_MODEL_NUMBER_LIMIT)
        return NULL;
    if (number >= world->process_capacity) {
        size_t capacity = world->process_capacity ? world->process_capacity : 16;
        while (capacity <= number)
            capacity *= 2;
        struct reel_world_process *larger =
            realloc(world->process, capacity * sizeof *world->process);
        if (!larger) {
            world->statistics.out_of_memory = true;
            return NULL;
        }
        for (size_t i = world->process_capacity; i < capacity; i++)
            larger[i] = (struct reel_world_process){0};
        world->process = larger;
        world->process_capacity = capacity;
    }
    return &world->process[number];
}

void reel_process_thread_ended(struct reel_world *world, const struct reel_world_thread *thread)
{
    struct reel_world_process *process = process_at(world, thread->process);
    if (!process)
        return;
    process->last_thread = thread->number;
    process->last_ns = thread->end_ns;
}

void reel_process_free(struct reel_world *world)
{
    for (size_t i = 0; i < world->process_capacity; i++)
        free(world->process[i].fork_hold);
    free(world->process);
}

/* Remembers what is held in the process: the child will find these locks as they are now. */
void reel_process_forks(struct reel_world *world, struct reel_world_thread *thread)
{
    struct reel_world_process *process = process_at(world, thread->process);
    if (!process)
        return;
    process->forker = thread->number;
    process->fork_count = 0;
    uint32_t capacity = 0;
    for (size_t i = 0; i < world->thread_capacity; i++) {
        const struct reel_world_thread *holder = world->thread[i];
        if (holder && holder->process == thread->process)
            capacity += holder->held_count;
    }
    free(process->fork_hold);
    process->fork_hold = capacity ? calloc(capacity, sizeof *process->fork_hold) : NULL;
    if (capacity && !process->fork_hold) {
        world->statistics.out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < world->thread_capacity; i++) {
        const struct reel_world_thread *holder = world->thread[i];
        if (!holder || holder->process != thread->process)
            continue;
        for (uint32_t k = 0; k < holder->held_count; k++)
            if (!holder->held[k].shared)
                process->fork_hold[process->fork_count++] =
                    (struct reel_fork_hold){holder->held[k].object, holder->number,
                                            holder->held[k].depth, holder->held[k].stack};
    }
}

/* The child's one thread is the one that called fork: it holds copies of what that held. What other
 * threads held stays locked in the child, by nobody who could release it. */
static void inherit_locks(struct reel_world *world, struct reel_world_thread *thread,
                          uint32_t parent)
{
    struct reel_world_process *from = process_at(world, parent);
    if (!from || !world->identity)
        return;
    for (uint32_t i = 0; i < from->fork_count; i++) {
        struct reel_fork_hold hold = from->fork_hold[i];
        const struct reel_object *original = reel_identity_object(world->identity, hold.object);
        if (!original || original->shared || !original->process)
            continue;
        uint32_t copy = reel_identity_inherit(world->identity, thread->process, hold.object,
                                              thread->number, world->now);
        struct reel_world_object *object = reel_world_object_at(world, copy);
        if (!object || object->owner)
            continue;
        object->class = original->class;
        if (hold.thread == from->forker) {
            reel_lock_take(world, thread, copy,
                           &(struct reel_held){.since_ns = world->now,
                                               .object = copy,
                                               .stack = hold.stack,
                                               .depth = hold.depth});
        } else {
            object->owner = hold.thread;
            object->owner_gone = true;
        }
    }
}

void reel_process_attaches(struct reel_world *world, struct reel_world_thread *thread,
                           const struct reel_event *event, uint32_t id)
{
    struct reel_world_object *object = reel_world_object_at(world, id);
    uint32_t before = 0;
    if (object) {
        before = object->process;
        object->process = thread->process;
    }
    if (before && before != thread->process && !event->argument)
        reel_process_ends(world, before, world->now); /* exec took its place */
    if (event->argument && event->argument != thread->process)
        inherit_locks(world, thread, event->argument);
}

void reel_process_ends(struct reel_world *world, uint32_t process, uint64_t time_ns)
{
    for (size_t i = 0; i < world->thread_capacity; i++) {
        struct reel_world_thread *thread = world->thread[i];
        if (thread && thread->process == process)
            reel_thread_end(world, thread, time_ns);
    }
}
