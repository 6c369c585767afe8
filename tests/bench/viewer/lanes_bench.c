/* The levels of detail alone: building them, and one frame's columns of all lanes, at every zoom.
 *   lanes_bench [LANES INTERVALS] */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "viewer/core/lane_data.h"

enum { COLUMNS = 1600, ROUNDS = 41 };

static uint64_t random_state = 88172645463325252ull;

static uint64_t draw(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % below;
}

static double now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

int main(int argc, char **argv)
{
    size_t lanes = argc > 1 ? strtoul(argv[1], NULL, 10) : 64;
    size_t intervals = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000000;
    struct reel_lane_data *lane = calloc(lanes, sizeof *lane);
    if (!lane || !lanes || !intervals)
        return 2;
    double append = now_ms();
    for (size_t i = 0; i < lanes; i++) {
        uint64_t at = 0;
        for (size_t k = 0; k < intervals; k++) {
            uint64_t length = 1 + draw(2000);
            if (!reel_lane_data_append(&lane[i], at, at + length,
                                       (enum reel_state)draw(REEL_STATE_COUNT), 1))
                return 1;
            at += length;
        }
    }
    append = now_ms() - append;
    double levels = now_ms();
    size_t bytes = 0;
    for (size_t i = 0; i < lanes; i++) {
        if (!reel_lane_data_finish(&lane[i]))
            return 1;
        bytes += reel_lane_data_bytes(&lane[i]);
    }
    levels = now_ms() - levels;
    printf("%zu lanes x %zu intervals: filled in %.0f ms, levels in %.0f ms, %.1f bytes each\n",
           lanes, intervals, append, levels, (double)bytes / (double)(lanes * intervals));
    static struct reel_lane_column columns[COLUMNS];
    for (double share = 1; share >= 1e-6; share /= 10) {
        double took[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            uint64_t whole = lane[0].start[lane[0].count];
            uint64_t width = (uint64_t)((double)(whole - 1) * share) + 1;
            uint64_t from = draw(whole - width + 1);
            double begin = now_ms();
            for (size_t i = 0; i < lanes; i++)
                reel_lane_data_columns(&lane[i], from, from + width, columns, COLUMNS);
            took[round] = now_ms() - begin;
        }
        qsort(took, ROUNDS, sizeof *took, compare);
        printf("%8.4f %% in view: %6.3f ms for all lanes (p50), %6.3f (p95)\n", share * 100,
               took[ROUNDS / 2], took[ROUNDS * 95 / 100]);
    }
    for (size_t i = 0; i < lanes; i++)
        reel_lane_data_clear(&lane[i]);
    free(lane);
    return 0;
}
