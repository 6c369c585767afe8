/* Heap blocks: where they begin, how long they are, and where in the program they were allocated.
 * Told by the cell of their first word, so it costs nothing per block; the block around an address
 * is found by walking back to one. Large blocks are in a list. */

#include "probes/memory/memory.h"

#define LARGE_BYTES (1u << 20)
#define LARGE_MOST  1024u

static struct {
    atomic_flag locked;
    uint32_t count;
    struct large {
        uintptr_t start;
        size_t size;
        uint32_t site;
    } block[LARGE_MOST];
} large = {.locked = ATOMIC_FLAG_INIT};

static void lock(void)
{
    reel_spin_lock(&large.locked);
}

static void unlock(void)
{
    reel_spin_unlock(&large.locked);
}

/* What the cell says: size in words, and site. */
static uint64_t block_of(struct reel_cell *cell)
{
    uint64_t more = __atomic_load_n(&cell->more, __ATOMIC_RELAXED);
    if (!more || more & REEL_MORE_BLOCK)
        return more;
    reel_cell_lock(cell);
    struct reel_extension *extension = reel_extension_of(cell);
    more = extension ? extension->block : cell->more;
    reel_cell_unlock(cell);
    return more;
}

void reel_block_begin(uintptr_t start, size_t size, uint32_t site)
{
    if (!size || !reel_shadow_covers(start) || !reel_shadow_covers(start + size - 1))
        return;
    reel_shadow_clear(start, size);
    struct reel_cell *cell = reel_cell_of(start);
    reel_cell_lock(cell);
    cell->more = REEL_MORE_BLOCK | (size / 8 & 0x7fffffff) << 1 | (uint64_t)site << 32;
    reel_cell_unlock(cell);
    if (size < LARGE_BYTES)
        return;
    lock();
    if (large.count < LARGE_MOST)
        large.block[large.count++] = (struct large){start, size, site};
    unlock();
}

void reel_block_end(uintptr_t start, size_t size)
{
    if (size < LARGE_BYTES)
        return;
    lock();
    for (uint32_t i = 0; i < large.count; i++)
        if (large.block[i].start == start) {
            large.block[i] = large.block[--large.count];
            break;
        }
    unlock();
    reel_shadow_clear(start, size);
}

static bool find_large(uintptr_t address, struct large *found)
{
    bool any = false;
    lock();
    for (uint32_t i = 0; i < large.count && !any; i++)
        if (address - large.block[i].start < large.block[i].size) {
            *found = large.block[i];
            any = true;
        }
    unlock();
    return any;
}

bool reel_block_find(uintptr_t address, uintptr_t *start, size_t *size, uint32_t *site)
{
    struct large found;
    if (find_large(address, &found)) {
        *start = found.start;
        *size = found.size;
        *site = found.site;
        return true;
    }
    uintptr_t word = address & ~(uintptr_t)7;
    for (unsigned i = 0; i < LARGE_BYTES / 8 && reel_shadow_covers(word); i++, word -= 8) {
        uint64_t block = block_of(reel_cell_of(word));
        if (!block)
            continue;
        *start = word;
        *size = (size_t)(block >> 1 & 0x7fffffff) * 8;
        *site = (uint32_t)(block >> 32);
        return address - word < *size;
    }
    return false;
}
