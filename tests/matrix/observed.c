/* Deadlocks and hangs that happen. A guilty one never ends by itself. */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cases.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t both;
static bool bad, ready;

static void *cross_one(void *unused)
{
    pthread_mutex_lock(&a);
    pthread_barrier_wait(&both);
    if (bad) {
        pthread_mutex_lock(&b);
        pthread_mutex_unlock(&b);
    }
    pthread_mutex_unlock(&a);
    return unused;
}

static void *cross_two(void *unused)
{
    pthread_mutex_lock(&b);
    pthread_barrier_wait(&both);
    if (bad) {
        pthread_mutex_lock(&a);
        pthread_mutex_unlock(&a);
    }
    pthread_mutex_unlock(&b);
    return unused;
}

static void cross(bool guilty)
{
    bad = guilty;
    pthread_barrier_init(&both, NULL, 2);
    run_together(cross_one, cross_two, NULL);
}

static void self(bool guilty)
{
    pthread_mutex_lock(&a);
    if (guilty)
        pthread_mutex_lock(&a);
    pthread_mutex_unlock(&a);
}

/* A thread that only naps keeps nothing alive for ever; but while it naps it is no deadlock yet. */
static void *nap(void *unused)
{
    pause_ms(300);
    return unused;
}

static void self_beside_others(bool guilty)
{
    pthread_t other = start(nap, NULL);
    pthread_mutex_lock(&a);
    if (guilty)
        pthread_mutex_lock(&a);
    pthread_mutex_unlock(&a);
    pthread_join(other, NULL);
}

static void upgrade(bool guilty)
{
    static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
    struct timespec soon;
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_sec++;
    pthread_rwlock_rdlock(&lock);
    if (guilty)
        pthread_rwlock_wrlock(&lock);
    else if (pthread_rwlock_trywrlock(&lock) == 0)
        pthread_rwlock_unlock(&lock);
    pthread_rwlock_unlock(&lock);
}

static pthread_t joined[2];

static void *join_other(void *number)
{
    size_t i = (size_t)number;
    pthread_barrier_wait(&both);
    if (i == 0 || bad)
        pthread_join(joined[!i], NULL);
    return NULL;
}

static void join_cycle(bool guilty)
{
    bad = guilty;
    pthread_barrier_init(&both, NULL, 3);
    joined[0] = start(join_other, (void *)0);
    joined[1] = start(join_other, (void *)1);
    pthread_barrier_wait(&both);
    if (bad)
        for (;;) {
            pthread_mutex_lock(&a);
            pthread_cond_wait(&condition, &a);
        }
    pthread_join(joined[0], NULL);
}

static void *needs_a(void *unused)
{
    pthread_mutex_lock(&a);
    pthread_mutex_unlock(&a);
    return unused;
}

static void join_holding(bool guilty)
{
    pthread_mutex_lock(&a);
    pthread_t thread = start(needs_a, NULL);
    if (!guilty)
        pthread_mutex_unlock(&a);
    pthread_join(thread, NULL);
    if (guilty)
        pthread_mutex_unlock(&a);
}

static void *leave_holding(void *unused)
{
    pthread_mutex_lock(&a);
    if (!bad)
        pthread_mutex_unlock(&a);
    return unused;
}

static void owner_gone(bool guilty)
{
    bad = guilty;
    pthread_join(start(leave_holding, NULL), NULL);
    pthread_mutex_lock(&a);
    pthread_mutex_unlock(&a);
}

static void *never_wakes(void *unused)
{
    pthread_mutex_lock(&a);
    while (bad || !ready)
        pthread_cond_wait(&condition, &a);
    pthread_mutex_unlock(&a);
    return unused;
}

/* The signal comes before anybody waits; nothing remembers it. */
static void lost_wakeup(bool guilty)
{
    bad = guilty;
    pthread_mutex_lock(&a);
    ready = true;
    pthread_cond_signal(&condition);
    pthread_mutex_unlock(&a);
    pthread_join(start(never_wakes, NULL), NULL);
}

static void *arrive(void *barrier)
{
    pthread_barrier_wait(barrier);
    return NULL;
}

static void short_barrier(bool guilty)
{
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, guilty ? 3 : 2);
    run_together(arrive, arrive, &barrier);
}

static void semaphore_hang(bool guilty)
{
    sem_t semaphore;
    sem_init(&semaphore, 0, guilty ? 0 : 1);
    while (sem_wait(&semaphore) == -1 && errno == EINTR)
        ;
}

