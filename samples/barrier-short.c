/* barrier-short: a barrier for one more than there are. Hangs on purpose.
 *
 * Shows: somebody counted main among the workers; main does not come. Everybody waits at the
 * barrier, main waits for everybody.
 * Look for: every thread in an untimed wait that nothing can end: a hang, with the barrier one
 * short of full. Cure: count who comes, see barrier-phases. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/thread.h"

static pthread_barrier_t all_ready;

static void *prepare(void *unused)
{
    (void)unused;
    pthread_barrier_wait(&all_ready);
    return NULL;
}

int main(int argc, char **argv)
{
    long workers = 3;
    arguments_read(argc, argv, "Threads wait at a barrier for one who never comes.",
                   ARGUMENTS(NUMBER("workers", &workers, 1, 64, "threads that do come")));
    CHECK(pthread_barrier_init(&all_ready, NULL, (unsigned)workers + 1));
    thread_crew(workers, "worker", prepare, NULL, 0);
    printf("all ready\n");
    return 0;
}
