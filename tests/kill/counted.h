/* What counted.c tells the test while it runs, in a file both have mapped: it survives the kill of
 * either. */
#ifndef REEL_TESTS_KILL_COUNTED_H
#define REEL_TESTS_KILL_COUNTED_H

#include <stdatomic.h>
#include <stdint.h>

#define COUNTED_THREADS 64

struct counted {
    _Atomic int pid;      /* of the program, once it counts */
    _Atomic int finished; /* it came to its end */
    struct {
        /* Critical sections whose release was about to be made: written before each unlock. */
        _Alignas(64) _Atomic uint64_t sections;
    } thread[COUNTED_THREADS];
};

#endif
