/* Signals: interrupted calls, restarts, handlers that use locks of their own at a high rate,
 * longjmp out of them, alternative stacks, deaths. */
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <sys/epoll.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "case.h"

static volatile sig_atomic_t seen;
static sem_t semaphore;
static pthread_mutex_t of_handler = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t of_program = PTHREAD_MUTEX_INITIALIZER;

static void count(int number)
{
    seen++;
}

static void handle(int number, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    sigaction(number, &action, NULL);
}

/* Signals this thread until it says that it got through. */
static pthread_t victim;
static volatile bool through;
static void *pester(void *unused)
{
    while (!through) {
        sleep_ms(2);
        pthread_kill(victim, SIGUSR1);
    }
    return NULL;
}

#define INTERRUPTED(what, call)                                                                    \
    do {                                                                                           \
        pthread_t thread;                                                                          \
        through = false;                                                                           \
        victim = pthread_self();                                                                   \
        pthread_create(&thread, NULL, pester, NULL);                                               \
        long result = (long)(call);                                                                \
        int error = errno;                                                                         \
        through = true;                                                                            \
        pthread_join(thread, NULL);                                                                \
        printf("%s: %ld %s\n", what, result, result < 0 ? error_name(error) : "");                 \
    } while (0)

static int interrupted(void)
{
    handle(SIGUSR1, count, 0);
    int ends[2], pair[2];
    char byte;
    pipe(ends);
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    sem_init(&semaphore, 0, 0);
    struct timespec long_time = {1000, 0}, deadline = deadline_ms(CLOCK_REALTIME, 100000);
    struct pollfd polled = {.fd = ends[0], .events = POLLIN};
    struct epoll_event event;
    int set = epoll_create1(0), queue = msgget(IPC_PRIVATE, 0600);
    struct {
        long type;
        char text[10];
    } message;
    INTERRUPTED("read", read(ends[0], &byte, 1));
    INTERRUPTED("recv", recv(pair[0], &byte, 1, 0));
    INTERRUPTED("sem_wait", sem_wait(&semaphore));
    INTERRUPTED("sem_timedwait", sem_timedwait(&semaphore, &deadline));
    INTERRUPTED("nanosleep", nanosleep(&long_time, NULL));
    INTERRUPTED("clock_nanosleep", -clock_nanosleep(CLOCK_MONOTONIC, 0, &long_time, NULL) < 0
                                       ? (errno = EINTR, -1)
                                       : 0);
    INTERRUPTED("usleep", usleep(900000));
    INTERRUPTED("sleep", sleep(1000) > 990);
    INTERRUPTED("poll", poll(&polled, 1, -1));
    INTERRUPTED("select", select(0, NULL, NULL, NULL, NULL));
    INTERRUPTED("epoll_wait", epoll_wait(set, &event, 1, -1));
    INTERRUPTED("pause", pause());
    INTERRUPTED("msgrcv", msgrcv(queue, &message, 10, 0, 0));
    sigset_t other;
    sigemptyset(&other);
    sigaddset(&other, SIGUSR2);
    INTERRUPTED("sigwaitinfo", sigwaitinfo(&other, NULL));
    INTERRUPTED("sigsuspend", sigsuspend(&other));
    pid_t child = fork();
    if (child == 0)
        for (;;)
            pause();
    INTERRUPTED("waitpid", waitpid(child, NULL, 0));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    msgctl(queue, IPC_RMID, NULL);
    printf("handled: %d\n", seen > 0);
    return 0;
}

static void *feed(void *argument)
{
    const int *ends = argument;
    for (int i = 0; i < 10; i++) {
        sleep_ms(2);
        pthread_kill(victim, SIGUSR1);
    }
    (void)write(ends[1], "x", 1);
    sem_post(&semaphore);
    return NULL;
}

static int restarted(void)
{
    handle(SIGUSR1, count, SA_RESTART);
    int ends[2];
    char byte;
    pipe(ends);
    sem_init(&semaphore, 0, 0);
    victim = pthread_self();
    pthread_t thread;
    pthread_create(&thread, NULL, feed, ends);
    tell_call("read", read(ends[0], &byte, 1));
    tell_call("sem_wait", sem_wait(&semaphore));
    pthread_join(thread, NULL);
    printf("handled %d\n", seen > 0);
    return 0;
}

/* Everything a handler may do, and more: it has a lock that only handlers use. */
static void work_in_handler(int number)
{
    int saved = errno;
    seen++;
    sem_post(&semaphore);
    if (pthread_mutex_trylock(&of_handler) == 0)
        pthread_mutex_unlock(&of_handler);
    errno = saved;
}

