/* Places in the program, as numbers: where an access is, through which calls, holding which locks.
 *
 * One table of triples (pc, path, locks). A path is a call within a path; a set of locks is a lock
 * taken while holding a set; a site is an access in a path with a set. So both stacks of a race are
 * whole and exact, however long ago the first access was. Entries are added without a lock: take a
 * number, fill the entry, publish it in the hash table by compare-and-swap. */
#include "probes/memory/memory.h"

#define SITE_BITS  26u /* 64 million different places; beyond them accesses have none */
#define TABLE_SIZE (1u << (SITE_BITS + 2))
#define LOCK_PATH  UINT32_MAX       /* in `locks`: the entry is a set of locks */
#define JOINED     (UINT32_MAX - 1) /* two sites in one: `pc` holds both, `path` the other's bytes */

#define JOINED_FREELY (1u << 15)

static struct {
    struct reel_site_entry *entry;
    _Atomic uint32_t *table;
    _Atomic uint32_t count;
    _Atomic uint32_t mapping; /* 0 no, 1 under way, 2 done, 3 failed */
} sites;

static bool is_mapped(void)
{
    uint32_t state = atomic_load_explicit(&sites.mapping, memory_order_acquire), never = 0;
    if (REEL_LIKELY(state == 2))
        return true;
    if (atomic_compare_exchange_strong(&sites.mapping, &never, 1)) {
        sites.entry = reel_room_map(((size_t)1 << SITE_BITS) * sizeof *sites.entry);
        sites.table = reel_room_map(TABLE_SIZE * sizeof *sites.table);
        atomic_store(&sites.mapping, sites.entry && sites.table ? 2 : 3);
    }
    while ((state = atomic_load(&sites.mapping)) == 1)
        ;
    return state == 2;
}

static uint64_t hash(uint64_t pc, uint32_t path, uint32_t locks)
{
    uint64_t h =
        (pc ^ ((uint64_t)path << 32 | locks) * 0x9e3779b97f4a7c15ull) * 0xff51afd7ed558ccdull;
    return (h ^ h >> 32) * 0xc4ceb9fe1a85ec53ull;
}

/* A small table for the first entries, which are most of what is looked for, then larger ones: what
 * is looked for often stays in the processor's cache. A table that is half full gets no more. */
static const struct level {
    uint32_t start, bits;
} levels[] = {{0, 14}, {1u << 20, 20}, {1u << (SITE_BITS + 1), SITE_BITS + 1}};
#define LEVELS (sizeof levels / sizeof *levels)

static uint32_t make(uint64_t pc, uint32_t path, uint32_t locks)
{
    uint32_t made = atomic_fetch_add_explicit(&sites.count, 1, memory_order_relaxed) + 1;
    if (made >= 1u << SITE_BITS) {
        atomic_store_explicit(&sites.count, 1u << SITE_BITS, memory_order_relaxed);
        return 0;
    }
    sites.entry[made] = (struct reel_site_entry){pc, path, locks};
    return made;
}

uint32_t reel_site_intern(uint64_t pc, uint32_t path, uint32_t locks)
{
    if (!is_mapped())
        return 0;
    const uint64_t hashed = hash(pc, path, locks);
    uint32_t made = 0;
    for (const struct level *level = levels; level < levels + LEVELS; level++) {
        _Atomic uint32_t *table = sites.table + level->start;
        const uint32_t mask = (1u << level->bits) - 1;
        for (uint64_t at = hashed >> (64 - level->bits);; at = (at + 1) & mask) {
            uint32_t there = atomic_load_explicit(&table[at], memory_order_acquire);
            if (!there) {
                if (atomic_load_explicit(&sites.count, memory_order_relaxed) > mask / 2 &&
                    level + 1 < levels + LEVELS)
                    break;
                if (!made && !(made = make(pc, path, locks)))
                    return 0;
                /* Release: who finds the number finds the entry whole. */
                if (atomic_compare_exchange_strong_explicit(
                        &table[at], &there, made, memory_order_release, memory_order_acquire))
                    return made;
            }
            const struct reel_site_entry *entry = &sites.entry[there];
            if (entry->pc == pc && entry->path == path && entry->locks == locks)
                return there;
        }
    }
    return 0;
}

