/* Between the files of the world: world.c (events to actions), world_thread.c (states and
 * intervals), world_lock.c (holds), world_wait.c (waits and who ends them), world_queue.c (calls
 * and depths), world_process.c (fork, exec, exit). */
#ifndef REEL_MODEL_WORLD_PRIVATE_H
#define REEL_MODEL_WORLD_PRIVATE_H

#include "tracer/model/world.h"

/* What was held in a process when it forked. */
struct reel_fork_hold {
    uint32_t object, thread, depth, stack;
};

struct reel_world_process {
    struct reel_fork_hold *fork_hold;
    uint32_t fork_count;
    uint32_t forker;      /* thread */
    uint32_t last_thread; /* of those that ended, the last */
    uint64_t last_ns;
};

struct reel_world {
    struct reel_identity *identity;
    struct reel_world_listener listener;
    struct reel_world_thread **thread;
    size_t thread_capacity;
    struct reel_world_object *object;
    size_t object_capacity;
    struct reel_world_process *process;
    size_t process_capacity;
    uint64_t now;
    uint32_t other; /* of the event being applied */
    bool finished;
    struct reel_world_statistics statistics;
};

/* world.c */
struct reel_world_thread *reel_world_thread_at(struct reel_world *world, uint32_t number);
struct reel_world_object *reel_world_object_at(struct reel_world *world, uint32_t id);
bool reel_world_list_add(struct reel_world *world, uint32_t **list, uint32_t *count,
                         uint32_t *capacity, uint32_t value);
bool reel_world_list_remove(uint32_t *list, uint32_t *count, uint32_t value);

/* world_thread.c: states. Times are clipped to what is still open. */
void reel_thread_begin(struct reel_world *world, struct reel_world_thread *thread,
                       uint64_t time_ns);
/* Ends the open interval at `time_ns`; the next one begins there with `state`. */
void reel_thread_turn(struct reel_world *world, struct reel_world_thread *thread,
                      enum reel_state state, uint64_t time_ns, uint32_t ended_by,
                      uint64_t ended_event);
/* The state it has when it waits for nothing. */
enum reel_state reel_thread_resting_state(const struct reel_world_thread *thread);
/* Turns to the state its waits and the processor say. */
void reel_thread_resume(struct reel_world *world, struct reel_world_thread *thread,
                        uint64_t time_ns, uint32_t ended_by, uint64_t ended_event);
/* Something happened to it between `from_ns` and `to_ns` that is only known now. */
void reel_thread_was(struct reel_world *world, struct reel_world_thread *thread,
                     enum reel_state state, uint64_t from_ns, uint64_t to_ns);
void reel_thread_end(struct reel_world *world, struct reel_world_thread *thread, uint64_t time_ns);

/* world_lock.c */
void reel_lock_acquire(struct reel_world *world, struct reel_world_thread *thread,
                       const struct reel_event *event, uint32_t id);
void reel_lock_release(struct reel_world *world, struct reel_world_thread *thread,
                       const struct reel_event *event, uint32_t id);
void reel_lock_release_failed(struct reel_world *world, struct reel_world_thread *thread,
                              const struct reel_event *event, uint32_t id);
void reel_lock_destroy(struct reel_world *world, uint32_t id, uint64_t time_ns);
/* Its last release was a real one. */
void reel_lock_settle(struct reel_world *world, struct reel_world_thread *thread);
/* Its holds end with it, unreleased. */
void reel_lock_thread_ended(struct reel_world *world, struct reel_world_thread *thread,
                            uint64_t time_ns);
/* Opens a hold as of now. */
void reel_lock_take(struct reel_world *world, struct reel_world_thread *thread, uint32_t id,
                    const struct reel_held *held);
uint32_t reel_lock_owner(const struct reel_world *world, uint32_t id, uint32_t self);
/* `starved_ns` of the object up to now; 0 for none. */
uint64_t reel_lock_starved(const struct reel_world *world, uint32_t id);
/* The thread was put on a processor or taken off it: what that means for the locks it holds. */
void reel_lock_switched(struct reel_world *world, struct reel_world_thread *thread);

/* world_wait.c */
void reel_wait_begin(struct reel_world *world, struct reel_world_thread *thread,
                     const struct reel_event *event, uint32_t id, uint32_t other);
/* The end of the wait for `id`; false when there is none. `over` may be NULL: filled with the wait
 * as it was. */
bool reel_wait_end(struct reel_world *world, struct reel_world_thread *thread,
                   const struct reel_event *event, uint32_t id, struct reel_wait *over);
void reel_wait_signal(struct reel_world *world, struct reel_world_thread *thread,
                      const struct reel_event *event, uint32_t id, bool all);
void reel_wait_drop_all(struct reel_world *world, struct reel_world_thread *thread);

/* Counts an END or WAKE without its beginning. */
void reel_wait_unmatched(struct reel_world *world, const struct reel_world_thread *thread);

/* world_queue.c */
void reel_queue_filled(struct reel_world *world, struct reel_world_object *object, uint32_t thread,
                       int64_t amount);
void reel_queue_begin(struct reel_world *world, struct reel_world_thread *thread,
                      const struct reel_event *event, uint32_t id);
void reel_queue_end(struct reel_world *world, struct reel_world_thread *thread,
                    const struct reel_event *event, uint32_t id);
/* PUT, GET and POST. */
void reel_queue_move(struct reel_world *world, struct reel_world_thread *thread,
                     const struct reel_event *event, uint32_t id);

/* world_process.c */
void reel_process_forks(struct reel_world *world, struct reel_world_thread *thread);
void reel_process_attaches(struct reel_world *world, struct reel_world_thread *thread,
                           const struct reel_event *event, uint32_t id);
void reel_process_ends(struct reel_world *world, uint32_t process, uint64_t time_ns);
/* Remembers which thread of a process ended last: its end is the process's. */
void reel_process_thread_ended(struct reel_world *world, const struct reel_world_thread *thread);
void reel_process_free(struct reel_world *world);

#endif
