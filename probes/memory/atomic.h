/* Atomic operations of instrumented code: performed here, in an order that is recorded exactly. */
#ifndef REEL_MEMORY_ATOMIC_H
#define REEL_MEMORY_ATOMIC_H

#include "probes/memory/stub.h"

#define REEL_ATOMIC_UPDATE_DECLARE(operation, width)                                               \
    reel_word##width reel_atomic_##operation##width(volatile reel_word##width *, reel_word##width, \
                                                    int) REEL_STUB_HIDDEN;
#define REEL_ATOMIC_DECLARE(width)                                                                 \
    reel_word##width reel_atomic_load##width(const volatile reel_word##width *, int)               \
        REEL_STUB_HIDDEN;                                                                          \
    void reel_atomic_store##width(volatile reel_word##width *, reel_word##width, int)              \
        REEL_STUB_HIDDEN;                                                                          \
    REEL_MEMORY_UPDATES(REEL_ATOMIC_UPDATE_DECLARE, width)                                         \
    int reel_atomic_compare##width(volatile reel_word##width *, reel_word##width *,                \
                                   reel_word##width, int, int) REEL_STUB_HIDDEN;                   \
    reel_word##width reel_atomic_compare_value##width(volatile reel_word##width *,                 \
                                                      reel_word##width, reel_word##width, int,     \
                                                      int) REEL_STUB_HIDDEN;
REEL_MEMORY_WIDTHS(REEL_ATOMIC_DECLARE)

void reel_atomic_fence(int order) REEL_STUB_HIDDEN;
/* The program says that an order goes through this address: __tsan_acquire, __tsan_release. */
void reel_atomic_acquire(void *address) REEL_STUB_HIDDEN;
void reel_atomic_release(void *address) REEL_STUB_HIDDEN;

#define REEL_ATOMIC_UPDATE_ENTRY(operation, width)                                                 \
    .atomic##width##_##operation = reel_atomic_##operation##width,
#define REEL_ATOMIC_ENTRIES(width)                                                                 \
    .atomic##width##_load = reel_atomic_load##width,                                               \
    .atomic##width##_store = reel_atomic_store##width,                                             \
    REEL_MEMORY_UPDATES(REEL_ATOMIC_UPDATE_ENTRY, width).atomic##width##_compare_exchange_strong = \
        reel_atomic_compare##width,                                                                \
    .atomic##width##_compare_exchange_weak = reel_atomic_compare##width,                           \
    .atomic##width##_compare_exchange_val = reel_atomic_compare_value##width,

#endif
