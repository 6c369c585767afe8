/* async-tasks: many things under way in one thread.
 *
 * Shows: a task waits by going back to the loop, which runs another meanwhile. First one after the
 * other (the waits add up), then created together and gathered (they overlap).
 * Look for: one thread only; its tasks alternate between running and waiting. In the first half
 * never more than one waits, in the second all of them do. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/loop.h"
#include "kit/work.h"

#define MOST 100

static long count = 5, milliseconds = 50;
static long numbers[MOST];

static long brew(void *argument)
{
    long number = *(long *)argument;
    printf("  cup %ld: water on\n", number);
    task_sleep(milliseconds);
    printf("  cup %ld: ready\n", number);
    return number;
}

static long start(void *unused)
{
    (void)unused;
    double began = work_seconds();
    printf("one after the other:\n");
    long sum = 0;
    for (long i = 0; i < count; i++) {
        long result = 0;
        task_await(task_create("brew", brew, &numbers[i]), &result);
        sum += result;
    }
    printf("  sum %ld\n", sum);
    double between = work_seconds();

    printf("all together:\n");
    struct task *cups[MOST];
    for (long i = 0; i < count; i++)
        cups[i] = task_create("brew", brew, &numbers[i]);
    printf("  sum %ld\n", task_gather(cups, (size_t)count, NULL));
    if (arguments_times())
        printf("%.2f s one after the other, %.2f s together\n", between - began,
               work_seconds() - between);
    return 0;
}

int main(int argc, char **argv)
{
    arguments_read(argc, argv, "Tasks on an event loop: await each, then gather all.",
                   ARGUMENTS(NUMBER("tasks", &count, 1, MOST, "how many"),
                             NUMBER("ms", &milliseconds, 1, 1000, "time each one waits")));
    for (long i = 0; i < count; i++)
        numbers[i] = i + 1;
    return (int)loop_run(start, NULL);
}
