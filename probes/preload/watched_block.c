/* A library of its own, preloaded only when a heap block is to be watched (reel record --watch
 * heap:SITE): it looks where memory is asked for, announces the block that is meant in the process
 * slot, and lets its thread wait until the collector has set the debug registers, for a fifth of a
 * second at most. Nothing is kept of other blocks, and after that one, of any.
 *
 * The functions behind are looked up when first called; where looking them up asks for memory, the
 * C library's own serve. */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdlib.h>

#include "probes/memory/heap.h"
#include "probes/preload/raw.h"
#include "probes/preload/services.h"

#define INTERPOSE __attribute__((visibility("default")))
#define CALLER    ((uint64_t)(uintptr_t)__builtin_return_address(0))
#define ROUNDS    4000 /* of 50 microseconds */

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static struct {
    const struct reel_services *services;
    const struct reel_block_watch *watch;
    uint64_t base;        /* where the program lies, less where it was linked */
    _Atomic bool looking; /* the block has not come yet */
    _Atomic uint32_t blocks;
    _Atomic bool resolved;
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    int (*posix_memalign)(void **, size_t, size_t);
    void *(*aligned_alloc)(size_t, size_t);
    void *(*memalign)(size_t, size_t);
} self;

__thread uint64_t reel_heap_asked_from;
static __thread bool resolving __attribute__((tls_model("initial-exec")));

static bool resolve(void)
{
    if (REEL_LIKELY(atomic_load_explicit(&self.resolved, memory_order_acquire)))
        return true;
    if (resolving)
        return false;
    resolving = true;
#define FIND(name) self.name = (__typeof__(self.name))dlsym(RTLD_NEXT, #name);
    FIND(malloc)
    FIND(calloc)
    FIND(realloc)
    FIND(posix_memalign)
    FIND(aligned_alloc)
    FIND(memalign)
    atomic_store_explicit(&self.resolved, true, memory_order_release);
    resolving = false;
    return true;
}

static bool is_site(uint64_t pc)
{
    const uint64_t link = pc - 1 - self.base;
    for (uint32_t i = 0; i < self.watch->ranges; i++)
        if (link >= self.watch->range[i].start && link < self.watch->range[i].end)
            return true;
    return false;
}

static void announce(void *memory, size_t size, uint64_t pc)
{
    const struct timespec moment = {.tv_nsec = 50000};
    struct reel_process_slot *slot = self.services->process();
    struct reel_tls *tls = self.services->enter();
    const uint64_t words[1] = {size};
    if (!slot)
        return;
    if (tls)
        self.services->emit(tls, REEL_KIND(REEL_OP_ALLOCATED, REEL_CLASS_MEMORY, 0),
                            (uint64_t)(uintptr_t)memory,
                            size > UINT32_MAX ? UINT32_MAX : (uint32_t)size,
                            self.services->stack(tls, &pc, 1), words, 1);
    slot->block_address = (uint64_t)(uintptr_t)memory;
    slot->block_bytes = size;
    atomic_store_explicit(&slot->block_state, REEL_BLOCK_ANNOUNCED, memory_order_release);
    for (int round = 0; round < ROUNDS; round++)
        if (atomic_load_explicit(&slot->block_state, memory_order_acquire) !=
                REEL_BLOCK_ANNOUNCED ||
            reel_raw4(SYS_nanosleep, (long)&moment, 0, 0, 0) != 0)
            return;
}

static void *handed_out(void *memory, size_t size, uint64_t pc)
{
    if (reel_heap_asked_from) {
        pc = reel_heap_asked_from;
        reel_heap_asked_from = 0;
    }
    if (REEL_LIKELY(!atomic_load_explicit(&self.looking, memory_order_relaxed)) || !memory ||
        !is_site(pc) || atomic_fetch_add(&self.blocks, 1) + 1 != self.watch->number)
        return memory;
    const int saved = errno;
    atomic_store(&self.looking, false);
    announce(memory, size, pc);
    errno = saved;
    return memory;
}

INTERPOSE
void *malloc(size_t size)
{
    return resolve() ? handed_out(self.malloc(size), size, CALLER) : __libc_malloc(size);
}

INTERPOSE
void *calloc(size_t count, size_t size)
{
    return resolve() ? handed_out(self.calloc(count, size), count * size, CALLER)
                     : __libc_calloc(count, size);
}

INTERPOSE
void *realloc(void *memory, size_t size)
{
    return resolve() ? handed_out(self.realloc(memory, size), size, CALLER)
                     : __libc_realloc(memory, size);
}

INTERPOSE
void *reallocarray(void *memory, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return resolve() ? handed_out(self.realloc(memory, bytes), bytes, CALLER)
                     : __libc_realloc(memory, bytes);
}

INTERPOSE
int posix_memalign(void **memory, size_t alignment, size_t size)
{
    if (!resolve())
        return ENOMEM;
    int error = self.posix_memalign(memory, alignment, size);
    if (error == 0)
        handed_out(*memory, size, CALLER);
    return error;
}

INTERPOSE
void *aligned_alloc(size_t alignment, size_t size)
{
    return resolve() ? handed_out(self.aligned_alloc(alignment, size), size, CALLER)
                     : __libc_memalign(alignment, size);
}

INTERPOSE
void *memalign(size_t alignment, size_t size)
{
    return resolve() ? handed_out(self.memalign(alignment, size), size, CALLER)
                     : __libc_memalign(alignment, size);
}

/* The program itself comes first. */
static int take_base(struct dl_phdr_info *info, size_t size, void *base)
{
    (void)size;
    *(uint64_t *)base = info->dlpi_addr;
    return 1;
}

/* Only the image that was asked for has these addresses, and who is forked from it. */
__attribute__((constructor(101))) static void reel_watched_block_begin(void)
{
    const int saved = errno;
    const struct reel_services *services = dlsym(RTLD_DEFAULT, "reel_services");
    resolve();
    if (services && services->version == REEL_SERVICES_VERSION && services->initialise() &&
        services->process() && services->region()->block_watch.number &&
        services->process()->parent_pid == services->region()->collector_pid) {
        self.services = services;
        self.watch = &services->region()->block_watch;
        dl_iterate_phdr(take_base, &self.base);
        atomic_store(&self.looking, true);
    }
    errno = saved;
}
