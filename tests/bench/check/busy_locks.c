/* A program that does little but lock: mutexes, reader-writer locks and spin locks, in threads that
 * mostly do not meet, and sometimes do. For the cost of live detection.
 *   busy-locks THREADS ROUNDS */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define LOCKS 64

static pthread_mutex_t mutex[LOCKS];
static pthread_rwlock_t rwlock[LOCKS];
static pthread_spinlock_t spin[LOCKS];
static long rounds = 1000000, sum[LOCKS];

static void *work(void *argument)
{
    unsigned seed = (unsigned)(size_t)argument * 2654435761u + 1;
    for (long i = 0; i < rounds; i++) {
        seed = seed * 1103515245u + 12345u;
        unsigned at = seed >> 16 & (LOCKS - 1);
        pthread_mutex_lock(&mutex[at]);
        sum[at]++;
        pthread_mutex_unlock(&mutex[at]);
        pthread_rwlock_rdlock(&rwlock[at]);
        pthread_spin_lock(&spin[at]);
        pthread_spin_unlock(&spin[at]);
        pthread_rwlock_unlock(&rwlock[at]);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    long threads = argc > 1 ? atol(argv[1]) : 2;
    if (argc > 2)
        rounds = atol(argv[2]);
    pthread_t thread[64];
    for (int i = 0; i < LOCKS; i++) {
        pthread_mutex_init(&mutex[i], NULL);
        pthread_rwlock_init(&rwlock[i], NULL);
        pthread_spin_init(&spin[i], PTHREAD_PROCESS_PRIVATE);
    }
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (long i = 0; i < threads && i < 64; i++)
        pthread_create(&thread[i], NULL, work, (void *)i);
    for (long i = 0; i < threads && i < 64; i++)
        pthread_join(thread[i], NULL);
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%lld\n",
           (long long)(end.tv_sec - begin.tv_sec) * 1000000000 + end.tv_nsec - begin.tv_nsec);
    return 0;
}
