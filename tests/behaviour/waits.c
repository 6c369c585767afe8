/* Reader-writer locks, semaphores, barriers, once, condition variables, C11, futexes, message
 * queues, sleeps: answers, limits and errors. */
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <sys/file.h>
#include <sys/msg.h>
#include <sys/syscall.h>
#include <threads.h>

#include "case.h"

static const struct timespec past = {0, 0}, invalid = {0, 1000000000};

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static void *other_side(void *unused)
{
    struct timespec soon = deadline_ms(CLOCK_REALTIME, 3);
    tell("  try read", pthread_rwlock_tryrdlock(&rwlock));
    tell("  try write", pthread_rwlock_trywrlock(&rwlock));
    tell("  timed read", pthread_rwlock_timedrdlock(&rwlock, &past));
    tell("  timed write", pthread_rwlock_timedwrlock(&rwlock, &soon));
    tell("  invalid", pthread_rwlock_timedwrlock(&rwlock, &invalid));
    tell("  clock", pthread_rwlock_clockwrlock(&rwlock, CLOCK_MONOTONIC, &past));
    tell("  no clock", pthread_rwlock_clockrdlock(&rwlock, 99, &past));
    return NULL;
}

static void elsewhere(void *(*what)(void *))
{
    pthread_t thread;
    pthread_create(&thread, NULL, what, NULL);
    pthread_join(thread, NULL);
}

static int rwlocks(void)
{
    tell("write", pthread_rwlock_wrlock(&rwlock));
    tell("write again", pthread_rwlock_wrlock(&rwlock));
    tell("read what I write", pthread_rwlock_rdlock(&rwlock));
    elsewhere(other_side);
    tell("unlock", pthread_rwlock_unlock(&rwlock));
    tell("read", pthread_rwlock_rdlock(&rwlock));
    tell("read twice", pthread_rwlock_rdlock(&rwlock));
    tell("write what I read", pthread_rwlock_trywrlock(&rwlock));
    tell("unlock", pthread_rwlock_unlock(&rwlock));
    tell("unlock", pthread_rwlock_unlock(&rwlock));
    /* As many readers as a lock takes. */
    pthread_rwlock_t full = PTHREAD_RWLOCK_INITIALIZER;
    full.__data.__readers = UINT_MAX & ~7u;
    tell("too many readers", pthread_rwlock_tryrdlock(&full));
    tell("too many readers, blocking", pthread_rwlock_rdlock(&full));
    tell("destroy", pthread_rwlock_destroy(&rwlock));
    return 0;
}

static int semaphores(void)
{
    sem_t one;
    int value;
    tell_call("init too large", sem_init(&one, 0, (unsigned)INT_MAX + 1));
    tell_call("init", sem_init(&one, 0, INT_MAX));
    tell_call("overflow", sem_post(&one));
    tell_call("take", sem_trywait(&one));
    tell_call("post", sem_post(&one));
    tell_call("value", sem_getvalue(&one, &value));
    printf("value %d\n", value);
    tell_call("destroy", sem_destroy(&one));
    sem_init(&one, 0, 0);
    tell_call("try", sem_trywait(&one));
    tell_call("past", sem_timedwait(&one, &past));
    tell_call("invalid", sem_timedwait(&one, &invalid));
    tell_call("clock", sem_clockwait(&one, CLOCK_MONOTONIC, &past));
    tell_call("no clock", sem_clockwait(&one, 50, &past));
    sem_post(&one);
    tell_call("there", sem_timedwait(&one, &invalid));
    return 0;
}

