/* What ordered.c writes down while it holds the lock: the exact order, as the program knows it. */
#ifndef REEL_TESTS_ORDER_ORDERED_H
#define REEL_TESTS_ORDER_ORDERED_H

#include <pthread.h>
#include <stdint.h>

struct ordered {
    union {
        pthread_mutex_t mutex;
        pthread_spinlock_t spin;
        pthread_rwlock_t rwlock;
    };
    uint32_t sections; /* entered exclusively, in all */
    int32_t holder[];  /* kernel id of the thread that entered the n-th */
};

#endif
