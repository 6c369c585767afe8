/* async-producer-consumer: the bounded queue again, between tasks of one thread.
 *
 * Shows: the same shape as producer-consumer, yet no lock anywhere: tasks switch only where they
 * wait. put and get go back to the loop while the queue is full or empty.
 * Look for: one thread, no lock, no waiting for locks; the queue "orders" fills to its capacity
 * because the consumer is the slower one. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/loop.h"

#define MOST 1000

static struct task_queue *orders;
static long items = 12, put_ms = 5, get_ms = 15;
static long numbers[MOST];

static long produce(void *unused)
{
    (void)unused;
    for (long i = 0; i < items; i++) {
        task_sleep(put_ms);
        numbers[i] = i + 1;
        task_queue_put(orders, &numbers[i]);
        printf("put %ld\n", i + 1);
    }
    task_queue_put(orders, NULL); /* the sentinel */
    return 0;
}

static long consume(void *unused)
{
    (void)unused;
    long sum = 0;
    for (void *item; task_queue_get(orders, &item) && item != NULL;) {
        printf("    got %ld\n", *(long *)item);
        task_sleep(get_ms);
        sum += *(long *)item;
    }
    return sum;
}

static long start(void *argument)
{
    orders = task_queue_new((unsigned)*(long *)argument, "orders");
    struct task *tasks[] = {task_create("producer", produce, NULL),
                            task_create("consumer", consume, NULL)};
    printf("sum %ld\n", task_gather(tasks, 2, NULL));
    task_queue_free(orders);
    return 0;
}

int main(int argc, char **argv)
{
    long capacity = 3;
    arguments_read(argc, argv, "A producer task and a consumer task share a bounded queue.",
                   ARGUMENTS(NUMBER("capacity", &capacity, 1, 100, "of the queue"),
                             NUMBER("items", &items, 1, MOST, "to produce"),
                             NUMBER("put-ms", &put_ms, 0, 1000, "to make an item"),
                             NUMBER("get-ms", &get_ms, 0, 1000, "to use it")));
    return (int)loop_run(start, &capacity);
}
