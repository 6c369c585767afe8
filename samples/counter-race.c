/* counter-race: a counter that threads share, WITHOUT a lock. Wrong on purpose.
 *
 * Shows: two threads read the same number, both add one, both write it back: one count is lost.
 * The result is too small, and another one in every run. See counter-locked for the cure.
 * Look for: a race on `counter`: reads and writes of different threads that no lock, join or
 * signal orders. The sample tells its accesses because it was compiled for that: see `reel cc`. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/thread.h"

#include <sched.h>

static volatile long counter; /* volatile keeps the compiler from counting in a register */
static long rounds = 20000;
static pthread_barrier_t start;

static void *count(void *unused)
{
    (void)unused;
    pthread_barrier_wait(&start); /* together, or the first would end before the last begins */
    for (long i = 0; i < rounds; i++) {
        long seen = counter;
        if (i % 100 == 0)
            sched_yield(); /* bad luck, made frequent: without it the loss is only rarer */
        counter = seen + 1;
    }
    return NULL;
}

int main(int argc, char **argv)
{
    long threads = 4;
    arguments_read(argc, argv, "Threads count together without a lock, and lose counts.",
                   ARGUMENTS(NUMBER("threads", &threads, 1, 64, "how many count"),
                             NUMBER("rounds", &rounds, 1, 100000000, "how often each")));
    CHECK(pthread_barrier_init(&start, NULL, (unsigned)threads));
    thread_crew(threads, "counter", count, NULL, 0);
    CHECK(pthread_barrier_destroy(&start));
    printf("expected %ld, counted %ld, lost %ld\n", threads * rounds, counter,
           threads * rounds - counter);
    return 0;
}
