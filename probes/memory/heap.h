/* The functions that the runtime stands in front of, as the next library has them. */
#ifndef REEL_MEMORY_HEAP_H
#define REEL_MEMORY_HEAP_H

void reel_heap_resolve(void) __attribute__((visibility("hidden")));
void reel_range_resolve(void) __attribute__((visibility("hidden")));

#endif
