#include "viewer/core/loop_steps.h"

/* Where the walk along a thread is. */
struct walk {
    GArray *steps;
    uint64_t (*closed_ns)(gconstpointer data, uint32_t loop);
    gconstpointer data;
    uint32_t thread, loop; /* the loop waited on last; 0: none */
    unsigned waits;        /* on it, in a row: one alone makes no loop */
    enum { NO_STEP, CALLED, TIMED_OUT } step;
    uint64_t start_ns;
};

static void add(struct walk *walk, uint64_t start_ns, uint64_t end_ns, enum reel_state state)
{
    struct reel_loop_step step = {start_ns, end_ns, walk->loop, walk->thread, (uint8_t)state};
    if (end_ns > start_ns)
        g_array_append_val(walk->steps, step);
}

static void end_step(struct walk *walk, uint64_t end_ns)
{
    if (walk->step != NO_STEP)
        add(walk, walk->start_ns, MIN(end_ns, walk->closed_ns(walk->data, walk->loop)),
            REEL_STATE_CALLBACK);
    walk->step = NO_STEP;
}

static void begin_step(struct walk *walk, uint64_t start_ns, int step)
{
    walk->step = step;
    walk->start_ns = start_ns;
}

/* One state of the thread. `is_first`: straight behind a wait of the loop. */
static void pass(struct walk *walk, const struct reel_lane_data *states, size_t i,
                 gboolean is_first)
{
    const uint64_t start = states->start[i];
    switch (states->state[i]) {
    case REEL_STATE_CALLBACK:
        /* Each that was annotated, or told apart, is one. */
        if (walk->step == TIMED_OUT || (i && states->state[i - 1] == REEL_STATE_CALLBACK))
            end_step(walk, start);
        if (walk->step == NO_STEP) {
            walk->loop = states->object[i] ? states->object[i] : walk->loop;
            begin_step(walk, start, CALLED);
        }
        break;
    case REEL_STATE_RUNNING:
        /* Out of the callback, with the loop still in control. */
        if (walk->step == CALLED)
            end_step(walk, start);
        break;
    case REEL_STATE_GAP:
    case REEL_LANE_NOTHING:
        end_step(walk, start);
        walk->loop = 0;
        return;
    default:
        break;
    }
    if (is_first && walk->step == NO_STEP && walk->waits > 1)
        begin_step(walk, start, TIMED_OUT);
}

void reel_loop_steps_collect(const struct reel_lane_data *states, uint32_t thread,
                             uint64_t (*closed_ns)(gconstpointer data, uint32_t loop),
                             gconstpointer data, GArray *steps)
{
    struct walk walk = {.steps = steps, .closed_ns = closed_ns, .data = data, .thread = thread};
    gboolean has_waited = FALSE;
    for (size_t i = 0; i < states->count; i++) {
        if (states->state[i] != REEL_STATE_LOOP_WAIT || !states->object[i]) {
            pass(&walk, states, i, has_waited);
            has_waited = FALSE;
            continue;
        }
        end_step(&walk, states->start[i]);
        walk.waits = states->object[i] == walk.loop ? walk.waits + 1 : 1;
        walk.loop = states->object[i];
        add(&walk, states->start[i], states->start[i + 1], REEL_STATE_LOOP_WAIT);
        has_waited = TRUE;
    }
    if (states->count)
        end_step(&walk, states->start[states->count]);
}
