/* thread-pool: few threads, many pieces of work.
 *
 * Shows: a pool starts its threads once and hands them work as it comes (map: the same function
 * over many inputs). Making a thread for each piece would cost more than small pieces are worth.
 * Look for: the queue of the pool fills at once and empties steadily; each worker lane is a row of
 * tasks; main waits for the results in order, though they are done in any. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/pool.h"
#include "kit/work.h"

#define MOST 1000

static long resize_image(void *argument)
{
    long number = *(long *)argument;
    work_wait(10); /* read it */
    return work_count_primes(0, 5000 + 100 * number);
}

int main(int argc, char **argv)
{
    long workers = 3, count = 40;
    arguments_read(argc, argv, "A thread pool maps a function over many inputs.",
                   ARGUMENTS(NUMBER("workers", &workers, 1, 64, "threads of the pool"),
                             NUMBER("tasks", &count, 1, MOST, "pieces of work")));
    long numbers[MOST], results[MOST];
    for (long i = 0; i < count; i++)
        numbers[i] = i;

    struct pool *pool = pool_new(workers, "resizer");
    pool_map(pool, "resize", resize_image, numbers, sizeof numbers[0], count, results);
    pool_free(pool);

    long sum = 0;
    for (long i = 0; i < count; i++)
        sum += results[i];
    printf("%ld images by %ld workers, first %ld, last %ld, sum %ld\n", count, workers, results[0],
           results[count - 1], sum);
    return 0;
}
