/* A number over time, as the viewer keeps it: how full a queue is, how many threads wait for a
 * lock, how many locks a thread holds. A step function: value[i] holds from time[i] to time[i + 1],
 * the last one for ever, 0 before the first. 12 bytes a change, and levels that make the columns of
 * any zoom cost the same. Built once by one thread, read by any afterwards. */
#ifndef REEL_VIEWER_DEPTH_DATA_H
#define REEL_VIEWER_DEPTH_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reel_depth_data {
    size_t count, capacity;
    uint64_t *time; /* ns, ascending */
    int32_t *value;
    int32_t highest; /* of all values, 0 at least */
    struct reel_depth_block *block;
    size_t block_count;
};

void reel_depth_data_clear(struct reel_depth_data *data);

/* Times do not go back; one that does is taken as the last time. A second value at the same time
 * replaces the first, but the higher of the two counts as having been seen. False: no memory. */
bool reel_depth_data_append(struct reel_depth_data *data, uint64_t time_ns, int32_t value);
/* Fills it from the beginnings and ends of spans, in any order (both arrays are sorted in place):
 * how many spans there are at a time. */
bool reel_depth_data_count_spans(struct reel_depth_data *data, uint64_t *begin, uint64_t *end,
                                 size_t spans);
/* Builds the levels, once everything is there. */
bool reel_depth_data_finish(struct reel_depth_data *data);

int32_t reel_depth_data_at(const struct reel_depth_data *data, uint64_t ns);
/* The first change after (1) or the last before (-1) `ns`; UINT64_MAX: there is none. */
uint64_t reel_depth_data_change(const struct reel_depth_data *data, uint64_t ns, int direction);

struct reel_depth_column {
    int32_t lowest, highest; /* within the column */
    double mean;             /* over its time */
};

/* The columns of [from_ns, to_ns): O(count · log changes). */
void reel_depth_data_columns(const struct reel_depth_data *data, uint64_t from_ns, uint64_t to_ns,
                             struct reel_depth_column *columns, size_t count);
/* The same by the definition, for tests. */
void reel_depth_data_columns_naive(const struct reel_depth_data *data, uint64_t from_ns,
                                   uint64_t to_ns, struct reel_depth_column *columns, size_t count);

#endif
