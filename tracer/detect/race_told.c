/* Judging what instrumented code told: see race_told.h.
 *
 * The second access comes as READ or WRITE, its heap block as ALLOCATED, the first access as RACED
 * with the position of the event after which it happened. It came before the second one exactly if
 * the second one's thread has heard of a later position: then some order the program's own filter
 * does not know (through another process, a signal that woke) made it, and there is no race. */
#include "tracer/detect/race_told.h"

#include <glib.h>

#include "tracer/detect/race_hidden.h"
#include "tracer/detect/race_report.h"
#include "tracer/model/address_map.h"

#define SAMPLES 4096u

/* When a thread was at which position: every `stride`th event. */
struct times {
    uint32_t stride, count, capacity;
    uint64_t *at;
};

/* The access that a thread told last, waiting for what it races with. */
struct pending {
    struct reel_race race;
    bool open;
    bool by_chance; /* locks ordered it after the other one: would they always? */
};

struct reel_race_told {
    const struct reel_detect_context *context;
    struct reel_address_map locks; /* (process, address) → object */
    GArray *times;                 /* struct times, by thread */
    GArray *pending;               /* struct pending, by thread */
    struct reel_race_hidden *hidden;
    bool lost;
};

enum { SPACE_LOCK = 1 };

struct reel_race_told *reel_race_told_new(const struct reel_detect_context *context)
{
    struct reel_race_told *told = g_new0(struct reel_race_told, 1);
    told->context = context;
    told->times = g_array_new(FALSE, TRUE, sizeof(struct times));
    told->pending = g_array_new(FALSE, TRUE, sizeof(struct pending));
    told->hidden = reel_race_hidden_new(context);
    return told;
}

void reel_race_told_free(struct reel_race_told *told)
{
    if (!told)
        return;
    for (guint i = 0; i < told->times->len; i++)
        g_free(g_array_index(told->times, struct times, i).at);
    g_array_unref(told->times);
    g_array_unref(told->pending);
    reel_address_map_clear(&told->locks);
    reel_race_hidden_free(told->hidden);
    g_free(told);
}

bool reel_race_is_told(const struct reel_event *event)
{
    return event->extra_words && event->extra[0] & REEL_ACCESS_INSTRUMENTED;
}

static void *at(GArray *array, uint32_t thread, size_t size)
{
    if (array->len <= thread)
        g_array_set_size(array, thread + 1);
    return array->data + thread * size;
}

/* Keeps SAMPLES times a thread at most: when they are full, every other one goes. */
static void keep_time(struct reel_race_told *told, uint32_t thread, uint32_t position,
                      uint64_t time_ns)
{
    struct times *times = at(told->times, thread, sizeof *times);
    if (!times->at)
        times->stride = 1;
    if (times->count == SAMPLES) {
        for (uint32_t i = 0; i < SAMPLES / 2; i++)
            times->at[i] = times->at[2 * i];
        times->count = SAMPLES / 2;
        times->stride *= 2;
    }
    while (times->count < SAMPLES && (uint64_t)times->count * times->stride <= position) {
        if (times->count == times->capacity) { /* most threads have few events */
            times->capacity = times->capacity ? times->capacity * 2 : 16;
            times->at = g_renew(uint64_t, times->at, times->capacity);
        }
        times->at[times->count++] = time_ns;
    }
}

/* An access after the event at `position`: between it and the next one that is known. */
static uint64_t time_of(struct reel_race_told *told, uint32_t thread, uint32_t position,
                        uint64_t latest)
{
    const struct times *times = at(told->times, thread, sizeof *times);
    if (!times->count)
        return latest;
    uint32_t index = MIN(position / times->stride, times->count - 1);
    uint64_t from = times->at[index];
    uint64_t to = index + 1 < times->count ? MIN(times->at[index + 1], latest) : latest;
    return from < to ? from + (to - from) / 2 : from;
}

static void take_locks(struct reel_race_told *told, const struct reel_event *event, unsigned first,
                       struct reel_race_access *access)
{
    access->locks_known = true;
    for (unsigned i = first; i < event->extra_words && access->lock_count < REEL_RACE_LOCKS; i++)
        access->lock[access->lock_count++] = reel_address_map_get(
            &told->locks, reel_address_place(event->process, SPACE_LOCK), event->extra[i]);
}

