/* spinlock: a lock that waits by trying again and again.
 *
 * Shows: a spinning thread keeps its processor while it waits. That is quicker than going to sleep
 * when the lock is held for moments by a thread that runs, and a waste in all other cases: with
 * more threads than processors they spin for one that cannot run.
 * Look for: waiting time that is also processor time; the same program with a mutex beside it. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/thread.h"
#include "kit/work.h"

static pthread_spinlock_t spin;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long counter, rounds = 20000, kind;

enum kind { SPIN, MUTEX };

static void *count(void *unused)
{
    (void)unused;
    for (long i = 0; i < rounds; i++) {
        if (kind == SPIN) {
            pthread_spin_lock(&spin);
            counter++;
            pthread_spin_unlock(&spin);
        } else {
            pthread_mutex_lock(&mutex);
            counter++;
            pthread_mutex_unlock(&mutex);
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    static const char *const kinds[] = {"spin", "mutex", NULL};
    long threads = 2;
    arguments_read(argc, argv, "Threads count under a spin lock, or under a mutex.",
                   ARGUMENTS(CHOICE("kind", &kind, kinds, "of lock"),
                             NUMBER("threads", &threads, 1, 64, "how many"),
                             NUMBER("rounds", &rounds, 1, 10000000, "of each")));
    CHECK(pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE));
    double began = work_seconds();
    thread_crew(threads, "counter", count, NULL, 0);
    printf("expected %ld, counted %ld\n", threads * rounds, counter);
    if (arguments_times())
        printf("%.3f s\n", work_seconds() - began);
    CHECK(pthread_spin_destroy(&spin));
    return 0;
}
