/* counter-locked: a counter that threads share, under a lock.
 *
 * Shows: `counter++` is a read, an addition and a write; the lock makes the three one step for all
 * others, so no count is lost. See counter-race for the same without it.
 * Look for: the lock handed from thread to thread, never held by two; how much of the time is spent
 * waiting for it, and that the threads are no faster than one would be. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/thread.h"

#include <reel.h>

static pthread_mutex_t counter_lock = PTHREAD_MUTEX_INITIALIZER;
static long counter;
static long rounds = 50000;

static void *count(void *unused)
{
    (void)unused;
    for (long i = 0; i < rounds; i++) {
        pthread_mutex_lock(&counter_lock);
        REEL_WRITE(counter);
        counter++;
        pthread_mutex_unlock(&counter_lock);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    long threads = 4;
    arguments_read(argc, argv, "Threads count together, under a lock.",
                   ARGUMENTS(NUMBER("threads", &threads, 1, 64, "how many count"),
                             NUMBER("rounds", &rounds, 1, 10000000, "how often each")));
    thread_crew(threads, "counter", count, NULL, 0);
    printf("expected %ld, counted %ld, lost %ld\n", threads * rounds, counter,
           threads * rounds - counter);
    return counter == threads * rounds ? 0 : 1;
}
