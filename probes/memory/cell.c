/* What one word of memory remembers, and what one more access does to that.
 *
 * A new access races with an earlier one when they share a byte, one of them writes, not both are
 * atomic, and this thread has not heard of a later position of the other. An earlier access is
 * forgotten for the bytes of a new one that is at least as strong (a plain write is stronger than
 * anything, a read than reads, an atomic write than atomic accesses) and comes after it: whatever
 * races with the old one then races with the new one. So a word keeps a write or two, and only
 * those reads and atomic accesses that nothing orders. */

#include "probes/memory/memory.h"

void reel_cell_lock(struct reel_cell *cell)
{
    for (unsigned round = 0;; round++) {
        uint64_t tag = atomic_load_explicit(&cell->tag[0], memory_order_relaxed);
        if ((!(tag & REEL_TAG_LOCKED) || round > REEL_PATIENCE) &&
            atomic_compare_exchange_weak_explicit(&cell->tag[0], &tag, tag | REEL_TAG_LOCKED,
                                                  memory_order_acquire, memory_order_relaxed))
            return;
        reel_pause(round);
    }
}

void reel_cell_unlock(struct reel_cell *cell)
{
    uint64_t tag = atomic_load_explicit(&cell->tag[0], memory_order_relaxed);
    atomic_store_explicit(&cell->tag[0], tag & ~REEL_TAG_LOCKED, memory_order_release);
}

static bool is_ordered(const struct reel_self *self, uint64_t tag)
{
    uint32_t thread = reel_tag_thread(tag);
    return thread == self->index || reel_tag_epoch(tag) < reel_vector_at(&self->past.clock, thread);
}

/* Ordered in every run. */
static bool is_sure(const struct reel_self *self, uint64_t tag)
{
    uint32_t thread = reel_tag_thread(tag);
    return thread == self->index || reel_tag_epoch(tag) < reel_vector_at(self->sure, thread);
}

static bool conflict(uint64_t a, uint64_t b)
{
    return ((a | b) & REEL_TAG_WRITE) && !(a & b & REEL_TAG_ATOMIC);
}

/* May `later` stand for `earlier` from now on? */
static bool is_as_strong(uint64_t later, uint64_t earlier)
{
    bool writes = later & REEL_TAG_WRITE, atomic = later & REEL_TAG_ATOMIC;
    if (earlier & REEL_TAG_WRITE && !writes)
        return false;
    return !atomic || earlier & REEL_TAG_ATOMIC;
}

struct visit {
    struct reel_self *self;
    uint64_t tag;   /* of the new access */
    uint32_t place; /* where it is */
    uint32_t site;  /* and where those are that it is joined with */
    bool reads;
    struct reel_found *found;
};

static void found_race(struct visit *visit, uint64_t tag, uint32_t site)
{
    struct reel_found *found = visit->found;
    if (found->raced_count < REEL_RACED)
        found->raced[found->raced_count++] = (struct reel_access){tag, site};
}

/* An earlier access that is ordered with this one in this run, but not in every run. */
static void look_closer(struct visit *visit, uint64_t tag, uint64_t shared, uint32_t site)
{
    if (conflict(tag, visit->tag) && reel_is_predicting() &&
        !reel_site_share_lock(visit->place, reel_site_part(site, shared)))
        found_race(visit, (tag & ~(REEL_TAG_BYTES | REEL_TAG_LOCKED)) | shared | REEL_TAG_HIDDEN,
                   site);
}

static void found_value(struct visit *visit, uint64_t tag)
{
    struct reel_found *found = visit->found;
    if (visit->self->trail && found->seen_count < REEL_SEEN)
        found->seen[found->seen_count++] = tag;
}

/* gcc tells the store of a bit-field as a write of the whole word, but not that it keeps the other
 * bits as they were left. Under one lock that is all right, and seen. */
static bool may_keep_bits(const struct visit *visit, uint64_t shared, uint32_t site)
{
    return reel_site_share_lock(visit->place, reel_site_part(site, shared));
}

