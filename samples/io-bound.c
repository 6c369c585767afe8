/* io-bound: work that waits, done sequentially, by threads, or by processes.
 *
 * Shows: who waits needs no processor, so many can wait at once. Threads and processes are equally
 * quick here, and threads are cheaper to make; more processors would not help at all.
 * Look for: lanes that are nearly all waiting; the length of the run in the three modes. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/process.h"
#include "kit/thread.h"
#include "kit/work.h"

#define MOST 64

static long milliseconds = 50;

static int read_slow_disk(void *unused)
{
    (void)unused;
    for (int block = 0; block < 4; block++) {
        work_wait(milliseconds / 4);
        work_count_primes(0, 1000); /* look at the block */
    }
    return 0;
}

static void *read_in_thread(void *argument)
{
    read_slow_disk(argument);
    return NULL;
}

enum mode { SEQUENTIAL, THREADS, PROCESSES };

int main(int argc, char **argv)
{
    static const char *const modes[] = {"sequential", "threads", "processes", NULL};
    long mode = SEQUENTIAL, count = 8;
    arguments_read(argc, argv, "Work that waits: sequential, by threads, by processes.",
                   ARGUMENTS(CHOICE("mode", &mode, modes, "how"),
                             NUMBER("tasks", &count, 1, MOST, "pieces of work"),
                             NUMBER("ms", &milliseconds, 4, 1000, "each one waits")));
    double began = work_seconds();
    if (mode == SEQUENTIAL) {
        for (long i = 0; i < count; i++)
            read_slow_disk(NULL);
    } else if (mode == THREADS) {
        thread_crew(count, "reader", read_in_thread, NULL, 0);
    } else {
        pid_t children[MOST];
        for (long i = 0; i < count; i++)
            children[i] = process_start(read_slow_disk, NULL, "reader");
        for (long i = 0; i < count; i++)
            CHECK_TRUE(process_wait(children[i]) == 0);
    }
    printf("%s: %ld pieces of work\n", modes[mode], count);
    if (arguments_times())
        printf("%.2f s\n", work_seconds() - began);
    return 0;
}
