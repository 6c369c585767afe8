#include "viewer/core/depth_data.h"

#include <stdlib.h>
#include <string.h>

#define PER_BLOCK 32u

/* PER_BLOCK changes: their extremes, and the integral (value · ns) of all time before the first of
 * them. */
struct reel_depth_block {
    int32_t lowest, highest;
    double before;
};

void reel_depth_data_clear(struct reel_depth_data *data)
{
    free(data->time);
    free(data->value);
    free(data->block);
    memset(data, 0, sizeof *data);
}

static bool grow(struct reel_depth_data *data)
{
    size_t capacity = data->capacity ? data->capacity + data->capacity / 2 : 64;
    uint64_t *time = realloc(data->time, capacity * sizeof *time);
    if (time)
        data->time = time;
    int32_t *value = realloc(data->value, capacity * sizeof *value);
    if (value)
        data->value = value;
    if (!time || !value)
        return false;
    data->capacity = capacity;
    return true;
}

bool reel_depth_data_append(struct reel_depth_data *data, uint64_t time_ns, int32_t value)
{
    if (value > data->highest)
        data->highest = value;
    if (data->count) {
        uint64_t last = data->time[data->count - 1];
        if (time_ns <= last) {
            data->value[data->count - 1] = value;
            return true;
        }
        if (data->value[data->count - 1] == value)
            return true;
    } else if (value == 0) {
        return true;
    }
    if (data->count == data->capacity && !grow(data))
        return false;
    data->time[data->count] = time_ns;
    data->value[data->count++] = value;
    return true;
}

