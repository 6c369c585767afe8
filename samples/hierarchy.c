/* hierarchy: locks with levels, and a program that refuses to take them in the wrong order.
 *
 * Shows: every lock has a level; a thread may only take locks below the lowest one it holds. The
 * rule makes deadlocks by order impossible, and a breach is an error at once, in every run, not a
 * hang in some.
 * Look for: bank before branch before account, always; the breach at the end is refused before it
 * locks anything, so nothing is found. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/thread.h"

#include <stdbool.h>

struct level_lock {
    pthread_mutex_t mutex;
    int level;
    int level_before; /* of the holder; restored at unlock, guarded by the mutex */
};

static _Thread_local int lowest_held = 100;

/* Locks, unless that would break the order; true when it has locked. */
static bool level_lock(struct level_lock *lock)
{
    if (lock->level >= lowest_held)
        return false;
    pthread_mutex_lock(&lock->mutex);
    lock->level_before = lowest_held;
    lowest_held = lock->level;
    return true;
}

/* In the reverse order of locking. */
static void level_unlock(struct level_lock *lock)
{
    lowest_held = lock->level_before;
    pthread_mutex_unlock(&lock->mutex);
}

static struct level_lock bank = {.mutex = PTHREAD_MUTEX_INITIALIZER, .level = 3};
static struct level_lock branch = {.mutex = PTHREAD_MUTEX_INITIALIZER, .level = 2};
static struct level_lock account = {.mutex = PTHREAD_MUTEX_INITIALIZER, .level = 1};
static long rounds = 500, balance, audits;

static void *deposit(void *unused)
{
    (void)unused;
    for (long i = 0; i < rounds; i++) {
        CHECK_TRUE(level_lock(&branch));
        CHECK_TRUE(level_lock(&account));
        balance++;
        level_unlock(&account);
        level_unlock(&branch);
    }
    return NULL;
}

static void *audit(void *unused)
{
    (void)unused;
    for (long i = 0; i < rounds; i++) {
        CHECK_TRUE(level_lock(&bank));
        CHECK_TRUE(level_lock(&branch));
        audits++;
        level_unlock(&branch);
        level_unlock(&bank);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    arguments_read(argc, argv, "Locks with levels cannot deadlock.",
                   ARGUMENTS(NUMBER("rounds", &rounds, 1, 1000000, "of each thread")));
    pthread_t clerk = thread_start(deposit, NULL, "clerk");
    pthread_t auditor = thread_start(audit, NULL, "auditor");
    thread_join(clerk);
    thread_join(auditor);
    printf("balance %ld after %ld audits\n", balance, audits);

    CHECK_TRUE(level_lock(&account));
    printf("account, then bank: %s\n", level_lock(&bank) ? "locked" : "refused");
    level_unlock(&account);
    return 0;
}
