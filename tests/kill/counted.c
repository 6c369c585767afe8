/* A program that numbers its critical sections where the test can see it.
 *   counted PAGE THREADS SECTIONS   (SECTIONS of each thread; 0: until it is killed) */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/kill/counted.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct counted *page;
static uint64_t wanted, total;

static void *count(void *data)
{
    long index = (long)data;
    for (uint64_t i = 1; wanted == 0 || i <= wanted; i++) {
        pthread_mutex_lock(&mutex);
        total++;
        atomic_store_explicit(&page->thread[index].sections, i, memory_order_release);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    int fd = open(argv[1], O_RDWR);
    page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED)
        return 3;
    close(fd);
    long threads = atol(argv[2]);
    wanted = strtoull(argv[3], NULL, 10);
    pthread_t thread[COUNTED_THREADS];
    atomic_store(&page->pid, (int)getpid());
    for (long i = 0; i < threads && i < COUNTED_THREADS; i++)
        pthread_create(&thread[i], NULL, count, (void *)i);
    for (long i = 0; i < threads && i < COUNTED_THREADS; i++)
        pthread_join(thread[i], NULL);
    printf("total %llu\n", (unsigned long long)total);
    fflush(stdout);
    atomic_store(&page->finished, 1);
    return 5;
}
