/* Which recorded events order threads, for the filter: a small mirror of what the tracer knows
 * (tracer/detect/happens_before.c). It may know less, never more: what it does not order is told,
 * and judged there. Signals of condition variables, other processes and descriptors that cross them
 * are left to the tracer. */
#include <unistd.h>

#include "probes/memory/memory.h"

/* This thread's past is heard from now on by who takes from `heard`: up to this very event. */
static void give(struct reel_self *self, struct reel_past *heard)
{
    reel_self_advance(self);
    reel_past_join(heard, &self->past);
}

/* The same where only this run makes the order: another time another thread may have the lock
 * first. */
static void give_by_chance(struct reel_self *self, struct reel_past *heard)
{
    reel_self_advance(self);
    reel_vector_join(&heard->clock, &self->past.clock);
}

static void give_channel(struct reel_self *self, enum reel_channel space, uint64_t number,
                         bool by_chance)
{
    struct reel_sync *sync = reel_channel_lock(space, number, true);
    if (sync && by_chance)
        give_by_chance(self, &sync->heard);
    else if (sync)
        give(self, &sync->heard);
    reel_channel_unlock();
}

static void take_channel(struct reel_self *self, enum reel_channel space, uint64_t number,
                         bool remove)
{
    struct reel_sync *sync = reel_channel_lock(space, number, false);
    if (sync)
        reel_past_join(&self->past, &sync->heard);
    if (remove)
        reel_channel_remove(space, number);
    reel_channel_unlock();
}

static void thread_event(struct reel_self *self, uint32_t kind, uint64_t object, uint32_t argument)
{
    switch (REEL_KIND_OPERATION(kind)) {
    case REEL_OP_CREATE:
        give_channel(self, REEL_CHANNEL_START, object, false);
        break;
    case REEL_OP_EXIT:
        give_channel(self, REEL_CHANNEL_END, (uint64_t)pthread_self(), false);
        reel_self_end(self);
        break;
    case REEL_OP_WAKE:
        if (argument == 0)
            take_channel(self, REEL_CHANNEL_END, object, true);
        break;
    case REEL_OP_CANCEL:
        reel_seen_no_more("pthread_cancel");
        break;
    case REEL_OP_KILL: /* its handler may act on what this thread has done */
        if (argument && object != (uint64_t)pthread_self())
            reel_seen_no_more("pthread_kill");
        break;
    default:
        break;
    }
}

static bool is_lock(uint32_t class)
{
    return class == REEL_CLASS_MUTEX || class == REEL_CLASS_RWLOCK || class == REEL_CLASS_SPINLOCK;
}

static void barrier_event(struct reel_self *self, struct reel_sync *sync, uint32_t operation,
                          uint32_t argument)
{
    if (operation == REEL_OP_INIT) {
        sync->capacity = argument;
        sync->arrived = 0;
    } else if (operation == REEL_OP_ARRIVE) {
        uint32_t round = sync->capacity ? sync->arrived++ / sync->capacity : 0;
        struct reel_past *heard = round & 1 ? &sync->odd : &sync->readers;
        /* The first of a round: those of the round before last have left it. */
        if (sync->capacity && (sync->arrived - 1) % sync->capacity == 0)
            reel_past_clear(heard);
        give(self, heard);
        self->barrier_round = round;
    } else if (operation == REEL_OP_LEAVE) {
        reel_past_join(&self->past, self->barrier_round & 1 ? &sync->odd : &sync->readers);
    }
}

/* An event of the object that lives in the word. */
static void word_event(struct reel_self *self, struct reel_sync *sync, uint32_t kind,
                       uint32_t argument)
{
    const uint32_t operation = REEL_KIND_OPERATION(kind);
    const bool reading = REEL_KIND_FLAGS(kind) & REEL_FLAG_READ;
    const uint32_t class = REEL_KIND_CLASS(kind);
    switch (operation) {
    case REEL_OP_ACQUIRE:
    case REEL_OP_AFTER:
    case REEL_OP_GET:
    case REEL_OP_WAKE:
        reel_past_join(&self->past, &sync->heard);
        if (class == REEL_CLASS_RWLOCK && !reading)
            reel_past_join(&self->past, &sync->readers);
        if (operation == REEL_OP_ACQUIRE && !is_lock(class))
            reel_self_advance(self); /* accesses do not tell that they hold it: epochs do */
        break;
    case REEL_OP_RELEASE:
        if (class == REEL_CLASS_ONCE)
            give(self, &sync->heard);
        else
            give_by_chance(self,
                           class == REEL_CLASS_RWLOCK && reading ? &sync->readers : &sync->heard);
        break;
    case REEL_OP_POST: /* of a semaphore that may be a lock: the tracer tells */
        give_by_chance(self, &sync->heard);
        break;
    case REEL_OP_BEFORE:
    case REEL_OP_PUT:
        give(self, &sync->heard);
        break;
    default:
        if (class == REEL_CLASS_BARRIER)
            barrier_event(self, sync, operation, argument);
        break;
    }
}

static void keep_locks(struct reel_self *self, uint32_t kind, uint64_t object)
{
    if (REEL_KIND_FLAGS(kind) & REEL_FLAG_RECURSIVE)
        return;
    if (REEL_KIND_OPERATION(kind) == REEL_OP_ACQUIRE)
        reel_site_lock(self, object);
    else if (REEL_KIND_OPERATION(kind) == REEL_OP_RELEASE)
        reel_site_unlock(self, object);
}