static int named(void)
{
    char name[64];
    snprintf(name, sizeof name, "/reel-behaviour-%d", (int)getpid());
    sem_t *semaphore = sem_open(name, O_CREAT | O_EXCL, 0600, 2);
    printf("opened %d\n", semaphore != SEM_FAILED);
    if (semaphore == SEM_FAILED)
        return SKIP;
    printf("again is the same %d\n", sem_open(name, 0) == semaphore);
    errno = 0;
    printf("exclusive %d %s\n", sem_open(name, O_CREAT | O_EXCL, 0600, 1) == SEM_FAILED,
           error_name(errno));
    printf("missing %d %s\n", sem_open("/no-such-semaphore", 0) == SEM_FAILED, error_name(errno));
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 3; i++)
            sem_post(semaphore);
        _exit(0);
    }
    for (int i = 0; i < 5; i++)
        sem_wait(semaphore);
    tell_end("child", child);
    tell_call("empty", sem_trywait(semaphore));
    tell_call("close", sem_close(semaphore));
    tell_call("unlink", sem_unlink(name));
    tell_call("unlink", sem_unlink(name));
    return 0;
}

static pthread_barrier_t barrier;
static int serial;
static void *arrive(void *unused)
{
    for (int i = 0; i < 200; i++)
        if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
            __atomic_fetch_add(&serial, 1, __ATOMIC_RELAXED);
    return NULL;
}

static int barriers(void)
{
    tell("of none", pthread_barrier_init(&barrier, NULL, 0));
    tell("of five", pthread_barrier_init(&barrier, NULL, 5));
    pthread_t thread[5];
    for (int i = 0; i < 5; i++)
        pthread_create(&thread[i], NULL, arrive, NULL);
    for (int i = 0; i < 5; i++)
        pthread_join(thread[i], NULL);
    printf("serial %d\n", serial);
    tell("destroy", pthread_barrier_destroy(&barrier));
    return 0;
}

static pthread_once_t once = PTHREAD_ONCE_INIT, jumped = PTHREAD_ONCE_INIT,
                      cancelled = PTHREAD_ONCE_INIT, inner_once = PTHREAD_ONCE_INIT;
static int runs;
static jmp_buf back;
static void inside(void)
{
    runs++;
}
static void run(void)
{
    runs++;
    pthread_once(&inner_once, inside);
    sleep_ms(5);
}
static void jump(void)
{
    runs++;
    longjmp(back, 1);
}
static void be_cancelled(void)
{
    runs++;
    pthread_cancel(pthread_self());
    pthread_testcancel();
}
static void *call_cancelled(void *unused)
{
    pthread_once(&cancelled, be_cancelled);
    return NULL;
}
static void *call_once_only(void *unused)
{
    pthread_once(&once, run);
    return NULL;
}

