/* process-deadlock-fixed: two processes, two shared locks, one order.
 *
 * Shows: the twin of process-deadlock: whatever a process does, it locks the printer first.
 * Look for: processes that wait for each other for moments only, and no finding. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/process.h"
#include "kit/work.h"

struct shared {
    pthread_mutex_t printer, scanner;
    long pages;
};

static struct shared *shared;
static long rounds = 20;

static int copy_pages(void *unused)
{
    (void)unused;
    for (long i = 0; i < rounds; i++) {
        pthread_mutex_lock(&shared->printer);
        pthread_mutex_lock(&shared->scanner);
        work_wait(2);
        shared->pages++;
        pthread_mutex_unlock(&shared->scanner);
        pthread_mutex_unlock(&shared->printer);
    }
    return 0;
}

int main(int argc, char **argv)
{
    arguments_read(argc, argv, "Two processes lock a printer and a scanner in one order.",
                   ARGUMENTS(NUMBER("rounds", &rounds, 1, 10000, "pages each one copies")));
    shared = process_shared_new(sizeof *shared);
    process_shared_mutex(&shared->printer);
    process_shared_mutex(&shared->scanner);
    pid_t first = process_start(copy_pages, NULL, "copier 1");
    pid_t second = process_start(copy_pages, NULL, "copier 2");
    printf("first ended with %d\n", process_wait(first));
    printf("second ended with %d\n", process_wait(second));
    printf("%ld pages\n", shared->pages);
    return 0;
}
