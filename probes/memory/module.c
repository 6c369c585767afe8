/* Which code is instrumented: the modules that carry the stub. Calls of memcpy or free from other
 * code say nothing, for what orders that code is not seen. */
#include <link.h>

#include "probes/memory/memory.h"

#define MODULES 256u

static struct {
    _Atomic uint32_t count;
    struct {
        uint64_t begin, end;
    } text[MODULES];
} modules;

struct search {
    uintptr_t address;
    uint64_t begin, end, data_begin, data_end;
    const char *unseen; /* what it calls; NULL: nothing whose accesses matter */
};

static int look_at(struct dl_phdr_info *info, size_t size, void *data)
{
    struct search *search = data;
    (void)size;
    bool here = false;
    uint64_t begin = UINT64_MAX, end = 0;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD)
            continue;
        uint64_t start = info->dlpi_addr + segment->p_vaddr, stop = start + segment->p_memsz;
        here |= search->address - start < segment->p_memsz;
        if (segment->p_flags & PF_X) {
            begin = start < begin ? start : begin;
            end = stop > end ? stop : end;
        } else if (segment->p_flags & PF_W) {
            search->data_begin = start;
            search->data_end = stop;
        }
    }
    search->begin = begin;
    search->end = end;
    if (here)
        search->unseen = reel_imports_unseen(info);
    return here;
}

/* A library may be loaded where another one was. */
void reel_module_join(const void *address)
{
    struct search search = {.address = (uintptr_t)address};
    if (!dl_iterate_phdr(look_at, &search))
        return;
    reel_shadow_clear(search.data_begin, search.data_end - search.data_begin);
    if (search.unseen && atomic_exchange(&reel_memory.predicts, false))
        reel_tell_followed(search.unseen);
    if (reel_module_has(search.begin))
        return;
    uint32_t at = atomic_fetch_add(&modules.count, 1);
    if (at >= MODULES) {
        atomic_store(&modules.count, MODULES);
        return;
    }
    modules.text[at].end = search.end;
    __atomic_store_n(&modules.text[at].begin, search.begin, __ATOMIC_RELEASE);
}

bool reel_module_has(uint64_t pc)
{
    uint32_t count = atomic_load_explicit(&modules.count, memory_order_relaxed);
    for (uint32_t i = 0; i < count && i < MODULES; i++)
        if (pc - modules.text[i].begin < modules.text[i].end - modules.text[i].begin)
            return true;
    return false;
}
