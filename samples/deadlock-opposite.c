/* deadlock-opposite: two threads take two locks in opposite order. Hangs on purpose.
 *
 * Shows: Alice pays Bob while Bob pays Alice; each holds the lock of one account and waits for the
 * other. Here a barrier makes sure of it; in real programs it happens once a month.
 * Look for: a cycle of two: who holds which account and waits for which, and where each took what
 * it holds. Cure: deadlock-opposite-fixed (one order), hierarchy, timeout-backoff. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/thread.h"

struct account {
    pthread_mutex_t lock;
    long balance;
};

struct transfer {
    struct account *from, *to;
    long amount;
};

static struct account alice = {PTHREAD_MUTEX_INITIALIZER, 100};
static struct account bob = {PTHREAD_MUTEX_INITIALIZER, 100};
static pthread_barrier_t both_hold_one;

static void *pay(void *argument)
{
    struct transfer *transfer = argument;
    pthread_mutex_lock(&transfer->from->lock);
    pthread_barrier_wait(&both_hold_one);
    pthread_mutex_lock(&transfer->to->lock); /* held by the other, who waits for ours */
    transfer->from->balance -= transfer->amount;
    transfer->to->balance += transfer->amount;
    pthread_mutex_unlock(&transfer->to->lock);
    pthread_mutex_unlock(&transfer->from->lock);
    return NULL;
}

int main(int argc, char **argv)
{
    long amount = 10;
    arguments_read(argc, argv, "Two transfers lock two accounts in opposite order, and hang.",
                   ARGUMENTS(NUMBER("amount", &amount, 1, 100, "to transfer")));
    struct transfer transfers[] = {{&alice, &bob, amount}, {&bob, &alice, amount}};
    CHECK(pthread_barrier_init(&both_hold_one, NULL, 2));
    thread_crew(2, "transfer", pay, transfers, sizeof transfers[0]);
    printf("Alice has %ld, Bob has %ld\n", alice.balance, bob.balance);
    return 0;
}
