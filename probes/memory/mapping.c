/* Mappings: what is mapped is new memory, whatever was at that address before. */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>

#include "probes/memory/memory.h"

#define INTERPOSE __attribute__((visibility("default")))

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
