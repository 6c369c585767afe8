/* queue-deadlock: two threads, two full queues, each waits for the other. Hangs on purpose.
 *
 * Shows: the client puts all its questions before it reads an answer; the server answers each at
 * once. Both queues fill: the client waits for room for a question, the server for room for an
 * answer. No lock is held while they wait, and yet nobody can go on.
 * Look for: both queues at their capacity, and all threads waiting without end: a hang. Cure:
 * queue-deadlock-fixed. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/queue.h"
#include "kit/thread.h"

#define MOST 1000

static struct queue *questions, *answers;
static long numbers[MOST], count = 20;

static void *serve(void *unused)
{
    (void)unused;
    for (long *number; (number = queue_get(questions)) != NULL;) {
        *number *= *number;
        queue_put(answers, number); /* waits for ever once nobody reads answers */
    }
    return NULL;
}

static void *ask(void *argument)
{
    long *sum = argument;
    for (long i = 0; i < count; i++) {
        numbers[i] = i + 1;
        queue_put(questions, &numbers[i]); /* all of them, before the first answer is read */
    }
    for (long i = 0; i < count; i++)
        *sum += *(long *)queue_get(answers);
    queue_put(questions, NULL);
    return NULL;
}

int main(int argc, char **argv)
{
    long capacity = 4, sum = 0;
    arguments_read(argc, argv, "Client and server wait for room in each other's queue.",
                   ARGUMENTS(NUMBER("questions", &count, 10, MOST, "more than both queues hold"),
                             NUMBER("capacity", &capacity, 1, 4, "of each queue")));
    questions = queue_new((unsigned)capacity, "questions");
    answers = queue_new((unsigned)capacity, "answers");
    pthread_t server = thread_start(serve, NULL, "server");
    pthread_t client = thread_start(ask, &sum, "client");
    thread_join(client);
    thread_join(server);
    printf("sum of the squares: %ld\n", sum);
    queue_free(answers);
    queue_free(questions);
    return 0;
}
