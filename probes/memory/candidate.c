/* Two accesses that nothing seen in the program orders, or nothing but chance: told to the tracer,
 * which decides.
 *
 * The second access is told as a READ or WRITE of this thread, the heap block it lies in as
 * ALLOCATED, the first as RACED: its thread, its epoch (the position of the event after which it
 * happened) and its stack. A pair of places is told the first time, the second, the fourth, and so
 * on: one that the tracer refutes does not hide a later one that it cannot. */
#include "probes/memory/memory.h"

#define PAIRS (1u << 20)
#define WAYS  256u
#define DEPTH 64u

struct pair {
    _Atomic uint64_t key;
    _Atomic uint32_t count;
};

static struct {
    struct pair *pair;
    _Atomic uint32_t mapping;
} pairs;

static bool is_mapped(void)
{
    uint32_t never = 0, state;
    if (atomic_compare_exchange_strong(&pairs.mapping, &never, 1)) {
        pairs.pair = reel_room_map(PAIRS * sizeof *pairs.pair);
        atomic_store(&pairs.mapping, pairs.pair ? 2 : 3);
    }
    while ((state = atomic_load(&pairs.mapping)) == 1)
        ;
    return state == 2;
}

/* How often this came, this time included; 1 where nobody can count any more. */
static uint32_t count_of(uint64_t key)
{
    uint64_t at = (key * 0x9e3779b97f4a7c15ull) >> 44;
    for (unsigned tries = 0; tries < 64; tries++, at = (at + 1) & (PAIRS - 1)) {
        uint64_t there = atomic_load_explicit(&pairs.pair[at].key, memory_order_relaxed);
        if (!there && atomic_compare_exchange_strong(&pairs.pair[at].key, &there, key))
            there = key;
        if (there == key)
            return atomic_fetch_add(&pairs.pair[at].count, 1) + 1;
    }
    return 1;
}

/* Is this the first, second, fourth … time for these two places, called as they are? And the same
 * two, however they are called: in a recursion there is no end of ways. */
static bool is_due(uint32_t site, uint32_t earlier, bool hidden)
{
    const uint64_t kind = (uint64_t)hidden << 62;
    if (!is_mapped())
        return true;
    uint32_t count = count_of(((uint64_t)site << 32 | earlier) ^ kind);
    if (count & (count - 1))
        return false;
    uint64_t code = reel_site_entry(site)->pc * 31 + reel_site_entry(earlier)->pc;
    uint32_t ways = count_of((code | 1ull << 63) ^ kind);
    return ways <= WAYS || !(ways & (ways - 1));
}

/* The number of the site's stack, for this thread. */
uint32_t reel_site_stack(struct reel_self *self, uint32_t site)
{
    uint64_t pc[DEPTH];
    unsigned count = 0;
    const struct reel_site_entry *entry = reel_site_entry(site);
    pc[count++] = entry->pc;
    for (uint32_t path = entry->path; path && count < DEPTH; path = reel_site_entry(path)->path) {
        uint64_t caller = reel_site_entry(path)->pc;
        if (reel_memory.services->is_own_code(caller))
            break;
        pc[count++] = caller;
    }
    return reel_memory.services->stack(self->tls, pc, count);
}

unsigned reel_site_locks(uint32_t site, uint64_t *words)
{
    unsigned count = 0;
    for (uint32_t set = reel_site_entry(site)->locks; set && count < REEL_SITE_LOCKS;
         set = reel_site_entry(set)->path)
        words[count++] = reel_site_entry(set)->pc;
    return count;
}

static uint64_t value_at(uintptr_t address, unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = size < 8 ? size : 8; i-- > 0;)
        value = value << 8 | *(volatile const uint8_t *)(address + i);
    return value;
}

/* What kind of access: the first extra word of READ, WRITE and RACED. */
static uint64_t kind_of(uint64_t tag)
{
    return REEL_ACCESS_INSTRUMENTED | (tag & REEL_TAG_WRITE ? REEL_ACCESS_WRITE : 0) |
           (tag & REEL_TAG_ATOMIC ? REEL_ACCESS_ATOMIC : 0);
}

static void tell_block(struct reel_self *self, uintptr_t address)
{
    uintptr_t start;
    size_t size;
    uint32_t site;
    if (!reel_block_find(address, &start, &size, &site))
        return;
    uint64_t words[1] = {size};
    reel_memory.services->emit(self->tls, REEL_KIND(REEL_OP_ALLOCATED, REEL_CLASS_MEMORY, 0), start,
                               size > UINT32_MAX ? UINT32_MAX : (uint32_t)size,
                               reel_site_stack(self, site), words, 1);
}

void reel_candidate(struct reel_self *self, uintptr_t word, uint64_t bytes, uint64_t flags,
                    uint32_t site, const struct reel_access *earlier)
{
    uint32_t thread;
    uint64_t position, words[3 + REEL_SITE_LOCKS];
    uint32_t earlier_site = reel_site_part(earlier->site, earlier->tag & bytes & REEL_TAG_BYTES);
    if (!is_due(site, earlier_site, earlier->tag & REEL_TAG_HIDDEN) ||
        !reel_self_identify(reel_tag_thread(earlier->tag), reel_tag_epoch(earlier->tag), &thread,
                            &position))
        return;
    const struct reel_services *services = reel_memory.services;
    uint64_t shared = earlier->tag & bytes & REEL_TAG_BYTES;
    uintptr_t address = word + (unsigned)__builtin_ctzll(shared);
    uint32_t size = (uint32_t)__builtin_popcountll(shared);
    self->telling = true;
    words[0] = kind_of(flags) | (earlier->tag & REEL_TAG_HIDDEN ? REEL_ACCESS_ORDERED : 0);
    words[1] = value_at(address, size);
    uint32_t operation = flags & REEL_TAG_WRITE ? REEL_OP_WRITE : REEL_OP_READ;
    services->emit(self->tls, REEL_KIND(operation, REEL_CLASS_MEMORY, 0), address, size,
                   reel_site_stack(self, site), words, 2 + reel_site_locks(site, words + 2));
    tell_block(self, address);
    words[0] = kind_of(earlier->tag);
    words[1] = thread;
    words[2] = position;
    services->emit(self->tls, REEL_KIND(REEL_OP_RACED, REEL_CLASS_MEMORY, 0), address, size,
                   reel_site_stack(self, earlier_site), words,
                   3 + reel_site_locks(earlier_site, words + 3));
    self->telling = false;
}
