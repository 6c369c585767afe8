#include "tracer/collect/live_holds.h"

#include <glib.h>
#include <string.h>

#include "probes/event/kinds.h"
#include "probes/event/record.h"

void reel_live_holds_init(struct reel_live_holds *holds, uint32_t slots)
{
    *holds = (struct reel_live_holds){
        .holder = g_new0(struct reel_live_holder, slots),
        .slots = slots,
        .classes = 1ull << REEL_CLASS_MUTEX | 1ull << REEL_CLASS_RWLOCK |
                   1ull << REEL_CLASS_SPINLOCK | 1ull << REEL_CLASS_ONCE |
                   1ull << REEL_CLASS_FILE_LOCK | 1ull << REEL_CLASS_RECORDER,
    };
}

void reel_live_holds_clear(struct reel_live_holds *holds)
{
    for (uint32_t i = 0; i < holds->slots; i++)
        g_free(holds->holder[i].hold);
    g_free(holds->holder);
    memset(holds, 0, sizeof *holds);
}

void reel_live_holds_drop_mutexes(struct reel_live_holds *holds)
{
    holds->classes &= ~(1ull << REEL_CLASS_MUTEX);
    for (uint32_t i = 0; i < holds->slots; i++) {
        struct reel_live_holder *holder = &holds->holder[i];
        uint32_t kept = 0;
        for (uint32_t k = 0; k < holder->count; k++)
            if (holder->hold[k].class != REEL_CLASS_MUTEX)
                holder->hold[kept++] = holder->hold[k];
        holder->count = kept;
    }
}

static void push(struct reel_live_holder *holder, const struct reel_live_hold *hold)
{
    if (holder->count == holder->capacity) {
        holder->capacity = holder->capacity ? holder->capacity * 2 : 8;
        holder->hold = g_renew(struct reel_live_hold, holder->hold, holder->capacity);
    }
    holder->hold[holder->count++] = *hold;
}

static bool release(struct reel_live_holder *holder, uint8_t class, uint64_t object)
{
    for (uint32_t i = holder->count; i-- > 0;) {
        struct reel_live_hold *hold = &holder->hold[i];
        if (hold->object != object || hold->class != class)
            continue;
        holder->last_released = *hold;
        memmove(hold, hold + 1, (holder->count - i - 1) * sizeof *hold);
        holder->count--;
        return true;
    }
    return false;
}

void reel_live_holds_event(struct reel_live_holds *holds, uint32_t slot,
                           const struct reel_event *event)
{
    struct reel_live_holder *holder = &holds->holder[slot];
    if (holder->thread != event->thread) {
        holder->thread = event->thread;
        holder->process = event->process;
        holder->count = 0;
        holder->lost = false;
    }
    switch (event->operation) {
    case REEL_OP_ACQUIRE:
        if (!(event->flags & REEL_FLAG_RECURSIVE))
            push(holder, &(struct reel_live_hold){.object = event->object,
                                                  .process = event->process,
                                                  .class = event->class,
                                                  .flags = event->flags});
        break;
    case REEL_OP_RELEASE:
        if (event->flags & REEL_FLAG_RECURSIVE)
            break;
        holder->last_released.class = REEL_CLASS_NONE;
        if (!release(holder, event->class, event->object) && event->class == REEL_CLASS_SPINLOCK)
            holds->spins_distrusted = true;
        break;
    case REEL_OP_RELEASE_FAILED:
        if (holder->last_released.class == event->class &&
            holder->last_released.object == event->object)
            push(holder, &holder->last_released);
        holder->last_released.class = REEL_CLASS_NONE;
        break;
    case REEL_OP_GAP:
        holder->lost = true;
        break;
    default:
        break;
    }
}
