/* The world: which event does what. See world.h. */
#include "tracer/model/world.h"

#include <stdlib.h>
#include <string.h>

#include "tracer/model/world_private.h"

struct reel_world *reel_world_new(struct reel_identity *identity,
                                  const struct reel_world_listener *listener)
{
    struct reel_world *world = calloc(1, sizeof *world);
    if (!world)
        return NULL;
    world->identity = identity;
    if (listener)
        world->listener = *listener;
    return world;
}

void reel_world_free(struct reel_world *world)
{
    if (!world)
        return;
    for (size_t i = 0; i < world->thread_capacity; i++)
        if (world->thread[i]) {
            free(world->thread[i]->held);
            free(world->thread[i]);
        }
    for (size_t i = 0; i < world->object_capacity; i++) {
        free(world->object[i].waiter);
        free(world->object[i].reader);
    }
    free(world->thread);
    free(world->object);
    reel_process_free(world);
    free(world);
}

struct reel_world_thread *reel_world_thread_at(struct reel_world *world, uint32_t number)
{
    if (number < world->thread_capacity && world->thread[number])
        return world->thread[number];
    if (!number || number >= REEL_MODEL_NUMBER_LIMIT)
        return NULL;
    if (number >= world->thread_capacity) {
        size_t capacity = world->thread_capacity ? world->thread_capacity : 64;
        while (capacity <= number)
            capacity *= 2;
        struct reel_world_thread **larger =
            realloc(world->thread, capacity * sizeof(struct reel_world_thread *));
        if (!larger) {
            world->statistics.out_of_memory = true;
            return NULL;
        }
        memset(larger + world->thread_capacity, 0,
               (capacity - world->thread_capacity) * sizeof(struct reel_world_thread *));
        world->thread = larger;
        world->thread_capacity = capacity;
    }
    struct reel_world_thread *thread = calloc(1, sizeof *thread);
    if (thread)
        thread->number = number;
    else
        world->statistics.out_of_memory = true;
    world->thread[number] = thread;
    return thread;
}

struct reel_world_object *reel_world_object_at(struct reel_world *world, uint32_t id)
{
    if (id && id < world->object_capacity)
        return &world->object[id];
    if (!id)
        return NULL;
    size_t capacity = world->object_capacity ? world->object_capacity : 1024;
    while (capacity <= id)
        capacity *= 2;
    struct reel_world_object *larger = realloc(world->object, capacity * sizeof *larger);
    if (!larger) {
        world->statistics.out_of_memory = true;
        return NULL;
    }
    memset(larger + world->object_capacity, 0,
           (capacity - world->object_capacity) * sizeof *larger);
    world->object = larger;
    world->object_capacity = capacity;
    return &world->object[id];
}

bool reel_world_list_add(struct reel_world *world, uint32_t **list, uint32_t *count,
                         uint32_t *capacity, uint32_t value)
{
    if (*count == *capacity) {
        uint32_t wanted = *capacity ? *capacity * 2 : 4;
        uint32_t *larger = realloc(*list, wanted * sizeof **list);
        if (!larger) {
            world->statistics.out_of_memory = true;
            return false;
        }
        *list = larger;
        *capacity = wanted;
    }
    (*list)[(*count)++] = value;
    return true;
}

bool reel_world_list_remove(uint32_t *list, uint32_t *count, uint32_t value)
{
    for (uint32_t i = 0; i < *count; i++)
        if (list[i] == value) {
            memmove(list + i, list + i + 1, (*count - i - 1) * sizeof *list);
            (*count)--;
            return true;
        }
    return false;
}

static void apply_wake(struct reel_world *world, struct reel_world_thread *thread,
                       const struct reel_event *event, uint32_t id)
{
    if (event->class == REEL_CLASS_LOOP) {
        const struct reel_world_object *loop = reel_world_object(world, id);
        thread->loop = id;
        thread->in_callback = loop && loop->rounds > 1 && (int32_t)event->argument > 0;
    }
    if (!reel_wait_end(world, thread, event, id, NULL))
        reel_wait_unmatched(world, thread);
}