static int onces(void)
{
    pthread_t thread[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&thread[i], NULL, call_once_only, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    printf("runs %d\n", runs);
    elsewhere(call_cancelled);
    elsewhere(call_cancelled);
    printf("a cancelled routine runs again: %d\n", runs);
    if (setjmp(back) == 0)
        pthread_once(&jumped, jump);
    pthread_once(&once, run);
    pthread_once_t another = PTHREAD_ONCE_INIT;
    pthread_once(&another, inside);
    printf("after a jump: %d\n", runs);
    return 0;
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition;
static int waiters, woken;
static void *wait_for_it(void *unused)
{
    pthread_mutex_lock(&mutex);
    waiters++;
    while (!woken)
        pthread_cond_wait(&condition, &mutex);
    woken--;
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static int conditions(void)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    tell("init", pthread_cond_init(&condition, &attributes));
    pthread_mutex_lock(&mutex);
    struct timespec soon = deadline_ms(CLOCK_MONOTONIC, 3);
    tell("timed", pthread_cond_timedwait(&condition, &mutex, &soon));
    tell("past", pthread_cond_timedwait(&condition, &mutex, &past));
    tell("invalid", pthread_cond_timedwait(&condition, &mutex, &invalid));
    tell("clock", pthread_cond_clockwait(&condition, &mutex, CLOCK_REALTIME, &past));
    tell("no clock", pthread_cond_clockwait(&condition, &mutex, 70, &past));
    pthread_mutex_unlock(&mutex);
    pthread_t thread[8];
    for (int i = 0; i < 8; i++)
        pthread_create(&thread[i], NULL, wait_for_it, NULL);
    for (int i = 0; i < 8; i++) {
        pthread_mutex_lock(&mutex);
        woken++;
        tell("signal",
             i < 4 ? pthread_cond_signal(&condition) : pthread_cond_broadcast(&condition));
        pthread_mutex_unlock(&mutex);
    }
    for (int i = 0; i < 8; i++)
        pthread_join(thread[i], NULL);
    printf("left %d of %d\n", woken, waiters);
    tell("destroy", pthread_cond_destroy(&condition));
    /* An error-checking mutex that the waiter does not hold. */
    pthread_mutexattr_t checking;
    pthread_mutexattr_init(&checking);
    pthread_mutexattr_settype(&checking, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_t not_held;
    pthread_mutex_init(&not_held, &checking);
    tell("not held", pthread_cond_timedwait(&condition, &not_held, &past));
    return 0;
}

static mtx_t c_mutex;
static cnd_t c_condition;
static int c_state;
static once_flag c_once = ONCE_FLAG_INIT;
static int c_thread(void *argument)
{
    call_once(&c_once, inside);
    mtx_lock(&c_mutex);
    c_state++;
    cnd_signal(&c_condition);
    mtx_unlock(&c_mutex);
    thrd_yield();
    if (argument)
        thrd_exit(17);
    return 18;
}

static int c11(void)
{
    thrd_t thread;
    int result;
    mtx_init(&c_mutex, mtx_plain);
    cnd_init(&c_condition);
    for (int i = 0; i < 3; i++) {
        printf("create %d\n", thrd_create(&thread, c_thread, i ? &thread : NULL));
        mtx_lock(&c_mutex);
        while (c_state <= i)
            cnd_wait(&c_condition, &c_mutex);
        printf("timed out %d\n", cnd_timedwait(&c_condition, &c_mutex, &past) == thrd_timedout);
        mtx_unlock(&c_mutex);
        printf("join %d ", thrd_join(thread, &result));
        printf("result %d\n", result);
    }
    struct timespec short_time = {0, 1000000};
    printf("sleep %d, once %d, equal %d\n", thrd_sleep(&short_time, NULL), runs,
           thrd_equal(thrd_current(), thrd_current()));
    cnd_broadcast(&c_condition);
    cnd_destroy(&c_condition);
    mtx_destroy(&c_mutex);
    return 0;
}

static int word;
static void *wake_it(void *unused)
{
    sleep_ms(10);
    __atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
    long count;
    do {
        count = syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    } while (count == 0 && __atomic_load_n(&word, __ATOMIC_SEQ_CST) == 1);
    return NULL;
}

static int futexes(void)
{
    struct timespec soon = {0, 2000000};
    tell_call("another value", syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 5, NULL, NULL, 0));
    tell_call("timed out", syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &soon, NULL, 0));
    tell_call("nobody", syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
    tell_call("no such operation", syscall(SYS_futex, &word, 99, 1, NULL, NULL, 0));
    pthread_t thread;
    pthread_create(&thread, NULL, wake_it, NULL);
    while (__atomic_load_n(&word, __ATOMIC_SEQ_CST) == 0)
        syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    __atomic_store_n(&word, 2, __ATOMIC_SEQ_CST);
    pthread_join(thread, NULL);
    puts("woken");
    /* syscall() with six arguments, none and too few. */
    printf("pid %d\n", syscall(SYS_getpid) == getpid());
    tell_call("no such call", syscall(100000));
    tell_call("mmap", syscall(SYS_mmap, 0, 4096, 1, 0x22, -1, 1 << 20) > 0);
    return 0;
}

static int message_queues(void)
{
    char name[64], text[64];
    unsigned priority;
    snprintf(name, sizeof name, "/reel-behaviour-q-%d", (int)getpid());
    struct mq_attr attributes = {.mq_maxmsg = 2, .mq_msgsize = 32};
    mqd_t queue = mq_open(name, O_RDWR | O_CREAT | O_NONBLOCK, 0600, &attributes);
    if (queue < 0)
        return SKIP;
    mq_unlink(name);
    tell_call("empty", mq_receive(queue, text, sizeof text, NULL));
    tell_call("send", mq_send(queue, "one", 3, 1));
    tell_call("send", mq_send(queue, "two", 3, 9));
    tell_call("full", mq_send(queue, "three", 5, 1));
    tell_call("too large", mq_send(queue, text, sizeof text, 1));
    tell_call("room too small", mq_receive(queue, text, 3, NULL));
    ssize_t got = mq_receive(queue, text, sizeof text, &priority);
    printf("got %.*s at %u\n", (int)got, text, priority);
    tell_call("close", mq_close(queue));
    tell_call("closed", mq_send(queue, "x", 1, 0));
    struct {
        long type;
        char text[16];
    } message = {3, "system five"};
    int id = msgget(IPC_PRIVATE, 0600);
    tell_call("msgsnd", msgsnd(id, &message, 12, 0));
    tell_call("another type", msgrcv(id, &message, 16, 4, IPC_NOWAIT));
    tell_call("too big", msgrcv(id, &message, 3, 0, IPC_NOWAIT));
    tell_call("msgrcv", msgrcv(id, &message, 16, 0, 0));
    puts(message.text);
    tell_call("remove", msgctl(id, IPC_RMID, NULL));
    tell_call("removed", msgsnd(id, &message, 1, 0) < 0);
    return 0;
}

static int sleeps(void)
{
    struct timespec wrong = {0, -1}, left = {7, 7}, one = {0, 1};
    tell_call("negative", nanosleep(&wrong, &left));
    printf("left untouched %ld\n", (long)left.tv_sec);
    tell_call("no time", nanosleep(NULL, NULL));
    tell("no clock", clock_nanosleep(44, 0, &one, NULL));
    tell("thread clock", clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &one, NULL));
    tell("past", clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &past, NULL));
    tell_call("usleep", usleep(10));
    printf("sleep %u\n", sleep(0));
    tell_call("yield", sched_yield());
    return 0;
}

