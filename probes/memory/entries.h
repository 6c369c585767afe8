/* What instrumented code calls: the entry points that gcc and clang know by -fsanitize=thread, as a
 * table. Every instrumented program or library carries a small stub (stub.c) that jumps through a
 * table of its own; when it runs under Reel, the table is replaced by the runtime's (entry.c).
 *
 * The order of the entries is the contract between a stub, which may be years old, and a runtime:
 * append, never reorder. */
#ifndef REEL_MEMORY_ENTRIES_H
#define REEL_MEMORY_ENTRIES_H

#include <stddef.h>
#include <stdint.h>

#define REEL_MEMORY_VERSION 1u

typedef uint8_t reel_word8;
typedef uint16_t reel_word16;
typedef uint32_t reel_word32;
typedef uint64_t reel_word64;
#if defined(__SIZEOF_INT128__)
__extension__ typedef unsigned __int128 reel_word128;
#define REEL_MEMORY_WIDTHS(X) X(8) X(16) X(32) X(64) X(128)
#else
#define REEL_MEMORY_WIDTHS(X) X(8) X(16) X(32) X(64)
#endif

/* X(name, size, writes): void __tsan_name(void *address); writes 2: and reads what was there */
#define REEL_MEMORY_ACCESSES(X)                                                                    \
    X(read1, 1, 0)                                                                                 \
    X(read2, 2, 0)                                                                                 \
    X(read4, 4, 0)                                                                                 \
    X(read8, 8, 0)                                                                                 \
    X(read16, 16, 0)                                                                               \
    X(write1, 1, 1)                                                                                \
    X(write2, 2, 1)                                                                                \
    X(write4, 4, 1)                                                                                \
    X(write8, 8, 1)                                                                                \
    X(write16, 16, 1)                                                                              \
    X(unaligned_read2, 2, 0)                                                                       \
    X(unaligned_read4, 4, 0)                                                                       \
    X(unaligned_read8, 8, 0)                                                                       \
    X(unaligned_read16, 16, 0)                                                                     \
    X(unaligned_write2, 2, 1)                                                                      \
    X(unaligned_write4, 4, 1)                                                                      \
    X(unaligned_write8, 8, 1)                                                                      \
    X(unaligned_write16, 16, 1)                                                                    \
    X(volatile_read1, 1, 0)                                                                        \
    X(volatile_read2, 2, 0)                                                                        \
    X(volatile_read4, 4, 0)                                                                        \
    X(volatile_read8, 8, 0)                                                                        \
    X(volatile_read16, 16, 0)                                                                      \
    X(volatile_write1, 1, 1)                                                                       \
    X(volatile_write2, 2, 1)                                                                       \
    X(volatile_write4, 4, 1)                                                                       \
    X(volatile_write8, 8, 1)                                                                       \
    X(volatile_write16, 16, 1)                                                                     \
    X(unaligned_volatile_read2, 2, 0)                                                              \
    X(unaligned_volatile_read4, 4, 0)                                                              \
    X(unaligned_volatile_read8, 8, 0)                                                              \
    X(unaligned_volatile_read16, 16, 0)                                                            \
    X(unaligned_volatile_write2, 2, 1)                                                             \
    X(unaligned_volatile_write4, 4, 1)                                                             \
    X(unaligned_volatile_write8, 8, 1)                                                             \
    X(unaligned_volatile_write16, 16, 1)                                                           \
    X(read_write1, 1, 2)                                                                           \
    X(read_write2, 2, 2)                                                                           \
    X(read_write4, 4, 2)                                                                           \
    X(read_write8, 8, 2)                                                                           \
    X(read_write16, 16, 2)                                                                         \
    X(unaligned_read_write2, 2, 2)                                                                 \
    X(unaligned_read_write4, 4, 2)                                                                 \
    X(unaligned_read_write8, 8, 2)                                                                 \
    X(unaligned_read_write16, 16, 2)

/* X(result, name, (parameters), (arguments)): what has nothing to do when nobody looks. */
#define REEL_MEMORY_CALLS(X)                                                                       \
    X(read_range, (const void *address, size_t size), (address, size))                             \
    X(write_range, (void *address, size_t size), (address, size))                                  \
    X(func_entry, (void *caller), (caller))                                                        \
    X(func_exit, (void), ())                                                                       \
    X(vptr_update, (void **address, void *value), (address, value))                                \
    X(vptr_read, (void **address), (address))                                                      \
    X(acquire, (void *address), (address))                                                         \
    X(release, (void *address), (address))                                                         \
    X(ignore_thread_begin, (void), ())                                                             \
    X(ignore_thread_end, (void), ())

/* X(operation, width): reel_word __tsan_atomicWIDTH_operation(address, operand, order) */
#define REEL_MEMORY_UPDATES(X, width)                                                              \
    X(exchange, width)                                                                             \
    X(fetch_add, width)                                                                            \
    X(fetch_sub, width)                                                                            \
    X(fetch_and, width)                                                                            \
    X(fetch_or, width)                                                                             \
    X(fetch_xor, width)                                                                            \
    X(fetch_nand, width)

/* The atomic operations of one width. Orders are the __ATOMIC_ constants; the runtime performs the
 * operation. */
#define REEL_MEMORY_UPDATE_FIELD(operation, width)                                                 \
    reel_word##width (*atomic##width##_##operation)(volatile reel_word##width *, reel_word##width, \
                                                    int order);
#define REEL_MEMORY_ATOMIC_FIELDS(width)                                                           \
    reel_word##width (*atomic##width##_load)(const volatile reel_word##width *, int order);        \
    void (*atomic##width##_store)(volatile reel_word##width *, reel_word##width, int order);       \
    REEL_MEMORY_UPDATES(REEL_MEMORY_UPDATE_FIELD, width)                                           \
    int (*atomic##width##_compare_exchange_strong)(                                                \
        volatile reel_word##width *, reel_word##width *, reel_word##width, int order, int failed); \
    int (*atomic##width##_compare_exchange_weak)(volatile reel_word##width *, reel_word##width *,  \
                                                 reel_word##width, int order, int failed);         \
    reel_word##width (*atomic##width##_compare_exchange_val)(                                      \
        volatile reel_word##width *, reel_word##width, reel_word##width, int order, int failed);

struct reel_memory_table {
#define REEL_MEMORY_ACCESS_FIELD(name, size, writes)        void (*name)(void *address);
#define REEL_MEMORY_CALL_FIELD(name, parameters, arguments) void(*name) parameters;
    REEL_MEMORY_ACCESSES(REEL_MEMORY_ACCESS_FIELD)
    REEL_MEMORY_CALLS(REEL_MEMORY_CALL_FIELD)
    REEL_MEMORY_WIDTHS(REEL_MEMORY_ATOMIC_FIELDS)
    void (*atomic_thread_fence)(int order);
    void (*atomic_signal_fence)(int order);
    void *(*copy)(void *to, const void *from, size_t size);
    void *(*move)(void *to, const void *from, size_t size);
    void *(*set)(void *to, int value, size_t size);
};

/* What the runtime exports, as reel_memory_runtime. */
struct reel_memory_runtime {
    uint32_t version;
    uint32_t bytes; /* of the table */
    /* An instrumented module begins: an address in it. Returns the table to use from now on, or
     * NULL: this process records nothing. */
    const struct reel_memory_table *(*join)(const void *module);
};

#endif
