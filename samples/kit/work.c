/* Computing and waiting: see work.h. */
#include "work.h"

#include <errno.h>
#include <stdbool.h>
#include <time.h>

static bool is_prime(long number)
{
    if (number < 2)
        return false;
    for (long divisor = 2; divisor * divisor <= number; divisor++) {
        if (number % divisor == 0)
            return false;
    }
    return true;
}

long work_count_primes(long from, long to)
{
    long count = 0;
    for (long number = from; number < to; number++)
        count += is_prime(number);
    return count;
}

static double seconds_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void work_compute(long milliseconds)
{
    double end = seconds_of(CLOCK_THREAD_CPUTIME_ID) + (double)milliseconds / 1e3;
    while (seconds_of(CLOCK_THREAD_CPUTIME_ID) < end)
        work_count_primes(0, 2000);
}

void work_wait(long milliseconds)
{
    struct timespec left = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

double work_seconds(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

unsigned work_random(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u; /* Knuth's and Lewis's linear congruence */
    return *seed >> 8;
}
