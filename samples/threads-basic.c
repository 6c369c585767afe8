/* threads-basic: threads start, work side by side, and are waited for.
 *
 * Shows: pthread_create runs a function in a new thread, pthread_join waits for its end; without
 * the join, main would not know that the work is done.
 * Look for: one lane per thread, all at work at the same time; main waits in "join", and the join
 * of a thread that has already ended does not wait at all. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/work.h"

#include <pthread.h>

#define MOST 32

struct job {
    long number;
    long milliseconds;
};

static void *work(void *argument)
{
    struct job *job = argument;
    work_wait(job->milliseconds); /* a download, say */
    work_compute(job->milliseconds / 2);
    return NULL;
}

int main(int argc, char **argv)
{
    long count = 4, milliseconds = 60;
    arguments_read(argc, argv, "Some threads work side by side; main waits for all of them.",
                   ARGUMENTS(NUMBER("threads", &count, 1, MOST, "how many"),
                             NUMBER("ms", &milliseconds, 1, 1000, "shortest work")));
    pthread_t threads[MOST];
    struct job jobs[MOST];
    for (long i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "worker %ld", i + 1);
        jobs[i] = (struct job){i + 1, milliseconds * (i % 3 + 1)};
        CHECK(pthread_create(&threads[i], NULL, work, &jobs[i]));
        CHECK(pthread_setname_np(threads[i], name));
        printf("started worker %ld\n", i + 1);
    }
    for (long i = 0; i < count; i++) {
        CHECK(pthread_join(threads[i], NULL));
        printf("worker %ld has ended\n", jobs[i].number);
    }
    return 0;
}
