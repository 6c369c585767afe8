/* Thread slots: where the collector finds a thread's blocks. */
#include "probes/preload/probe.h"
#include "probes/preload/raw.h"

struct reel_thread_slot *reel_thread_slot_claim(uint32_t parent)
{
    struct reel_region *region = reel_probe.region;
    uint32_t number = atomic_fetch_add_explicit(&region->next_thread, 1, memory_order_relaxed) + 1;
    uint32_t capacity = region->thread_capacity;
    for (uint32_t i = 0; i < capacity; i++) {
        uint32_t index = (number + i) % capacity;
        struct reel_thread_slot *slot = reel_region_thread(region, index);
        uint32_t state = REEL_SLOT_FREE;
        if (!atomic_compare_exchange_strong_explicit(&slot->state, &state, REEL_SLOT_CLAIMED,
                                                     memory_order_acquire, memory_order_relaxed))
            continue;
        uint32_t high = atomic_load(&region->thread_high);
        while (high < index + 1 &&
               !atomic_compare_exchange_weak(&region->thread_high, &high, index + 1))
            ;
        slot->process = reel_probe.process_index;
        slot->process_number = reel_probe.process ? reel_probe.process->number : 0;
        slot->tid = 0;
        slot->handle = 0;
        slot->arena = REEL_NO_BLOCK;
        slot->parent = parent;
        slot->start_routine = slot->start_argument = 0;
        atomic_store_explicit(&slot->lost, 0, memory_order_relaxed);
        atomic_store_explicit(&slot->abandoned, 0, memory_order_relaxed);
        atomic_store_explicit(&slot->wait_since, 0, memory_order_relaxed);
        atomic_store_explicit(&slot->first_block, REEL_NO_BLOCK, memory_order_relaxed);
        /* Last: with a number the slot is somebody's. Pairs with the collector's acquire. */
        __atomic_store_n(&slot->number, number, __ATOMIC_RELEASE);
        return slot;
    }
    return NULL;
}

void reel_thread_slot_return(struct reel_thread_slot *slot)
{
    __atomic_store_n(&slot->number, 0, __ATOMIC_RELAXED);
    atomic_store_explicit(&slot->state, REEL_SLOT_FREE, memory_order_release);
}

int32_t reel_thread_tid(void)
{
    if (reel_probe.tid_offset)
        return *(int32_t *)((char *)pthread_self() + reel_probe.tid_offset);
    return (int32_t)reel_raw(SYS_gettid);
}

/* Makes `slot` this thread's own. */
void reel_thread_begin(struct reel_tls *tls, struct reel_thread_slot *slot)
{
    struct reel_thread_slot *none = NULL;
    if (!__atomic_compare_exchange_n(&tls->slot, &none, slot, false, __ATOMIC_RELAXED,
                                     __ATOMIC_RELAXED)) {
        reel_thread_slot_return(slot); /* a signal handler was faster */
        return;
    }
    tls->tid = reel_thread_tid();
    tls->attach_time = reel_now();
    /* In a child by raw fork the C library still has the parent's. */
    slot->tid = tls->forked_from ? (int32_t)reel_raw(SYS_gettid) : tls->tid;
    slot->handle = (uint64_t)pthread_self();
    atomic_store_explicit(&slot->state, REEL_SLOT_LIVE, memory_order_release);
    if (reel_probe.key_made)
        pthread_setspecific(reel_probe.key, tls);
}

/* A thread that we did not see being made: the first of a process, or one made by a raw clone. */
bool reel_thread_attach(struct reel_tls *tls)
{
    struct reel_thread_slot *slot = reel_thread_slot_claim(0);
    if (!slot)
        return false;
    reel_thread_begin(tls, slot);
    return true;
}

/* The key's destructor. Other destructors may still lock and unlock: stay until the last round. */
void reel_thread_end(void *data)
{
    struct reel_tls *tls = data;
    /* In a forked child nobody saw being made, the slot is the parent's. */
    if (!tls->slot || tls->ended || !reel_fork_page.attached)
        return;
    if (reel_probe.key_made && ++tls->destructor_rounds < 4 &&
        pthread_setspecific(reel_probe.key, tls) == 0)
        return;
    reel_emit(tls, REEL_KIND(REEL_OP_EXIT, REEL_CLASS_THREAD, 0), tls->slot->number, 0,
              tls->exit_reason, 0);
    tls->ended = 1;
    tls->end = NULL;
    atomic_signal_fence(memory_order_seq_cst);
    /* Release: the collector that sees ENDED sees every record before it. */
    atomic_store_explicit(&tls->slot->state, REEL_SLOT_ENDED, memory_order_release);
}
