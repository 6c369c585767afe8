/* deadlock-opposite-fixed: two locks, always taken in the same order.
 *
 * Shows: the twin of deadlock-opposite. Whoever pays whom, the account with the lower number is
 * locked first: nobody can hold the second and wait for the first, so no cycle can close.
 * Look for: the same two locks and the same waiting, but one order only, and no finding. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/thread.h"

struct account {
    pthread_mutex_t lock;
    long number, balance;
};

struct transfer {
    struct account *from, *to;
    long amount;
};

static struct account alice = {PTHREAD_MUTEX_INITIALIZER, 1, 100};
static struct account bob = {PTHREAD_MUTEX_INITIALIZER, 2, 100};
static long rounds = 1000;

static void *pay(void *argument)
{
    struct transfer *transfer = argument;
    struct account *first = transfer->from, *second = transfer->to;
    if (first->number > second->number) {
        first = transfer->to;
        second = transfer->from;
    }
    for (long i = 0; i < rounds; i++) {
        pthread_mutex_lock(&first->lock);
        pthread_mutex_lock(&second->lock);
        transfer->from->balance -= transfer->amount;
        transfer->to->balance += transfer->amount;
        pthread_mutex_unlock(&second->lock);
        pthread_mutex_unlock(&first->lock);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    long amount = 10;
    arguments_read(argc, argv, "Two transfers lock two accounts in one order.",
                   ARGUMENTS(NUMBER("amount", &amount, 1, 100, "to transfer"),
                             NUMBER("rounds", &rounds, 1, 1000000, "how often each")));
    struct transfer transfers[] = {{&alice, &bob, amount}, {&bob, &alice, amount}};
    thread_crew(2, "transfer", pay, transfers, sizeof transfers[0]);
    printf("Alice has %ld, Bob has %ld\n", alice.balance, bob.balance);
    return 0;
}
