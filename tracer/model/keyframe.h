/* Key frames: what is held, how full queues are, and which intervals are open, every few thousand
 * events of a sealed trace. The state at any instant is the key frame before it and the events in
 * between; a thread's state is an interval that was closed between the two frames around the
 * instant, or open at the second: no index on the large tables is needed. Table `keyframe` is
 * derived: dropping it makes reel_instants slower, no more.
 *
 *     kind         object  thread  since_ns        value
 *     0 exclusive  held    holder  of the hold     depth of re-entry
 *     1 shared     held    holder  of the hold     depth of re-entry
 *     2 depth      queue   -       -               items, bytes, or a semaphore's value
 *     3 open       -       thread  its beginning   id of the interval that is open
 *     4 frame      -       -       -               intervals closed so far: the last one's id */
#ifndef REEL_MODEL_KEYFRAME_H
#define REEL_MODEL_KEYFRAME_H

#include "tracer/model/world.h"
#include "tracer/store/trace.h"

struct reel_keyframes;

struct reel_keyframes *reel_keyframes_new(void);
void reel_keyframes_free(struct reel_keyframes *keyframes);

/* After each event: makes a frame when one is due. False when memory ran out. */
bool reel_keyframes_see(struct reel_keyframes *keyframes, const struct reel_world *world,
                        const struct reel_event *event, uint32_t object);

/* Each interval, in the order of the rows in the trace. */
void reel_keyframes_interval(struct reel_keyframes *keyframes, uint32_t thread);

/* Replaces the table `keyframe` by what was gathered. In the caller's transaction, or its own. */
bool reel_keyframes_write(const struct reel_keyframes *keyframes, struct reel_trace *trace,
                          struct reel_error *error);

/* Brings a new world without identity to the last key frame not after `time_ns`, and tells that
 * frame's time (0: from the beginning). `renumber` turns an object's number into the one the world
 * shall know it by (0: leave it out), for a world as small as what it holds. */
bool reel_keyframe_restore(struct reel_trace *trace, uint64_t time_ns, struct reel_world *world,
                           uint32_t (*renumber)(void *data, int64_t object), void *data,
                           uint64_t *frame_ns, struct reel_error *error);

#endif