static void apply_init(struct reel_world *world, const struct reel_event *event, uint32_t id)
{
    struct reel_world_object *object = reel_world_object_at(world, id);
    if (!object)
        return;
    object->capacity = event->argument;
    object->arrived = 0;
    if (event->class == REEL_CLASS_SEMAPHORE) {
        object->depth = event->argument;
        object->depth_known = true;
    }
}

/* An interpreter's lock says so by its name. */
static void notice_gil(struct reel_world *world, const struct reel_event *event, uint32_t id)
{
    if (event->extra_words && !strncmp((const char *)event->extra, "GIL", sizeof *event->extra))
        reel_world_set_gil(world, id);
}

static void apply_name(struct reel_world *world, const struct reel_event *event, uint32_t id)
{
    notice_gil(world, event, id);
    struct reel_world_object *object = reel_world_object_at(world, id);
    if (event->class == REEL_CLASS_SEMAPHORE && object && !object->depth_known) {
        object->depth = event->argument; /* sem_open tells the value it found */
        object->depth_known = true;
    }
}

static void apply_gap(struct reel_world *world, struct reel_world_thread *thread,
                      const struct reel_event *event)
{
    uint64_t since = event->extra_words > 1 ? event->extra[1] : thread->since_ns;
    if (since > world->now)
        since = world->now;
    if (event->class == REEL_CLASS_MEMORY) {
        if (world->listener.gap)
            world->listener.gap(world->listener.data,
                                &(struct reel_gap){
                                    .start_ns = since,
                                    .end_ns = world->now,
                                    .lost = event->argument ? (int64_t)event->argument : -1,
                                    .thread = thread->number,
                                    .process = thread->process,
                                    .accesses = true,
                                    .reason = "accesses to watched memory came too fast",
                                });
        return;
    }
    thread->lost_events = true;
    for (uint32_t i = 0; i < thread->held_count; i++)
        thread->held[i].uncertain = true;
    /* What it waited for before the gap it need not wait for any more. */
    reel_thread_was(world, thread, REEL_STATE_GAP, since, world->now);
    reel_wait_drop_all(world, thread);
    thread->in_callback = false;
    reel_thread_resume(world, thread, world->now, 0, 0);
    world->statistics.gaps++;
    int64_t lost =
        event->extra_words ? (int64_t)(event->extra[0] & INT64_MAX) : (int64_t)event->argument;
    if (world->listener.gap)
        world->listener.gap(
            world->listener.data,
            &(struct reel_gap){
                .start_ns = since,
                .end_ns = world->now,
                .lost = lost ? lost : -1,
                .thread = thread->number,
                .process = thread->process,
                .reason = lost ? "no room in the recorder's buffers" : "could not be recorded",
            });
}

static void apply_switch(struct reel_world *world, struct reel_world_thread *thread, bool out,
                         bool preempted)
{
    bool changes = (thread->off_processor && thread->preempted) != (out && preempted);
    thread->off_processor = out;
    thread->preempted = preempted;
    if (changes)
        reel_lock_switched(world, thread);
    if (!thread->wait_count)
        reel_thread_resume(world, thread, world->now, 0, 0);
}

static void apply_exit(struct reel_world *world, struct reel_world_thread *thread,
                       const struct reel_event *event, uint32_t id)
{
    if (event->class == REEL_CLASS_PROCESS) {
        struct reel_world_object *object = reel_world_object_at(world, id);
        if (object)
            reel_queue_filled(world, object, thread->number, 0);
        reel_process_ends(world, thread->process, world->now);
    } else {
        reel_thread_end(world, thread, world->now);
    }
}

static void apply_create(struct reel_world *world, struct reel_world_thread *thread,
                         const struct reel_event *event)
{
    if (event->class == REEL_CLASS_PROCESS) {
        reel_process_forks(world, thread);
        return;
    }
    if (event->class != REEL_CLASS_THREAD)
        return;
    struct reel_world_thread *child = event->object < REEL_MODEL_NUMBER_LIMIT
                                          ? reel_world_thread_at(world, (uint32_t)event->object)
                                          : NULL;
    if (child)
        child->created = true;
}

