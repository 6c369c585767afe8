/* timeout-backoff: when the second lock does not come in time, let go of the first and try again.
 *
 * Shows: a cure for deadlock-opposite where no order can be agreed on: wait for the second lock
 * only so long, then release the first, pause for a random while, and start over. The random pause
 * keeps the two from colliding again in step (see livelock).
 * Look for: timed waits that fail, locks released and taken anew; both transfers end. Reel calls a
 * timed wait by its name and reports no deadlock. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/thread.h"
#include "kit/work.h"

#include <time.h>

struct account {
    pthread_mutex_t lock;
    long balance;
};

struct transfer {
    struct account *from, *to;
    long amount;
    unsigned seed;
    long retries;
};

static struct account alice = {PTHREAD_MUTEX_INITIALIZER, 100};
static struct account bob = {PTHREAD_MUTEX_INITIALIZER, 100};
static pthread_barrier_t start;
static long patience = 20;

static int lock_within(pthread_mutex_t *lock, long milliseconds)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += milliseconds * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    return pthread_mutex_timedlock(lock, &until);
}

static void *pay(void *argument)
{
    struct transfer *transfer = argument;
    pthread_barrier_wait(&start);
    for (;; transfer->retries++) {
        pthread_mutex_lock(&transfer->from->lock);
        work_wait(5); /* long enough for the other to lock its own: the first try collides */
        int error = lock_within(&transfer->to->lock, patience);
        if (error == 0)
            break;
        CHECK_TRUE(error == ETIMEDOUT);
        pthread_mutex_unlock(&transfer->from->lock);
        work_wait(work_random(&transfer->seed) % 50);
    }
    transfer->from->balance -= transfer->amount;
    transfer->to->balance += transfer->amount;
    pthread_mutex_unlock(&transfer->to->lock);
    pthread_mutex_unlock(&transfer->from->lock);
    return NULL;
}

int main(int argc, char **argv)
{
    long seed = 1;
    arguments_read(argc, argv, "Two transfers back off when they collide.",
                   ARGUMENTS(NUMBER("seed", &seed, 0, 1000000, "of the random pauses"),
                             NUMBER("patience", &patience, 1, 500, "ms until one gives up")));
    struct transfer transfers[] = {{&alice, &bob, 10, (unsigned)seed, 0},
                                   {&bob, &alice, 30, (unsigned)seed + 99, 0}};
    CHECK(pthread_barrier_init(&start, NULL, 2));
    thread_crew(2, "transfer", pay, transfers, sizeof transfers[0]);
    CHECK(pthread_barrier_destroy(&start));
    printf("Alice has %ld, Bob has %ld\n", alice.balance, bob.balance);
    if (arguments_times())
        printf("%ld and %ld retries\n", transfers[0].retries, transfers[1].retries);
    return 0;
}