static void inherited(bool guilty)
{
    pthread_mutex_lock(&a);
    pid_t child = fork();
    if (child == 0) {
        if (guilty)
            pthread_mutex_lock(&a);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    pthread_mutex_unlock(&a);
}

static void across_processes(bool guilty)
{
    struct shared {
        pthread_mutex_t x, y;
        pthread_barrier_t barrier;
    } *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t mutexes;
    pthread_barrierattr_t barriers;
    pthread_mutexattr_init(&mutexes);
    pthread_mutexattr_setpshared(&mutexes, PTHREAD_PROCESS_SHARED);
    pthread_barrierattr_init(&barriers);
    pthread_barrierattr_setpshared(&barriers, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&shared->x, &mutexes);
    pthread_mutex_init(&shared->y, &mutexes);
    pthread_barrier_init(&shared->barrier, &barriers, 2);
    pid_t child = fork();
    pthread_mutex_t *mine = child ? &shared->x : &shared->y,
                    *other = child ? &shared->y : &shared->x;
    pthread_mutex_lock(mine);
    pthread_barrier_wait(&shared->barrier);
    if (guilty) {
        pthread_mutex_lock(other);
        pthread_mutex_unlock(other);
    }
    pthread_mutex_unlock(mine);
    if (child == 0)
        _exit(0);
    waitpid(child, NULL, 0);
}

/* Both write more than the pipes hold before they read. */
static int there[2], back[2];

static void pump(int out, int in, bool first_write)
{
    char block[4096] = {0};
    if (first_write)
        for (int i = 0; i < (bad ? 64 : 4); i++)
            if (write(out, block, sizeof block) < 0)
                return;
    for (int i = 0; i < (bad ? 64 : 4); i++)
        if (read(in, block, sizeof block) < 0)
            return;
}

static void *pump_there(void *unused)
{
    pump(there[1], back[0], true);
    return unused;
}

static void *pump_back(void *unused)
{
    pump(back[1], there[0], true);
    return unused;
}

static void full_pipes(bool guilty)
{
    bad = guilty;
    if (pipe(there) || pipe(back))
        abort();
    run_together(pump_there, pump_back, NULL);
}

/* Waiting for the outside is no hang: these end by themselves, slowly. */
static void *slow_writer(void *unused)
{
    pause_ms(400);
    if (write(there[1], "x", 1) != 1)
        abort();
    return unused;
}

static void slow_pipe(bool guilty)
{
    char byte;
    if (pipe(there))
        abort();
    if (guilty) { /* nobody has the other end but the reader itself */
        if (read(there[0], &byte, 1) < 0)
            abort();
        return;
    }
    pthread_t writer = start(slow_writer, NULL);
    if (read(there[0], &byte, 1) != 1)
        abort();
    pthread_join(writer, NULL);
}

static void timed_only(bool guilty)
{
    struct timespec soon;
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_sec += 1;
    pthread_mutex_lock(&a);
    if (guilty) {
        pthread_mutex_lock(&a);
    } else if (pthread_mutex_timedlock(&a, &soon) == 0) {
        pthread_mutex_unlock(&a);
    }
    pthread_mutex_unlock(&a);
}

/* One process dies with a lock that both share. A robust one tells the next owner so. */
static void shared_owner_gone(bool guilty)
{
    pthread_mutex_t *lock =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    if (!guilty)
        pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(lock, &attributes);
    pid_t child = fork();
    if (child == 0) {
        pthread_mutex_lock(lock);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    if (pthread_mutex_lock(lock) == EOWNERDEAD)
        pthread_mutex_consistent(lock);
    pthread_mutex_unlock(lock);
}

/* A waiter is there already when the owner's process dies; a robust lock wakes it. */
static void shared_owner_killed(bool guilty)
{
    struct shared {
        pthread_mutex_t lock;
        pthread_barrier_t barrier;
    } *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t mutexes;
    pthread_barrierattr_t barriers;
    pthread_mutexattr_init(&mutexes);
    pthread_mutexattr_setpshared(&mutexes, PTHREAD_PROCESS_SHARED);
    if (!guilty)
        pthread_mutexattr_setrobust(&mutexes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&shared->lock, &mutexes);
    pthread_barrierattr_init(&barriers);
    pthread_barrierattr_setpshared(&barriers, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&shared->barrier, &barriers, 2);
    pid_t child = fork();
    if (child == 0) {
        pthread_mutex_lock(&shared->lock);
        pthread_barrier_wait(&shared->barrier);
        pause_ms(150);
        kill(getpid(), SIGKILL);
    }
    pthread_barrier_wait(&shared->barrier);
    if (pthread_mutex_lock(&shared->lock) == EOWNERDEAD)
        pthread_mutex_consistent(&shared->lock);
    pthread_mutex_unlock(&shared->lock);
    waitpid(child, NULL, 0);
}

/* Whoever takes the gate lets nobody begin any more, and waits for those under way. They may signal
 * the end of their work; they must not need the gate for it. */
static int under_way;

static void *work_under_way(void *unused)
{
    for (int i = 0; i < 3; i++) {
        pthread_mutex_lock(&a);
        __atomic_add_fetch(&under_way, 1, __ATOMIC_SEQ_CST);
        pthread_mutex_unlock(&a);
        pause_ms(30);
        if (bad)
            pthread_mutex_lock(&a);
        pthread_mutex_lock(&b);
        if (__atomic_sub_fetch(&under_way, 1, __ATOMIC_SEQ_CST) == 0)
            pthread_cond_broadcast(&condition);
        pthread_mutex_unlock(&b);
        if (bad)
            pthread_mutex_unlock(&a);
    }
    return unused;
}

static void *drain(void *unused)
{
    for (int i = 0; i < 2; i++) {
        pause_ms(20);
        pthread_mutex_lock(&a);
        pthread_mutex_lock(&b);
        while (__atomic_load_n(&under_way, __ATOMIC_SEQ_CST))
            pthread_cond_wait(&condition, &b);
        pthread_mutex_unlock(&b);
        pthread_mutex_unlock(&a);
    }
    return unused;
}

static void drain_under_lock(bool guilty)
{
    bad = guilty;
    run_together(work_under_way, drain, NULL);
}

static sem_t left, right;
static bool over;

/* Two semaphores that were locks until now, in opposite orders, while a third thread goes on. */
static void *sem_cross(void *number)
{
    sem_t *mine = number ? &left : &right, *other = number ? &right : &left;
    for (int i = 0; i < 2; i++) {
        sem_wait(mine);
        sem_post(mine);
    }
    pthread_barrier_wait(&both);
    sem_wait(mine);
    pthread_barrier_wait(&both);
    if (bad) {
        sem_wait(other);
        sem_post(other);
    }
    sem_post(mine);
    return NULL;
}

static void *go_on(void *unused)
{
    while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE))
        pause_ms(10);
    return unused;
}

