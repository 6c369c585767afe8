/* Numbers that look random and are the same in every run (xorshift64*). A seed is never 0. */
#ifndef REEL_TESTS_STORE_RANDOM_H
#define REEL_TESTS_STORE_RANDOM_H

#include <stdint.h>

static inline uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * 0x2545f4914f6cdd1du;
}

static inline uint32_t random_below(uint64_t *seed, uint64_t limit)
{
    return (uint32_t)((random_next(seed) >> 16) % limit);
}

#endif
