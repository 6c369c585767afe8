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

/* Text as extra words; how many. */
static unsigned pack(const char *text, uint64_t *words, unsigned most)
{
    size_t i = 0;
    for (unsigned k = 0; k < most; k++)
        words[k] = 0;
    for (; text[i] && i < most * 8ul - 1; i++)
        words[i / 8] |= (uint64_t)(uint8_t)text[i] << i % 8 * 8;
    return (unsigned)(i / 8 + 1);
}

static void tell_failure(const struct reel_services *services)
{
    uint64_t words[(sizeof NO_ROOM + 7) / 8];
    struct reel_tls *tls = services->enter();
    if (tls)
        services->emit(tls, REEL_KIND(REEL_OP_MARK, REEL_CLASS_NONE, 0), 0, 0, 0, words,
                       pack(NO_ROOM, words, sizeof words / sizeof *words));
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

/* How many events of this thread there were, this one included. */
void reel_tell_followed(const char *unseen)
{
    uint64_t words[8];
    struct reel_tls *tls = reel_memory.services->enter();
    if (!tls)
        return;
    reel_self.telling = true;
    reel_memory.services->emit(tls, REEL_KIND(REEL_OP_FOLLOWED, REEL_CLASS_RECORDER, 0), 0,
                               (uint32_t)tls->events + 1, 0, words,
                               unseen ? pack(unseen, words, 8) : 0);
    reel_self.telling = false;
}

/* Is all recorded that orders threads? Where an order is missing, chance may seem to be one. */
#define ORDERS                                                                                     \
    (1u << REEL_FAMILY_THREAD | 1u << REEL_FAMILY_MUTEX | 1u << REEL_FAMILY_RWLOCK |               \
     1u << REEL_FAMILY_SPIN | 1u << REEL_FAMILY_COND | 1u << REEL_FAMILY_SEM |                     \
     1u << REEL_FAMILY_BARRIER | 1u << REEL_FAMILY_ONCE | 1u << REEL_FAMILY_FILELOCK |             \
     1u << REEL_FAMILY_PROCESS | 1u << REEL_FAMILY_IO | 1u << REEL_FAMILY_QUEUE |                  \
     1u << REEL_FAMILY_ANNOTATION)

__attribute__((constructor(101))) static void reel_memory_begin(void)
{
    int saved = errno;
    reel_heap_resolve();
    if (begin()) {
        bool all = (reel_memory.services->families() & ORDERS) == ORDERS;
        atomic_store_explicit(&reel_memory.predicts, all, memory_order_relaxed);
        atomic_store_explicit(&reel_memory.active, true, memory_order_release);
        reel_memory.services->follow(reel_follow);
        reel_tell_followed(NULL);
    }
    errno = saved;
}
