/* Threads of the world: which state, since when, and the intervals that come out of it. */
#include "tracer/model/world_private.h"

void reel_thread_begin(struct reel_world *world, struct reel_world_thread *thread, uint64_t time_ns)
{
    thread->begun = true;
    thread->ended = false;
    thread->start_ns = thread->since_ns = time_ns;
    thread->state = REEL_STATE_RUNNING;
}

static void tell(struct reel_world *world, const struct reel_world_thread *thread, uint64_t end_ns,
                 uint32_t ended_by, uint64_t ended_event)
{
    world->statistics.intervals++;
    if (!world->listener.interval)
        return;
    struct reel_interval interval = {
        .start_ns = thread->since_ns,
        .end_ns = end_ns,
        .thread = thread->number,
        .state = thread->state,
    };
    if (thread->wait_count && reel_state_waits(thread->state)) {
        const struct reel_wait *wait = &thread->wait[thread->wait_count - 1];
        interval.object = wait->object;
        interval.owner = wait->owner;
        interval.stack = wait->stack;
        interval.call = wait->call;
        interval.ended_by = ended_by;
        interval.ended_event = ended_event;
        if (thread->state == REEL_STATE_LOCK_WAIT || thread->state == REEL_STATE_GIL_WAIT) {
            uint64_t starved = reel_lock_starved(world, wait->object) - wait->starved_ns;
            uint64_t length = end_ns - thread->since_ns;
            interval.starved_ns = starved < length ? starved : length;
        }
    } else if (thread->state == REEL_STATE_CALLBACK) {
        interval.object = thread->loop;
    }
    world->listener.interval(world->listener.data, &interval);
}

void reel_thread_turn(struct reel_world *world, struct reel_world_thread *thread,
                      enum reel_state state, uint64_t time_ns, uint32_t ended_by,
                      uint64_t ended_event)
{
    if (time_ns > thread->since_ns) {
        tell(world, thread, time_ns, ended_by, ended_event);
        thread->since_ns = time_ns;
    }
    thread->state = state;
}

enum reel_state reel_thread_resting_state(const struct reel_world_thread *thread)
{
    if (thread->off_processor)
        return thread->preempted ? REEL_STATE_RUNNABLE : REEL_STATE_BLOCKED;
    return thread->in_callback ? REEL_STATE_CALLBACK : REEL_STATE_RUNNING;
}

void reel_thread_resume(struct reel_world *world, struct reel_world_thread *thread,
                        uint64_t time_ns, uint32_t ended_by, uint64_t ended_event)
{
    enum reel_state state = thread->wait_count
                                ? (enum reel_state)thread->wait[thread->wait_count - 1].state
                                : reel_thread_resting_state(thread);
    if (state != thread->state)
        reel_thread_turn(world, thread, state, time_ns, ended_by, ended_event);
}

void reel_thread_was(struct reel_world *world, struct reel_world_thread *thread,
                     enum reel_state state, uint64_t from_ns, uint64_t to_ns)
{
    if (from_ns < thread->since_ns)
        from_ns = thread->since_ns;
    if (from_ns >= to_ns)
        return;
    enum reel_state before = thread->state;
    reel_thread_turn(world, thread, state, from_ns, 0, to_ns);
    reel_thread_turn(world, thread, before, to_ns, 0, to_ns);
}

void reel_thread_end(struct reel_world *world, struct reel_world_thread *thread, uint64_t time_ns)
{
    if (!thread->begun || thread->ended)
        return;
    if (thread->unsettled)
        reel_lock_settle(world, thread);
    if (time_ns < thread->since_ns)
        time_ns = thread->since_ns;
    reel_thread_turn(world, thread, REEL_STATE_RUNNING, time_ns, 0, 0);
    reel_wait_drop_all(world, thread);
    reel_lock_thread_ended(world, thread, time_ns);
    thread->in_callback = thread->off_processor = false;
    thread->ended = true;
    thread->end_ns = time_ns;
    reel_process_thread_ended(world, thread);
}
