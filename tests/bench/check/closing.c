/* Closes a circle of two locks a moment after it began, and tells when: on standard output, by
 * CLOCK_MONOTONIC in ns, just before the lock call that closes it. For the latency benchmark.
 *   closing locks MS     MS: how long it lives before
 *   closing hang MS      a wait that nobody ends */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t both;

static void tell(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    printf("%lld\n", (long long)now.tv_sec * 1000000000 + now.tv_nsec);
    fflush(stdout);
}

static void *other(void *unused)
{
    pthread_mutex_lock(&second);
    pthread_barrier_wait(&both);
    pthread_mutex_lock(&first); /* waits at once */
    return unused;
}

int main(int argc, char **argv)
{
    useconds_t delay = argc > 2 ? (useconds_t)atoi(argv[2]) * 1000 : 0;
    if (argc > 1 && strcmp(argv[1], "hang") == 0) {
        usleep(delay);
        pthread_mutex_lock(&first);
        tell();
        pthread_cond_wait(&never, &first);
    }
    pthread_t thread;
    pthread_barrier_init(&both, NULL, 2);
    pthread_mutex_lock(&first);
    pthread_create(&thread, NULL, other, NULL);
    pthread_barrier_wait(&both);
    usleep(delay);
    tell();
    pthread_mutex_lock(&second);
    return 0;
}
