/* The atomic operations of a program that nobody looks at: performed as the program asked. Hidden:
 * each module has its own. */
#ifndef REEL_MEMORY_STUB_H
#define REEL_MEMORY_STUB_H

#include "probes/memory/entries.h"

#define REEL_STUB_HIDDEN __attribute__((visibility("hidden")))

#define REEL_STUB_UPDATE_DECLARE(operation, width)                                                 \
    reel_word##width reel_stub_##operation##width(volatile reel_word##width *, reel_word##width,   \
                                                  int) REEL_STUB_HIDDEN;
#define REEL_STUB_ATOMIC_DECLARE(width)                                                            \
    reel_word##width reel_stub_load##width(const volatile reel_word##width *, int)                 \
        REEL_STUB_HIDDEN;                                                                          \
    void reel_stub_store##width(volatile reel_word##width *, reel_word##width, int)                \
        REEL_STUB_HIDDEN;                                                                          \
    REEL_MEMORY_UPDATES(REEL_STUB_UPDATE_DECLARE, width)                                           \
    int reel_stub_compare##width(volatile reel_word##width *, reel_word##width *,                  \
                                 reel_word##width, int, int) REEL_STUB_HIDDEN;                     \
    reel_word##width reel_stub_compare_value##width(volatile reel_word##width *, reel_word##width, \
                                                    reel_word##width, int, int) REEL_STUB_HIDDEN;
REEL_MEMORY_WIDTHS(REEL_STUB_ATOMIC_DECLARE)

void reel_stub_thread_fence(int order) REEL_STUB_HIDDEN;
void reel_stub_signal_fence(int order) REEL_STUB_HIDDEN;

#define REEL_STUB_UPDATE_ENTRY(operation, width)                                                   \
    .atomic##width##_##operation = reel_stub_##operation##width,
#define REEL_STUB_ATOMIC_ENTRIES(width)                                                            \
    .atomic##width##_load = reel_stub_load##width,                                                 \
    .atomic##width##_store = reel_stub_store##width,                                               \
    REEL_MEMORY_UPDATES(REEL_STUB_UPDATE_ENTRY, width).atomic##width##_compare_exchange_strong =   \
        reel_stub_compare##width,                                                                  \
    .atomic##width##_compare_exchange_weak = reel_stub_compare##width,                             \
    .atomic##width##_compare_exchange_val = reel_stub_compare_value##width,

#endif
