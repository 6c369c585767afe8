/* Atomic operations, performed natively: see stub.h. Orders matter for loads and stores; a
 * read-modify-write is as strong as any where the processor has only one kind, and seq_cst is never
 * weaker than what was asked. */
#include "probes/memory/stub.h"

#define LOAD(width)                                                                                \
    reel_word##width reel_stub_load##width(const volatile reel_word##width *address, int order)    \
    {                                                                                              \
        switch (order) {                                                                           \
        case __ATOMIC_RELAXED:                                                                     \
            return __atomic_load_n(address, __ATOMIC_RELAXED);                                     \
        case __ATOMIC_CONSUME:                                                                     \
        case __ATOMIC_ACQUIRE:                                                                     \
            return __atomic_load_n(address, __ATOMIC_ACQUIRE);                                     \
        default:                                                                                   \
            return __atomic_load_n(address, __ATOMIC_SEQ_CST);                                     \
        }                                                                                          \
    }

#define STORE(width)                                                                               \
    void reel_stub_store##width(volatile reel_word##width *address, reel_word##width value,        \
                                int order)                                                         \
    {                                                                                              \
        switch (order) {                                                                           \
        case __ATOMIC_RELAXED:                                                                     \
            __atomic_store_n(address, value, __ATOMIC_RELAXED);                                    \
            break;                                                                                 \
        case __ATOMIC_RELEASE:                                                                     \
            __atomic_store_n(address, value, __ATOMIC_RELEASE);                                    \
            break;                                                                                 \
        default:                                                                                   \
            __atomic_store_n(address, value, __ATOMIC_SEQ_CST);                                    \
        }                                                                                          \
    }

#define EXCHANGE(width)                                                                            \
    reel_word##width reel_stub_exchange##width(volatile reel_word##width *address,                 \
                                               reel_word##width value, int order)                  \
    {                                                                                              \
        (void)order;                                                                               \
        return __atomic_exchange_n(address, value, __ATOMIC_SEQ_CST);                              \
    }

#define UPDATE(operation, width)                                                                   \
    reel_word##width reel_stub_##operation##width(volatile reel_word##width *address,              \
                                                  reel_word##width operand, int order)             \
    {                                                                                              \
        (void)order;                                                                               \
        return __atomic_##operation(address, operand, __ATOMIC_SEQ_CST);                           \
    }

#define COMPARE(width)                                                                             \
    int reel_stub_compare##width(volatile reel_word##width *address, reel_word##width *expected,   \
                                 reel_word##width wanted, int order, int failed)                   \
    {                                                                                              \
        (void)order;                                                                               \
        (void)failed;                                                                              \
        return __atomic_compare_exchange_n(address, expected, wanted, 0, __ATOMIC_SEQ_CST,         \
                                           __ATOMIC_SEQ_CST);                                      \
    }                                                                                              \
    reel_word##width reel_stub_compare_value##width(                                               \
        volatile reel_word##width *address, reel_word##width expected, reel_word##width wanted,    \
        int order, int failed)                                                                     \
    {                                                                                              \
        (void)order;                                                                               \
        (void)failed;                                                                              \
        __atomic_compare_exchange_n(address, &expected, wanted, 0, __ATOMIC_SEQ_CST,               \
                                    __ATOMIC_SEQ_CST);                                             \
        return expected;                                                                           \
    }

#define NATIVE(width)                                                                              \
    LOAD(width)                                                                                    \
    STORE(width)                                                                                   \
    EXCHANGE(width)                                                                                \
    UPDATE(fetch_add, width)                                                                       \
    UPDATE(fetch_sub, width)                                                                       \
    UPDATE(fetch_and, width)                                                                       \
    UPDATE(fetch_or, width)                                                                        \
    UPDATE(fetch_xor, width)                                                                       \
    UPDATE(fetch_nand, width)                                                                      \
    COMPARE(width)

NATIVE(8)
NATIVE(16)
NATIVE(32)
NATIVE(64)

#if defined(__SIZEOF_INT128__) && defined(__x86_64__)
/* The compilers would call libatomic, which no program of ours may need: by compare-and-swap. */
static reel_word128 swap128(volatile reel_word128 *address, reel_word128 expected,
                            reel_word128 wanted)
{
    uint64_t low = (uint64_t)expected, high = (uint64_t)(expected >> 64);
    __asm__ volatile("lock cmpxchg16b %0"
                     : "+m"(*address), "+a"(low), "+d"(high)
                     : "b"((uint64_t)wanted), "c"((uint64_t)(wanted >> 64))
                     : "cc", "memory");
    return (reel_word128)high << 64 | low;
}

reel_word128 reel_stub_load128(const volatile reel_word128 *address, int order)
{
    (void)order;
    return swap128((volatile reel_word128 *)address, 0, 0);
}

#define UPDATE128(name, new_value)                                                                 \
    reel_word128 reel_stub_##name##128(volatile reel_word128 * address, reel_word128 operand,      \
                                       int order)                                                  \
    {                                                                                              \
        (void)order;                                                                               \
        reel_word128 old = swap128(address, 0, 0), seen;                                           \
        while ((seen = swap128(address, old, new_value)) != old)                                   \
            old = seen;                                                                            \
        return old;                                                                                \
    }
UPDATE128(exchange, operand)
UPDATE128(fetch_add, old + operand)
UPDATE128(fetch_sub, old - operand)
UPDATE128(fetch_and, old &operand)
UPDATE128(fetch_or, old | operand)
UPDATE128(fetch_xor, old ^ operand)
UPDATE128(fetch_nand, ~(old &operand))

void reel_stub_store128(volatile reel_word128 *address, reel_word128 value, int order)
{
    reel_stub_exchange128(address, value, order);
}

int reel_stub_compare128(volatile reel_word128 *address, reel_word128 *expected,
                         reel_word128 wanted, int order, int failed)
{
    (void)order;
    (void)failed;
    reel_word128 seen = swap128(address, *expected, wanted);
    int same = seen == *expected;
    *expected = seen;
    return same;
}

reel_word128 reel_stub_compare_value128(volatile reel_word128 *address, reel_word128 expected,
                                        reel_word128 wanted, int order, int failed)
{
    (void)order;
    (void)failed;
    return swap128(address, expected, wanted);
}
#elif defined(__SIZEOF_INT128__)
NATIVE(128)
#endif

void reel_stub_thread_fence(int order)
{
    (void)order;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void reel_stub_signal_fence(int order)
{
    (void)order;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}