static int file_locks(void)
{
    int fd = open("file", O_RDWR | O_CREAT, 0600), other = open("file", O_RDWR);
    tell_call("flock", flock(fd, LOCK_EX));
    tell_call("other", flock(other, LOCK_EX | LOCK_NB));
    tell_call("unlock", flock(fd, LOCK_UN));
    tell_call("shared", flock(fd, LOCK_SH) | flock(other, LOCK_SH));
    flock(fd, LOCK_UN);
    flock(other, LOCK_UN);
    tell_call("lockf", lockf(fd, F_LOCK, 10));
    pid_t child = fork();
    if (child == 0) {
        tell_call("in the child", lockf(other, F_TLOCK, 10));
        tell_call("test", lockf(other, F_TEST, 10));
        struct flock lock = {.l_type = F_WRLCK};
        tell_call("fcntl", fcntl(other, F_SETLK, &lock));
        fcntl(other, F_GETLK, &lock);
        printf("holder is the parent %d\n", lock.l_pid == getppid());
        exit(0);
    }
    tell_end("child", child);
    tell_call("bad", lockf(-1, F_LOCK, 0));
    tell_call("bad command", lockf(fd, 99, 0));
    tell_call("no lock", fcntl(fd, F_SETLK, NULL));
    return 0;
}

BEHAVIOURS({"rwlocks", rwlocks}, {"semaphores", semaphores}, {"named", named},
           {"barriers", barriers}, {"once", onces}, {"conditions", conditions}, {"c11", c11},
           {"futexes", futexes}, {"message-queues", message_queues}, {"sleeps", sleeps},
           {"file-locks", file_locks});
