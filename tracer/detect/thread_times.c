/* Sums of threads' intervals: see thread_times.h. */
#include "tracer/detect/thread_times.h"

GArray *reel_thread_times_new(void)
{
    return g_array_new(FALSE, TRUE, sizeof(struct reel_thread_times));
}

void reel_thread_times_add(GArray *times, const struct reel_interval *interval)
{
    if (times->len <= interval->thread)
        g_array_set_size(times, interval->thread + 1);
    struct reel_thread_times *mine =
        &g_array_index(times, struct reel_thread_times, interval->thread);
    if (interval->state < REEL_STATE_COUNT)
        mine->state_ns[interval->state] += interval->end_ns - interval->start_ns;
    if (!mine->last_ns)
        mine->first_ns = interval->start_ns;
    mine->last_ns = interval->end_ns;
}

struct reel_thread_times reel_thread_times_at(const GArray *times, uint32_t thread)
{
    return thread < times->len ? g_array_index(times, struct reel_thread_times, thread)
                               : (struct reel_thread_times){.first_ns = 0};
}

uint64_t reel_thread_times_running(const struct reel_thread_times *times)
{
    return times->state_ns[REEL_STATE_RUNNING] + times->state_ns[REEL_STATE_CALLBACK];
}

uint64_t reel_thread_times_total(const struct reel_thread_times *times)
{
    return times->last_ns - times->first_ns;
}
