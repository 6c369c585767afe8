/* The global interpreter lock: see gil.h. */
#include "gil.h"

#include "check.h"

#include <pthread.h>
#include <reel.h>
#include <stdbool.h>
#include <time.h>

static struct {
    pthread_mutex_t lock; /* guards what follows; held for moments only */
    pthread_cond_t dropped, taken;
    bool held;
    bool wanted;  /* a waiter's patience is over; read without the lock, by atomics */
    long holders; /* counts takings: tells whether somebody else had it meanwhile */
    long forced;
    long interval_ns;
} gil = {.lock = PTHREAD_MUTEX_INITIALIZER, .taken = PTHREAD_COND_INITIALIZER};

void gil_init(long interval)
{
    pthread_condattr_t monotonic;
    CHECK(pthread_condattr_init(&monotonic));
    CHECK(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC));
    CHECK(pthread_cond_init(&gil.dropped, &monotonic));
    CHECK(pthread_condattr_destroy(&monotonic));
    gil.interval_ns = interval * 1000000;
    REEL_LOCK_INIT(&gil.held, "GIL");
}

/* Waits for the lock to be dropped; asks for it after each interval in which nobody else got it. */
static void wait_until_dropped(void)
{
    while (gil.held) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += gil.interval_ns;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        long before = gil.holders;
        int error = pthread_cond_timedwait(&gil.dropped, &gil.lock, &until);
        if (error == ETIMEDOUT && gil.held && gil.holders == before)
            __atomic_store_n(&gil.wanted, true, __ATOMIC_RELAXED);
    }
}

void gil_take(void)
{
    pthread_mutex_lock(&gil.lock);
    if (gil.held) {
        REEL_LOCK_REQUEST(&gil.held);
        wait_until_dropped();
    }
    gil.held = true;
    gil.holders++;
    __atomic_store_n(&gil.wanted, false, __ATOMIC_RELAXED);
    REEL_LOCK_ACQUIRE(&gil.held);
    pthread_cond_broadcast(&gil.taken);
    pthread_mutex_unlock(&gil.lock);
}

void gil_drop(void)
{
    pthread_mutex_lock(&gil.lock);
    REEL_LOCK_RELEASE(&gil.held);
    gil.held = false;
    pthread_cond_signal(&gil.dropped);
    pthread_mutex_unlock(&gil.lock);
}

/* Who gives way waits until another has really taken the lock, or it would win it back at once. */
void gil_check(void)
{
    if (!__atomic_load_n(&gil.wanted, __ATOMIC_RELAXED))
        return;
    pthread_mutex_lock(&gil.lock);
    REEL_LOCK_RELEASE(&gil.held);
    gil.held = false;
    gil.forced++;
    long before = gil.holders;
    pthread_cond_signal(&gil.dropped);
    while (gil.holders == before)
        pthread_cond_wait(&gil.taken, &gil.lock);
    pthread_mutex_unlock(&gil.lock);
    gil_take();
}

long gil_forced_switches(void)
{
    return gil.forced;
}
