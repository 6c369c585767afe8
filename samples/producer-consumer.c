/* producer-consumer: a bounded queue between threads, ended by a sentinel.
 *
 * Shows: producers wait while the queue is full, consumers while it is empty. When all producers
 * have ended, main puts one sentinel (NULL) for each consumer: "nothing comes after this".
 * Look for: the depth of the queue "orders" between 0 and its capacity; who waits: with slow
 * consumers the queue is always full and the producers wait, which is what a bound is for. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/queue.h"
#include "kit/thread.h"
#include "kit/work.h"

#define MOST 32

static struct queue *orders;
static long items = 30;

struct consumer {
    pthread_t thread;
    long consumed, sum;
};

static void *produce(void *argument)
{
    long *numbers = argument;
    for (long i = 0; i < items; i++) {
        work_wait(2);
        numbers[i] = i + 1;
        queue_put(orders, &numbers[i]);
    }
    return NULL;
}

static void *consume(void *argument)
{
    struct consumer *consumer = argument;
    for (long *order; (order = queue_get(orders)) != NULL; consumer->consumed++) {
        work_wait(5);
        consumer->sum += *order;
    }
    return NULL;
}

int main(int argc, char **argv)
{
    long producers = 2, consumers = 2, capacity = 5;
    arguments_read(argc, argv, "Producers and consumers share a bounded queue.",
                   ARGUMENTS(NUMBER("producers", &producers, 1, MOST, "threads that put"),
                             NUMBER("consumers", &consumers, 1, MOST, "threads that get"),
                             NUMBER("capacity", &capacity, 1, 1000, "of the queue"),
                             NUMBER("items", &items, 1, 1000, "of each producer")));
    orders = queue_new((unsigned)capacity, "orders");
    struct consumer crew[MOST] = {0};
    for (long i = 0; i < consumers; i++)
        crew[i].thread = thread_start(consume, &crew[i], "consumer %ld", i + 1);

    long *numbers = calloc((size_t)(producers * items), sizeof *numbers);
    CHECK_TRUE(numbers != NULL);
    thread_crew(producers, "producer", produce, numbers, (size_t)items * sizeof *numbers);
    for (long i = 0; i < consumers; i++)
        queue_put(orders, NULL);

    long consumed = 0, sum = 0;
    for (long i = 0; i < consumers; i++) {
        thread_join(crew[i].thread);
        consumed += crew[i].consumed;
        sum += crew[i].sum;
    }
    printf("produced %ld, consumed %ld, sum %ld\n", producers * items, consumed, sum);
    free(numbers);
    queue_free(orders);
    return 0;
}
