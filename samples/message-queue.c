/* message-queue: a queue that the kernel keeps, between processes, with priorities.
 *
 * Shows: System V messages have a type; msgrcv with a negative type takes the lowest first, so
 * alarms overtake reports. The sender waits while the queue is full, the receiver while empty.
 * Look for: the queue as a message path between two processes, its depth, and who waits. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/process.h"
#include "kit/work.h"

#include <sys/ipc.h>
#include <sys/msg.h>

enum kind { ALARM = 1, REPORT = 2, END = 3 }; /* the lower, the more urgent */

struct message {
    long kind; /* the first field of every System V message */
    long number;
};

static int queue;
static long count = 20;

static void send_message(enum kind kind, long number)
{
    struct message message = {kind, number};
    CHECK_SYSTEM(msgsnd(queue, &message, sizeof message.number, 0));
}

static int report(void *unused)
{
    (void)unused;
    for (long i = 1; i <= count; i++) {
        work_wait(1);
        send_message(i % 5 == 0 ? ALARM : REPORT, i);
    }
    send_message(END, 0);
    return 0;
}

int main(int argc, char **argv)
{
    arguments_read(argc, argv, "A process sends reports and alarms through a message queue.",
                   ARGUMENTS(NUMBER("messages", &count, 1, 10000, "to send")));
    queue = (int)CHECK_SYSTEM(msgget(IPC_PRIVATE, 0600));
    pid_t reporter = process_start(report, NULL, "reporter");

    long alarms = 0, reports = 0, sum = 0;
    for (struct message message = {0, 0}; message.kind != END;) {
        CHECK_SYSTEM(msgrcv(queue, &message, sizeof message.number, -END, 0));
        alarms += message.kind == ALARM;
        reports += message.kind == REPORT;
        sum += message.number;
    }
    CHECK_TRUE(process_wait(reporter) == 0);
    CHECK_SYSTEM(msgctl(queue, IPC_RMID, NULL));
    printf("%ld alarms, %ld reports, sum of the numbers %ld\n", alarms, reports, sum);
    return 0;
}
