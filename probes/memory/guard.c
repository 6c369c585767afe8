/* The initialisation of function-local statics in C++: the compiler asks __cxa_guard_acquire who
 * may run it, unless an atomic load of the guard says that it is done. The C++ library is not
 * instrumented, so the order that it makes is told here. (Itanium C++ ABI, 3.3.3.) */
#include <dlfcn.h>

#include "probes/memory/atomic.h"
#include "probes/memory/memory.h"

#define INTERPOSE __attribute__((visibility("default")))

INTERPOSE int __cxa_guard_acquire(uint64_t *guard);
INTERPOSE void __cxa_guard_release(uint64_t *guard);

int __cxa_guard_acquire(uint64_t *guard)
{
    static int (*real)(uint64_t *);
    if (REEL_UNLIKELY(!real))
        real = (__typeof__(real))dlsym(RTLD_NEXT, "__cxa_guard_acquire");
    int mine = real(guard);
    if (!mine && atomic_load_explicit(&reel_memory.active, memory_order_relaxed))
        reel_atomic_acquire(guard);
    return mine;
}

void __cxa_guard_release(uint64_t *guard)
{
    static void (*real)(uint64_t *);
    if (REEL_UNLIKELY(!real))
        real = (__typeof__(real))dlsym(RTLD_NEXT, "__cxa_guard_release");
    if (atomic_load_explicit(&reel_memory.active, memory_order_relaxed))
        reel_atomic_release(guard);
    real(guard);
}
