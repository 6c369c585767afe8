/* convoy: one lock, held nearly all the time, so that threads run one behind the other.
 *
 * Shows: each thread works under the lock, and hardly outside of it; the more threads, the longer
 * the queue for the lock, and the work takes as long as one thread would. With a second argument
 * of 100 the work is done outside, and the convoy dissolves.
 * Look for: the lock `journal` in use all the time; the parallelism reached, about 1; which line
 * holds it so long. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/thread.h"
#include "kit/work.h"

static pthread_mutex_t journal = PTHREAD_MUTEX_INITIALIZER;
static long entries, rounds = 100, outside;

static void *write_entries(void *unused)
{
    (void)unused;
    for (long i = 0; i < rounds; i++) {
        for (long part = 0; part < outside; part += 10)
            work_count_primes(0, 3000);
        pthread_mutex_lock(&journal);
        for (long part = outside; part < 100; part += 10)
            work_count_primes(0, 3000);
        entries++;
        pthread_mutex_unlock(&journal);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    long threads = 4;
    arguments_read(argc, argv, "Threads queue for a lock that is never free.",
                   ARGUMENTS(NUMBER("threads", &threads, 1, 64, "how many"),
                             NUMBER("outside", &outside, 0, 100, "percent done without the lock"),
                             NUMBER("rounds", &rounds, 1, 10000, "entries of each thread")));
    double began = work_seconds();
    thread_crew(threads, "writer", write_entries, NULL, 0);
    printf("%ld entries\n", entries);
    if (arguments_times())
        printf("%.2f s\n", work_seconds() - began);
    return 0;
}
