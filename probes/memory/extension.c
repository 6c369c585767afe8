/* What does not fit into a cell: more accesses than two, and what is heard at the object that lives
 * in the word. Made when first needed, freed when the word is forgotten. The cell is locked. */
#include "probes/memory/memory.h"

struct reel_extension *reel_extension_of(struct reel_cell *cell)
{
    uint64_t more = cell->more;
    return more && !(more & REEL_MORE_BLOCK) ? (struct reel_extension *)more : NULL;
}

struct reel_extension *reel_extension_make(struct reel_cell *cell)
{
    struct reel_extension *extension = reel_extension_of(cell);
    if (extension)
        return extension;
    extension = reel_room_take(sizeof *extension);
    if (!extension)
        return NULL;
    extension->block = cell->more;
    extension->access = extension->few;
    extension->capacity = REEL_FEW;
    __atomic_store_n(&cell->more, (uint64_t)extension, __ATOMIC_RELEASE);
    return extension;
}

void reel_extension_free(struct reel_extension *extension)
{
    if (extension->sync)
        reel_sync_free(extension->sync);
    if (extension->access != extension->few)
        reel_room_give(extension->access, extension->capacity * sizeof *extension->access);
    reel_room_give(extension, sizeof *extension);
}