const struct reel_site_entry *reel_site_entry(uint32_t site)
{
    static const struct reel_site_entry none;
    return site ? &sites.entry[site] : &none;
}

/* The path of the innermost function under way. Looked up only when an access is new: entering and
 * leaving functions just pushes and pops. */
static uint32_t path_of(struct reel_self *self)
{
    struct reel_call_frame *frame = self->top;
    while (frame > self->base && !frame[-1].path)
        frame--;
    uint32_t path = frame > self->base ? frame[-1].path : 0;
    for (; frame < self->top; frame++) {
        if (frame->last_pc != frame->pc || frame->last_outer != path || !frame->last_path) {
            frame->last_pc = frame->pc;
            frame->last_outer = path;
            frame->last_path = reel_site_intern(frame->pc, path, 0);
        }
        frame->path = path = frame->last_path;
    }
    return path;
}

static uint32_t remember(struct reel_self *self, uint64_t pc, uint32_t path, uint32_t locks)
{
    if (!self->memo)
        return reel_site_intern(pc, path, locks);
    struct reel_site_memo *memo = reel_site_memo(self, pc, path);
    if (memo->pc != pc || memo->path != path || memo->locks != locks || !memo->site)
        *memo = (struct reel_site_memo){pc, path, locks, reel_site_intern(pc, path, locks)};
    return memo->site;
}

uint32_t reel_site_of(struct reel_self *self, uint64_t pc)
{
    return remember(self, pc, path_of(self), self->locks);
}

void reel_site_lock(struct reel_self *self, uint64_t lock)
{
    self->locks = remember(self, lock, self->locks, LOCK_PATH);
}

/* Locks are mostly let go in reverse order; else those taken since are put back on. */
void reel_site_unlock(struct reel_self *self, uint64_t lock)
{
    uint64_t since[32];
    unsigned count = 0;
    for (uint32_t set = self->locks; set; set = reel_site_entry(set)->path) {
        if (reel_site_entry(set)->pc == lock) {
            set = reel_site_entry(set)->path;
            while (count)
                set = reel_site_intern(since[--count], set, LOCK_PATH);
            self->locks = set;
            return;
        }
        if (count == 32)
            return;
        since[count++] = reel_site_entry(set)->pc;
    }
}

bool reel_site_share_lock(uint32_t site, uint32_t other)
{
    const uint32_t locks = reel_site_entry(site)->locks, others = reel_site_entry(other)->locks;
    for (uint32_t set = locks; set; set = reel_site_entry(set)->path)
        for (uint32_t with = others; with; with = reel_site_entry(with)->path)
            if (set == with || reel_site_entry(set)->pc == reel_site_entry(with)->pc)
                return true;
    return false;
}

/* A thread often touches the bytes of a word from several places in one epoch. Kept as one access
 * they cost what one does. When there are many combinations, new ones are made of two places only:
 * of three and more there may be millions. */
uint32_t reel_site_join(struct reel_self *self, uint32_t site, uint32_t other, uint64_t bytes)
{
    if (site == other)
        return site;
    const struct reel_site_entry *entry = reel_site_entry(site);
    if (entry->locks != JOINED ||
        atomic_load_explicit(&sites.count, memory_order_relaxed) < JOINED_FREELY)
        return remember(self, (uint64_t)site << 32 | other, (uint32_t)bytes, JOINED);
    if ((uint32_t)(entry->pc >> 32) == other)
        return site;
    if ((uint32_t)entry->pc == other)
        return remember(self, entry->pc, entry->path | (uint32_t)bytes, JOINED);
    return 0;
}

uint32_t reel_site_part(uint32_t site, uint64_t bytes)
{
    const uint64_t lowest = bytes & -bytes;
    for (const struct reel_site_entry *entry = reel_site_entry(site); entry->locks == JOINED;
         entry = reel_site_entry(site))
        site = entry->path & lowest ? (uint32_t)entry->pc : (uint32_t)(entry->pc >> 32);
    return site;
}
