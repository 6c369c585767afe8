/* Crowds, for crowd_test.c: crowd threads N | forks N | chain N. Every member locks and unlocks a
 * mutex ten times.
 * crowd signals N: N times, while a handler posts a semaphore as often as a timer can strike, and
 * says how often. crowd jumps N: a handler leaves the loop by longjmp N times; then a reader-writer
 * lock is taken and released a thousand times. */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t everybody;

static void work(void)
{
    for (int i = 0; i < 10; i++) {
        pthread_mutex_lock(&mutex);
        pthread_mutex_unlock(&mutex);
    }
}

static void *member(void *unused)
{
    (void)unused;
    work();
    sem_wait(&everybody);
    return NULL;
}

static void threads(int count)
{
    pthread_t *thread = calloc((size_t)count, sizeof *thread);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 65536);
    sem_init(&everybody, 0, 0);
    for (int i = 0; i < count; i++)
        if (pthread_create(&thread[i], &attributes, member, NULL) != 0)
            exit(1);
    for (int i = 0; i < count; i++)
        sem_post(&everybody);
    for (int i = 0; i < count; i++)
        pthread_join(thread[i], NULL);
    free(thread);
}

static void forks(int count)
{
    for (int i = 0; i < count; i++) {
        pid_t child = fork();
        if (child == 0) {
            work();
            _exit(i % 50);
        }
        if (child < 0)
            exit(1);
        if (i % 50 == 49)
            for (int k = 0; k < 50; k++)
                wait(NULL);
    }
    while (wait(NULL) > 0)
        ;
}

static volatile sig_atomic_t handled;
static void post(int number)
{
    (void)number;
    sem_post(&everybody);
    sem_trywait(&everybody);
    handled++;
}

static void strike(void (*handler)(int), long us, long again_us)
{
    struct itimerval timer = {{0, again_us}, {0, us}};
    signal(SIGALRM, handler);
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void signals(int count)
{
    sem_init(&everybody, 0, 0);
    strike(post, 30, 30);
    for (int i = 0; i < count; i++) {
        pthread_mutex_lock(&mutex);
        pthread_mutex_unlock(&mutex);
    }
    strike(SIG_IGN, 0, 0);
    printf("%d\n", (int)handled);
}

static sigjmp_buf back;
static void jump(int number)
{
    (void)number;
    siglongjmp(back, 1);
}

static void jumps(int count)
{
    static volatile int done;
    static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
    sem_init(&everybody, 0, 0);
    if (sigsetjmp(back, 1))
        done++;
    if (done < count) {
        strike(jump, 100 + done % 50, 0);
        for (;;) {
            sem_post(&everybody);
            sem_trywait(&everybody);
        }
    }
    for (int i = 0; i < 1000; i++) {
        pthread_rwlock_wrlock(&rwlock);
        pthread_rwlock_unlock(&rwlock);
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    int count = atoi(argv[2]);
    if (strcmp(argv[1], "threads") == 0)
        threads(count);
    else if (strcmp(argv[1], "forks") == 0)
        forks(count);
    else if (strcmp(argv[1], "signals") == 0)
        signals(count);
    else if (strcmp(argv[1], "jumps") == 0)
        jumps(count);
    else {
        work();
        char left[16];
        snprintf(left, sizeof left, "%d", count - 1);
        if (count > 0)
            execl("/proc/self/exe", argv[0], "chain", left, (char *)NULL);
    }
    return 0;
}
