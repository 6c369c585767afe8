/* too-many-workers: far more threads than processors, for work that computes.
 *
 * Shows: two hundred threads do not compute faster than two on two processors: they only wait for a
 * processor instead of for work, and each costs its making, its stack and its switches.
 * Look for: lanes that are runnable and do not run; short-lived threads in hundreds. Compare with
 * as many workers as there are processors: `too-many-workers 2`. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/thread.h"
#include "kit/work.h"

#define MOST 1000

struct range {
    long from, to, primes;
};

static pthread_barrier_t start;

static void *count_primes(void *argument)
{
    struct range *range = argument;
    pthread_barrier_wait(&start);
    range->primes = work_count_primes(range->from, range->to);
    return NULL;
}

int main(int argc, char **argv)
{
    static struct range ranges[MOST];
    long workers = 200, limit = 1000000;
    arguments_read(argc, argv, "Very many threads share very little work.",
                   ARGUMENTS(NUMBER("workers", &workers, 1, MOST, "threads"),
                             NUMBER("limit", &limit, 1, 20000000, "primes below this")));
    for (long i = 0; i < workers; i++)
        ranges[i] = (struct range){limit * i / workers, limit * (i + 1) / workers, 0};
    CHECK(pthread_barrier_init(&start, NULL, (unsigned)workers));

    double began = work_seconds();
    thread_crew(workers, "worker", count_primes, ranges, sizeof ranges[0]);
    long primes = 0;
    for (long i = 0; i < workers; i++)
        primes += ranges[i].primes;
    printf("%ld workers: %ld primes below %ld\n", workers, primes, limit);
    if (arguments_times())
        printf("%.2f s\n", work_seconds() - began);
    CHECK(pthread_barrier_destroy(&start));
    return 0;
}
