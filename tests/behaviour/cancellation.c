/* pthread_cancel in every wait that Reel stands in front of: the cleanup handlers run, in order,
 * the mutex of a condition wait is held again, the result is PTHREAD_CANCELED. */
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "case.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static sem_t semaphore;
static int ends[2], pair[2], listening, message_queue;
static mqd_t posix_queue = -1;

static void in_cond_wait(void)
{
    pthread_mutex_lock(&mutex);
    while (1)
        pthread_cond_wait(&condition, &mutex);
}

static void in_cond_timedwait(void)
{
    struct timespec deadline = deadline_ms(CLOCK_REALTIME, 100000);
    pthread_mutex_lock(&mutex);
    while (1)
        pthread_cond_timedwait(&condition, &mutex, &deadline);
}

static void in_cond_clockwait(void)
{
    struct timespec deadline = deadline_ms(CLOCK_MONOTONIC, 100000);
    pthread_mutex_lock(&mutex);
    while (1)
        pthread_cond_clockwait(&condition, &mutex, CLOCK_MONOTONIC, &deadline);
}

static void in_sem_wait(void)
{
    sem_wait(&semaphore);
}

static void in_sem_timedwait(void)
{
    struct timespec deadline = deadline_ms(CLOCK_REALTIME, 100000);
    sem_timedwait(&semaphore, &deadline);
}

static void *forever(void *unused)
{
    while (1)
        pause();
    return NULL;
}

static void in_join(void)
{
    pthread_t other;
    pthread_create(&other, NULL, forever, NULL);
    pthread_join(other, NULL);
}

static void in_read(void)
{
    char byte;
    (void)read(ends[0], &byte, 1);
}

static void in_write(void)
{
    static char block[65536];
    while (1)
        (void)write(ends[1], block, sizeof block);
}

static void in_poll(void)
{
    struct pollfd polled = {.fd = pair[0], .events = POLLIN};
    poll(&polled, 1, -1);
}

static void in_ppoll(void)
{
    struct pollfd polled = {.fd = pair[0], .events = POLLIN};
    ppoll(&polled, 1, NULL, NULL);
}

static void in_select(void)
{
    fd_set set;
    FD_ZERO(&set);
    FD_SET(pair[0], &set);
    select(pair[0] + 1, &set, NULL, NULL, NULL);
}

static void in_epoll_wait(void)
{
    struct epoll_event event;
    epoll_wait(epoll_create1(0), &event, 1, -1);
}

static void in_nanosleep(void)
{
    struct timespec time = {1000, 0};
    nanosleep(&time, NULL);
}

static void in_clock_nanosleep(void)
{
    struct timespec time = {1000, 0};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
}

static void in_sleep(void)
{
    sleep(1000);
}

static void in_usleep(void)
{
    while (1)
        usleep(500000);
}

static void in_accept(void)
{
    accept(listening, NULL, NULL);
}

static void in_recv(void)
{
    char byte;
    recv(pair[0], &byte, 1, 0);
}

static void in_recvmsg(void)
{
    struct msghdr message = {0};
    recvmsg(pair[0], &message, 0);
}

