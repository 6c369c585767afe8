/* Accesses that are new: the slow half of entry.c. */
#include <sched.h>

#include "probes/memory/memory.h"

#define RACED_LIMIT 8u

void reel_access_word(struct reel_self *self, uintptr_t word, uint64_t bytes, uint64_t flags,
                      uint32_t site)
{
    struct reel_access raced[RACED_LIMIT];
    struct reel_cell *cell = reel_cell_of(word);
    reel_cell_lock(cell);
    unsigned count = reel_cell_access(cell, self, flags, bytes, site, raced, RACED_LIMIT);
    reel_cell_unlock(cell);
    for (unsigned i = 0; i < count; i++)
        reel_candidate(self, word, bytes, flags, site, &raced[i]);
}

/* This thread's accesses are looked at: it has begun, and records. */
bool reel_access_ready(struct reel_self *self)
{
    if (REEL_UNLIKELY(!*reel_memory.lives))
        reel_self_forked(self);
    if (REEL_LIKELY(self->index && !self->ignoring))
        return true;
    if (self->ended || self->ignoring ||
        !atomic_load_explicit(&reel_memory.active, memory_order_relaxed))
        return false;
    /* Not seen being made: it may know all that happened so far. */
    struct reel_tls *tls = reel_memory.services->enter();
    if (!tls || !tls->slot)
        return false;
    reel_self_hear_all(self);
    return reel_self_begin(self, tls);
}

/* The thread is at work here. */
static void access_now(struct reel_self *self, uintptr_t address, size_t size, uint64_t flags,
                       uint64_t pc)
{
    if (!size || !reel_shadow_covers(address) || !reel_shadow_covers(address + size - 1))
        return;
    uint32_t site = reel_site_of(self, pc);
    uintptr_t end = address + size;
    while (address < end) {
        uintptr_t word = address & ~(uintptr_t)7, next = word + 8 < end ? word + 8 : end;
        uint64_t bytes = (REEL_TAG_BYTES >> (8 - (next - address))) << (address - word);
        struct reel_cell *cell = reel_cell_of(word);
        uint64_t tag = atomic_load_explicit(&cell->tag[0], memory_order_relaxed);
        uint64_t mine = self->write_tag | flags | bytes;
        /* In a range: what this thread wrote since its last release needs no second look. */
        if (((tag ^ mine) & ~REEL_TAG_BYTES) != 0 || (tag & bytes) != bytes)
            reel_access_word(self, word, bytes, flags, site);
        address = next;
    }
}

void reel_access_slow(uintptr_t address, size_t size, uint64_t flags, uint64_t pc)
{
    struct reel_self *self = &reel_self;
    if (!reel_work_begin(self)) {
        reel_defer(self,
                   &(struct reel_deferred){
                       .object = address, .pc = pc, .argument = (uint32_t)size, .flags = flags});
        return;
    }
    if (reel_access_ready(self))
        access_now(self, address, size, flags, pc);
    reel_work_end(self);
}

void reel_access_range(uintptr_t address, size_t size, uint64_t flags, uint64_t pc)
{
    if (size && REEL_LIKELY(atomic_load_explicit(&reel_memory.active, memory_order_relaxed)))
        reel_access_slow(address, size, flags, pc);
}

void reel_access_seen(uintptr_t address, size_t size, uint64_t flags, uint64_t pc)
{
    struct reel_self *self = &reel_self;
    if (!reel_work_begin(self))
        return;
    if (reel_access_ready(self) && reel_shadow_covers(address) &&
        reel_shadow_covers(address + size - 1)) {
        uint32_t site = reel_site_of(self, pc);
        for (uintptr_t word = address & ~(uintptr_t)7; word < address + size; word += 8) {
            const struct reel_cell *cell = reel_cell_of(word);
            if (atomic_load_explicit(&cell->tag[0], memory_order_relaxed) ||
                atomic_load_explicit(&cell->tag[1], memory_order_relaxed))
                reel_access_word(self, word, REEL_TAG_BYTES, flags, site);
        }
    }
    reel_work_end(self);
}
