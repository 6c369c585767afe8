/* memcpy and its like, as instrumented code calls them: performed, and their ranges looked at. */
#ifndef REEL_MEMORY_RANGE_H
#define REEL_MEMORY_RANGE_H

#include <stddef.h>

#define REEL_RANGE_HIDDEN __attribute__((visibility("hidden")))

void *reel_range_copy(void *to, const void *from, size_t size) REEL_RANGE_HIDDEN;
void *reel_range_move(void *to, const void *from, size_t size) REEL_RANGE_HIDDEN;
void *reel_range_set(void *to, int value, size_t size) REEL_RANGE_HIDDEN;

#endif
