/* async-context: a resource that is opened and closed by waiting, and closed on every way out.
 *
 * Shows: an async context manager in C. The cleanup attribute calls leave() wherever the block is
 * left; entering and leaving wait on the loop, so other tasks run while a session is opened.
 * Look for: every client waits twice more than its query takes: to open and to close; also the one
 * that fails, and the one that is cancelled in the middle and only ends after it has closed. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/loop.h"

struct session {
    long number;
};

static struct session enter(long number)
{
    task_sleep(20); /* greeting the server takes a while */
    printf("session %ld opened\n", number);
    return (struct session){number};
}

static void leave(struct session *session)
{
    task_sleep(10); /* and so does saying good-bye */
    printf("session %ld closed\n", session->number);
}

#define WITH_SESSION(name, number)                                                                 \
    __attribute__((cleanup(leave))) struct session name = enter(number)

static long milliseconds = 60;

static long use(void *argument)
{
    long number = *(long *)argument;
    WITH_SESSION(session, number);
    if (number == 2) {
        printf("session %ld: query refused\n", session.number);
        return 1; /* leave() still runs */
    }
    if (!task_sleep(milliseconds * number)) {
        printf("session %ld: cancelled\n", session.number);
        return 1;
    }
    printf("session %ld: query answered\n", session.number);
    return 0;
}

static long start(void *unused)
{
    (void)unused;
    static long numbers[] = {1, 2, 3};
    struct task *tasks[3];
    for (int i = 0; i < 3; i++)
        tasks[i] = task_create("client", use, &numbers[i]);
    task_sleep(milliseconds * 2);
    task_cancel(tasks[2]);
    long failures = 0, result;
    for (int i = 0; i < 3; i++)
        failures += !task_await(tasks[i], &result) || result != 0;
    printf("%ld of 3 failed, none left a session open\n", failures);
    return 0;
}

int main(int argc, char **argv)
{
    arguments_read(argc, argv, "Sessions that close themselves, whatever happens.",
                   ARGUMENTS(NUMBER("ms", &milliseconds, 40, 1000, "a query")));
    return (int)loop_run(start, NULL);
}