static int compare_times(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

static void sort_times(uint64_t *time, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (time[i] < time[i - 1]) { /* most often they come in order */
            qsort(time, count, sizeof *time, compare_times);
            return;
        }
}

bool reel_depth_data_count_spans(struct reel_depth_data *data, uint64_t *begin, uint64_t *end,
                                 size_t spans)
{
    sort_times(begin, spans);
    sort_times(end, spans);
    int32_t depth = 0;
    for (size_t b = 0, e = 0; e < spans;) {
        /* What ends and begins at one instant is handed over: the end comes first. */
        uint64_t now = b < spans && begin[b] < end[e] ? begin[b] : end[e];
        const size_t before = b + e;
        while (e < spans && end[e] == now && depth > 0) {
            depth--;
            e++;
        }
        while (b < spans && begin[b] == now) {
            depth++;
            b++;
        }
        while (e < spans && end[e] == now && depth > 0) { /* spans of no length */
            depth--;
            e++;
        }
        if (b + e == before)
            e++; /* an end without a beginning: the trace is damaged */
        if (!reel_depth_data_append(data, now, depth))
            return false;
    }
    return true;
}

bool reel_depth_data_finish(struct reel_depth_data *data)
{
    data->block_count = (data->count + PER_BLOCK - 1) / PER_BLOCK;
    if (data->block_count == 0)
        return true;
    data->block = calloc(data->block_count, sizeof *data->block);
    if (!data->block)
        return false;
    double integral = 0;
    for (size_t i = 0; i < data->count; i++) {
        struct reel_depth_block *block = &data->block[i / PER_BLOCK];
        if (i % PER_BLOCK == 0)
            *block = (struct reel_depth_block){data->value[i], data->value[i], integral};
        if (data->value[i] < block->lowest)
            block->lowest = data->value[i];
        if (data->value[i] > block->highest)
            block->highest = data->value[i];
        if (i + 1 < data->count)
            integral += (double)data->value[i] * (double)(data->time[i + 1] - data->time[i]);
    }
    return true;
}

/* How many changes happened up to and including `ns`. */
static size_t changes_until(const struct reel_depth_data *data, uint64_t ns)
{
    size_t low = 0, high = data->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (data->time[middle] <= ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int32_t reel_depth_data_at(const struct reel_depth_data *data, uint64_t ns)
{
    size_t changes = changes_until(data, ns);
    return changes ? data->value[changes - 1] : 0;
}

uint64_t reel_depth_data_change(const struct reel_depth_data *data, uint64_t ns, int direction)
{
    size_t changes = changes_until(data, direction > 0 || ns == 0 ? ns : ns - 1);
    if (direction > 0)
        return changes < data->count ? data->time[changes] : UINT64_MAX;
    return changes && data->time[changes - 1] < ns ? data->time[changes - 1] : UINT64_MAX;
}

/* value · ns from the beginning of time until `ns`, where `changes` have happened. */
static double integral_until(const struct reel_depth_data *data, uint64_t ns, size_t changes)
{
    if (changes == 0)
        return 0;
    size_t first = (changes - 1) / PER_BLOCK * PER_BLOCK;
    double sum = data->block[first / PER_BLOCK].before;
    for (size_t i = first; i + 1 < changes; i++)
        sum += (double)data->value[i] * (double)(data->time[i + 1] - data->time[i]);
    return sum + (double)data->value[changes - 1] * (double)(ns - data->time[changes - 1]);
}

static void see(struct reel_depth_column *column, int32_t lowest, int32_t highest)
{
    if (lowest < column->lowest)
        column->lowest = lowest;
    if (highest > column->highest)
        column->highest = highest;
}

static uint64_t edge(uint64_t from, uint64_t to, size_t count, size_t index)
{
    return from + (uint64_t)((unsigned __int128)(to - from) * index / count);
}

void reel_depth_data_columns(const struct reel_depth_data *data, uint64_t from_ns, uint64_t to_ns,
                             struct reel_depth_column *columns, size_t count)
{
    memset(columns, 0, count * sizeof *columns);
    if (count == 0 || to_ns <= from_ns || data->block_count == 0)
        return;
    size_t changes = changes_until(data, from_ns);
    double before = integral_until(data, from_ns, changes);
    for (size_t i = 0; i < count; i++) {
        uint64_t from = edge(from_ns, to_ns, count, i), to = edge(from_ns, to_ns, count, i + 1);
        while (changes < data->count && data->time[changes] <= from)
            changes++; /* what changed at the very edge is of this column only */
        int32_t value = changes ? data->value[changes - 1] : 0;
        struct reel_depth_column *column = &columns[i];
        column->lowest = column->highest = value;
        column->mean = value;
        if (to <= from)
            continue;
        size_t later = changes;
        /* Walk while it is near, else search. */
        while (later < data->count && data->time[later] < to && later - changes < PER_BLOCK)
            later++;
        if (later < data->count && data->time[later] < to)
            later = changes_until(data, to - 1);
        for (size_t k = changes; k < later;) {
            if (k % PER_BLOCK == 0 && k + PER_BLOCK <= later) {
                see(column, data->block[k / PER_BLOCK].lowest, data->block[k / PER_BLOCK].highest);
                k += PER_BLOCK;
            } else {
                see(column, data->value[k], data->value[k]);
                k++;
            }
        }
        double integral = integral_until(data, to, later);
        column->mean = (integral - before) / (double)(to - from);
        before = integral;
        changes = later;
    }
}

void reel_depth_data_columns_naive(const struct reel_depth_data *data, uint64_t from_ns,
                                   uint64_t to_ns, struct reel_depth_column *columns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t from = edge(from_ns, to_ns, count, i), to = edge(from_ns, to_ns, count, i + 1);
        int32_t value = reel_depth_data_at(data, from);
        double sum = 0;
        uint64_t since = from;
        columns[i] = (struct reel_depth_column){value, value, value};
        for (size_t k = 0; k < data->count; k++) {
            if (data->time[k] <= from || data->time[k] >= to)
                continue;
            sum += (double)value * (double)(data->time[k] - since);
            since = data->time[k];
            value = data->value[k];
            see(&columns[i], value, value);
        }
        if (to > from)
            columns[i].mean = (sum + (double)value * (double)(to - since)) / (double)(to - from);
    }
}
