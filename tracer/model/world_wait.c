/* Waits of the world: what a thread waits for, and who ended it. See world.h for what is inferred.
 */
#include "tracer/model/world_private.h"

static bool is_lock(unsigned class)
{
    return class == REEL_CLASS_MUTEX || class == REEL_CLASS_RWLOCK ||
           class == REEL_CLASS_SPINLOCK || class == REEL_CLASS_FILE_LOCK ||
           class == REEL_CLASS_ONCE;
}

/* Takes a wait out of its object's queue. */
static void leave_queue(struct reel_world *world, struct reel_world_thread *thread, uint32_t id)
{
    struct reel_world_object *object = reel_world_object_at(world, id);
    if (object)
        reel_world_list_remove(object->waiter, &object->waiter_count, thread->number);
}

/* Its wait's end was never seen, yet it went on. */
static void abandon_down_to(struct reel_world *world, struct reel_world_thread *thread,
                            uint32_t count)
{
    while (thread->wait_count > count) {
        reel_thread_turn(world, thread, thread->state, world->now, 0, world->now);
        world->statistics.abandoned_waits++;
        leave_queue(world, thread, thread->wait[--thread->wait_count].object);
    }
    reel_thread_resume(world, thread, world->now, 0, 0);
}

void reel_wait_drop_all(struct reel_world *world, struct reel_world_thread *thread)
{
    while (thread->wait_count)
        leave_queue(world, thread, thread->wait[--thread->wait_count].object);
}

static struct reel_wait *find_wait(struct reel_world_thread *thread, uint32_t id, unsigned class)
{
    for (uint32_t i = thread->wait_count; i-- > 0;)
        if (thread->wait[i].object == id && (id || thread->wait[i].class == class))
            return &thread->wait[i];
    return NULL;
}

/* The innermost call: its descriptor may have become another object while it ran. */
static struct reel_wait *find_call(struct reel_world_thread *thread)
{
    for (uint32_t i = thread->wait_count; i-- > 0;)
        if (thread->wait[i].operation == REEL_OP_BEGIN)
            return &thread->wait[i];
    return NULL;
}

static void arrive(struct reel_world *world, struct reel_world_object *barrier, uint32_t id,
                   const struct reel_world_thread *last)
{
    if (!barrier->capacity || ++barrier->arrived < barrier->capacity)
        return;
    barrier->arrived = 0;
    for (uint32_t i = 0; i < barrier->waiter_count; i++) {
        struct reel_world_thread *thread = reel_world_thread_at(world, barrier->waiter[i]);
        struct reel_wait *wait = thread ? find_wait(thread, id, REEL_CLASS_BARRIER) : NULL;
        if (wait && !wait->woken_ns) {
            wait->woken_ns = world->now;
            wait->woken_by = last->number;
        }
    }
}

void reel_wait_begin(struct reel_world *world, struct reel_world_thread *thread,
                     const struct reel_event *event, uint32_t id, uint32_t other)
{
    struct reel_wait *same = find_wait(thread, id, event->class);
    if (same)
        abandon_down_to(world, thread, (uint32_t)(same - thread->wait));
    if (thread->wait_count == REEL_WORLD_WAITS)
        abandon_down_to(world, thread, 0);
    struct reel_world_object *object = reel_world_object_at(world, id);
    if (event->class == REEL_CLASS_LOOP)
        thread->in_callback = false;
    enum reel_state state = object && object->gil
                                ? REEL_STATE_GIL_WAIT
                                : reel_state_of_wait(event->class, event->argument);
    struct reel_wait wait = {
        .since_ns = world->now,
        .starved_ns = reel_lock_starved(world, id),
        .object = id,
        .other = other,
        .stack = event->stack,
        .call = event->argument,
        .state = (uint8_t)state,
        .operation = event->operation,
        .class = event->class,
        .flags = event->flags,
    };
    if (is_lock(event->class))
        wait.owner = reel_lock_owner(world, id, thread->number);
    else if (event->class == REEL_CLASS_THREAD && world->identity)
        wait.owner = reel_identity_thread_of(world->identity, id);
    reel_thread_turn(world, thread, state, world->now, 0, world->now);
    thread->wait[thread->wait_count++] = wait;
    if (!object)
        return;
    reel_world_list_add(world, &object->waiter, &object->waiter_count, &object->waiter_capacity,
                        thread->number);
    if (event->class == REEL_CLASS_LOOP)
        object->rounds++;
    else if (event->class == REEL_CLASS_BARRIER)
        arrive(world, object, id, thread);
}

