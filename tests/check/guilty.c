/* Programs that hang for ever, each in its own way: guilty NAME. The watch must end every one of
 * them. Nothing here depends on luck: both parties hold what they hold before either asks. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_barrier_t both;
static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t shelf = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t left, right;
static sem_t unit_a, unit_b;
static pthread_once_t once_a = PTHREAD_ONCE_INIT;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static pthread_t main_thread;

static pthread_t start(void *(*routine)(void *))
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, routine, NULL) != 0)
        exit(1);
    return thread;
}

static void run_two(void *(*one)(void *), void *(*other)(void *))
{
    pthread_barrier_init(&both, NULL, 2);
    pthread_t a = start(one), b = start(other);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
}

/* Two that read, and both want to write. */
static void *upgrade(void *unused)
{
    pthread_rwlock_rdlock(&shelf);
    pthread_barrier_wait(&both);
    pthread_rwlock_wrlock(&shelf);
    return unused;
}

static void rwlock_upgrade(void)
{
    run_two(upgrade, upgrade);
}

/* A lock and a reader-writer lock, in opposite order. */
static void *lock_then_write(void *unused)
{
    pthread_mutex_lock(&first);
    pthread_barrier_wait(&both);
    pthread_rwlock_wrlock(&shelf);
    return unused;
}

static void *read_then_lock(void *unused)
{
    pthread_rwlock_rdlock(&shelf);
    pthread_barrier_wait(&both);
    pthread_mutex_lock(&first);
    return unused;
}

static void rwlock_and_mutex(void)
{
    run_two(lock_then_write, read_then_lock);
}

static void *spin_left(void *unused)
{
    pthread_spin_lock(&left);
    pthread_barrier_wait(&both);
    pthread_spin_lock(&right);
    return unused;
}

static void *spin_right(void *unused)
{
    pthread_spin_lock(&right);
    pthread_barrier_wait(&both);
    pthread_spin_lock(&left);
    return unused;
}

static void spinlocks(void)
{
    pthread_spin_init(&left, PTHREAD_PROCESS_PRIVATE);
    pthread_spin_init(&right, PTHREAD_PROCESS_PRIVATE);
    run_two(spin_left, spin_right);
}

/* Waits for a thread that needs the lock it holds. */
static void *needs_first(void *unused)
{
    pthread_barrier_wait(&both);
    pthread_mutex_lock(&first);
    return unused;
}

static void hold_and_join(void)
{
    pthread_barrier_init(&both, NULL, 2);
    pthread_mutex_lock(&first);
    pthread_t thread = start(needs_first);
    pthread_barrier_wait(&both);
    pthread_join(thread, NULL);
}

static void *join_main(void *unused)
{
    pthread_join(main_thread, NULL);
    return unused;
}

static void join_circle(void)
{
    main_thread = pthread_self();
    pthread_join(start(join_main), NULL);
}

static void *leave_locked(void *unused)
{
    pthread_mutex_lock(&first);
    return unused;
}

static void owner_gone(void)
{
    pthread_join(start(leave_locked), NULL);
    pthread_mutex_lock(&first);
}

static void *take_a(void *unused)
{
    sem_wait(&unit_a);
    pthread_barrier_wait(&both);
    sem_wait(&unit_b);
    return unused;
}

static void *take_b(void *unused)
{
    sem_wait(&unit_b);
    pthread_barrier_wait(&both);
    sem_wait(&unit_a);
    return unused;
}

static void semaphores(void)
{
    sem_init(&unit_a, 0, 1);
    sem_init(&unit_b, 0, 1);
    run_two(take_a, take_b);
}

static void once_routine(void)
{
    pthread_barrier_wait(&both);
    pthread_mutex_lock(&first);
}

static void *run_once(void *unused)
{
    pthread_once(&once_a, once_routine);
    return unused;
}

static void *lock_and_once(void *unused)
{
    pthread_mutex_lock(&first);
    pthread_barrier_wait(&both);
    pthread_once(&once_a, once_routine);
    return unused;
}

static void once(void)
{
    run_two(run_once, lock_and_once);
}

/* Both ends of two pipes are within; each side waits for the other to speak first. */
static void pipes(void)
{
    int question[2], answer[2];
    char byte;
    if (pipe(question) != 0 || pipe(answer) != 0)
        exit(1);
    pid_t child = fork();
    if (child == 0) {
        if (read(question[0], &byte, 1) == 1)
            _exit(0);
        _exit(1);
    }
    if (read(answer[0], &byte, 1) == 1)
        waitpid(child, NULL, 0);
}

/* Two processes, two files, opposite order. */
static void lock_files(const char *one, const char *other, int ready, int go)
{
    int a = open(one, O_RDWR | O_CREAT, 0600), b = open(other, O_RDWR | O_CREAT, 0600);
    char byte = 0;
    flock(a, LOCK_EX);
    if (write(ready, &byte, 1) != 1 || read(go, &byte, 1) != 1)
        exit(1);
    flock(b, LOCK_EX);
}

static void file_locks(void)
{
    int forth[2], back[2];
    if (pipe(forth) != 0 || pipe(back) != 0)
        exit(1);
    pid_t child = fork();
    if (child == 0) {
        lock_files("guilty-a.lock", "guilty-b.lock", forth[1], back[0]);
        _exit(0);
    }
    lock_files("guilty-b.lock", "guilty-a.lock", back[1], forth[0]);
    waitpid(child, NULL, 0);
}

/* A process dies with a lock that others share. */
static void owner_process_gone(void)
{
    pthread_mutexattr_t attributes;
    int file = open("guilty.shared", O_RDWR | O_CREAT, 0600);
    if (file < 0 || ftruncate(file, 4096) != 0)
        exit(1);
    pthread_mutex_t *lock = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(lock, &attributes);
    pid_t child = fork();
    if (child == 0) {
        pthread_mutex_lock(lock);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    pthread_mutex_lock(lock);
}

/* Three in a circle, while a fourth goes on computing: the program is not quiet, but part of it is
 * dead. */
static pthread_mutex_t ring[3] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
                                  PTHREAD_MUTEX_INITIALIZER};

static void *sit(void *argument)
{
    size_t seat = (size_t)argument;
    pthread_mutex_lock(&ring[seat]);
    pthread_barrier_wait(&both);
    pthread_mutex_lock(&ring[(seat + 1) % 3]);
    return NULL;
}

static void circle_beside_work(void)
{
    pthread_t thread;
    pthread_barrier_init(&both, NULL, 3);
    for (size_t i = 0; i < 3; i++)
        pthread_create(&thread, NULL, sit, (void *)i);
    for (;;)
        usleep(10000);
}

static void condition(void)
{
    pthread_mutex_lock(&second);
    pthread_cond_wait(&never, &second);
}

static const struct {
    const char *name;
    void (*run)(void);
} programs[] = {
    {"rwlock-upgrade", rwlock_upgrade},
    {"rwlock-and-mutex", rwlock_and_mutex},
    {"spinlocks", spinlocks},
    {"hold-and-join", hold_and_join},
    {"join-circle", join_circle},
    {"owner-gone", owner_gone},
    {"owner-process-gone", owner_process_gone},
    {"semaphores", semaphores},
    {"once", once},
    {"pipes", pipes},
    {"file-locks", file_locks},
    {"circle-beside-work", circle_beside_work},
    {"condition", condition},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
        if (argc > 1 && strcmp(argv[1], programs[i].name) == 0) {
            programs[i].run();
            return 0;
        }
    for (size_t i = 0; argc == 1 && i < sizeof programs / sizeof programs[0]; i++)
        puts(programs[i].name);
    return argc > 1;
}
