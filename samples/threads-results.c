/* threads-results: what a thread returns comes back through pthread_join.
 *
 * Shows: each thread counts the primes of its own range and hands the number back; no memory is
 * shared while they work, so no lock is needed.
 * Look for: lanes that compute from end to end; the last range costs most, and main waits longest
 * for that thread. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/thread.h"
#include "kit/work.h"

#include <stdint.h>

#define MOST 32

struct range {
    long from, to;
};

static void *count_primes(void *argument)
{
    struct range *range = argument;
    return (void *)(intptr_t)work_count_primes(range->from, range->to);
}

int main(int argc, char **argv)
{
    long count = 4, limit = 400000;
    arguments_read(argc, argv, "Threads count primes, each in its own range, and return the count.",
                   ARGUMENTS(NUMBER("threads", &count, 1, MOST, "how many"),
                             NUMBER("limit", &limit, 1, 10000000, "primes below this")));
    pthread_t threads[MOST];
    struct range ranges[MOST];
    for (long i = 0; i < count; i++) {
        ranges[i] = (struct range){limit * i / count, limit * (i + 1) / count};
        threads[i] = thread_start(count_primes, &ranges[i], "range %ld", i + 1);
    }
    long sum = 0;
    for (long i = 0; i < count; i++) {
        long primes = (intptr_t)thread_join(threads[i]);
        printf("%8ld to %8ld: %6ld primes\n", ranges[i].from, ranges[i].to, primes);
        sum += primes;
    }
    printf("%ld primes below %ld\n", sum, limit);
    return 0;
}
