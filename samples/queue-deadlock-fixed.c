/* queue-deadlock-fixed: never more questions under way than the queues hold.
 *
 * Shows: the twin of queue-deadlock. The client reads an answer for each question beyond a window;
 * the window fits into the queues, so the server always finds room.
 * Look for: both queues in use, neither full for long; the same threads, and an end. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/queue.h"
#include "kit/thread.h"

#define MOST 1000

static struct queue *questions, *answers;
static long numbers[MOST], count = 200, capacity = 4;

static void *serve(void *unused)
{
    (void)unused;
    for (long *number; (number = queue_get(questions)) != NULL;) {
        *number *= *number;
        queue_put(answers, number);
    }
    return NULL;
}

static void *ask(void *argument)
{
    long *sum = argument;
    long under_way = 0;
    for (long i = 0; i < count; i++) {
        if (under_way == capacity) {
            *sum += *(long *)queue_get(answers);
            under_way--;
        }
        numbers[i] = i + 1;
        queue_put(questions, &numbers[i]);
        under_way++;
    }
    for (; under_way > 0; under_way--)
        *sum += *(long *)queue_get(answers);
    queue_put(questions, NULL);
    return NULL;
}

int main(int argc, char **argv)
{
    long sum = 0;
    arguments_read(argc, argv, "Client and server with a window of questions under way.",
                   ARGUMENTS(NUMBER("questions", &count, 1, MOST, "as many as you like"),
                             NUMBER("capacity", &capacity, 1, 100, "of each queue")));
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
