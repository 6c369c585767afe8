/* How the runtime begins: preloaded beside the probe, which it finds by the name of its table. */
#include <dlfcn.h>
#include <errno.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "probes/memory/heap.h"
#include "probes/memory/memory.h"

struct reel_memory reel_memory;

/* What is told when accesses cannot be followed. */
#define NO_ROOM "reel: no address space for the shadow of memory: data races are not looked for"

static void tell_failure(const struct reel_services *services)
{
    uint64_t words[(sizeof NO_ROOM + 7) / 8] = {0};
    struct reel_tls *tls = services->enter();
    for (size_t i = 0; i < sizeof NO_ROOM - 1; i++)
        words[i / 8] |= (uint64_t)(uint8_t)NO_ROOM[i] << i % 8 * 8;
    if (tls)
        services->emit(tls, REEL_KIND(REEL_OP_MARK, REEL_CLASS_NONE, 0), 0, 0, 0, words,
                       sizeof words / sizeof *words);
}

/* Do code, data and stack of this program have a shadow? */
static bool is_covered(void)
{
    int here;
    return reel_shadow_covers((uintptr_t)&here) && reel_shadow_covers((uintptr_t)&reel_memory) &&
           reel_shadow_covers((uintptr_t)getauxval(AT_ENTRY));
}

static bool begin(void)
{
    const struct reel_services *services = dlsym(RTLD_DEFAULT, "reel_services");
    if (!services || services->version != REEL_SERVICES_VERSION || !services->initialise())
        return false;
    bool *lives = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (lives == MAP_FAILED || madvise(lives, 4096, MADV_WIPEONFORK) != 0 || !is_covered() ||
        !reel_shadow_reserve()) {
        tell_failure(services);
        return false;
    }
    *lives = true;
    reel_memory.services = services;
    reel_memory.lives = lives;
    return true;
}

/* From here on positions are counted: how many events of this thread there were. */
static void tell(void)
{
    struct reel_tls *tls = reel_memory.services->enter();
    if (!tls)
        return;
    reel_self.telling = true;
    reel_memory.services->emit(tls, REEL_KIND(REEL_OP_FOLLOWED, REEL_CLASS_RECORDER, 0), 0,
                               (uint32_t)tls->events + 1, 0, NULL, 0);
    reel_self.telling = false;
}

__attribute__((constructor(101))) static void reel_memory_begin(void)
{
    int saved = errno;
    reel_heap_resolve();
    if (begin()) {
        atomic_store_explicit(&reel_memory.active, true, memory_order_release);
        reel_memory.services->follow(reel_follow);
        tell();
    }
    errno = saved;
}
