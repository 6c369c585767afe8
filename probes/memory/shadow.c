/* The shadow as a whole: reserved once, forgotten piece by piece.
 *
 * Linux puts programs without PIE at the bottom, PIE programs and their heap above 0x5500…, and
 * libraries, mappings and stacks below 0x7fff…; folded to 43 bits these do not meet. Other
 * addresses (a program may map where it likes) have no shadow: they are not looked at. */
#include <sys/mman.h>

#include "probes/memory/memory.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#define PAGE       4096ull
#define DROP_BYTES (1u << 20) /* of shadow: more is given back to the kernel */

bool reel_shadow_reserve(void)
{
    void *wanted = (void *)REEL_SHADOW_BASE;
    void *got = mmap(wanted, REEL_SHADOW_LENGTH, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (got == MAP_FAILED)
        return false;
    if (got != wanted) {
        munmap(got, REEL_SHADOW_LENGTH);
        return false;
    }
    /* A crash must not write terabytes of holes; huge pages would fill what is sparse. */
    madvise(got, REEL_SHADOW_LENGTH, MADV_DONTDUMP);
    madvise(got, REEL_SHADOW_LENGTH, MADV_NOHUGEPAGE);
    return true;
}

/* Without the lock where there is nothing to free: who still accesses memory that is being handed
 * out again, or handed back, is wrong whatever is remembered of it. */
static void clear_cells(struct reel_cell *cell, struct reel_cell *end)
{
    for (; cell < end; cell++) {
        if (REEL_UNLIKELY(cell->more)) {
            reel_cell_lock(cell);
            reel_cell_forget(cell);
            reel_cell_unlock(cell);
        } else if (atomic_load_explicit(&cell->tag[0], memory_order_relaxed) ||
                   atomic_load_explicit(&cell->tag[1], memory_order_relaxed)) {
            atomic_store_explicit(&cell->tag[0], 0, memory_order_relaxed);
            atomic_store_explicit(&cell->tag[1], 0, memory_order_relaxed);
        }
    }
}

void reel_shadow_clear(uintptr_t address, size_t size)
{
    if (size == 0 || !reel_shadow_covers(address) || !reel_shadow_covers(address + size - 1))
        return;
    struct reel_cell *cell = reel_cell_of(address), *end = reel_cell_of(address + size - 1) + 1;
    uintptr_t from = ((uintptr_t)cell + PAGE - 1) & ~(PAGE - 1), to = (uintptr_t)end & ~(PAGE - 1);
    if (from < to && to - from >= DROP_BYTES) {
        /* Extensions in there are lost: little, against walking what may never have been touched.
         */
        clear_cells(cell, (struct reel_cell *)from);
        madvise((void *)from, to - from, MADV_DONTNEED);
        clear_cells((struct reel_cell *)to, end);
    } else {
        clear_cells(cell, end);
    }
}

void reel_shadow_drop(void)
{
    madvise((void *)REEL_SHADOW_BASE, REEL_SHADOW_LENGTH, MADV_DONTNEED);
}
