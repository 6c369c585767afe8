/* async-timeout: wait for a task, but not for ever.
 *
 * Shows: wait-for cancels the task when its time is over. The task is told where it waits (the
 * wait returns false), tidies up and ends; only then does wait-for return.
 * Look for: the slow task ends as "cancelled" at the deadline, the quick one as "done" before it;
 * the third is cancelled by hand. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/loop.h"

static long limit = 100;

static long ask_server(void *argument)
{
    long milliseconds = *(long *)argument;
    if (!task_sleep(milliseconds)) {
        printf("  cancelled while waiting: connection closed\n");
        return -1;
    }
    return milliseconds;
}

static void ask(const char *name, long milliseconds)
{
    long answer;
    printf("%s:\n", name);
    if (task_wait_for(task_create(name, ask_server, &milliseconds), limit, &answer))
        printf("  answered in time\n");
    else
        printf("  no answer in time\n");
}

static long start(void *unused)
{
    (void)unused;
    ask("quick server", limit / 2);
    ask("slow server", limit * 5);

    printf("unwanted:\n");
    long milliseconds = limit * 5;
    struct task *unwanted = task_create("unwanted", ask_server, &milliseconds);
    task_sleep(limit / 2);
    task_cancel(unwanted);
    printf("  %s\n", task_await(unwanted, NULL) ? "ended by itself" : "cancelled by hand");
    return 0;
}

int main(int argc, char **argv)
{
    arguments_read(argc, argv, "A quick task, one that is too slow, and one that is cancelled.",
                   ARGUMENTS(NUMBER("ms", &limit, 2, 10000, "time allowed")));
    return (int)loop_run(start, NULL);
}