static void mark_woken(struct reel_world *world, struct reel_wait *wait, uint32_t by,
                       uint64_t time_ns, const struct reel_world_thread *waiter)
{
    wait->woken_by = by;
    wait->woken_ns = time_ns;
    wait->woken_owner = reel_lock_owner(world, wait->other, waiter->number);
    wait->woken_starved_ns = reel_lock_starved(world, wait->other);
}

void reel_wait_signal(struct reel_world *world, struct reel_world_thread *thread,
                      const struct reel_event *event, uint32_t id, bool all)
{
    struct reel_world_object *object = reel_world_object_at(world, id);
    if (!object)
        return;
    object->last_by = thread->number;
    object->last_ns = world->now;
    for (uint32_t i = 0; i < object->waiter_count; i++) {
        struct reel_world_thread *waiter = reel_world_thread_at(world, object->waiter[i]);
        struct reel_wait *wait = waiter ? find_wait(waiter, id, event->class) : NULL;
        if (!wait || wait->woken_ns)
            continue;
        mark_woken(world, wait, thread->number, world->now, waiter);
        if (!all)
            return;
    }
}

/* `thread` comes out of a condition wait. The signal it was paired with is a guess: when it comes
 * out unsignalled, it took the signal guessed to be another's; when it timed out though signalled,
 * the signal goes to the next one. */
static void pair_with_signal(struct reel_world *world, struct reel_world_thread *thread,
                             struct reel_wait *wait, bool woken)
{
    struct reel_world_object *object = reel_world_object_at(world, wait->object);
    if (!object || woken == (wait->woken_ns != 0))
        return;
    for (uint32_t i = 0; i < object->waiter_count; i++) {
        struct reel_world_thread *other = reel_world_thread_at(world, object->waiter[i]);
        struct reel_wait *theirs =
            other && other != thread ? find_wait(other, wait->object, wait->class) : NULL;
        if (!theirs || (theirs->woken_ns != 0) == !woken)
            continue;
        struct reel_wait *from = woken ? theirs : wait, *to = woken ? wait : theirs;
        if (from->woken_ns <= to->since_ns)
            continue; /* it waited not yet when that was sent */
        mark_woken(world, to, from->woken_by, from->woken_ns, woken ? thread : other);
        to->woken_owner = from->woken_owner;
        to->woken_starved_ns = from->woken_starved_ns;
        from->woken_ns = 0;
        from->woken_by = 0;
        return;
    }
    if (!woken) {
        wait->woken_ns = 0;
        wait->woken_by = 0;
    }
}

/* Does it wait for something to come, rather than for room? */
static bool wants_input(const struct reel_wait *wait)
{
    return wait->flags & REEL_FLAG_READ || wait->class == REEL_CLASS_PROCESS ||
           (wait->call & REEL_CALL_NUMBER) == REEL_CALL_QUEUE_GET;
}

