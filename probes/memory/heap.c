/* The heap of the program: a block that is handed out is new memory, a block that is freed is
 * written as a whole by who frees it, so that a use that nothing orders with the free is a race.
 *
 * Calls of code that is not instrumented only begin and end blocks. Before the real functions are
 * known (the loader asks for memory while it looks for them) a small arena serves. */
#include "probes/memory/heap.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "probes/memory/memory.h"

#define INTERPOSE __attribute__((visibility("default")))
#define CALLER    ((uint64_t)(uintptr_t)__builtin_return_address(0))
#define LARGE     (64u << 10) /* of larger blocks, only what was accessed is looked at when freed */

static struct {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void (*free)(void *);
    int (*posix_memalign)(void **, size_t, size_t);
    void *(*aligned_alloc)(size_t, size_t);
    void *(*memalign)(size_t, size_t);
    size_t (*malloc_usable_size)(void *);
    bool resolving;
} real;

static char early[65536] __attribute__((aligned(16)));
static _Atomic size_t early_used;

static bool is_early(const void *memory)
{
    return (uintptr_t)memory - (uintptr_t)early < sizeof early;
}

static void *take_early(size_t size)
{
    size_t at = atomic_fetch_add(&early_used, (size + 31) & ~(size_t)15);
    if (at + size + 16 > sizeof early)
        return NULL;
    *(size_t *)(void *)(early + at) = size;
    return early + at + 16;
}

void reel_heap_resolve(void)
{
    if (real.malloc || real.resolving)
        return;
    real.resolving = true;
#define FIND(name) __typeof__(real.name) name##_ = (__typeof__(real.name))dlsym(RTLD_NEXT, #name);
    FIND(calloc)
    FIND(realloc)
    FIND(free)
    FIND(posix_memalign)
    FIND(aligned_alloc) FIND(memalign) FIND(malloc_usable_size) FIND(malloc) real.calloc = calloc_;
    real.realloc = realloc_;
    real.free = free_;
    real.posix_memalign = posix_memalign_;
    real.aligned_alloc = aligned_alloc_;
    real.memalign = memalign_;
    real.malloc_usable_size = malloc_usable_size_;
    real.malloc = malloc_;
    reel_range_resolve();
    real.resolving = false;
}

static bool is_resolved(void)
{
    if (REEL_UNLIKELY(!real.malloc))
        reel_heap_resolve();
    return real.malloc != NULL;
}

static bool is_active(void)
{
    return atomic_load_explicit(&reel_memory.active, memory_order_relaxed);
}

__thread uint64_t reel_heap_asked_from;

static void *handed_out(void *memory, uint64_t pc)
{
    struct reel_self *self = &reel_self;
    if (reel_heap_asked_from) {
        pc = reel_heap_asked_from;
        reel_heap_asked_from = 0;
    }
    if (!memory || !is_active() || !reel_work_begin(self))
        return memory;
    if (reel_access_ready(self)) {
        int saved = errno;
        reel_block_begin((uintptr_t)memory, real.malloc_usable_size(memory),
                         reel_site_of(self, pc));
        errno = saved;
    }
    reel_work_end(self);
    return memory;
}

/* `flags`: is its content kept, elsewhere? Then it was read, too. */
static void taken_back(void *memory, uint64_t flags, uint64_t pc)
{
    if (!memory || !is_active())
        return;
    size_t size = real.malloc_usable_size(memory);
    if (reel_module_has(pc)) {
        if (size <= LARGE)
            reel_access_range((uintptr_t)memory, size, REEL_TAG_WRITE | flags, pc);
        else
            reel_access_seen((uintptr_t)memory, size, REEL_TAG_WRITE | flags, pc);
    }
    struct reel_self *self = &reel_self;
    if (size > LARGE && reel_work_begin(self)) {
        int saved = errno;
        reel_block_end((uintptr_t)memory, size);
        errno = saved;
        reel_work_end(self);
    }
}

INTERPOSE
void *malloc(size_t size)
{
    if (!is_resolved())
        return take_early(size);
    return handed_out(real.malloc(size), CALLER);
}

INTERPOSE
void *calloc(size_t count, size_t size)
{
    size_t bytes;
    if (!is_resolved())
        return __builtin_mul_overflow(count, size, &bytes) ? NULL : take_early(bytes);
    return handed_out(real.calloc(count, size), CALLER);
}

INTERPOSE
void free(void *memory)
{
    if (is_early(memory) || !is_resolved())
        return;
    taken_back(memory, 0, CALLER);
    real.free(memory);
}

static void *resize(void *memory, size_t size, uint64_t pc)
{
    if (!is_resolved() || is_early(memory)) {
        void *larger = is_resolved() ? real.malloc(size) : take_early(size);
        size_t old = is_early(memory) ? *(size_t *)(void *)((char *)memory - 16) : 0;
        for (size_t i = 0; larger && i < old && i < size; i++)
            ((char *)larger)[i] = ((char *)memory)[i];
        return larger;
    }
    taken_back(memory, REEL_TAG_READS, pc);
    return handed_out(real.realloc(memory, size), pc);
}

INTERPOSE
void *realloc(void *memory, size_t size)
{
    return resize(memory, size, CALLER);
}

INTERPOSE
void *reallocarray(void *memory, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return resize(memory, bytes, CALLER);
}

INTERPOSE
int posix_memalign(void **memory, size_t alignment, size_t size)
{
    if (!is_resolved())
        return ENOMEM;
    int error = real.posix_memalign(memory, alignment, size);
    if (error == 0)
        handed_out(*memory, CALLER);
    return error;
}

INTERPOSE
void *aligned_alloc(size_t alignment, size_t size)
{
    return is_resolved() ? handed_out(real.aligned_alloc(alignment, size), CALLER) : NULL;
}

INTERPOSE
void *memalign(size_t alignment, size_t size)
{
    return is_resolved() ? handed_out(real.memalign(alignment, size), CALLER) : NULL;
}
