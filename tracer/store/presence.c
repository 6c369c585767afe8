/* Numbers are gathered in a batch, sorted (radix sort), made into runs, and merged with the runs so
 * far: two linear passes over sorted arrays, no table of domains. A key is domain << 32 | sequence;
 * sequence 0 does not occur, so runs of neighbouring domains never touch. */
#include "tracer/store/presence.h"

#include <stdlib.h>
#include <string.h>

enum { batch_limit = 1 << 20 };

struct run {
    uint64_t first, last;
};

struct reel_presence {
    uint64_t *batch, *sorted; /* batch_limit each */
    size_t batched;
    struct run *runs;
    size_t count;
};

struct reel_presence *reel_presence_new(void)
{
    struct reel_presence *presence = calloc(1, sizeof *presence);
    if (!presence)
        return NULL;
    presence->batch = malloc(batch_limit * sizeof *presence->batch);
    presence->sorted = malloc(batch_limit * sizeof *presence->sorted);
    if (presence->batch && presence->sorted)
        return presence;
    reel_presence_free(presence);
    return NULL;
}

void reel_presence_free(struct reel_presence *presence)
{
    if (!presence)
        return;
    free(presence->batch);
    free(presence->sorted);
    free(presence->runs);
    free(presence);
}

/* Least significant byte first; a byte all keys share costs one counting pass. */
static void sort_batch(struct reel_presence *presence)
{
    for (unsigned shift = 0; shift < 64; shift += 8) {
        size_t start[256] = {0}, sum = 0;
        for (size_t i = 0; i < presence->batched; i++)
            start[presence->batch[i] >> shift & 0xff]++;
        if (start[presence->batch[0] >> shift & 0xff] == presence->batched)
            continue;
        for (unsigned i = 0; i < 256; i++) {
            size_t here = start[i];
            start[i] = sum;
            sum += here;
        }
        for (size_t i = 0; i < presence->batched; i++)
            presence->sorted[start[presence->batch[i] >> shift & 0xff]++] = presence->batch[i];
        uint64_t *swap = presence->batch;
        presence->batch = presence->sorted;
        presence->sorted = swap;
    }
}

/* Appends a run, joined to the last one when they touch. Runs come in order of `first`. */
static void push_run(struct run *runs, size_t *count, struct run run)
{
    if (*count && run.first <= runs[*count - 1].last + 1) {
        if (run.last > runs[*count - 1].last)
            runs[*count - 1].last = run.last;
        return;
    }
    runs[(*count)++] = run;
}

static bool flush_batch(struct reel_presence *presence)
{
    if (presence->batched == 0)
        return true;
    sort_batch(presence);
    size_t distinct = 1;
    for (size_t i = 1; i < presence->batched; i++)
        distinct += presence->batch[i] > presence->batch[i - 1] + 1;
    struct run *merged = malloc((presence->count + distinct) * sizeof *merged);
    if (!merged)
        return false;
    size_t count = 0, old = 0, i = 0;
    while (i < presence->batched || old < presence->count) {
        if (i == presence->batched ||
            (old < presence->count && presence->runs[old].first < presence->batch[i])) {
            push_run(merged, &count, presence->runs[old++]);
            continue;
        }
        struct run run = {presence->batch[i], presence->batch[i]};
        for (i++; i < presence->batched && presence->batch[i] <= run.last + 1; i++)
            run.last = presence->batch[i];
        push_run(merged, &count, run);
    }
    free(presence->runs);
    presence->runs = merged;
    presence->count = count;
    presence->batched = 0;
    return true;
}

bool reel_presence_add(struct reel_presence *presence, uint32_t domain, uint32_t sequence)
{
    presence->batch[presence->batched++] = (uint64_t)domain << 32 | sequence;
    return presence->batched < batch_limit || flush_batch(presence);
}

bool reel_presence_finish(struct reel_presence *presence)
{
    bool good = flush_batch(presence);
    free(presence->batch);
    free(presence->sorted);
    presence->batch = presence->sorted = NULL;
    return good;
}

uint32_t reel_presence_last(const struct reel_presence *presence, uint32_t domain, uint32_t from,
                            uint32_t to)
{
    uint64_t low = (uint64_t)domain << 32 | from, high = (uint64_t)domain << 32 | to;
    size_t left = 0, right = presence->count; /* runs before `left` begin at or below high */
    while (left < right) {
        size_t middle = left + (right - left) / 2;
        if (presence->runs[middle].first <= high)
            left = middle + 1;
        else
            right = middle;
    }
    if (left == 0)
        return 0;
    uint64_t last = presence->runs[left - 1].last;
    if (last > high)
        last = high;
    return last >= low ? (uint32_t)last : 0;
}
