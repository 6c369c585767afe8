/* target count: four threads share a lock. target flight: two seconds of short sleeps. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long sum;

static void *add(void *unused)
{
    (void)unused;
    for (int i = 0; i < 5000; i++) {
        pthread_mutex_lock(&mutex);
        sum++;
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "flight") == 0) {
        for (int i = 0; i < 2000; i++)
            usleep(1000);
        return 0;
    }
    pthread_t thread[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&thread[i], NULL, add, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    add(NULL);
    printf("sum %ld\n", sum - 5000);
    return 5;
}