static void in_waitpid(void)
{
    pid_t child = fork();
    if (child == 0) {
        /* Cancelled before the fork, it is cancelled in the child too. */
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
        sleep(2);
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

static void in_sigwait(void)
{
    sigset_t set;
    int number;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    sigwait(&set, &number);
}

static void in_sigsuspend(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigsuspend(&set);
}

static void in_pause(void)
{
    pause();
}

static void in_mq_receive(void)
{
    char text[8192];
    mq_receive(posix_queue, text, sizeof text, NULL);
}

static void in_msgrcv(void)
{
    struct {
        long type;
        char text[10];
    } message;
    msgrcv(message_queue, &message, sizeof message.text, 0, 0);
}

static void in_fcntl(void)
{
    int fd = open("locked", O_RDWR | O_CREAT, 0600);
    struct flock lock = {.l_type = F_WRLCK};
    fcntl(fd, F_OFD_SETLKW, &lock);
}

static void in_system(void)
{
    if (system("exec sleep 5") < 0)
        return;
}

static void in_testcancel(void)
{
    while (1)
        pthread_testcancel();
}

static const struct {
    const char *name;
    void (*wait)(void);
} points[] = {
    {"cond_wait", in_cond_wait},
    {"cond_timedwait", in_cond_timedwait},
    {"cond_clockwait", in_cond_clockwait},
    {"sem_wait", in_sem_wait},
    {"sem_timedwait", in_sem_timedwait},
    {"join", in_join},
    {"read", in_read},
    {"write", in_write},
    {"poll", in_poll},
    {"ppoll", in_ppoll},
    {"select", in_select},
    {"epoll_wait", in_epoll_wait},
    {"nanosleep", in_nanosleep},
    {"clock_nanosleep", in_clock_nanosleep},
    {"sleep", in_sleep},
    {"usleep", in_usleep},
    {"accept", in_accept},
    {"recv", in_recv},
    {"recvmsg", in_recvmsg},
    {"waitpid", in_waitpid},
    {"sigwait", in_sigwait},
    {"sigsuspend", in_sigsuspend},
    {"pause", in_pause},
    {"mq_receive", in_mq_receive},
    {"msgrcv", in_msgrcv},
    {"fcntl", in_fcntl},
    {"system", in_system},
    {"testcancel", in_testcancel},
};

static int order;
static void outer(void *unused)
{
    printf("  outer cleanup, %d\n", ++order);
    /* A condition wait that is cancelled holds its mutex again. */
    int error = pthread_mutex_trylock(&mutex);
    printf("  mutex %s\n", error_name(error));
    pthread_mutex_unlock(&mutex);
}
static void inner(void *unused)
{
    printf("  inner cleanup, %d\n", ++order);
}

static void *waiting(void *argument)
{
    void (*wait)(void) = *(void (*const *)(void))argument;
    pthread_cleanup_push(outer, NULL);
    pthread_cleanup_push(inner, NULL);
    wait();
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
    return "came back";
}

static void set_up(void)
{
    sem_init(&semaphore, 0, 0);
    pipe(ends);
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    listening = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, "socket");
    bind(listening, (struct sockaddr *)&address, sizeof address);
    listen(listening, 1);
    message_queue = msgget(IPC_PRIVATE, 0600);
    char name[64];
    snprintf(name, sizeof name, "/reel-behaviour-%d", (int)getpid());
    struct mq_attr small = {.mq_maxmsg = 2, .mq_msgsize = 16};
    posix_queue = mq_open(name, O_RDWR | O_CREAT, 0600, &small);
    mq_unlink(name);
    int fd = open("locked", O_RDWR | O_CREAT, 0600);
    struct flock lock = {.l_type = F_WRLCK};
    fcntl(fd, F_OFD_SETLK, &lock);
}

/* Cancels each: while it waits, and (`early`) before it has begun. */
static int cancel_all(bool early)
{
    set_up();
    signal(SIGCHLD, SIG_DFL);
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        if (points[i].wait == in_mq_receive && posix_queue < 0)
            continue;
        order = 0;
        printf("%s\n", points[i].name);
        fflush(stdout);
        pthread_t thread;
        void *result;
        int sent;
        if (early)
            pthread_mutex_lock(&mutex);
        pthread_create(&thread, NULL, waiting, (void *)&points[i].wait);
        if (early) {
            sent = pthread_cancel(thread);
            pthread_mutex_unlock(&mutex);
        } else {
            sleep_ms(8);
            sent = pthread_cancel(thread);
        }
        pthread_join(thread, &result);
        tell("  cancel", sent);
        printf("  result %s\n", result == PTHREAD_CANCELED ? "cancelled" : (char *)result);
        tell("  mutex afterwards", pthread_mutex_trylock(&mutex));
        pthread_mutex_unlock(&mutex);
    }
    msgctl(message_queue, IPC_RMID, NULL);
    return 0;
}

static int while_waiting(void)
{
    return cancel_all(false);
}

static int before_waiting(void)
{
    return cancel_all(true);
}

static volatile bool ready;
static void *disabled(void *unused)
{
    int old;
    tell("disable", pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old));
    ready = true;
    sleep_ms(20);
    sem_init(&semaphore, 0, 1);
    tell_call("sem_wait", sem_wait(&semaphore));
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old);
    tell_call("not reached", sem_wait(&semaphore));
    return NULL;
}

static int when_disabled(void)
{
    pthread_t thread;
    void *result;
    pthread_create(&thread, NULL, disabled, NULL);
    while (!ready)
        sleep_ms(1);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    printf("cancelled: %d\n", result == PTHREAD_CANCELED);
    return 0;
}

static void *computing(void *unused)
{
    int old;
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
    ready = true;
    for (volatile unsigned long i = 0;; i++)
        ;
    return NULL;
}

static int asynchronous(void)
{
    pthread_t thread;
    void *result;
    pthread_create(&thread, NULL, computing, NULL);
    while (!ready)
        sleep_ms(1);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    printf("cancelled: %d\n", result == PTHREAD_CANCELED);
    return 0;
}

/* sem_wait is a cancellation point even when it need not block. */
static void *not_blocking(void *unused)
{
    ready = true;
    for (int i = 0; i < 1000000; i++) {
        sem_post(&semaphore);
        sem_wait(&semaphore);
    }
    return NULL;
}

static int without_blocking(void)
{
    pthread_t thread;
    void *result;
    sem_init(&semaphore, 0, 0);
    pthread_create(&thread, NULL, not_blocking, NULL);
    while (!ready)
        sleep_ms(1);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    printf("cancelled: %d\n", result == PTHREAD_CANCELED);
    return 0;
}

BEHAVIOURS({"while-waiting", while_waiting}, {"before-waiting", before_waiting},
           {"disabled", when_disabled}, {"asynchronous", asynchronous},
           {"without-blocking", without_blocking});
