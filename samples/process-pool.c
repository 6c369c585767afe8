/* process-pool: a pool whose workers are processes.
 *
 * Shows: tasks go to the workers through one pipe and results come back through another; the
 * kernel hands each task to whoever reads first. Nothing else is shared, so nothing needs a lock.
 * Look for: workers computing in parallel, each in a process of its own; the pipes as message
 * paths, and who waits at which end. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/process.h"
#include "kit/work.h"

#include <unistd.h>

#define MOST 64

struct task {
    long number, from, to, result; /* far below PIPE_BUF: one write, one read, never mixed */
};

struct pool {
    int tasks[2], results[2]; /* [0] to read from, [1] to write to */
};

static int worker(void *argument)
{
    struct pool *pool = argument;
    close(pool->tasks[1]); /* or the end of the tasks would never be seen */
    struct task task;
    while (process_read(pool->tasks[0], &task, sizeof task) == sizeof task) {
        task.result = work_count_primes(task.from, task.to);
        process_write(pool->results[1], &task, sizeof task);
    }
    return 0;
}

int main(int argc, char **argv)
{
    long workers = 2, count = 12, limit = 600000;
    arguments_read(argc, argv, "A pool of processes counts primes.",
                   ARGUMENTS(NUMBER("workers", &workers, 1, MOST, "processes"),
                             NUMBER("tasks", &count, 1, MOST, "pieces of work"),
                             NUMBER("limit", &limit, 1, 10000000, "primes below this")));
    struct pool pool;
    pid_t children[MOST];
    CHECK_SYSTEM(pipe(pool.tasks));
    CHECK_SYSTEM(pipe(pool.results));
    for (long i = 0; i < workers; i++)
        children[i] = process_start(worker, &pool, "pool worker");

    for (long i = 0; i < count; i++) {
        struct task task = {i, limit * i / count, limit * (i + 1) / count, 0};
        process_write(pool.tasks[1], &task, sizeof task);
    }
    close(pool.tasks[1]); /* no more tasks */

    long results[MOST] = {0}, sum = 0;
    for (long i = 0; i < count; i++) {
        struct task task;
        CHECK_TRUE(process_read(pool.results[0], &task, sizeof task) == sizeof task);
        results[task.number] = task.result;
    }
    for (long i = 0; i < workers; i++)
        CHECK_TRUE(process_wait(children[i]) == 0);
    for (long i = 0; i < count; i++) {
        printf("task %2ld: %5ld primes\n", i + 1, results[i]);
        sum += results[i];
    }
    printf("%ld primes below %ld\n", sum, limit);
    return 0;
}
