/* lost-wakeup: a signal that nobody hears, and a wait that nobody ends. Hangs on purpose.
 *
 * Shows: a condition variable remembers nothing. The cook signals before the waiter waits; the
 * waiter does not ask whether the meal is ready, just waits, and sleeps for ever.
 * Look for: a signal without a waiter, followed by a wait on the same condition that never ended.
 * Cure: lost-wakeup-fixed. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/thread.h"
#include "kit/work.h"

static pthread_mutex_t kitchen = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t meal_ready = PTHREAD_COND_INITIALIZER;
static long late_ms = 20;

static void *cook(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&kitchen);
    printf("the meal is ready\n");
    pthread_cond_signal(&meal_ready); /* nobody listens yet */
    pthread_mutex_unlock(&kitchen);
    return NULL;
}

static void *serve(void *unused)
{
    (void)unused;
    work_wait(late_ms);
    pthread_mutex_lock(&kitchen);
    pthread_cond_wait(&meal_ready, &kitchen); /* without asking whether there is need to */
    pthread_mutex_unlock(&kitchen);
    printf("the meal is served\n");
    return NULL;
}

int main(int argc, char **argv)
{
    arguments_read(argc, argv, "A signal is sent before anybody waits for it, and is lost.",
                   ARGUMENTS(NUMBER("ms", &late_ms, 0, 500, "the waiter is late")));
    thread_join(thread_start(cook, NULL, "cook")); /* the waiter comes when the cook has gone */
    thread_join(thread_start(serve, NULL, "waiter"));
    return 0;
}
