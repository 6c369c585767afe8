/* What recording costs: one operation in a loop, in the program itself. `micro NAME [COUNT]` prints
 * the nanoseconds per operation of the best of five rounds. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t semaphore, ping, pong;
static int turn, pipe_to[2], pipe_back[2];
static long count;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void mutex_pairs(long pairs)
{
    for (long i = 0; i < pairs; i++) {
        pthread_mutex_lock(&mutex);
        __asm__ volatile("" ::: "memory");
        pthread_mutex_unlock(&mutex);
    }
}

static void mutex1(void)
{
    mutex_pairs(count);
}

static void *mutex_half(void *unused)
{
    mutex_pairs(count / 2);
    return unused;
}

/* Runs `routine` in a second thread and in this one. */
static void both(void *(*routine)(void *))
{
    pthread_t other;
    if (pthread_create(&other, NULL, routine, NULL) != 0)
        exit(1);
    routine(NULL);
    pthread_join(other, NULL);
}

static void mutex2(void)
{
    both(mutex_half);
}

/* Sixteen frames deep, without frame pointers: what a stack costs. */
static __attribute__((noinline, optimize("omit-frame-pointer"))) long deep(int depth)
{
    if (depth == 0) {
        mutex_pairs(count);
        return 0;
    }
    return deep(depth - 1) + depth;
}

static void mutex16(void)
{
    deep(16);
}

static void *cond_player(void *me)
{
    int mine = me != NULL;
    pthread_mutex_lock(&mutex);
    for (long i = 0; i < count / 2; i++) {
        while (turn != mine)
            pthread_cond_wait(&turned, &mutex);
        turn = !mine;
        pthread_cond_signal(&turned);
    }
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static void cond(void)
{
    pthread_t other;
    turn = 0;
    pthread_create(&other, NULL, cond_player, &turn);
    cond_player(NULL);
    pthread_join(other, NULL);
}

static void rwlock_read(void)
{
    for (long i = 0; i < count; i++) {
        pthread_rwlock_rdlock(&rwlock);
        pthread_rwlock_unlock(&rwlock);
    }
}

static void sem(void)
{
    sem_init(&semaphore, 0, 0);
    for (long i = 0; i < count; i++) {
        sem_post(&semaphore);
        sem_wait(&semaphore);
    }
}

static void *sem_echo(void *unused)
{
    for (long i = 0; i < count; i++) {
        sem_wait(&ping);
        sem_post(&pong);
    }
    return unused;
}

static void sem_handover(void)
{
    pthread_t other;
    sem_init(&ping, 0, 0);
    sem_init(&pong, 0, 0);
    pthread_create(&other, NULL, sem_echo, NULL);
    for (long i = 0; i < count; i++) {
        sem_post(&ping);
        sem_wait(&pong);
    }
    pthread_join(other, NULL);
}

static void *nothing(void *unused)
{
    return unused;
}

static void create(void)
{
    for (long i = 0; i < count; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, nothing, NULL);
        pthread_join(thread, NULL);
    }
}

static void *pipe_echo(void *unused)
{
    char byte;
    for (long i = 0; i < count; i++)
        if (read(pipe_to[0], &byte, 1) != 1 || write(pipe_back[1], &byte, 1) != 1)
            exit(1);
    return unused;
}

static void pipes(void)
{
    pthread_t other;
    char byte = 'x';
    if (pipe(pipe_to) || pipe(pipe_back))
        exit(1);
    pthread_create(&other, NULL, pipe_echo, NULL);
    for (long i = 0; i < count; i++)
        if (write(pipe_to[1], &byte, 1) != 1 || read(pipe_back[0], &byte, 1) != 1)
            exit(1);
    pthread_join(other, NULL);
    for (int i = 0; i < 2; i++) {
        close(pipe_to[i]);
        close(pipe_back[i]);
    }
}

static void spawn(void)
{
    char *words[] = {(char *)"true", NULL};
    for (long i = 0; i < count; i++) {
        pid_t pid;
        if (posix_spawn(&pid, "/bin/true", NULL, NULL, words, environ) != 0)
            exit(1);
        waitpid(pid, NULL, 0);
    }
}

static const struct {
    const char *name;
    void (*run)(void);
    long count;
} benchmarks[] = {{"mutex1", mutex1, 2000000},
                  {"mutex2", mutex2, 1000000},
                  {"mutex16", mutex16, 2000000},
                  {"cond", cond, 30000},
                  {"rwlock", rwlock_read, 1000000},
                  {"sem", sem, 1000000},
                  {"handover", sem_handover, 30000},
                  {"create", create, 3000},
                  {"pipe", pipes, 30000},
                  {"spawn", spawn, 60}};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof benchmarks / sizeof benchmarks[0]; i++) {
        if (strcmp(argv[1], benchmarks[i].name) != 0)
            continue;
        double best = 1e300;
        count = argc > 2 ? atol(argv[2]) : benchmarks[i].count;
        for (int round = 0; round < 5; round++) {
            double begin = now();
            benchmarks[i].run();
            double each = (now() - begin) / (double)count;
            best = each < best ? each : best;
        }
        printf("%.2f\n", best);
        return 0;
    }
    fprintf(stderr, "usage: micro NAME [COUNT]\n");
    return 2;
}
