/* pool-self-wait: tasks of a pool wait for tasks of the same pool. Hangs on purpose.
 *
 * Shows: each task hands in a smaller one and waits for its result. With two workers both wait
 * while the smaller tasks stand in the queue: nobody is left to run them.
 * Look for: all workers waiting for results, the queue of the pool not empty, main waiting too: a
 * hang. Cure: pool-self-wait-fixed. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/pool.h"
#include "kit/work.h"

#include <pthread.h>

static struct pool *pool;
static pthread_barrier_t all_busy;
static long workers = 2;

static long read_file(void *unused)
{
    (void)unused;
    work_wait(5);
    return 100;
}

static long read_folder(void *unused)
{
    (void)unused;
    pthread_barrier_wait(&all_busy); /* bad luck, made certain: every worker has a folder */
    return future_take(pool_submit(pool, "file", read_file, NULL)); /* who would run it? */
}

int main(int argc, char **argv)
{
    arguments_read(argc, argv, "Tasks wait for tasks of their own pool.",
                   ARGUMENTS(NUMBER("workers", &workers, 1, 16, "and as many folders")));
    long results[16], folders[16] = {0}, sum = 0;
    CHECK(pthread_barrier_init(&all_busy, NULL, (unsigned)workers));
    pool = pool_new(workers, "reader");
    pool_map(pool, "folder", read_folder, folders, sizeof folders[0], workers, results);
    for (long i = 0; i < workers; i++)
        sum += results[i];
    printf("%ld bytes\n", sum);
    pool_free(pool);
    return 0;
}
