/* How the runtime begins: preloaded beside the probe, which it finds by the name of its table. */
#include <dlfcn.h>
#include <errno.h>
#include <sys/mman.h>

#include "probes/memory/heap.h"
#include "probes/memory/memory.h"

struct reel_memory reel_memory;

static bool begin(void)
{
    const struct reel_services *services = dlsym(RTLD_DEFAULT, "reel_services");
    if (!services || services->version != REEL_SERVICES_VERSION || !services->initialise())
        return false;
    bool *lives = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (lives == MAP_FAILED || madvise(lives, 4096, MADV_WIPEONFORK) != 0 || !reel_shadow_reserve())
        return false;
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
