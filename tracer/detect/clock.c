/* Sparse vector clocks: sorted by thread, shared, never changed. */
#include <glib.h>

#include "tracer/detect/happens_before.h"

struct reel_clock *reel_clock_ref(struct reel_clock *clock)
{
    if (clock)
        clock->references++;
    return clock;
}

void reel_clock_unref(struct reel_clock *clock)
{
    if (clock && --clock->references == 0)
        g_free(clock);
}

uint32_t reel_clock_at(const struct reel_clock *clock, uint32_t thread)
{
    size_t low = 0, high = clock ? clock->count : 0;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (clock->entry[middle].thread < thread)
            low = middle + 1;
        else
            high = middle;
    }
    return clock && low < clock->count && clock->entry[low].thread == thread
               ? clock->entry[low].position
               : 0;
}

static bool covers(const struct reel_clock *clock, const struct reel_clock *other)
{
    if (!other || clock == other)
        return true;
    if (!clock || clock->count < other->count)
        return false;
    size_t at = 0;
    for (size_t i = 0; i < other->count; i++) {
        while (at < clock->count && clock->entry[at].thread < other->entry[i].thread)
            at++;
        if (at == clock->count || clock->entry[at].thread != other->entry[i].thread ||
            clock->entry[at].position < other->entry[i].position)
            return false;
    }
    return true;
}

static void put(struct reel_clock *clock, struct reel_clock_entry entry)
{
    struct reel_clock_entry *last = clock->count ? &clock->entry[clock->count - 1] : NULL;
    if (last && last->thread == entry.thread)
        last->position = MAX(last->position, entry.position);
    else
        clock->entry[clock->count++] = entry;
}

struct reel_clock *reel_clock_join(struct reel_clock *clock, const struct reel_clock *other,
                                   uint32_t thread, uint32_t position)
{
    bool knows = !thread || !position || reel_clock_at(clock, thread) >= position;
    if (knows && covers(clock, other))
        return clock;
    size_t a = 0, b = 0, as = clock ? clock->count : 0, bs = other ? other->count : 0;
    struct reel_clock *sum =
        g_malloc(sizeof *sum + (as + bs + 1) * sizeof(struct reel_clock_entry));
    sum->references = 1;
    sum->count = 0;
    struct reel_clock_entry extra = {thread, position};
    bool pending = !knows;
    while (a < as || b < bs || pending) {
        bool from_a = a < as && (b == bs || clock->entry[a].thread <= other->entry[b].thread);
        uint32_t next = from_a   ? clock->entry[a].thread
                        : b < bs ? other->entry[b].thread
                                 : UINT32_MAX;
        if (pending && extra.thread <= next) {
            put(sum, extra);
            pending = false;
        } else if (from_a) {
            put(sum, clock->entry[a++]);
        } else {
            put(sum, other->entry[b++]);
        }
    }
    reel_clock_unref(clock);
    return sum;
}
