/* robust-owner: a process dies with a lock in its hands, and another repairs what it left.
 *
 * Shows: a robust mutex tells the next owner (EOWNERDEAD) that the last one died inside. It checks
 * the data, declares the lock consistent, and everything goes on. Without "robust": a hang.
 * Look for: the death of the first process while it holds the lock; the second acquires with
 * "owner died", marks it consistent, and the third notices nothing. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/process.h"

#include <signal.h>
#include <stdbool.h>

struct ledger {
    pthread_mutex_t lock;
    long debit, credit; /* equal whenever the lock is free */
    long repaired;
};

static struct ledger *ledger;

static int book(void *argument)
{
    bool die = *(bool *)argument;
    int error = pthread_mutex_lock(&ledger->lock);
    if (error == EOWNERDEAD) {
        ledger->credit = ledger->debit; /* complete what the dead one began */
        ledger->repaired++;
        error = pthread_mutex_consistent(&ledger->lock);
    }
    CHECK(error);
    ledger->debit += 10;
    if (die)
        raise(SIGKILL);
    ledger->credit += 10;
    CHECK(pthread_mutex_unlock(&ledger->lock));
    return 0;
}

int main(int argc, char **argv)
{
    long processes = 3;
    arguments_read(argc, argv, "The owner of a robust lock is killed.",
                   ARGUMENTS(NUMBER("processes", &processes, 2, 100, "the first is killed")));
    ledger = process_shared_new(sizeof *ledger);
    pthread_mutexattr_t attributes;
    CHECK(pthread_mutexattr_init(&attributes));
    CHECK(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED));
    CHECK(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST));
    CHECK(pthread_mutex_init(&ledger->lock, &attributes));
    CHECK(pthread_mutexattr_destroy(&attributes));

    for (long i = 0; i < processes; i++) {
        bool die = i == 0;
        int status = process_wait(process_start(book, &die, "bookkeeper"));
        if (i < 3)
            printf("bookkeeper %ld ended with %d\n", i + 1, status);
    }
    printf("debit %ld, credit %ld, repaired %ld times\n", ledger->debit, ledger->credit,
           ledger->repaired);
    return 0;
}