static void semaphores_cross(bool guilty)
{
    bad = guilty;
    sem_init(&left, 0, 1);
    sem_init(&right, 0, 1);
    pthread_barrier_init(&both, NULL, 2);
    pthread_t worker = start(go_on, NULL);
    pthread_t one = start(sem_cross, NULL), two = start(sem_cross, &bad);
    if (!guilty)
        pause_ms(1500);
    pthread_join(one, NULL);
    pthread_join(two, NULL);
    __atomic_store_n(&over, true, __ATOMIC_RELEASE);
    pthread_join(worker, NULL);
}

static int bell;

/* Rings twice for one who listens three times. */
static void *listen_thrice(void *unused)
{
    uint64_t rung;
    for (int i = 0; i < 3; i++)
        if (read(bell, &rung, sizeof rung) != sizeof rung)
            abort();
    return unused;
}

static void *ring(void *unused)
{
    const uint64_t once = 1;
    for (int i = 0; i < (bad ? 2 : 3); i++) {
        pause_ms(i == 2 ? 1500 : 20);
        if (write(bell, &once, sizeof once) != sizeof once)
            abort();
    }
    return unused;
}

static void eventfd_hang(bool guilty)
{
    bad = guilty;
    bell = eventfd(0, 0);
    run_together(listen_thrice, ring, NULL);
}

/* Question and answer, and the last question is not asked. */
static void *answer(void *unused)
{
    char byte;
    for (int i = 0; i < 3; i++)
        if (recv(there[1], &byte, 1, 0) != 1 || send(there[1], &byte, 1, 0) != 1)
            abort();
    return unused;
}

