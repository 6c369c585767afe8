/* fork-inherits-lock: a child is born with a lock that nobody will ever release. Hangs on purpose.
 *
 * Shows: fork copies the memory, locked locks included, but only the thread that forks. The child
 * waits for a thread that does not exist in it. That is why a program with threads should fork
 * before it starts them, or exec at once.
 * Look for: in the child, a wait for a lock whose owner lives in the parent; the parent waits for
 * the child. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/process.h"
#include "kit/thread.h"
#include "kit/work.h"

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t locked, forked;
static long busy_ms = 50;

static void *write_log(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&log_lock);
    pthread_barrier_wait(&locked);
    work_wait(busy_ms);
    pthread_barrier_wait(&forked); /* bad luck, made certain */
    pthread_mutex_unlock(&log_lock);
    return NULL;
}

static int log_in_child(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&log_lock); /* a copy, locked for ever */
    pthread_mutex_unlock(&log_lock);
    return 0;
}

int main(int argc, char **argv)
{
    arguments_read(argc, argv, "A program forks while another thread holds a lock.",
                   ARGUMENTS(NUMBER("ms", &busy_ms, 0, 10000, "the lock is held at least")));
    CHECK(pthread_barrier_init(&locked, NULL, 2));
    CHECK(pthread_barrier_init(&forked, NULL, 2));
    pthread_t logger = thread_start(write_log, NULL, "logger");
    pthread_barrier_wait(&locked);
    pid_t child = process_start(log_in_child, NULL, "child");
    pthread_barrier_wait(&forked);
    thread_join(logger);
    printf("the child ended with %d\n", process_wait(child));
    return 0;
}