static void start_timer(long us)
{
    struct itimerval timer = {{0, us}, {0, us}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

static int high_rate(void)
{
    sem_init(&semaphore, 0, 0);
    handle(SIGALRM, work_in_handler, SA_RESTART);
    start_timer(50);
    int ends[2];
    pipe(ends);
    long sum = 0;
    for (int i = 0; i < 200000; i++) {
        pthread_mutex_lock(&of_program);
        sum++;
        pthread_mutex_unlock(&of_program);
        if (i % 100 == 0) {
            char byte;
            if (write(ends[1], "y", 1) != 1 || read(ends[0], &byte, 1) != 1 || byte != 'y')
                puts("the pipe lost a byte");
            void *block = malloc(1000);
            free(block);
        }
    }
    start_timer(0);
    int posted;
    sem_getvalue(&semaphore, &posted);
    printf("sum %ld, posted as often as handled: %d, handled: %d\n", sum, posted == seen, seen > 0);
    return 0;
}

static sigjmp_buf back;
static void jump(int number)
{
    siglongjmp(back, 1);
}

/* A handler that leaves the lock loop by longjmp, again and again. The mutex may be left inside the
 * call, half taken: it is made anew. */
static int jumping(void)
{
    handle(SIGALRM, jump, 0);
    sem_init(&semaphore, 0, 0);
    static pthread_mutex_t mutex;
    static volatile int jumps;
    struct itimerval once = {{0, 0}, {0, 300}};
    if (sigsetjmp(back, 1))
        jumps++;
    pthread_mutex_init(&mutex, NULL);
    if (jumps < 1000) {
        setitimer(ITIMER_REAL, &once, NULL);
        for (;;) {
            if (pthread_mutex_trylock(&mutex) == 0)
                pthread_mutex_unlock(&mutex);
            sem_post(&semaphore);
            sem_trywait(&semaphore);
        }
    }
    printf("jumps %d\n", jumps);
    tell("lock", pthread_mutex_lock(&mutex));
    tell("unlock", pthread_mutex_unlock(&mutex));
    return 0;
}

static char alternative[65536];
static void on_alternative(int number)
{
    char here;
    printf("on the other stack: %d\n",
           &here >= alternative && &here < alternative + sizeof alternative);
    pthread_mutex_lock(&of_handler);
    pthread_mutex_unlock(&of_handler);
    seen++;
}

static int other_stack(void)
{
    stack_t stack = {.ss_sp = alternative, .ss_size = sizeof alternative};
    tell_call("sigaltstack", sigaltstack(&stack, NULL));
    handle(SIGUSR1, on_alternative, SA_ONSTACK);
    for (int i = 0; i < 3; i++)
        raise(SIGUSR1);
    stack_t now;
    sigaltstack(NULL, &now);
    printf("flags %d, handled %d\n", now.ss_flags, seen);
    return 0;
}

static sigjmp_buf overflowed;
static void on_overflow(int number)
{
    siglongjmp(overflowed, 1);
}

static volatile int deepest = 1 << 30;
static int overflow(int depth)
{
    if (depth > deepest)
        return depth;
    volatile char room[4096];
    room[0] = (char)depth;
    pthread_mutex_lock(&of_program);
    pthread_mutex_unlock(&of_program);
    return overflow(depth + 1) + room[0];
}

static int stack_overflow(void)
{
    stack_t stack = {.ss_sp = alternative, .ss_size = sizeof alternative};
    sigaltstack(&stack, NULL);
    struct rlimit small = {1 << 20, RLIM_INFINITY};
    setrlimit(RLIMIT_STACK, &small);
    handle(SIGSEGV, on_overflow, SA_ONSTACK);
    if (sigsetjmp(overflowed, 1) == 0)
        overflow(0);
    puts("survived");
    return 0;
}

static int by_abort(void)
{
    abort();
}

static int by_segv(void)
{
    pthread_mutex_lock(&of_program);
    *(volatile int *)8 = 1;
    return 0;
}

static int by_term(void)
{
    raise(SIGTERM);
    return 0;
}

/* What is caught, ignored and blocked at the start. */
static int dispositions(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    while (fgets(line, sizeof line, file))
        if (strncmp(line, "Sig", 3) == 0 || strncmp(line, "Shd", 3) == 0)
            if (strncmp(line, "SigQ", 4) != 0)
                fputs(line, stdout);
    return 0;
}

static int ignored_stay_ignored(void)
{
    pid_t child = fork();
    if (child == 0) {
        signal(SIGHUP, SIG_IGN);
        execl(program, program, "dispositions", (char *)NULL);
    }
    tell_end("child", child);
    return 0;
}

static void *blocked(void *unused)
{
    sigset_t set;
    pthread_sigmask(SIG_SETMASK, NULL, &set);
    printf("inherited: %d\n", sigismember(&set, SIGUSR2));
    int number;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    tell("sigwait", sigwait(&set, &number));
    printf("signal %s\n", sigabbrev_np(number));
    struct timespec none = {0, 0};
    tell_call("sigtimedwait", sigtimedwait(&set, NULL, &none));
    return NULL;
}

static int masks(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    pthread_t thread;
    pthread_create(&thread, NULL, blocked, NULL);
    sleep_ms(5);
    int killed = pthread_kill(thread, SIGUSR2);
    pthread_join(thread, NULL); /* or either could be told first */
    tell("pthread_kill", killed);
    tell_call("kill nobody", kill(1 << 22, 0));
    return 0;
}

BEHAVIOURS({"interrupted", interrupted}, {"restarted", restarted}, {"high-rate", high_rate},
           {"jumping", jumping}, {"other-stack", other_stack}, {"stack-overflow", stack_overflow},
           {"abort", by_abort}, {"segv", by_segv}, {"term", by_term},
           {"dispositions", dispositions}, {"ignored", ignored_stay_ignored}, {"masks", masks});
