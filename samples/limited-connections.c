/* limited-connections: a semaphore lets only so many in at once.
 *
 * Shows: ten threads want to talk to a service that bears three connections; sem_wait takes one of
 * three permits, sem_post gives it back, by whichever thread.
 * Look for: never more than three between wait and post; the others wait for the semaphore, and
 * each post lets one of them in. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/thread.h"
#include "kit/work.h"

#include <semaphore.h>

static sem_t permits;
static pthread_mutex_t statistics = PTHREAD_MUTEX_INITIALIZER;
static long inside, most_inside, served;

static void count(long change)
{
    pthread_mutex_lock(&statistics);
    inside += change;
    most_inside = inside > most_inside ? inside : most_inside;
    served += change < 0;
    pthread_mutex_unlock(&statistics);
}

static void *connect_and_ask(void *unused)
{
    (void)unused;
    for (int i = 0; i < 3; i++) {
        while (sem_wait(&permits) != 0)
            CHECK_TRUE(errno == EINTR);
        count(+1);
        work_wait(20);
        count(-1);
        CHECK_SYSTEM(sem_post(&permits));
    }
    return NULL;
}

int main(int argc, char **argv)
{
    long clients = 10, limit = 3;
    arguments_read(argc, argv, "A semaphore limits how many are connected at once.",
                   ARGUMENTS(NUMBER("clients", &clients, 1, 64, "threads"),
                             NUMBER("limit", &limit, 1, 64, "connections at once")));
    CHECK_SYSTEM(sem_init(&permits, 0, (unsigned)limit));
    thread_crew(clients, "client", connect_and_ask, NULL, 0);
    CHECK_SYSTEM(sem_destroy(&permits));
    printf("%ld requests served, never more than %ld at once: %s\n", served, limit,
           most_inside <= limit ? "yes" : "no");
    return 0;
}
