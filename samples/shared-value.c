/* shared-value: processes count together in shared memory, under a lock that crosses processes.
 *
 * Shows: mmap with MAP_SHARED before the fork gives all children the same page; a mutex in it must
 * be made PTHREAD_PROCESS_SHARED, or it would work only by luck.
 * Look for: one lock used by several processes: Reel shows it as one object, whatever address it
 * has in each. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/process.h"

#define MOST 32

struct account {
    pthread_mutex_t lock;
    long balance;
};

static struct account *account; /* in shared memory */
static long rounds = 20000;

static int deposit(void *unused)
{
    (void)unused;
    for (long i = 0; i < rounds; i++) {
        pthread_mutex_lock(&account->lock);
        account->balance++;
        pthread_mutex_unlock(&account->lock);
    }
    return 0;
}

int main(int argc, char **argv)
{
    long count = 3;
    arguments_read(argc, argv, "Processes share a value and its lock.",
                   ARGUMENTS(NUMBER("processes", &count, 1, MOST, "how many"),
                             NUMBER("rounds", &rounds, 1, 10000000, "deposits of each")));
    account = process_shared_new(sizeof *account);
    process_shared_mutex(&account->lock);

    pid_t children[MOST];
    for (long i = 0; i < count; i++)
        children[i] = process_start(deposit, NULL, "depositor");
    for (long i = 0; i < count; i++)
        CHECK_TRUE(process_wait(children[i]) == 0);

    printf("expected %ld, counted %ld\n", count * rounds, account->balance);
    CHECK(pthread_mutex_destroy(&account->lock));
    return 0;
}
