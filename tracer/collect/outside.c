#include "tracer/collect/outside.h"

#include <inttypes.h>
#include <stdio.h>

#include "tracer/collect/live_target.h"

#define LOOK_NS 50000000u /* less than a process must stand still to be called hung */
#define EACH_NS 4000000u  /* so that thousands of processes cost no more than a few */

static unsigned recorded_threads(struct reel_region *region, uint32_t process)
{
    uint32_t high = atomic_load_explicit(&region->thread_high, memory_order_acquire);
    unsigned count = 0;
    for (uint32_t i = 0; i < high && i < region->thread_capacity; i++) {
        const struct reel_thread_slot *slot = reel_region_thread(region, i);
        count += atomic_load_explicit(&slot->state, memory_order_acquire) == REEL_SLOT_LIVE &&
                 slot->process_number == process;
    }
    return count;
}

bool reel_outside_look(struct reel_trace *trace, struct reel_region *region,
                       struct reel_process *process, unsigned alive, uint64_t now_ns,
                       struct reel_error *error)
{
    uint64_t every_ns = (uint64_t)alive * EACH_NS;
    if (process->outside_ns && now_ns - process->outside_ns < MAX(every_ns, LOOK_NS))
        return true;
    process->outside_ns = now_ns;
    uint64_t handled;
    unsigned tasks, known = recorded_threads(region, process->row.id);
    if (!known || !reel_live_handled_signals(process->row.pid, &handled, &tasks))
        return true;
    unsigned unseen = tasks > known ? tasks - known : 0;
    if (handled == process->handled && unseen == process->unseen)
        return true;
    process->handled = handled;
    process->unseen = unseen;
    char key[40], value[40];
    snprintf(key, sizeof key, "outside_%u", process->row.id);
    snprintf(value, sizeof value, "signals %" PRIx64 " threads %u", handled, unseen);
    return reel_trace_set_meta(trace, key, value, error);
}
