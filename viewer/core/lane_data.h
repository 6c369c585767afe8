/* One thread's states over time, as the viewer keeps them: 13 bytes an interval, and the levels of
 * detail that make any zoom cheap and honest.
 *
 * Intervals tile the lane: interval i lasts from start[i] to start[i + 1]; where a thread does not
 * live the state is REEL_LANE_NOTHING. Built once by one thread, read by any afterwards. */
#ifndef REEL_VIEWER_LANE_DATA_H
#define REEL_VIEWER_LANE_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tracer/model/state.h"

#define REEL_LANE_NOTHING 0xff
#define REEL_LANE_ROLES   REEL_STATE_ROLE_COUNT

struct reel_lane_data {
    size_t count, capacity;
    uint64_t *start;               /* count + 1 of them */
    uint32_t *object;              /* waited for; 0 = none */
    uint8_t *state;                /* enum reel_state, or REEL_LANE_NOTHING */
    struct reel_lane_level *level; /* finest first */
    unsigned level_count;
    uint64_t origin, span; /* of the levels: cells divide [origin, origin + span) evenly */
};

void reel_lane_data_init(struct reel_lane_data *lane);
void reel_lane_data_clear(struct reel_lane_data *lane);

/* Intervals come in order; a hole between two becomes NOTHING. False: no memory. */
bool reel_lane_data_append(struct reel_lane_data *lane, uint64_t start_ns, uint64_t end_ns,
                           enum reel_state state, uint32_t object);
/* Builds the levels, once everything is there. */
bool reel_lane_data_finish(struct reel_lane_data *lane);

/* The interval that covers `ns`: its index, or `count` when none does. O(log n). */
size_t reel_lane_data_at(const struct reel_lane_data *lane, uint64_t ns);

/* A pixel column: how much of its time each role filled (0…255, of the whole column), and whether
 * it has something that must not vanish. */
struct reel_lane_column {
    uint8_t share[REEL_LANE_ROLES];
    bool lock; /* a wait for a held lock or a global lock, however short */
    bool gap;  /* a hole in the recording, however short */
};

/* The columns of [from_ns, to_ns). Equals, but for rounding, the naive sum over all intervals
 * (reel_lane_data_columns_naive), at a cost that depends on `count` columns alone when zoomed out.
 */
void reel_lane_data_columns(const struct reel_lane_data *lane, uint64_t from_ns, uint64_t to_ns,
                            struct reel_lane_column *columns, size_t count);
void reel_lane_data_columns_naive(const struct reel_lane_data *lane, uint64_t from_ns,
                                  uint64_t to_ns, struct reel_lane_column *columns, size_t count);

/* An outline: what a lane looks like from afar while its intervals are still being read. It has
 * `cells` cells (2 or more) of [from_ns, to_ns) and no intervals; pieces fill it. False: no memory.
 */
bool reel_lane_data_outline(struct reel_lane_data *outline, uint64_t from_ns, uint64_t to_ns,
                            size_t cells);
/* Whether there is nothing to draw: neither intervals nor an outline. */
bool reel_lane_data_is_empty(const struct reel_lane_data *lane);

/* The cells that the intervals from `begin` on fill in such an outline; to be cut by the thread
 * that appends to `lane`, and then handed over. NULL: there are none, or no memory. */
struct reel_lane_piece *reel_lane_piece_cut(const struct reel_lane_data *lane, size_t begin,
                                            uint64_t from_ns, uint64_t to_ns, size_t cells);
void reel_lane_piece_free(struct reel_lane_piece *piece);
/* Adds it to an outline of the same range and cells; does nothing to a lane that has intervals. */
void reel_lane_data_add_piece(struct reel_lane_data *outline, const struct reel_lane_piece *piece);

/* Bytes it takes, levels included. */
size_t reel_lane_data_bytes(const struct reel_lane_data *lane);

#endif
