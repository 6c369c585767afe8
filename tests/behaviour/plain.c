/* A program with nothing but locks, built in the ways the suite names: static, stripped, with a
 * sanitizer. */
#include <pthread.h>

#include "case.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long sum;

static void *add(void *unused)
{
    for (int i = 0; i < 5000; i++) {
        pthread_mutex_lock(&mutex);
        sum++;
        pthread_mutex_unlock(&mutex);
    }
    return malloc(3);
}

static int count(void)
{
    pthread_t thread[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&thread[i], NULL, add, NULL);
    for (int i = 0; i < 4; i++) {
        void *result;
        pthread_join(thread[i], &result);
        free(result);
    }
    printf("sum %ld\n", sum);
    pid_t child = fork();
    if (child == 0) {
        add(NULL);
        _exit(6);
    }
    tell_end("child", child);
    return 5;
}

BEHAVIOURS({"count", count});