/* Who ended this wait, and by which event. */
static void find_ender(struct reel_world *world, struct reel_world_thread *thread,
                       const struct reel_wait *wait, const struct reel_event *event, uint32_t *by,
                       uint64_t *at)
{
    const struct reel_world_object *object = reel_world_object(world, wait->object);
    *by = 0;
    *at = world->now;
    if (wait->class == REEL_CLASS_PROCESS && world->other &&
        world->other < world->process_capacity) {
        *by = world->process[world->other].last_thread;
        *at = *by ? world->process[world->other].last_ns : world->now;
        return;
    }
    if (!object || event->operation == REEL_OP_FAIL)
        return;
    switch (wait->class) {
    case REEL_CLASS_MUTEX:
    case REEL_CLASS_RWLOCK:
    case REEL_CLASS_SPINLOCK:
    case REEL_CLASS_FILE_LOCK:
    case REEL_CLASS_ONCE:
    case REEL_CLASS_SEMAPHORE:
        *by = object->last_by;
        *at = object->last_ns;
        break;
    case REEL_CLASS_CONDITION:
    case REEL_CLASS_FUTEX:
    case REEL_CLASS_BARRIER:
        *by = wait->woken_by;
        *at = wait->woken_ns;
        break;
    case REEL_CLASS_THREAD: {
        const struct reel_world_thread *target = reel_world_thread(world, wait->owner);
        if (event->argument == 0 && target && target->ended) {
            *by = target->number;
            *at = target->end_ns;
        }
        break;
    }
    default:
        if (event->operation == REEL_OP_END && (int32_t)event->argument < 0)
            break;
        if (wants_input(wait) && object->last_ns > wait->since_ns) {
            *by = object->last_by;
            *at = object->last_ns;
        } else if (!wants_input(wait) && object->taken_ns > wait->since_ns) {
            *by = object->taken_by;
            *at = object->taken_ns;
        }
    }
    if (*by == thread->number)
        *by = 0;
    if (!*by)
        *at = world->now;
}

/* From here on it waits for its mutex, or for a processor: until ACQUIRE, which comes next. */
static void go_on_to_mutex(struct reel_world *world, struct reel_world_thread *thread,
                           struct reel_wait *wait, uint32_t by, uint64_t at)
{
    bool contended = wait->woken_owner && wait->woken_owner != thread->number;
    enum reel_state state = contended ? REEL_STATE_LOCK_WAIT : REEL_STATE_RUNNABLE;
    uint64_t woken = wait->woken_ns > wait->since_ns ? wait->woken_ns : wait->since_ns;
    reel_thread_turn(world, thread, state, woken, by, at);
    leave_queue(world, thread, wait->object);
    *wait = (struct reel_wait){
        .since_ns = woken,
        .starved_ns = wait->woken_starved_ns,
        .object = wait->other,
        .owner = contended ? wait->woken_owner : 0,
        .stack = wait->stack,
        .call = REEL_CALL_LOCK,
        .state = (uint8_t)state,
        .operation = REEL_OP_WAKE,
        .class = REEL_CLASS_MUTEX,
    };
}

bool reel_wait_end(struct reel_world *world, struct reel_world_thread *thread,
                   const struct reel_event *event, uint32_t id, struct reel_wait *over)
{
    struct reel_wait *wait = thread->wait_count ? find_wait(thread, id, event->class) : NULL;
    if (!wait && event->operation == REEL_OP_END)
        wait = find_call(thread);
    if (!wait)
        return false;
    uint32_t index = (uint32_t)(wait - thread->wait);
    if (index + 1 < thread->wait_count)
        abandon_down_to(world, thread, index + 1);
    if (over)
        *over = *wait;
    if (wait->class == REEL_CLASS_CONDITION || wait->class == REEL_CLASS_FUTEX)
        pair_with_signal(world, thread, wait, event->argument == 0);
    uint32_t by;
    uint64_t at;
    find_ender(world, thread, wait, event, &by, &at);
    if (wait->class == REEL_CLASS_CONDITION && wait->woken_ns && wait->other) {
        go_on_to_mutex(world, thread, wait, by, at);
        return true;
    }
    if (wait->class == REEL_CLASS_CONDITION && wait->woken_ns > wait->since_ns)
        reel_thread_turn(world, thread, REEL_STATE_RUNNABLE, wait->woken_ns, by, at);
    enum reel_state next =
        index ? (enum reel_state)thread->wait[index - 1].state : reel_thread_resting_state(thread);
    reel_thread_turn(world, thread, next, world->now, by, at);
    leave_queue(world, thread, wait->object);
    thread->wait_count = index;
    return true;
}

void reel_wait_unmatched(struct reel_world *world, const struct reel_world_thread *thread)
{
    if (thread->lost_events)
        world->statistics.cut_by_gap++;
    else
        world->statistics.unmatched_ends++;
}
