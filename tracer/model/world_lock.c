/* Locks of the world: who holds what. A hold is told when it is over and its release has proved
 * real: RELEASE is recorded before the unlock, which may still fail. */
#include <stdlib.h>
#include <string.h>

#include "tracer/model/world_private.h"

static struct reel_held *find_held(struct reel_world_thread *thread, uint32_t id)
{
    for (uint32_t i = thread->held_count; i-- > 0;)
        if (thread->held[i].object == id)
            return &thread->held[i];
    return NULL;
}

static void forget_held(struct reel_world_thread *thread, struct reel_held *held)
{
    size_t behind = (size_t)(thread->held + thread->held_count - (held + 1));
    memmove(held, held + 1, behind * sizeof *held);
    thread->held_count--;
}

uint64_t reel_lock_starved(const struct reel_world *world, uint32_t id)
{
    const struct reel_world_object *object = reel_world_object(world, id);
    if (!object)
        return 0;
    return object->starved_ns +
           (object->starved_from_ns ? world->now - object->starved_from_ns : 0);
}

/* Begins or ends its starved time, as its holders are now. */
static void mark_starved(struct reel_world *world, struct reel_world_object *object)
{
    const struct reel_world_thread *owner = reel_world_thread(world, object->owner);
    if (object->class == REEL_CLASS_SPINLOCK)
        return;
    bool starves = object->owner
                       ? !object->owner_gone && owner && owner->off_processor && owner->preempted
                       : !object->reader_count;
    if (starves && !object->starved_from_ns) {
        object->starved_from_ns = world->now;
    } else if (!starves && object->starved_from_ns) {
        object->starved_ns += world->now - object->starved_from_ns;
        object->starved_from_ns = 0;
    }
}

void reel_lock_switched(struct reel_world *world, struct reel_world_thread *thread)
{
    for (uint32_t i = 0; i < thread->held_count; i++) {
        struct reel_world_object *object = reel_world_object_at(world, thread->held[i].object);
        if (object && object->owner == thread->number)
            mark_starved(world, object);
    }
}

static uint64_t starved_hold(const struct reel_world *world, const struct reel_held *held)
{
    return reel_lock_starved(world, held->object) - held->starved_ns;
}

static void tell(struct reel_world *world, const struct reel_world_thread *thread,
                 const struct reel_held *held, uint64_t starved_ns, uint64_t end_ns, bool released)
{
    if (end_ns <= held->since_ns)
        return; /* re-entered and cut at once: nothing was held */
    world->statistics.holds++;
    if (!world->listener.hold)
        return;
    struct reel_hold hold = {
        .start_ns = held->since_ns,
        .end_ns = end_ns,
        .waited_ns = held->waited_ns,
        .waited_starved_ns = held->waited_starved_ns,
        .starved_ns = starved_ns,
        .object = held->object,
        .thread = thread->number,
        .stack = held->stack,
        .shared = held->shared,
        .released = released,
    };
    world->listener.hold(world->listener.data, &hold);
}

static void unlink_holder(struct reel_world *world, struct reel_world_object *object,
                          uint32_t thread, bool shared)
{
    if (shared)
        reel_world_list_remove(object->reader, &object->reader_count, thread);
    else if (object->owner == thread)
        object->owner = 0;
    mark_starved(world, object);
}

void reel_lock_take(struct reel_world *world, struct reel_world_thread *thread, uint32_t id,
                    const struct reel_held *held)
{
    struct reel_world_object *object = reel_world_object_at(world, id);
    if (!object)
        return;
    if (thread->held_count == thread->held_capacity) {
        uint32_t capacity = thread->held_capacity ? thread->held_capacity * 2 : 8;
        void *larger = realloc(thread->held, capacity * sizeof *thread->held);
        if (!larger) {
            world->statistics.out_of_memory = true;
            return;
        }
        thread->held = larger;
        thread->held_capacity = capacity;
    }
    thread->held[thread->held_count++] = *held;
    if (held->shared) {
        reel_world_list_add(world, &object->reader, &object->reader_count, &object->reader_capacity,
                            thread->number);
    } else {
        object->owner = thread->number;
        object->owner_gone = false;
    }
    mark_starved(world, object);
}

