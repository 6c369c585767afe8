/* What every instrumented program and library is linked with: libreel-memory.a.
 *
 * Each entry point is a jump through a table. Alone, the program runs on the table below, where an
 * access costs a call and a return and an atomic operation is just performed (stub_atomic.c). Under
 * Reel the constructor finds the runtime in the process and takes its table. Nothing here calls the
 * C library but dlsym, once; nothing is printed; a runtime of another version is left alone. */
#include <dlfcn.h>
#include <string.h>

#include "probes/memory/stub.h"

/* `reel record` looks for this note to know that the program can tell its accesses: see
 * tracer/collect/instrumented.c. */
__asm__(".pushsection .note.reel,\"a\",%note\n"
        ".balign 4\n"
        ".long 5, 4, 1\n" /* length of the name, length of the content, type */
        ".asciz \"Reel\"\n"
        ".balign 4\n"
        ".long 1\n"
        ".popsection\n");

#define NO_ACCESS(name, size, writes)                                                              \
    static void no_##name(void *address)                                                           \
    {                                                                                              \
        (void)address;                                                                             \
    }
REEL_MEMORY_ACCESSES(NO_ACCESS)

static void no_range_read(const void *address, size_t size)
{
    (void)address;
    (void)size;
}

static void no_range_write(void *address, size_t size)
{
    (void)address;
    (void)size;
}

static void no_address(void *address)
{
    (void)address;
}

static void no_pointer(void **address)
{
    (void)address;
}

static void no_pointer_update(void **address, void *value)
{
    (void)address;
    (void)value;
}

static void nothing(void)
{
}

static struct reel_memory_table table = {
#define NO_ACCESS_ENTRY(name, size, writes) .name = no_##name,
    REEL_MEMORY_ACCESSES(NO_ACCESS_ENTRY).read_range = no_range_read,
    .write_range = no_range_write,
    .func_entry = no_address,
    .func_exit = nothing,
    .vptr_update = no_pointer_update,
    .vptr_read = no_pointer,
    .acquire = no_address,
    .release = no_address,
    .ignore_thread_begin = nothing,
    .ignore_thread_end = nothing,
    REEL_MEMORY_WIDTHS(REEL_STUB_ATOMIC_ENTRIES).atomic_thread_fence = reel_stub_thread_fence,
    .atomic_signal_fence = reel_stub_signal_fence,
    .copy = memcpy,
    .move = memmove,
    .set = memset,
};

__attribute__((constructor(101))) static void reel_stub_begin(void)
{
    const struct reel_memory_runtime *runtime = dlsym(RTLD_DEFAULT, "reel_memory_runtime");
    if (!runtime || runtime->version != REEL_MEMORY_VERSION || runtime->bytes < sizeof table)
        return;
    const struct reel_memory_table *theirs = runtime->join(&table);
    if (theirs)
        table = *theirs;
}

#define HIDDEN __attribute__((visibility("hidden")))

/* The jumps: each compiles to one instruction, so that the runtime sees the program's return
 * address. */
#define ACCESS(name, size, writes)                                                                 \
    HIDDEN void __tsan_##name(void *address);                                                      \
    void __tsan_##name(void *address)                                                              \
    {                                                                                              \
        table.name(address);                                                                       \
    }
REEL_MEMORY_ACCESSES(ACCESS)

#define CALL(name, parameters, arguments)                                                          \
    HIDDEN void __tsan_##name parameters;                                                          \
    void __tsan_##name parameters                                                                  \
    {                                                                                              \
        table.name arguments;                                                                      \
    }
REEL_MEMORY_CALLS(CALL)

#define UPDATE(operation, width)                                                                   \
    HIDDEN reel_word##width __tsan_atomic##width##_##operation(                                    \
        volatile reel_word##width *address, reel_word##width operand, int order);                  \
    reel_word##width __tsan_atomic##width##_##operation(volatile reel_word##width *address,        \
                                                        reel_word##width operand, int order)       \
    {                                                                                              \
        return table.atomic##width##_##operation(address, operand, order);                         \
    }

#define COMPARE(kind, width)                                                                       \
    HIDDEN int __tsan_atomic##width##_compare_exchange_##kind(                                     \
        volatile reel_word##width *address, reel_word##width *expected, reel_word##width wanted,   \
        int order, int failed);                                                                    \
    int __tsan_atomic##width##_compare_exchange_##kind(                                            \
        volatile reel_word##width *address, reel_word##width *expected, reel_word##width wanted,   \
        int order, int failed)                                                                     \
    {                                                                                              \
        return table.atomic##width##_compare_exchange_##kind(address, expected, wanted, order,     \
                                                             failed);                              \
    }

#define ATOMIC(width)                                                                              \
    HIDDEN reel_word##width __tsan_atomic##width##_load(const volatile reel_word##width *address,  \
                                                        int order);                                \
    reel_word##width __tsan_atomic##width##_load(const volatile reel_word##width *address,         \
                                                 int order)                                        \
    {                                                                                              \
        return table.atomic##width##_load(address, order);                                         \
    }                                                                                              \
    HIDDEN void __tsan_atomic##width##_store(volatile reel_word##width *address,                   \
                                             reel_word##width value, int order);                   \
    void __tsan_atomic##width##_store(volatile reel_word##width *address, reel_word##width value,  \
                                      int order)                                                   \
    {                                                                                              \
        table.atomic##width##_store(address, value, order);                                        \
    }                                                                                              \
    REEL_MEMORY_UPDATES(UPDATE, width)                                                             \
    COMPARE(strong, width)                                                                         \
    COMPARE(weak, width)                                                                           \
    HIDDEN reel_word##width __tsan_atomic##width##_compare_exchange_val(                           \
        volatile reel_word##width *address, reel_word##width expected, reel_word##width wanted,    \
        int order, int failed);                                                                    \
    reel_word##width __tsan_atomic##width##_compare_exchange_val(                                  \
        volatile reel_word##width *address, reel_word##width expected, reel_word##width wanted,    \
        int order, int failed)                                                                     \
    {                                                                                              \
        return table.atomic##width##_compare_exchange_val(address, expected, wanted, order,        \
                                                          failed);                                 \
    }
REEL_MEMORY_WIDTHS(ATOMIC)

HIDDEN void __tsan_init(void);
void __tsan_init(void)
{
}

HIDDEN void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_thread_fence(int order)
{
    table.atomic_thread_fence(order);
}

HIDDEN void __tsan_atomic_signal_fence(int order);
void __tsan_atomic_signal_fence(int order)
{
    table.atomic_signal_fence(order);
}

HIDDEN void *__tsan_memcpy(void *to, const void *from, size_t size);
void *__tsan_memcpy(void *to, const void *from, size_t size)
{
    return table.copy(to, from, size);
}

HIDDEN void *__tsan_memmove(void *to, const void *from, size_t size);
void *__tsan_memmove(void *to, const void *from, size_t size)
{
    return table.move(to, from, size);
}

HIDDEN void *__tsan_memset(void *to, int value, size_t size);
void *__tsan_memset(void *to, int value, size_t size)
{
    return table.set(to, value, size);
}
