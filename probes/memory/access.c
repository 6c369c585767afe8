/* Accesses that are new: the slow half of entry.c. */

#include "probes/memory/memory.h"

/* This thread's accesses are looked at: it has begun, and records. */
bool reel_access_ready(struct reel_self *self)
{
    if (REEL_UNLIKELY(!*reel_memory.lives))
        reel_self_forked(self, NULL);
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

/* Most new accesses are simple: to bytes that this thread, or one it has heard of since, had for
 * itself. The whole of it in one piece, for this is the price of an instrumented program. False:
 * the cell is as it was, and the general way (cell.c) is to be gone. */
static inline bool is_before(const struct reel_self *self, uint64_t tag)
{
    uint32_t thread = reel_tag_thread(tag);
    return thread == self->index ||
           (thread < self->sure->count && reel_tag_epoch(tag) < self->sure->at[thread]);
}

static inline uint32_t site_of(struct reel_self *self, uint64_t pc)
{
    if (REEL_UNLIKELY(self->top <= self->base))
        return reel_site_of(self, pc);
    uint32_t path = self->top[-1].path;
    const struct reel_site_memo *memo = reel_site_memo(self, pc, path);
    if (REEL_LIKELY(path && memo->pc == pc && memo->path == path && memo->locks == self->locks &&
                    memo->site))
        return memo->site;
    return reel_site_of(self, pc);
}

/* The cell is locked; its first tag was `first`. True: done, and unlocked. */
static inline bool access_simply(struct reel_self *self, struct reel_cell *cell, uint64_t first,
                                 uint64_t bytes, bool writes, uint32_t site)
{
    uint64_t second = atomic_load_explicit(&cell->tag[1], memory_order_relaxed);
    uint64_t mine = (writes ? self->write_tag : self->read_tag) | bytes;
    uint64_t before = writes ? first : second; /* what the new one takes the place of */
    if (((before ^ mine) & ~REEL_TAG_BYTES) == 0) {
        uint32_t joined = reel_site_join(self, cell->site[!writes], site, bytes & ~before);
        if (REEL_LIKELY(joined)) {
            site = joined;
            mine |= before & REEL_TAG_BYTES;
        }
    }
    bool simple = !(cell->more && reel_extension_counts(cell)) &&
                  !((first | second) & REEL_TAG_ATOMIC) && !(before & REEL_TAG_BYTES & ~mine) &&
                  (!(first & bytes) || is_before(self, first)) &&
                  (!(second & bytes) || is_before(self, second));
    if (REEL_UNLIKELY(!simple))
        return false;
    cell->site[!writes] = site;
    if (writes) {
        if (second & bytes)
            atomic_store_explicit(&cell->tag[1],
                                  second & REEL_TAG_BYTES & ~bytes ? second & ~bytes : 0,
                                  memory_order_relaxed);
        atomic_store_explicit(&cell->tag[0], mine, memory_order_release);
    } else {
        atomic_store_explicit(&cell->tag[1], mine, memory_order_relaxed);
        atomic_store_explicit(&cell->tag[0], first, memory_order_release);
    }
    return true;
}

/* Is it known in the extension? Looked at without the lock, so that threads that read the same data
 * do not take turns to say so; what was seen counts if it is still the cell's own afterwards. */
static bool is_known_beyond(const struct reel_self *self, const struct reel_cell *cell,
                            uint64_t bytes, uint64_t flags)
{
    uint64_t more = __atomic_load_n(&cell->more, __ATOMIC_ACQUIRE);
    const struct reel_extension *extension = (const struct reel_extension *)more;
    uint64_t wanted =
        (flags & REEL_TAG_WRITE ? self->write_tag : self->read_tag) | (flags & REEL_TAG_ATOMIC);
    if (more & REEL_MORE_BLOCK)
        return false;
    const struct reel_access *access = __atomic_load_n(&extension->access, __ATOMIC_ACQUIRE);
    uint32_t count = __atomic_load_n(&extension->count, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; access && i < count && i < 64; i++) {
        uint64_t tag = __atomic_load_n(&access[i].tag, __ATOMIC_RELAXED);
        if (((tag ^ wanted) & ~REEL_TAG_BYTES) == 0 && (tag & bytes) == bytes) {
            atomic_thread_fence(memory_order_acquire);
            return __atomic_load_n(&cell->more, __ATOMIC_RELAXED) == more &&
                   __atomic_load_n(&extension->access, __ATOMIC_RELAXED) == access;
        }
    }
    return false;
}

void reel_access_tell(struct reel_self *self, uintptr_t word, uint64_t bytes, uint64_t flags,
                      uint32_t site, const struct reel_found *found)
{
    for (unsigned i = 0; i < found->raced_count; i++)
        reel_candidate(self, word, bytes, flags, site, &found->raced[i]);
    for (unsigned i = 0; i < found->seen_count; i++)
        reel_self_see(self, reel_tag_thread(found->seen[i]), reel_tag_epoch(found->seen[i]));
}

void reel_access_word(struct reel_self *self, uintptr_t word, uint64_t bytes, uint64_t flags,
                      uint32_t site)
{
    struct reel_found found;
    struct reel_cell *cell = reel_cell_of(word);
    if (reel_is_shared(word)) {
        reel_shared_access(self, word, bytes, flags, site);
        return;
    }
    if (cell->more && is_known_beyond(self, cell, bytes, flags))
        return;
    uint64_t first = atomic_load_explicit(&cell->tag[0], memory_order_relaxed);
    if (REEL_UNLIKELY(
            (first & REEL_TAG_LOCKED) ||
            !atomic_compare_exchange_strong_explicit(&cell->tag[0], &first, first | REEL_TAG_LOCKED,
                                                     memory_order_acquire, memory_order_relaxed))) {
        reel_cell_lock(cell);
        first = atomic_load_explicit(&cell->tag[0], memory_order_relaxed) & ~REEL_TAG_LOCKED;
    }
    if (REEL_LIKELY(!(flags & REEL_TAG_ATOMIC)) &&
        access_simply(self, cell, first, bytes, flags & REEL_TAG_WRITE, site))
        return;
    reel_cell_access(cell, self, flags, bytes, site, &found);
    reel_cell_unlock(cell);
    reel_access_tell(self, word, bytes, flags, site, &found);
}

/* Since its last release this thread has done the same, or more, to these bytes. */
static inline bool is_known(const struct reel_self *self, const struct reel_cell *cell,
                            uint64_t bytes, uint64_t flags)
{
    uint64_t first = atomic_load_explicit(&cell->tag[0], memory_order_relaxed);
    if (((first ^ self->write_tag) & ~REEL_TAG_BYTES) == 0 && (first & bytes) == bytes)
        return true;
    uint64_t second = atomic_load_explicit(&cell->tag[1], memory_order_relaxed);
    return !(flags & REEL_TAG_WRITE) && ((second ^ self->read_tag) & ~REEL_TAG_BYTES) == 0 &&
           (second & bytes) == bytes;
}

/* Over whole words of a range of which all is known. */
static uintptr_t skip_known(const struct reel_self *self, uintptr_t address, uintptr_t end,
                            uint64_t flags)
{
    const uint64_t written = self->write_tag | REEL_TAG_BYTES;
    const uint64_t read = self->read_tag | REEL_TAG_BYTES;
    if (address & 7)
        return address;
    const struct reel_cell *cell = reel_cell_of(address);
    for (; address + 8 <= end; address += 8, cell++)
        if (atomic_load_explicit(&cell->tag[0], memory_order_relaxed) != written &&
            (flags & REEL_TAG_WRITE ||
             atomic_load_explicit(&cell->tag[1], memory_order_relaxed) != read))
            break;
    return address;
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
        address = skip_known(self, address, end, flags);
        if (address == end)
            break;
        uintptr_t word = address & ~(uintptr_t)7, next = word + 8 < end ? word + 8 : end;
        uint64_t bytes = (REEL_TAG_BYTES >> (8 - (next - address))) << (address - word);
        struct reel_cell *cell = reel_cell_of(word);
        if (!is_known(self, cell, bytes, flags))
            reel_access_word(self, word, bytes, flags, site);
        address = next;
    }
}

void reel_access_slow(uintptr_t address, size_t size, uint64_t flags, uint64_t pc)
{
    struct reel_self *self = &reel_self;
    const struct reel_cell *cell = reel_cell_of(address);
    if (cell->more && (address & 7) + size <= 8 &&
        is_known_beyond(self, cell, (REEL_TAG_BYTES >> (8 - size)) << (address & 7), flags))
        return;
    if (REEL_UNLIKELY(!reel_work_begin(self))) {
        reel_defer(self,
                   &(struct reel_deferred){
                       .object = address, .pc = pc, .argument = (uint32_t)size, .flags = flags});
        return;
    }
    if (REEL_LIKELY(reel_access_ready(self))) {
        unsigned offset = address & 7;
        if (REEL_LIKELY(offset + size <= 8 && reel_shadow_covers(address)))
            reel_access_word(self, address - offset, (REEL_TAG_BYTES >> (8 - size)) << offset,
                             flags, site_of(self, pc));
        else
            access_now(self, address, size, flags, pc);
    }
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