/* Somebody else has it now, or it was released from outside: the holder lost it, whatever it
 * recorded. Returns whether the holder's own record may be missing. */
static bool evict(struct reel_world *world, struct reel_world_object *object, uint32_t id,
                  uint32_t holder, bool shared, uint64_t time_ns)
{
    struct reel_world_thread *thread = reel_world_thread_at(world, holder);
    struct reel_held *held = thread ? find_held(thread, id) : NULL;
    bool uncertain = true;
    if (held) {
        uncertain = held->uncertain;
        tell(world, thread, held, starved_hold(world, held), time_ns, true);
        forget_held(thread, held);
    }
    unlink_holder(world, object, holder, shared);
    return uncertain;
}

static void count_conflict(struct reel_world *world, bool uncertain)
{
    if (uncertain)
        world->statistics.cut_by_gap++;
    else
        world->statistics.overlaps++;
}

void reel_lock_acquire(struct reel_world *world, struct reel_world_thread *thread,
                       const struct reel_event *event, uint32_t id)
{
    struct reel_wait wait = {.since_ns = world->now, .starved_ns = reel_lock_starved(world, id)};
    bool inner = event->flags & REEL_FLAG_RECURSIVE, shared = event->flags & REEL_FLAG_READ;
    reel_wait_end(world, thread, event, id, &wait);
    struct reel_world_object *object = reel_world_object_at(world, id);
    if (!object)
        return;
    if (event->class == REEL_CLASS_SEMAPHORE) {
        object->depth--;
        return;
    }
    if (object->foreign_by) {
        struct reel_world_thread *releaser = reel_world_thread_at(world, object->foreign_by);
        if (releaser)
            reel_lock_settle(world, releaser);
    }
    struct reel_held *held = find_held(thread, id);
    if (held && (inner || (held->shared && shared))) {
        held->depth++;
        return;
    }
    if (held) {
        if (held->uncertain)
            world->statistics.cut_by_gap++;
        else
            world->statistics.reacquired++;
        tell(world, thread, held, starved_hold(world, held), world->now, true);
        unlink_holder(world, object, thread->number, held->shared);
        forget_held(thread, held);
    }
    if (object->owner) {
        if (object->owner_gone)
            object->owner = 0;
        else
            count_conflict(world, evict(world, object, id, object->owner, false, world->now));
    }
    while (!shared && object->reader_count) {
        uint32_t reader = object->reader[object->reader_count - 1];
        const struct reel_world_thread *other = reel_world_thread(world, reader);
        bool gone = !other || other->ended;
        bool uncertain = evict(world, object, id, reader, true, world->now);
        if (!gone)
            count_conflict(world, uncertain);
    }
    uint64_t starved = reel_lock_starved(world, id);
    reel_lock_take(world, thread, id,
                   &(struct reel_held){
                       .since_ns = world->now,
                       .waited_ns = world->now - wait.since_ns,
                       .waited_starved_ns = starved - wait.starved_ns,
                       .starved_ns = starved,
                       .object = id,
                       .stack = event->stack,
                       .depth = inner ? 2 : 1, /* the first level was not seen */
                       .shared = shared,
                   });
}

void reel_lock_release(struct reel_world *world, struct reel_world_thread *thread,
                       const struct reel_event *event, uint32_t id)
{
    struct reel_world_object *object = reel_world_object_at(world, id);
    if (!object)
        return;
    struct reel_held *held = find_held(thread, id);
    bool shared = event->flags & REEL_FLAG_READ || (held && held->shared);
    if (held && held->depth > 1 && (shared || event->flags & REEL_FLAG_RECURSIVE)) {
        held->depth--;
        return;
    }
    object->last_by = thread->number;
    object->last_ns = world->now;
    thread->unsettled = true;
    if (!held) {
        thread->foreign_release = id;
        thread->foreign_release_ns = world->now;
        object->foreign_by = thread->number;
        return;
    }
    thread->last_released = *held;
    thread->last_released.starved_ns = starved_hold(world, held);
    thread->last_released_ns = world->now;
    unlink_holder(world, object, thread->number, held->shared);
    forget_held(thread, held);
}

