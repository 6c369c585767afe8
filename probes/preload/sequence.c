/* The slow half of finding an object's sequence slot: linear probing, claiming an empty one. */
#include "probes/preload/probe.h"

struct reel_sequence_slot *reel_sequence_find_slow(uint64_t key)
{
    uint64_t at = REEL_SEQUENCE_HASH(key) >> reel_probe.sequence_shift;
    for (unsigned i = 0; i < REEL_SEQUENCE_PROBES; i++) {
        struct reel_sequence_slot *slot =
            &reel_probe.sequences[(at + i) & reel_probe.sequence_mask];
        uint64_t there = atomic_load_explicit(&slot->key, memory_order_relaxed);
        if (there == key)
            return slot;
        if (there == 0 && atomic_compare_exchange_strong_explicit(
                              &slot->key, &there, key, memory_order_relaxed, memory_order_relaxed))
            return slot;
        if (there == key)
            return slot;
    }
    return NULL;
}
