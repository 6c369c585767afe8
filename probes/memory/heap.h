/* The functions that the runtime stands in front of, as the next library has them. */
#ifndef REEL_MEMORY_HEAP_H
#define REEL_MEMORY_HEAP_H

#include <stdint.h>

/* Where the call of operator new under way came from; 0: none is. */
extern __thread uint64_t reel_heap_asked_from
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

void reel_heap_resolve(void) __attribute__((visibility("hidden")));
void reel_range_resolve(void) __attribute__((visibility("hidden")));

#endif
