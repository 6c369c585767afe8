/* Steps of event loops, out of what the loops' threads did: between two waits the loop is in
 * nobody's hands but those of what it called. The model tells of callbacks where something was
 * ready (tracer/model/world.h); a step that a timeout began, one that itself waits, and the last
 * one, after which the loop never waits again, are found here. No GTK. */
#ifndef REEL_VIEWER_LOOP_STEPS_H
#define REEL_VIEWER_LOOP_STEPS_H

#include <glib.h>

#include "viewer/core/lane_data.h"

struct reel_loop_step {
    uint64_t start_ns, end_ns;
    uint32_t loop, thread;
    uint8_t state; /* REEL_STATE_LOOP_WAIT or REEL_STATE_CALLBACK */
};

/* Appends the steps and waits of all loops of a thread with these states, in the order of time.
 * `closed_ns(data, loop)`: when a loop was closed, UINT64_MAX for never; no step outlasts it. */
void reel_loop_steps_collect(const struct reel_lane_data *states, uint32_t thread,
                             uint64_t (*closed_ns)(gconstpointer data, uint32_t loop),
                             gconstpointer data, GArray *steps);

#endif
