/* cpu-bound: work that computes, done sequentially, by threads, or by processes.
 *
 * Shows: computing needs processors. C threads run in parallel, so threads and processes are both
 * as many times quicker as there are processors, and no more. (Under an interpreter's global lock
 * threads would not help: see the sample gil.)
 * Look for: lanes that compute without waiting; the parallelism reached against the processors
 * there are. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/process.h"
#include "kit/thread.h"
#include "kit/work.h"

#define MOST 64

struct range {
    long from, to, primes;
};

static struct range *ranges; /* shared with the children, who write their results into it */

static int count_in_process(void *argument)
{
    struct range *range = argument;
    range->primes = work_count_primes(range->from, range->to);
    return 0;
}

static void *count_in_thread(void *argument)
{
    count_in_process(argument);
    return NULL;
}

enum mode { SEQUENTIAL, THREADS, PROCESSES };

int main(int argc, char **argv)
{
    static const char *const modes[] = {"sequential", "threads", "processes", NULL};
    long mode = SEQUENTIAL, count = 4, limit = 1500000;
    arguments_read(argc, argv, "Work that computes: sequential, by threads, by processes.",
                   ARGUMENTS(CHOICE("mode", &mode, modes, "how"),
                             NUMBER("tasks", &count, 1, MOST, "pieces of work"),
                             NUMBER("limit", &limit, 1, 20000000, "primes below this")));
    ranges = process_shared_new((size_t)count * sizeof *ranges);
    for (long i = 0; i < count; i++)
        ranges[i] = (struct range){limit * i / count, limit * (i + 1) / count, 0};

    double began = work_seconds();
    if (mode == SEQUENTIAL) {
        for (long i = 0; i < count; i++)
            count_in_process(&ranges[i]);
    } else if (mode == THREADS) {
        thread_crew(count, "prime", count_in_thread, ranges, sizeof *ranges);
    } else {
        pid_t children[MOST];
        for (long i = 0; i < count; i++)
            children[i] = process_start(count_in_process, &ranges[i], "prime");
        for (long i = 0; i < count; i++)
            CHECK_TRUE(process_wait(children[i]) == 0);
    }
    long primes = 0;
    for (long i = 0; i < count; i++)
        primes += ranges[i].primes;
    printf("%s: %ld primes below %ld\n", modes[mode], primes, limit);
    if (arguments_times())
        printf("%.2f s\n", work_seconds() - began);
    return 0;
}
