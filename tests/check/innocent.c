/* Programs that wait long and look like hangs, but are none: innocent NAME. Each waits three
 * seconds, longer than the grace period of the tests, and then ends well. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECONDS 3

static sem_t done;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t shelf = PTHREAD_RWLOCK_INITIALIZER;
static volatile int is_done;

static pthread_t start(void *(*routine)(void *))
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, routine, NULL) != 0)
        exit(1);
    return thread;
}

static void on_alarm(int number)
{
    (void)number;
    sem_post(&done);
}

/* Waits for a semaphore that only a signal handler posts. */
static void handler_posts(void)
{
    sem_init(&done, 0, 0);
    signal(SIGALRM, on_alarm);
    alarm(SECONDS);
    while (sem_wait(&done) != 0)
        ;
}

static void *wait_for_done(void *unused)
{
    while (sem_wait(&done) != 0)
        ;
    return unused;
}

/* The same, and the handler runs in whichever of several blocked threads. */
static void handler_posts_threads(void)
{
    sem_init(&done, 0, 0);
    signal(SIGALRM, on_alarm);
    struct itimerval timer = {.it_value = {.tv_sec = SECONDS}};
    setitimer(ITIMER_REAL, &timer, NULL);
    pthread_join(start(wait_for_done), NULL);
}

static void on_timer(union sigval value)
{
    (void)value;
    sem_post(&done);
}

/* A timer of the C library, which has a thread of its own for it. */
static void timer_thread(void)
{
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = on_timer};
    struct itimerspec when = {.it_value = {.tv_sec = SECONDS}};
    sem_init(&done, 0, 0);
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 ||
        timer_settime(timer, 0, &when, NULL) != 0)
        exit(1);
    while (sem_wait(&done) != 0)
        ;
}

/* A signal that everybody has blocked, taken from its queue by one. */
static void signal_wait(void)
{
    sigset_t set;
    int number;
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    alarm(SECONDS);
    sigwait(&set, &number);
}

static void *sleep_with_lock(void *unused)
{
    pthread_mutex_lock(&mutex);
    sem_post(&done);
    sleep(SECONDS);
    pthread_mutex_unlock(&mutex);
    return unused;
}

/* A lock is held for long. */
static void slow_holder(void)
{
    sem_init(&done, 0, 0);
    pthread_t thread = start(sleep_with_lock);
    sem_wait(&done);
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    pthread_join(thread, NULL);
}

static void *timed_waits(void *unused)
{
    pthread_mutex_lock(&mutex);
    for (int i = 0; i < SECONDS; i++) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec++;
        while (pthread_cond_timedwait(&changed, &mutex, &until) == 0)
            ;
    }
    pthread_mutex_unlock(&mutex);
    return unused;
}

static void timed(void)
{
    pthread_join(start(timed_waits), NULL);
}

static void *timed_writer(void *unused)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += SECONDS;
    if (pthread_rwlock_timedwrlock(&shelf, &until) != ETIMEDOUT)
        exit(1);
    return unused;
}

/* It holds what the other wants, and waits for it: but the other gives up. */
static void timed_circle(void)
{
    pthread_rwlock_rdlock(&shelf);
    pthread_join(start(timed_writer), NULL);
    pthread_rwlock_unlock(&shelf);
}

static void *compute(void *unused)
{
    struct timespec start_time, now;
    clock_gettime(CLOCK_MONOTONIC, &start_time);
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while (now.tv_sec - start_time.tv_sec < SECONDS);
    pthread_mutex_lock(&mutex);
    is_done = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
    return unused;
}

/* All but one wait. */
static void one_computes(void)
{
    pthread_t thread = start(compute);
    pthread_mutex_lock(&mutex);
    while (!is_done)
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
    pthread_join(thread, NULL);
}

/* A child that is no business of ours sleeps. */
static void child_sleeps(void)
{
    pid_t child = fork();
    if (child == 0) {
        execlp("sleep", "sleep", "3", (char *)NULL);
        _exit(1);
    }
    waitpid(child, NULL, 0);
}

/* A pipe whose other end is in a program that says something in the end. */
static void child_speaks(void)
{
    char byte;
    FILE *child = popen("sleep 3; echo x", "r");
    if (!child || read(fileno(child), &byte, 1) != 1)
        exit(1);
    pclose(child);
}

/* A thread waits for input, main for the thread; the input comes from outside. */
static void *read_input(void *unused)
{
    char byte;
    if (read(STDIN_FILENO, &byte, 1) < 0)
        exit(1);
    return unused;
}

static void input(void)
{
    pthread_join(start(read_input), NULL);
}

/* Waits for a connection that somebody makes. */
static void server(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "innocent-%d.socket", (int)getpid());
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, 1) != 0)
        exit(1);
    struct timeval limit = {.tv_sec = SECONDS};
    setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    accept(listener, NULL, NULL);
    unlink(address.sun_path);
}

/* Another program, which is not watched, posts a named semaphore: innocent named NAME, posted by
 * innocent post NAME. */
static const char *name;

static void named(void)
{
    sem_t *semaphore = sem_open(name, O_CREAT, 0600, 0);
    if (semaphore == SEM_FAILED)
        exit(1);
    while (sem_wait(semaphore) != 0)
        ;
    sem_unlink(name);
}

static void post(void)
{
    sleep(SECONDS);
    sem_t *semaphore = sem_open(name, O_CREAT, 0600, 0);
    sem_post(semaphore);
}

/* A FIFO that somebody else opens. */
static void fifo(void)
{
    char byte;
    int file = open(name, O_RDONLY);
    if (file < 0 || read(file, &byte, 1) < 0)
        exit(1);
}

/* A mutex handed over between threads, each wait shorter than a look but the run is not. */
static void *take_turns(void *unused)
{
    struct timespec start_time, now;
    clock_gettime(CLOCK_MONOTONIC, &start_time);
    do {
        pthread_mutex_lock(&mutex);
        usleep(150000);
        pthread_mutex_unlock(&mutex);
        usleep(1000);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec - start_time.tv_sec < SECONDS);
    return unused;
}

static void convoy(void)
{
    pthread_t a = start(take_turns), b = start(take_turns);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
}

static const struct {
    const char *name;
    void (*run)(void);
} programs[] = {
    {"handler-posts", handler_posts},
    {"handler-posts-threads", handler_posts_threads},
    {"timer-thread", timer_thread},
    {"signal-wait", signal_wait},
    {"slow-holder", slow_holder},
    {"timed", timed},
    {"timed-circle", timed_circle},
    {"one-computes", one_computes},
    {"child-sleeps", child_sleeps},
    {"child-speaks", child_speaks},
    {"input", input},
    {"server", server},
    {"named", named},
    {"post", post},
    {"fifo", fifo},
    {"convoy", convoy},
};

int main(int argc, char **argv)
{
    name = argc > 2 ? argv[2] : "/none";
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
        if (argc > 1 && strcmp(argv[1], programs[i].name) == 0) {
            programs[i].run();
            return 0;
        }
    return 2;
}