static void *ask(void *unused)
{
    char byte = 'x';
    for (int i = 0; i < (bad ? 2 : 3); i++) {
        pause_ms(i == 2 ? 1500 : 20);
        if (send(there[0], &byte, 1, 0) != 1 || recv(there[0], &byte, 1, 0) != 1)
            abort();
    }
    return unused;
}

static void socket_hang(bool guilty)
{
    bad = guilty;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, there))
        abort();
    run_together(answer, ask, NULL);
}

/* The twin's wait has a limit, of which the call says nothing. */
static void socket_limit(bool guilty)
{
    struct timeval limit = {.tv_sec = 1, .tv_usec = 500000};
    char byte;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, there))
        abort();
    if (!guilty)
        setsockopt(there[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (recv(there[0], &byte, 1, 0) >= 0)
        abort();
}

/* A queue whose name is gone: nobody else can come to it. */
static mqd_t queue;

static void *send_late(void *unused)
{
    pause_ms(1500);
    if (mq_send(queue, "x", 1, 0) != 0)
        abort();
    return unused;
}

static void queue_hang(bool guilty)
{
    struct mq_attr attributes = {.mq_maxmsg = 2, .mq_msgsize = 8};
    char message[8], queue_name[32];
    snprintf(queue_name, sizeof queue_name, "/reel-matrix-%d", (int)getpid());
    queue = mq_open(queue_name, O_RDWR | O_CREAT, 0600, &attributes);
    mq_unlink(queue_name);
    if (queue == (mqd_t)-1)
        abort();
    pthread_t sender;
    if (!guilty)
        sender = start(send_late, NULL);
    if (mq_receive(queue, message, sizeof message, NULL) != 1)
        abort();
    if (!guilty)
        pthread_join(sender, NULL);
}

static void stop(int number)
{
    (void)number;
}

static void wake(int number)
{
    (void)number;
    sem_post(&left);
}

/* A handler for what a person sends to stop the program wakes nobody at a barrier; one for an alarm
 * may wake who waits for a semaphore. */
static void handlers(bool guilty)
{
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    if (guilty) {
        short_barrier(true);
        return;
    }
    signal(SIGALRM, wake);
    sem_init(&left, 0, 0);
    alarm(2);
    while (sem_wait(&left) == -1 && errno == EINTR)
        ;
}

static pthread_t the_main;

static void *join_main(void *unused)
{
    pthread_join(the_main, NULL);
    return unused;
}

/* A thread may wait for the first one's end, and the first one may end alone. */
static void join_main_circle(bool guilty)
{
    the_main = pthread_self();
    pthread_t thread = start(join_main, NULL);
    if (!guilty)
        pthread_exit(NULL);
    pthread_join(thread, NULL);
}

const struct matrix_case observed_cases[] = {
    {"cross", "deadlock", "observed", cross},
    {"self", "deadlock", "observed", self},
    {"self-beside-others", "deadlock", "observed", self_beside_others},
    {"rwlock-upgrade", "deadlock", "observed", upgrade},
    {"join-cycle", "deadlock,hang", "observed", join_cycle},
    {"join-holding", "deadlock", "observed", join_holding},
    {"owner-gone", "deadlock", "observed", owner_gone},
    {"signal-before-wait", "lost-wakeup,hang", "observed", lost_wakeup},
    {"short-barrier", "hang", "observed", short_barrier},
    {"semaphore-never-posted", "hang,deadlock", "observed", semaphore_hang},
    {"inherited-by-fork", "deadlock", "observed", inherited},
    {"across-processes", "deadlock", "observed", across_processes},
    {"shared-owner-gone", "deadlock", "observed", shared_owner_gone},
    {"shared-owner-killed", "deadlock", "observed", shared_owner_killed},
    {"join-main", "deadlock", "observed", join_main_circle},
    {"drain-under-lock", "hang", "observed", drain_under_lock},
    {"semaphores-beside-work", "deadlock", "observed", semaphores_cross},
    {"eventfd", "hang", "observed", eventfd_hang},
    {"socket-pair", "hang", "observed", socket_hang},
    {"socket-with-limit", "hang", "observed", socket_limit},
    {"unnamed-queue", "hang", "observed", queue_hang},
    {"handlers", "hang", "observed", handlers},
    {"full-pipes", "hang,deadlock", "observed", full_pipes},
    {"pipe-to-oneself", "hang,deadlock", "observed", slow_pipe},
    {"timed-is-no-deadlock", "deadlock", "observed", timed_only},
    {0},
};
