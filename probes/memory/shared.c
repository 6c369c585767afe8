/* Memory that processes share: the shadow is of one process, so it can only filter here. The first
 * access of an epoch to a word is told as it is, and the tracer compares it with those of all
 * processes. What the cells remember serves only to know which is the first. */
#include "probes/memory/memory.h"

void reel_shared_access(struct reel_self *self, uintptr_t word, uint64_t bytes, uint64_t flags,
                        uint32_t site)
{
    struct reel_found found;
    struct reel_cell *cell = reel_cell_of(word);
    reel_cell_lock(cell);
    reel_cell_access(cell, self, flags, bytes, site, &found);
    reel_cell_unlock(cell);
    found.raced_count = 0; /* the tracer knows what other processes did */
    reel_access_tell(self, word, bytes, flags, site, &found);
    uint64_t words[2 + REEL_SITE_LOCKS] = {
        REEL_ACCESS_INSTRUMENTED | (flags & REEL_TAG_WRITE ? REEL_ACCESS_WRITE : 0) |
            (flags & REEL_TAG_ATOMIC ? REEL_ACCESS_ATOMIC : 0) | bytes << REEL_ACCESS_BYTES,
        0};
    uint32_t operation = flags & REEL_TAG_WRITE ? REEL_OP_WRITE : REEL_OP_READ;
    self->telling = true;
    reel_memory.services->emit_shared(self->tls, REEL_KIND(operation, REEL_CLASS_MEMORY, 0), word,
                                      (uint32_t)__builtin_popcountll(bytes),
                                      reel_site_stack(self, site), words,
                                      2 + reel_site_locks(site, words + 2));
    self->telling = false;
}
