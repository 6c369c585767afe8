/* What keeps two dependencies from happening at the same time: one thread, a lock that both hold, a
 * gate around their threads, an order that holds in every run. The four filters of deadlock
 * prediction, but for the mode, which is the search's. */
#include "tracer/detect/lock_order_private.h"

bool reel_lock_order_speaks(const struct reel_lock_order *order, uint32_t thread, uint32_t lock)
{
    int64_t key = (int64_t)((uint64_t)thread << 32 | lock);
    const struct reel_lock_thread_use *use = g_hash_table_lookup(order->uses, &key);
    return use && use->speaks;
}

bool reel_lock_order_joins_always(const struct reel_lock_order *order, uint32_t thread,
                                  uint32_t lock)
{
    int64_t key = (int64_t)((uint64_t)thread << 32 | lock);
    const struct reel_lock_thread_use *use = g_hash_table_lookup(order->uses, &key);
    return use && use->sections == use->joins;
}

static const GArray *gates_of(const struct reel_lock_order *order, uint32_t thread)
{
    const struct reel_lock_thread *known =
        thread < order->thread->len ? order->thread->pdata[thread] : NULL;
    return known ? known->gates : NULL;
}

static bool hold_in_common(const struct reel_lock_dependency *a,
                           const struct reel_lock_dependency *b)
{
    for (uint32_t i = 0; i < a->held_count; i++)
        for (uint32_t k = 0; k < b->held_count; k++)
            if (a->held[i].lock == b->held[k].lock && !(a->held[i].shared && b->held[k].shared))
                return true;
    return false;
}

bool reel_lock_order_always_excludes(const struct reel_lock_order *order,
                                     const struct reel_lock_dependency *a,
                                     const struct reel_lock_dependency *b)
{
    return a->thread == b->thread || hold_in_common(a, b);
}

/* Was the gate held all the time until this moment? */
static bool gate_stands(const struct reel_lock_order *order, const struct reel_lock_gate *gate,
                        const struct reel_lock_dependency *dependency,
                        const struct reel_lock_witness *at)
{
    void *end;
    if (!g_hash_table_lookup_extended(order->gate_end, GUINT_TO_POINTER(gate->hold), NULL, &end))
        return true;
    return reel_clock_at(end, dependency->thread) >= at->position;
}

/* The creator of a's thread held a lock meanwhile that b holds, or b's creator another time. */
static bool gated(const struct reel_lock_order *order, const struct reel_lock_dependency *a,
                  const struct reel_lock_witness *at, const struct reel_lock_dependency *b,
                  const struct reel_lock_witness *bt)
{
    const GArray *gates = gates_of(order, a->thread), *others = gates_of(order, b->thread);
    for (guint i = 0; gates && i < gates->len; i++) {
        const struct reel_lock_gate *gate = &g_array_index(gates, struct reel_lock_gate, i);
        if (!gate_stands(order, gate, a, at))
            continue;
        for (uint32_t k = 0; gate->owner != b->thread && k < b->held_count; k++)
            if (b->held[k].lock == gate->lock && !(b->held[k].shared && gate->shared))
                return true;
        for (guint k = 0; others && k < others->len; k++) {
            const struct reel_lock_gate *other = &g_array_index(others, struct reel_lock_gate, k);
            if (other->lock == gate->lock && other->hold != gate->hold &&
                !(other->shared && gate->shared) && gate_stands(order, other, b, bt))
                return true;
        }
    }
    return false;
}

/* What a once routine does comes before all that others do after it is done: they all ask. */
static bool after_once(const struct reel_lock_order *order, const struct reel_lock_dependency *a,
                       const struct reel_lock_witness *bt)
{
    for (uint32_t i = 0; i < a->held_count; i++) {
        const uint64_t *done =
            a->held[i].class == REEL_CLASS_ONCE
                ? g_hash_table_lookup(order->once_ns, GUINT_TO_POINTER(a->held[i].lock))
                : NULL;
        if (done && bt->time_ns > *done)
            return true;
    }
    return false;
}

bool reel_lock_order_excludes(const struct reel_lock_order *order,
                              const struct reel_lock_dependency *a,
                              const struct reel_lock_witness *at,
                              const struct reel_lock_dependency *b,
                              const struct reel_lock_witness *bt)
{
    return at->position <= reel_clock_at(bt->must, a->thread) ||
           bt->position <= reel_clock_at(at->must, b->thread) || gated(order, a, at, b, bt) ||
           gated(order, b, bt, a, at) || after_once(order, a, bt) || after_once(order, b, at);
}