static struct reel_race_access access_of(const struct reel_event *event)
{
    return (struct reel_race_access){.time_ns = event->time_ns,
                                     .thread = event->thread,
                                     .stack = event->stack,
                                     .writes = event->extra[0] & REEL_ACCESS_WRITE,
                                     .atomic = event->extra[0] & REEL_ACCESS_ATOMIC};
}

static void second_access(struct reel_race_told *told, const struct reel_event *event,
                          uint32_t object)
{
    struct pending *pending = at(told->pending, event->thread, sizeof *pending);
    pending->race = (struct reel_race){.object = object,
                                       .address = event->object,
                                       .size = event->argument,
                                       .b = access_of(event),
                                       .value_known = event->extra_words > 1,
                                       .value = event->extra_words > 1 ? event->extra[1] : 0};
    take_locks(told, event, 2, &pending->race.b);
    pending->open = true;
    pending->by_chance = event->extra[0] & REEL_ACCESS_ORDERED;
}

static void allocated(struct reel_race_told *told, const struct reel_event *event)
{
    struct pending *pending = at(told->pending, event->thread, sizeof *pending);
    if (!pending->open || event->object > pending->race.address)
        return;
    pending->race.block = event->object;
    pending->race.block_size = event->extra_words ? event->extra[0] : event->argument;
    pending->race.block_stack = event->stack;
    if (event->extra_words > 1) /* the text ends with a zero before the words do */
        g_strlcpy(pending->race.field, (const char *)&event->extra[1], REEL_RACE_FIELD);
}

static void first_access(struct reel_race_told *told, struct reel_happens_before *order,
                         const struct reel_event *event)
{
    struct pending *pending = at(told->pending, event->thread, sizeof *pending);
    if (!pending->open || event->extra_words < 3)
        return;
    pending->open = false;
    uint64_t thread = event->extra[1], position = event->extra[2];
    if (thread == 0 || thread >= REEL_MODEL_NUMBER_LIMIT || position >= UINT32_MAX)
        return;
    const struct reel_clock *clock = reel_happens_before_clock(order, event->thread);
    const bool ordered = reel_clock_at(clock, (uint32_t)thread) > position;
    if (ordered && (!pending->by_chance || told->lost))
        return;
    struct reel_race *race = &pending->race;
    race->a = access_of(event);
    race->a.thread = (uint32_t)thread;
    race->a.time_ns = time_of(told, (uint32_t)thread, (uint32_t)position, race->b.time_ns);
    take_locks(told, event, 3, &race->a);
    race->unsure = told->lost;
    if (ordered)
        reel_race_hidden_add(told->hidden, race, (uint32_t)position);
    else
        reel_race_report(told->context, race);
}

void reel_race_told_event(struct reel_race_told *told, struct reel_happens_before *order,
                          const struct reel_event *event, uint32_t object, uint32_t other)
{
    if (!event->thread)
        return;
    reel_race_hidden_event(told->hidden, event, object, other);
    keep_time(told, event->thread, reel_happens_before_position(order, event->thread),
              event->time_ns);
    switch (event->operation) {
    case REEL_OP_ACQUIRE:
        if (object && object < REEL_MODEL_NUMBER_LIMIT)
            reel_address_map_set(&told->locks, reel_address_place(event->process, SPACE_LOCK),
                                 event->object, object);
        break;
    case REEL_OP_READ:
    case REEL_OP_WRITE:
        if (event->class == REEL_CLASS_MEMORY && reel_race_is_told(event) &&
            !(event->flags & REEL_FLAG_SHARED_OBJECT))
            second_access(told, event, object);
        break;
    case REEL_OP_ALLOCATED:
        allocated(told, event);
        break;
    case REEL_OP_RACED:
        first_access(told, order, event);
        break;
    case REEL_OP_GAP:
        told->lost |= event->argument != 0;
        break;
    default:
        break;
    }
}

void reel_race_told_interval(struct reel_race_told *told, const struct reel_interval *interval)
{
    reel_race_hidden_interval(told->hidden, interval);
}

void reel_race_told_finish(struct reel_race_told *told)
{
    if (!told->lost)
        reel_race_hidden_finish(told->hidden);
}
