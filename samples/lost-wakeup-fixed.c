/* lost-wakeup-fixed: the condition is in a variable, the signal only says "look again".
 *
 * Shows: the twin of lost-wakeup. The cook sets `ready` under the lock; the waiter waits only while
 * it is not set, in a loop, so that neither an early signal nor a false alarm matters.
 * Look for: the same early signal without a waiter, and no wait after it: no finding. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/thread.h"
#include "kit/work.h"

#include <stdbool.h>

static pthread_mutex_t kitchen = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t meal_ready = PTHREAD_COND_INITIALIZER;
static bool ready;
static long late_ms = 50;

static void *cook(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&kitchen);
    printf("the meal is ready\n");
    ready = true;
    pthread_cond_signal(&meal_ready);
    pthread_mutex_unlock(&kitchen);
    return NULL;
}

static void *serve(void *unused)
{
    (void)unused;
    work_wait(late_ms);
    pthread_mutex_lock(&kitchen);
    while (!ready)
        pthread_cond_wait(&meal_ready, &kitchen);
    pthread_mutex_unlock(&kitchen);
    printf("the meal is served\n");
    return NULL;
}

int main(int argc, char **argv)
{
    arguments_read(argc, argv, "A signal comes before the wait, and is not missed.",
                   ARGUMENTS(NUMBER("ms", &late_ms, 0, 500, "the waiter is late")));
    pthread_t waiter = thread_start(serve, NULL, "waiter");
    thread_join(thread_start(cook, NULL, "cook"));
    thread_join(waiter);
    return 0;
}