/* Brings the thread up to an event of its own: it exists, it is on a processor, its last release
 * was real, and it is not where a condition wait's end would have left it. False when the event is
 * none of its life. */
static bool arrive_at(struct reel_world *world, struct reel_world_thread *thread,
                      const struct reel_event *event, uint32_t id)
{
    bool of_kernel =
        event->operation == REEL_OP_SWITCH_OUT || event->operation == REEL_OP_SWITCH_IN;
    if (of_kernel && (!thread->begun || thread->ended))
        return false; /* the kernel sees a thread before its START and after its EXIT */
    if (!thread->begun) {
        thread->process = event->process;
        reel_thread_begin(world, thread, world->now);
    } else if (thread->ended && event->operation != REEL_OP_EXIT) {
        world->statistics.after_exit++;
        thread->ended = false;
        thread->end_ns = 0;
        thread->state = REEL_STATE_RUNNING;
    }
    if (thread->unsettled && event->operation != REEL_OP_RELEASE_FAILED)
        reel_lock_settle(world, thread);
    if (thread->off_processor && !of_kernel)
        apply_switch(world, thread, false, false);
    if (thread->wait_count) {
        const struct reel_wait *wait = &thread->wait[thread->wait_count - 1];
        if (wait->operation == REEL_OP_WAKE && !of_kernel &&
            !(event->operation == REEL_OP_ACQUIRE && wait->object == id)) {
            thread->wait_count--;
            reel_thread_resume(world, thread, world->now, 0, 0);
        }
    }
    return true;
}

/* A span of a loop is a callback that an annotation tells of. */
static void apply_span(struct reel_world *world, struct reel_world_thread *thread,
                       const struct reel_event *event, uint32_t id)
{
    bool begins = event->operation == REEL_OP_SPAN_BEGIN;
    if (event->class == REEL_CLASS_LOOP) {
        thread->in_callback = begins;
        reel_thread_resume(world, thread, world->now, 0, 0);
        thread->loop = id;
    } else if (begins) {
        thread->spans++;
    } else {
        thread->spans -= thread->spans > 0;
    }
}

void reel_world_apply_resolved(struct reel_world *world, const struct reel_event *event,
                               uint32_t id, uint32_t other)
{
    struct reel_world_thread *thread = reel_world_thread_at(world, event->thread);
    struct reel_world_object *object = id ? reel_world_object_at(world, id) : NULL;
    world->statistics.events++;
    if (event->time_ns > world->now)
        world->now = event->time_ns;
    if (!thread || (id && !object)) {
        world->statistics.malformed++;
        return;
    }
    if (object && event->class)
        object->class = event->class;
    world->other = other;
    if (!arrive_at(world, thread, event, id))
        return;
    switch (event->operation) {
    case REEL_OP_ACQUIRE:
        reel_lock_acquire(world, thread, event, id);
        break;
    case REEL_OP_RELEASE:
        reel_lock_release(world, thread, event, id);
        break;
    case REEL_OP_RELEASE_FAILED:
        reel_lock_release_failed(world, thread, event, id);
        break;
    case REEL_OP_REQUEST:
    case REEL_OP_WAIT:
    case REEL_OP_ARRIVE:
        reel_wait_begin(world, thread, event, id, other);
        break;
    case REEL_OP_FAIL:
        if (!(event->flags & REEL_FLAG_TRY))
            reel_wait_end(world, thread, event, id, NULL);
        break;
    case REEL_OP_WAKE:
    case REEL_OP_LEAVE:
        apply_wake(world, thread, event, id);
        break;
    case REEL_OP_SIGNAL:
    case REEL_OP_BROADCAST:
        reel_wait_signal(world, thread, event, id, event->operation == REEL_OP_BROADCAST);
        break;
    case REEL_OP_BEGIN:
        reel_queue_begin(world, thread, event, id);
        break;
    case REEL_OP_END:
        reel_queue_end(world, thread, event, id);
        break;
    case REEL_OP_POST:
    case REEL_OP_PUT:
    case REEL_OP_GET:
        reel_queue_move(world, thread, event, id);
        break;
    case REEL_OP_INIT:
        apply_init(world, event, id);
        notice_gil(world, event, id);
        break;
    case REEL_OP_DESTROY:
        if (!event->argument)
            reel_lock_destroy(world, id, world->now);
        break;
    case REEL_OP_ATTACH:
        reel_process_attaches(world, thread, event, id);
        break;
    case REEL_OP_CREATE:
        apply_create(world, thread, event);
        break;
    case REEL_OP_EXIT:
        apply_exit(world, thread, event, id);
        break;
    case REEL_OP_NAME:
        apply_name(world, event, id);
        break;
    case REEL_OP_STATE:
        if (object)
            object->task_state = (uint8_t)event->argument;
        break;
    case REEL_OP_SPAN_BEGIN:
    case REEL_OP_SPAN_END:
        apply_span(world, thread, event, id);
        break;
    case REEL_OP_SWITCH_OUT:
        apply_switch(world, thread, true, event->argument == 1);
        break;
    case REEL_OP_SWITCH_IN:
        apply_switch(world, thread, false, false);
        break;
    case REEL_OP_STALL: {
        uint64_t stalled = (uint64_t)event->argument * 1000;
        reel_thread_was(world, thread, REEL_STATE_STALLED,
                        stalled < world->now ? world->now - stalled : 0, world->now);
        break;
    }
    case REEL_OP_GAP:
        apply_gap(world, thread, event);
        break;
    default: /* tells something, changes nothing */
        break;
    }
}