static void settle_foreign(struct reel_world *world, struct reel_world_thread *thread)
{
    uint32_t id = thread->foreign_release;
    struct reel_world_object *object = reel_world_object_at(world, id);
    thread->foreign_release = 0;
    if (!object)
        return;
    object->foreign_by = 0;
    const struct reel_object *known =
        world->identity ? reel_identity_object(world->identity, id) : NULL;
    if (object->owner && object->owner_gone) {
        /* A forked child's handler frees what another thread of its parent held. */
        object->owner = 0;
        world->statistics.inherited_releases++;
    } else if (object->owner) {
        world->statistics.foreign_releases++;
        evict(world, object, id, object->owner, false, thread->foreign_release_ns);
    } else if (object->reader_count) {
        world->statistics.foreign_releases++;
        evict(world, object, id, object->reader[0], true, thread->foreign_release_ns);
    } else if (known && known->inherited_from) {
        world->statistics.inherited_releases++;
    } else {
        world->statistics.unheld_releases++;
    }
}

void reel_lock_settle(struct reel_world *world, struct reel_world_thread *thread)
{
    if (thread->last_released.object) {
        tell(world, thread, &thread->last_released, thread->last_released.starved_ns,
             thread->last_released_ns, true);
        thread->last_released.object = 0;
    }
    if (thread->foreign_release)
        settle_foreign(world, thread);
    thread->unsettled = false;
}

void reel_lock_release_failed(struct reel_world *world, struct reel_world_thread *thread,
                              const struct reel_event *event, uint32_t id)
{
    world->statistics.failed_releases++;
    struct reel_world_object *object = reel_world_object_at(world, id);
    if (object && event->class == REEL_CLASS_SEMAPHORE) {
        object->depth--; /* its POST was none */
    } else if (object && thread->foreign_release == id) {
        thread->foreign_release = 0;
        object->foreign_by = 0;
    } else if (object && thread->last_released.object == id && !object->owner) {
        struct reel_held held = thread->last_released;
        held.starved_ns = reel_lock_starved(world, id);
        thread->last_released.object = 0;
        reel_lock_take(world, thread, id, &held);
    }
    reel_lock_settle(world, thread);
}

void reel_lock_destroy(struct reel_world *world, uint32_t id, uint64_t time_ns)
{
    struct reel_world_object *object = reel_world_object_at(world, id);
    if (!object)
        return;
    if (object->owner && !object->owner_gone)
        evict(world, object, id, object->owner, false, time_ns);
    object->owner = 0;
    while (object->reader_count)
        evict(world, object, id, object->reader[object->reader_count - 1], true, time_ns);
}

void reel_lock_thread_ended(struct reel_world *world, struct reel_world_thread *thread,
                            uint64_t time_ns)
{
    for (uint32_t i = 0; i < thread->held_count; i++) {
        const struct reel_held *held = &thread->held[i];
        tell(world, thread, held, starved_hold(world, held), time_ns, false);
        struct reel_world_object *object = reel_world_object_at(world, held->object);
        if (object && object->owner == thread->number)
            object->owner_gone = true;
        if (object)
            mark_starved(world, object);
    }
    thread->held_count = 0;
}

uint32_t reel_lock_owner(const struct reel_world *world, uint32_t id, uint32_t self)
{
    const struct reel_world_object *object = reel_world_object(world, id);
    if (!object)
        return 0;
    if (object->owner)
        return object->owner;
    for (uint32_t i = 0; i < object->reader_count; i++)
        if (object->reader[i] != self)
            return object->reader[i];
    return object->reader_count ? self : 0;
}
