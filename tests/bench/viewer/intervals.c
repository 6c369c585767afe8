/* Makes a trace with many states: threads that write to and read from pipes of their own.
 *   intervals THREADS ROUNDS      four states a round */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int rounds;

static void *work(void *data)
{
    int ends[2];
    char byte = 0;
    (void)data;
    if (pipe(ends) != 0)
        return NULL;
    for (int i = 0; i < rounds; i++)
        if (write(ends[1], &byte, 1) != 1 || read(ends[0], &byte, 1) != 1)
            break;
    close(ends[0]);
    close(ends[1]);
    return NULL;
}

int main(int argc, char **argv)
{
    int threads = argc > 1 ? atoi(argv[1]) : 64;
    pthread_t thread[256];
    rounds = argc > 2 ? atoi(argv[2]) : 1000;
    if (threads < 1 || threads > 256)
        return 2;
    for (int i = 0; i < threads; i++)
        if (pthread_create(&thread[i], NULL, work, NULL) != 0)
            return 1;
    for (int i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
    return 0;
}
