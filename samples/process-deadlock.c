/* process-deadlock: two processes take two shared locks in opposite order. Hangs on purpose.
 *
 * Shows: a deadlock needs no threads: locks in shared memory close the same cycle between
 * processes, and no debugger of one process can see it.
 * Look for: a cycle across two processes; the locks are one object each, though every process maps
 * them. Cure: process-deadlock-fixed. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/process.h"

struct shared {
    pthread_mutex_t printer, scanner;
    pthread_barrier_t both_hold_one;
};

static struct shared *shared;

static int use(pthread_mutex_t *first, pthread_mutex_t *second)
{
    pthread_mutex_lock(first);
    pthread_barrier_wait(&shared->both_hold_one);
    pthread_mutex_lock(second); /* held by the other process */
    pthread_mutex_unlock(second);
    pthread_mutex_unlock(first);
    return 0;
}

static int copy_page(void *unused)
{
    (void)unused;
    return use(&shared->scanner, &shared->printer);
}

static int clean(void *unused)
{
    (void)unused;
    return use(&shared->printer, &shared->scanner);
}

int main(int argc, char **argv)
{
    arguments_read(argc, argv, "Two processes lock a printer and a scanner, and hang.",
                   (struct argument[]){{0}});
    shared = process_shared_new(sizeof *shared);
    process_shared_mutex(&shared->printer);
    process_shared_mutex(&shared->scanner);
    pthread_barrierattr_t attributes;
    CHECK(pthread_barrierattr_init(&attributes));
    CHECK(pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED));
    CHECK(pthread_barrier_init(&shared->both_hold_one, &attributes, 2));

    pid_t copier = process_start(copy_page, NULL, "copier");
    pid_t cleaner = process_start(clean, NULL, "cleaner");
    printf("copier ended with %d\n", process_wait(copier));
    printf("cleaner ended with %d\n", process_wait(cleaner));
    return 0;
}
