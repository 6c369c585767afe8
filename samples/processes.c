/* processes: fork makes a child with memory of its own, wait collects how it ended.
 *
 * Shows: what a child changes the parent does not see; the only thing that comes back by itself is
 * the exit status. One child is killed by a signal, and the parent can tell.
 * Look for: one lane per process, the fork that made it and the wait that ended it; the same
 * variable is two variables after the fork. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/process.h"
#include "kit/work.h"

#include <signal.h>

#define MOST 32

static long balance = 100; /* each process has its own after fork */

static int spend(void *argument)
{
    long amount = *(long *)argument;
    work_wait(20 * amount);
    balance -= amount;
    return (int)balance;
}

static int wait_for_ever(void *unused)
{
    (void)unused;
    for (;;)
        work_wait(1000);
    return 0;
}

int main(int argc, char **argv)
{
    long count = 3;
    arguments_read(argc, argv, "Children work on their own copy of a variable.",
                   ARGUMENTS(NUMBER("children", &count, 1, MOST, "how many")));
    pid_t children[MOST];
    for (long i = 0; i < count; i++) {
        long amount = i + 1;
        children[i] = process_start(spend, &amount, "spender");
    }
    pid_t endless = process_start(wait_for_ever, NULL, "endless");
    for (long i = 0; i < count; i++)
        printf("child %ld had %d left\n", i + 1, process_wait(children[i]));
    printf("the parent still has %ld\n", balance);

    CHECK_SYSTEM(kill(endless, SIGTERM));
    printf("the endless child died of signal %d\n", process_wait(endless) - 128);
    return 0;
}