void reel_follow_event(struct reel_self *self, uint32_t kind, uint64_t object, uint32_t argument)
{
    const uint32_t class = REEL_KIND_CLASS(kind), operation = REEL_KIND_OPERATION(kind);
    const bool reading = REEL_KIND_FLAGS(kind) & REEL_FLAG_READ;
    switch (class) {
    case REEL_CLASS_THREAD:
        thread_event(self, kind, object, argument);
        return;
    case REEL_CLASS_MUTEX:
    case REEL_CLASS_RWLOCK:
    case REEL_CLASS_SPINLOCK:
    case REEL_CLASS_SEMAPHORE:
    case REEL_CLASS_BARRIER:
    case REEL_CLASS_ONCE:
    case REEL_CLASS_MEMORY:
    case REEL_CLASS_QUEUE:
    case REEL_CLASS_TASK: {
        bool told = !(class == REEL_CLASS_ONCE && operation == REEL_OP_AFTER);
        if (operation == REEL_OP_REQUEST || operation == REEL_OP_FAIL ||
            operation == REEL_OP_READ || operation == REEL_OP_WRITE || operation == REEL_OP_NAME ||
            !reel_shadow_covers(object))
            return;
        struct reel_cell *cell = reel_cell_of(object);
        reel_cell_lock(cell);
        struct reel_sync *sync = reel_sync_at(cell, true);
        /* An initialisation long done is an event only if that is news. */
        if (sync && !told && !reel_past_covers(&self->past, &sync->heard)) {
            self->telling = true;
            reel_memory.services->emit_ordered(self->tls, kind, object, 0, NULL, 0);
            self->telling = false;
        }
        if (sync)
            word_event(self, sync, kind, argument);
        reel_cell_unlock(cell);
        if (is_lock(class))
            keep_locks(self, kind, object);
        return;
    }
    case REEL_CLASS_FILE_LOCK:
        if (operation == REEL_OP_ACQUIRE) {
            take_channel(self, REEL_CHANNEL_OBJECT, object, false);
            reel_self_advance(self);
        } else if (operation == REEL_OP_RELEASE)
            give_channel(self, REEL_CHANNEL_OBJECT, object, true);
        return;
    case REEL_CLASS_PIPE:
    case REEL_CLASS_SOCKET:
    case REEL_CLASS_EVENTFD:
    case REEL_CLASS_MESSAGE_QUEUE:
        /* Which end of a socket an answer comes from, the tracer knows better. */
        if (operation == REEL_OP_BEGIN && !reading)
            give_channel(self, REEL_CHANNEL_OBJECT, object, class == REEL_CLASS_SOCKET);
        else if (operation == REEL_OP_END && reading && (int32_t)argument >= 0)
            take_channel(self, REEL_CHANNEL_OBJECT, object, false);
        /* The end: somebody has closed it. */
        if (operation == REEL_OP_END && reading && argument == 0)
            reel_self_see_all(self);
        return;
    case REEL_CLASS_PROCESS:
        if (operation == REEL_OP_KILL && argument &&
            ((int64_t)object <= 0 || (int64_t)object == getpid()))
            reel_seen_no_more("kill");
        return;
    case REEL_CLASS_LOOP:
        /* Something is ready since somebody did something. */
        if (operation == REEL_OP_WAKE && (int32_t)argument > 0)
            reel_self_see_all(self);
        return;
    case REEL_CLASS_FILE:
        /* What others wrote into the file, or that it is there, may be why this thread goes on. */
        if (operation == REEL_OP_OPEN ||
            (operation == REEL_OP_END && reading && (int32_t)argument > 0))
            reel_self_see_all(self);
        return;
    default:
        return;
    }
}

/* A thread begins: it hears its creator, forgets whose stack this was, and gets an index. */
static void begin_thread(struct reel_self *self, struct reel_tls *tls, uint64_t number)
{
    take_channel(self, REEL_CHANNEL_START, number, true);
    struct reel_sync *old = reel_channel_lock(REEL_CHANNEL_END, (uint64_t)pthread_self(), false);
    if (old)
        reel_channel_remove(REEL_CHANNEL_END, (uint64_t)pthread_self());
    reel_channel_unlock();
    if (self->index) /* a signal came first */
        return;
    reel_self_begin(self, tls);
    reel_stack_forget();
}

void reel_follow(struct reel_tls *tls, uint32_t kind, uint64_t object, uint32_t argument)
{
    struct reel_self *self = &reel_self;
    /* The recorder's own events may come before a thread's START. */
    if (self->telling || self->ended || REEL_KIND_CLASS(kind) == REEL_CLASS_RECORDER)
        return;
    if (!reel_work_begin(self)) {
        reel_defer(self,
                   &(struct reel_deferred){.what = kind, .object = object, .argument = argument});
        return;
    }
    if (REEL_UNLIKELY(!*reel_memory.lives))
        reel_self_forked(self, tls);
    if (REEL_KIND_CLASS(kind) == REEL_CLASS_THREAD && REEL_KIND_OPERATION(kind) == REEL_OP_START) {
        begin_thread(self, tls, object);
    } else if (!self->index && tls->slot) {
        reel_self_hear_all(self);
        reel_self_begin(self, tls);
    }
    if (self->index)
        reel_follow_event(self, kind, object, argument);
    reel_work_end(self);
}
