/* Mappings: what is mapped is new memory, whatever was at that address before. */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/shm.h>

#include "probes/memory/memory.h"

#define INTERPOSE __attribute__((visibility("default")))

/* Memory that other processes may see: not many, and mostly none. A slot is free when it has no
 * end.
 */
#define SHARED 256u

_Atomic uint32_t reel_shared_ranges; /* slots ever used */
static struct {
    _Atomic uintptr_t begin, end;
} shared[SHARED];

bool reel_is_shared_slow(uintptr_t address)
{
    uint32_t count = atomic_load_explicit(&reel_shared_ranges, memory_order_acquire);
    for (uint32_t i = 0; i < count; i++)
        if (address >= atomic_load_explicit(&shared[i].begin, memory_order_relaxed) &&
            address < atomic_load_explicit(&shared[i].end, memory_order_relaxed))
            return true;
    return false;
}

static void begin_share(const void *mapped, size_t size)
{
    uint32_t count = atomic_load(&reel_shared_ranges);
    for (uint32_t i = 0; i < count; i++) {
        uintptr_t none = 0;
        if (atomic_compare_exchange_strong(&shared[i].end, &none, 1)) {
            atomic_store(&shared[i].begin, (uintptr_t)mapped);
            atomic_store(&shared[i].end, (uintptr_t)mapped + size);
            return;
        }
    }
    if (count >= SHARED)
        return;
    atomic_store(&shared[count].begin, (uintptr_t)mapped);
    atomic_store(&shared[count].end, (uintptr_t)mapped + size);
    atomic_store(&reel_shared_ranges, count + 1);
}

static void end_share(const void *mapped, size_t size)
{
    uint32_t count = atomic_load(&reel_shared_ranges);
    for (uint32_t i = 0; i < count; i++) {
        uintptr_t begin = atomic_load(&shared[i].begin), end = atomic_load(&shared[i].end);
        if (begin >= (uintptr_t)mapped && end <= (uintptr_t)mapped + size)
            atomic_store(&shared[i].end, 0);
    }
}

static void renewed(const void *address, size_t size)
{
    struct reel_self *self = &reel_self;
    if (!atomic_load_explicit(&reel_memory.active, memory_order_relaxed) || !reel_work_begin(self))
        return;
    int saved = errno;
    reel_shadow_clear((uintptr_t)address, size);
    errno = saved;
    reel_work_end(self);
}

static void *map(const char *name, void *address, size_t size, int protection, int flags, int fd,
                 off_t offset)
{
    static void *(*real)(void *, size_t, int, int, int, off_t);
    if (REEL_UNLIKELY(!real))
        real = (__typeof__(real))dlsym(RTLD_NEXT, name);
    void *mapped = real(address, size, protection, flags, fd, offset);
    if (mapped != MAP_FAILED && (uintptr_t)mapped - REEL_SHADOW_BASE >= REEL_SHADOW_LENGTH)
        renewed(mapped, size);
    if (mapped != MAP_FAILED && atomic_load(&reel_shared_ranges))
        end_share(mapped, size);
    /* Not the recorder's own, which comes before. */
    if (mapped != MAP_FAILED && (flags & MAP_TYPE) != MAP_PRIVATE &&
        atomic_load_explicit(&reel_memory.active, memory_order_relaxed))
        begin_share(mapped, size);
    return mapped;
}

INTERPOSE
void *shmat(int id, const void *wanted, int flags)
{
    static void *(*real)(int, const void *, int);
    struct shmid_ds segment;
    if (REEL_UNLIKELY(!real))
        real = (__typeof__(real))dlsym(RTLD_NEXT, "shmat");
    void *mapped = real(id, wanted, flags);
    int saved = errno;
    if (mapped != (void *)-1 && shmctl(id, IPC_STAT, &segment) == 0) {
        renewed(mapped, segment.shm_segsz);
        begin_share(mapped, segment.shm_segsz);
    }
    errno = saved;
    return mapped;
}

INTERPOSE
void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    return map("mmap", address, size, protection, flags, fd, offset);
}

INTERPOSE
void *mmap64(void *address, size_t size, int protection, int flags, int fd, off64_t offset)
{
    return map("mmap64", address, size, protection, flags, fd, offset);
}

INTERPOSE
int munmap(void *address, size_t size)
{
    static int (*real)(void *, size_t);
    if (REEL_UNLIKELY(!real))
        real = (__typeof__(real))dlsym(RTLD_NEXT, "munmap");
    renewed(address, size);
    if (atomic_load(&reel_shared_ranges))
        end_share(address, size);
    return real(address, size);
}

INTERPOSE
void *mremap(void *old, size_t old_size, size_t size, int flags, ...)
{
    static void *(*real)(void *, size_t, size_t, int, ...);
    va_list arguments;
    va_start(arguments, flags);
    void *wanted = flags & MREMAP_FIXED ? va_arg(arguments, void *) : NULL;
    va_end(arguments);
    if (REEL_UNLIKELY(!real))
        real = (__typeof__(real))dlsym(RTLD_NEXT, "mremap");
    void *mapped = real(old, old_size, size, flags, wanted);
    if (mapped != MAP_FAILED) {
        renewed(old, old_size);
        renewed(mapped, size);
    }
    return mapped;
}
