/* C++ asks the heap by operator new, which asks malloc: where in the program memory was asked for
 * is who called the operator. It is passed on to malloc, and all else left to the operator itself,
 * the library's or the program's own.
 *
 * Written in C, under the operators' names in the C++ ABI. What they throw passes through: these
 * functions have no frames to clean up. */
#include <dlfcn.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "probes/memory/heap.h"

#define INTERPOSE __attribute__((visibility("default")))
#define CALLER    ((uint64_t)(uintptr_t)__builtin_return_address(0))

/* A plugin in C++ has its library where the program's names do not reach. */
static void *in_library(const char *name)
{
    static const char *const libraries[] = {"libstdc++.so.6", "libc++.so.1"};
    for (unsigned i = 0; i < sizeof libraries / sizeof *libraries; i++) {
        void *library = dlopen(libraries[i], RTLD_LAZY | RTLD_NOLOAD);
        void *found = library ? dlsym(library, name) : NULL;
        if (library)
            dlclose(library);
        if (found)
            return found;
    }
    return NULL;
}

static void *find(_Atomic(void *) *known, const char *name)
{
    void *found = atomic_load_explicit(known, memory_order_relaxed);
    if (found)
        return found;
    found = dlsym(RTLD_NEXT, name);
    if (!found)
        found = in_library(name);
    atomic_store_explicit(known, found, memory_order_relaxed);
    return found;
}

/* The operator of that name; without one, memory all the same. A malloc that it does not come to
 * has nothing to hear. */
#define OPERATOR(name, parameters, arguments)                                                      \
    INTERPOSE void *name parameters                                                                \
    {                                                                                              \
        static _Atomic(void *) known;                                                              \
        void *(*real)parameters = (void *(*)parameters)find(&known, #name);                        \
        if (!reel_heap_asked_from) /* operator new[] asks operator new */                          \
            reel_heap_asked_from = CALLER;                                                         \
        void *memory = real ? real arguments : malloc(size);                                       \
        reel_heap_asked_from = 0;                                                                  \
        return memory;                                                                             \
    }

OPERATOR(_Znwm, (size_t size), (size))
OPERATOR(_Znam, (size_t size), (size))
OPERATOR(_ZnwmRKSt9nothrow_t, (size_t size, const void *nothrow), (size, nothrow))
OPERATOR(_ZnamRKSt9nothrow_t, (size_t size, const void *nothrow), (size, nothrow))
OPERATOR(_ZnwmSt11align_val_t, (size_t size, size_t alignment), (size, alignment))
OPERATOR(_ZnamSt11align_val_t, (size_t size, size_t alignment), (size, alignment))
OPERATOR(_ZnwmSt11align_val_tRKSt9nothrow_t, (size_t size, size_t alignment, const void *nothrow),
         (size, alignment, nothrow))
OPERATOR(_ZnamSt11align_val_tRKSt9nothrow_t, (size_t size, size_t alignment, const void *nothrow),
         (size, alignment, nothrow))