uint32_t reel_world_apply(struct reel_world *world, const struct reel_event *event)
{
    uint32_t id = reel_identity_resolve(world->identity, event), other = 0;
    if (event->operation == REEL_OP_WAIT && event->class == REEL_CLASS_CONDITION &&
        event->extra_words)
        other = reel_identity_at(world->identity, event, REEL_CLASS_MUTEX, event->extra[0]);
    else if (event->operation == REEL_OP_WAKE && event->class == REEL_CLASS_PROCESS &&
             event->extra_words)
        other = reel_identity_process_of_pid(world->identity, event->extra[0]);
    reel_world_apply_resolved(world, event, id, other);
    return id;
}

void reel_world_end_thread(struct reel_world *world, uint32_t number, uint64_t end_ns)
{
    struct reel_world_thread *thread = reel_world_thread_at(world, number);
    if (thread && thread->begun && !thread->ended)
        thread->end_ns = end_ns;
}

void reel_world_set_gil(struct reel_world *world, uint32_t id)
{
    struct reel_world_object *object = reel_world_object_at(world, id);
    if (object)
        object->gil = true;
}

void reel_world_finish(struct reel_world *world, uint64_t end_ns)
{
    if (world->finished)
        return;
    world->finished = true;
    if (end_ns < world->now)
        end_ns = world->now;
    for (size_t i = 0; i < world->thread_capacity; i++) {
        struct reel_world_thread *thread = world->thread[i];
        if (thread && thread->begun && !thread->ended)
            reel_thread_end(world, thread,
                            thread->end_ns && thread->end_ns < end_ns ? thread->end_ns : end_ns);
    }
    world->now = end_ns;
}

uint64_t reel_world_now(const struct reel_world *world)
{
    return world->now;
}

uint32_t reel_world_thread_limit(const struct reel_world *world)
{
    return (uint32_t)world->thread_capacity;
}

const struct reel_world_thread *reel_world_thread(const struct reel_world *world, uint32_t number)
{
    return number < world->thread_capacity ? world->thread[number] : NULL;
}

const struct reel_wait *reel_world_wait(const struct reel_world *world, uint32_t number)
{
    const struct reel_world_thread *thread = reel_world_thread(world, number);
    return thread && thread->wait_count ? &thread->wait[thread->wait_count - 1] : NULL;
}

const struct reel_world_object *reel_world_object(const struct reel_world *world, uint32_t id)
{
    return id && id < world->object_capacity ? &world->object[id] : NULL;
}

const struct reel_world_statistics *reel_world_statistics(const struct reel_world *world)
{
    return &world->statistics;
}
