/* Signal handlers, forks, and memory that processes share. */
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "races.h"

static bool is_guilty;
KEPT volatile int seen;

/* A handler writes what another thread reads: through an atomic, or not. */
KEPT int by_handler;
KEPT atomic_int by_handler_atomic;

static void handle(int number)
{
    (void)number;
    if (is_guilty)
        by_handler = 1;
    else
        atomic_store(&by_handler_atomic, 1);
}

static void *read_handlers(void *unused)
{
    (void)unused;
    seen = is_guilty ? by_handler : atomic_load(&by_handler_atomic);
    return NULL;
}

static void signal_handler(bool guilty)
{
    is_guilty = guilty;
    signal(SIGUSR1, handle);
    pthread_t thread = start(read_handlers, NULL);
    pause_ms(5);
    raise(SIGUSR1);
    pthread_join(thread, NULL);
}

/* A handler that comes while its thread is busy, a thousand times. */
KEPT volatile long busy[512];
KEPT atomic_bool stop;
KEPT int handled;
static sem_t handled_all;

static void handle_often(int number)
{
    (void)number;
    if (is_guilty)
        handled++;
    sem_post(&handled_all);
}

static void *keep_busy(void *unused)
{
    (void)unused;
    while (!atomic_load_explicit(&stop, memory_order_relaxed))
        for (int i = 0; i < 512; i++)
            busy[i]++;
    return NULL;
}

static void handler_in_between(bool guilty)
{
    is_guilty = guilty;
    sem_init(&handled_all, 0, 0);
    signal(SIGUSR1, handle_often);
    pthread_t thread = start(keep_busy, NULL);
    pause_ms(2);
    for (int i = 0; i < 100; i++) {
        pthread_kill(thread, SIGUSR1);
        while (sem_wait(&handled_all) != 0)
            ;
    }
    seen = handled;
    if (guilty) {
        pthread_kill(thread, SIGUSR1);
        handled = 0;
        while (sem_wait(&handled_all) != 0)
            ;
    }
    atomic_store_explicit(&stop, true, memory_order_relaxed);
    pthread_join(thread, NULL);
}

KEPT long copied;

static void *count_copied(void *unused)
{
    (void)unused;
    copied++;
    return NULL;
}

/* After a fork the two have memory of their own; a race in the child is the child's. */
static void forked(bool guilty)
{
    pthread_t thread = start(count_copied, NULL);
    pause_ms(5);
    pid_t child = fork();
    if (child == 0) {
        copied++; /* a copy: nobody else's */
        if (guilty)
            run_apart(count_copied, count_copied, NULL);
        _exit(0);
    }
    int status;
    pthread_join(thread, NULL);
    waitpid(child, &status, 0);
}

/* One mapping, two processes. */
struct shared {
    pthread_mutex_t lock;
    long total;
};

static void *map_shared(void)
{
    struct shared *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&shared->lock, &attributes);
    return shared;
}

static void add_shared(struct shared *shared)
{
    for (int i = 0; i < 20; i++) {
        if (!is_guilty)
            pthread_mutex_lock(&shared->lock);
        shared->total++;
        if (!is_guilty)
            pthread_mutex_unlock(&shared->lock);
    }
}

static void process_shared(bool guilty)
{
    is_guilty = guilty;
    struct shared *shared = map_shared();
    pid_t child = fork();
    add_shared(shared);
    if (child == 0)
        _exit(0);
    int status;
    waitpid(child, &status, 0);
    seen = (int)shared->total;
}

const struct race_case process_cases[] = {
    {"signal-handler", "by_handler", signal_handler},
    {"handler-in-between", "handled", handler_in_between},
    {"forked", "copied", forked},
    {"process-shared", "", process_shared},
    {0},
};
