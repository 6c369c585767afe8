/* Every family of calls at work between two marks, for system_calls.sh. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "case.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t semaphore;
static bool ready;

static void *work(void *unused)
{
    for (int i = 0; i < 20000; i++) {
        pthread_mutex_lock(&mutex);
        pthread_mutex_unlock(&mutex);
        pthread_rwlock_rdlock(&rwlock);
        pthread_rwlock_unlock(&rwlock);
        sem_post(&semaphore);
    }
    pthread_mutex_lock(&mutex);
    ready = true;
    pthread_cond_signal(&condition);
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static int quiet(void)
{
    sem_init(&semaphore, 0, 0);
    close(-4242);
    pthread_t thread[3];
    for (int i = 0; i < 3; i++)
        pthread_create(&thread[i], NULL, work, NULL);
    pthread_mutex_lock(&mutex);
    while (!ready)
        pthread_cond_wait(&condition, &mutex);
    pthread_mutex_unlock(&mutex);
    for (int i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    int ends[2], pair[2];
    char byte;
    pipe(ends);
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    int set = epoll_create1(0), event = eventfd(1, 0), file = open("file", O_RDWR | O_CREAT, 0600);
    struct epoll_event interest = {.events = EPOLLIN};
    epoll_ctl(set, EPOLL_CTL_ADD, event, &interest);
    for (int i = 0; i < 1000; i++) {
        struct pollfd polled = {.fd = ends[0], .events = POLLIN};
        (void)write(ends[1], "x", 1);
        poll(&polled, 1, 0);
        (void)read(ends[0], &byte, 1);
        send(pair[0], "x", 1, 0);
        recv(pair[1], &byte, 1, 0);
        epoll_wait(set, &interest, 1, 0);
        (void)pwrite(file, "x", 1, i);
    }
    for (int i = 0; i < 10; i++) {
        sem_wait(&semaphore);
        usleep(100);
        close(dup(file));
    }
    close(-4243);
    printf("first free %d\n", dup(0));
    return 0;
}

BEHAVIOURS({"quiet", quiet});