/* What is left of an earlier access; 0: nothing. A twin of the new one is taken into it. */
static uint64_t look(struct visit *visit, uint64_t tag, uint32_t site)
{
    if (!tag)
        return 0;
    const uint64_t kind = ~(REEL_TAG_BYTES | REEL_TAG_LOCKED);
    if (((tag ^ visit->tag) & kind) == 0) {
        uint64_t fresh = visit->tag & ~tag & REEL_TAG_BYTES;
        uint32_t joined = fresh ? reel_site_join(visit->self, site, visit->site, fresh) : site;
        if (joined) {
            visit->site = joined;
            visit->tag |= tag & REEL_TAG_BYTES;
            return 0;
        }
    }
    uint64_t shared = tag & visit->tag & REEL_TAG_BYTES;
    if (!shared)
        return tag;
    bool ordered = is_ordered(visit->self, tag);
    if (!ordered && conflict(tag, visit->tag))
        found_race(visit, (tag & ~(REEL_TAG_BYTES | REEL_TAG_LOCKED)) | shared, site);
    else if (ordered && !is_sure(visit->self, tag))
        look_closer(visit, tag, shared, site);
    if (tag & REEL_TAG_WRITE && !(ordered && is_sure(visit->self, tag)) &&
        (visit->reads || may_keep_bits(visit, shared, site)))
        found_value(visit, tag);
    /* After a race the write stands for both: the word is known to be racy. */
    if (!is_as_strong(visit->tag, tag) || !(ordered || conflict(tag, visit->tag)))
        return tag;
    return (tag & REEL_TAG_BYTES & ~shared) ? tag & ~shared : 0;
}

static void keep(struct reel_cell *cell, uint64_t tag, uint32_t site)
{
    struct reel_extension *extension = reel_extension_make(cell);
    if (!extension)
        return;
    if (extension->count == extension->capacity) {
        uint32_t capacity = extension->capacity * 2;
        struct reel_access *larger = reel_room_take(capacity * sizeof *larger);
        if (!larger)
            return;
        for (uint32_t i = 0; i < extension->count; i++)
            larger[i] = extension->access[i];
        if (extension->access != extension->few)
            reel_room_give(extension->access, extension->capacity * sizeof *extension->access);
        __atomic_store_n(&extension->access, larger, __ATOMIC_RELEASE);
        extension->capacity = capacity;
    }
    extension->access[extension->count++] = (struct reel_access){tag, site};
}

void reel_cell_access(struct reel_cell *cell, struct reel_self *self, uint64_t flags,
                      uint64_t bytes, uint32_t site, struct reel_found *found)
{
    const bool writes = flags & REEL_TAG_WRITE;
    struct visit visit = {.self = self,
                          .tag = (writes ? self->write_tag : self->read_tag) |
                                 (flags & REEL_TAG_ATOMIC) | bytes,
                          .place = site,
                          .site = site,
                          .reads = !writes || flags & REEL_TAG_READS,
                          .found = found};
    found->raced_count = found->seen_count = 0;
    uint64_t first = atomic_load_explicit(&cell->tag[0], memory_order_relaxed) & ~REEL_TAG_LOCKED;
    uint64_t second = atomic_load_explicit(&cell->tag[1], memory_order_relaxed);
    uint64_t left[2] = {look(&visit, first, cell->site[0]), look(&visit, second, cell->site[1])};
    struct reel_extension *extension = REEL_UNLIKELY(cell->more) ? reel_extension_of(cell) : NULL;
    if (extension) {
        uint32_t kept = 0;
        for (uint32_t i = 0; i < extension->count; i++) {
            struct reel_access access = extension->access[i];
            access.tag = look(&visit, access.tag, access.site);
            if (access.tag)
                extension->access[kept++] = access;
        }
        extension->count = kept;
    }
    /* A plain access goes to its usual place, whoever is there moves; others where there is room.
     */
    unsigned place = writes ? 0 : 1;
    if (left[place] && flags & REEL_TAG_ATOMIC) {
        keep(cell, visit.tag, visit.site);
    } else {
        if (left[place])
            keep(cell, left[place], cell->site[place]);
        left[place] = visit.tag;
        cell->site[place] = visit.site;
    }
    atomic_store_explicit(&cell->tag[1], left[1], memory_order_relaxed);
    atomic_store_explicit(&cell->tag[0], left[0] | REEL_TAG_LOCKED, memory_order_relaxed);
}

/* Locked: nobody has been here. */
void reel_cell_forget(struct reel_cell *cell)
{
    struct reel_extension *extension = cell->more ? reel_extension_of(cell) : NULL;
    if (extension)
        reel_extension_free(extension);
    cell->more = 0;
    atomic_store_explicit(&cell->tag[1], 0, memory_order_relaxed);
    atomic_store_explicit(&cell->tag[0], REEL_TAG_LOCKED, memory_order_relaxed);
}
