/* Deadlocks and hangs that happen. A guilty one never ends by itself. */
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
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
    {"full-pipes", "hang,deadlock", "observed", full_pipes},
    {"pipe-to-oneself", "hang,deadlock", "observed", slow_pipe},
    {"timed-is-no-deadlock", "deadlock", "observed", timed_only},
    {0},
};
