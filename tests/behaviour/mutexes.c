/* Mutexes of every type, protocol and robustness: all their answers. */
#include <pthread.h>
#include <sys/mman.h>
#include <threads.h>

#include "case.h"

static pthread_mutex_t *make(int type, int robust, int protocol, int shared)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, type);
    pthread_mutexattr_setrobust(&attributes, robust);
    pthread_mutexattr_setprotocol(&attributes, protocol);
    pthread_mutexattr_setpshared(&attributes, shared);
    pthread_mutex_t *mutex = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                                  (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS, -1, 0);
    tell("init", pthread_mutex_init(mutex, &attributes));
    return mutex;
}

static void *try_it(void *mutex)
{
    struct timespec past = {0, 0}, invalid = {0, 2000000000}, negative = {-5, 0},
                    soon = deadline_ms(CLOCK_REALTIME, 3);
    tell("  another tries", pthread_mutex_trylock(mutex));
    tell("  another, deadline past", pthread_mutex_timedlock(mutex, &past));
    tell("  another, deadline invalid", pthread_mutex_timedlock(mutex, &invalid));
    tell("  another, deadline negative", pthread_mutex_timedlock(mutex, &negative));
    tell("  another, deadline soon", pthread_mutex_timedlock(mutex, &soon));
    soon = deadline_ms(CLOCK_MONOTONIC, 3);
    tell("  another, other clock", pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, &soon));
    tell("  another, no such clock", pthread_mutex_clocklock(mutex, 77, &soon));
    return NULL;
}

static void *unlock_it(void *mutex)
{
    tell("  another unlocks", pthread_mutex_unlock(mutex));
    return NULL;
}

static void in_another(void *(*what)(void *), void *mutex)
{
    pthread_t thread;
    pthread_create(&thread, NULL, what, mutex);
    pthread_join(thread, NULL);
}

static void exercise(const char *name, pthread_mutex_t *mutex, int type)
{
    printf("%s\n", name);
    struct timespec past = {0, 0}, invalid = {0, -1};
    tell("lock", pthread_mutex_lock(mutex));
    in_another(try_it, mutex);
    tell("try again", pthread_mutex_trylock(mutex));
    if (type == PTHREAD_MUTEX_ERRORCHECK || type == PTHREAD_MUTEX_RECURSIVE)
        tell("lock again", pthread_mutex_lock(mutex));
    tell("timed again", pthread_mutex_timedlock(mutex, &past));
    tell("destroy a locked one", pthread_mutex_destroy(mutex));
    if (type == PTHREAD_MUTEX_ERRORCHECK || type == PTHREAD_MUTEX_RECURSIVE) {
        in_another(unlock_it, mutex);
        while (pthread_mutex_unlock(mutex) == 0)
            puts("unlock");
        tell("unlock once more", pthread_mutex_unlock(mutex));
    } else {
        tell("unlock", pthread_mutex_unlock(mutex));
    }
    tell("timed, free, invalid", pthread_mutex_timedlock(mutex, &invalid));
    if (pthread_mutex_trylock(mutex) == 0)
        tell("unlock", pthread_mutex_unlock(mutex));
    tell("consistent", pthread_mutex_consistent(mutex));
    tell("destroy", pthread_mutex_destroy(mutex));
}

static int types(void)
{
    exercise("normal", make(PTHREAD_MUTEX_NORMAL, 0, 0, 0), PTHREAD_MUTEX_NORMAL);
    exercise("adaptive", make(PTHREAD_MUTEX_ADAPTIVE_NP, 0, 0, 0), PTHREAD_MUTEX_ADAPTIVE_NP);
    exercise("error-checking", make(PTHREAD_MUTEX_ERRORCHECK, 0, 0, 0), PTHREAD_MUTEX_ERRORCHECK);
    exercise("recursive", make(PTHREAD_MUTEX_RECURSIVE, 0, 0, 0), PTHREAD_MUTEX_RECURSIVE);
    return 0;
}

static int protocols(void)
{
    exercise("inherit", make(PTHREAD_MUTEX_NORMAL, 0, PTHREAD_PRIO_INHERIT, 0),
             PTHREAD_MUTEX_NORMAL);
    exercise("inherit, error-checking", make(PTHREAD_MUTEX_ERRORCHECK, 0, PTHREAD_PRIO_INHERIT, 0),
             PTHREAD_MUTEX_ERRORCHECK);
    exercise("inherit, recursive, robust",
             make(PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_INHERIT, 0),
             PTHREAD_MUTEX_RECURSIVE);
    exercise("protect", make(PTHREAD_MUTEX_NORMAL, 0, PTHREAD_PRIO_PROTECT, 0),
             PTHREAD_MUTEX_NORMAL);
    return 0;
}

static void *lock_and_die(void *mutex)
{
    pthread_mutex_lock(mutex);
    return NULL;
}

static void robust_with(int protocol)
{
    pthread_mutex_t *mutex = make(PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_ROBUST, protocol, 0);
    in_another(lock_and_die, mutex);
    tell("lock of a dead owner", pthread_mutex_lock(mutex));
    tell("consistent", pthread_mutex_consistent(mutex));
    tell("unlock", pthread_mutex_unlock(mutex));
    tell("lock", pthread_mutex_lock(mutex));
    tell("unlock", pthread_mutex_unlock(mutex));
    in_another(lock_and_die, mutex);
    tell("try", pthread_mutex_trylock(mutex));
    tell("unlock without repair", pthread_mutex_unlock(mutex));
    tell("lock", pthread_mutex_lock(mutex));
    tell("try", pthread_mutex_trylock(mutex));
    struct timespec past = {0, 0};
    tell("timed", pthread_mutex_timedlock(mutex, &past));
    tell("destroy", pthread_mutex_destroy(mutex));
}

static int robust(void)
{
    robust_with(PTHREAD_PRIO_NONE);
    robust_with(PTHREAD_PRIO_INHERIT);
    return 0;
}

static int shared(void)
{
    pthread_mutex_t *mutex = make(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, 0, 1);
    volatile long *count = (volatile long *)(mutex + 1);
    pid_t child[4];
    for (int i = 0; i < 4; i++)
        if ((child[i] = fork()) == 0) {
            for (int k = 0; k < 20000; k++) {
                pthread_mutex_lock(mutex);
                ++*count;
                pthread_mutex_unlock(mutex);
            }
            _exit(0);
        }
    for (int i = 0; i < 4; i++)
        tell_end("child", child[i]);
    printf("count %ld\n", *count);
    fflush(stdout);
    if ((child[0] = fork()) == 0) {
        pthread_mutex_lock(mutex);
        _exit(0);
    }
    tell_end("one that dies with it", child[0]);
    tell("after a dead child", pthread_mutex_lock(mutex));
    tell("consistent", pthread_mutex_consistent(mutex));
    tell("unlock", pthread_mutex_unlock(mutex));
    return 0;
}

static int c11(void)
{
    mtx_t plain, recursive, timed;
    struct timespec past = {0, 0};
    printf("init %d %d %d\n", mtx_init(&plain, mtx_plain),
           mtx_init(&recursive, mtx_plain | mtx_recursive), mtx_init(&timed, mtx_timed));
    printf("lock %d\n", mtx_lock(&plain));
    printf("busy %d\n", mtx_trylock(&plain) == thrd_busy);
    printf("recursive %d %d\n", mtx_lock(&recursive), mtx_trylock(&recursive));
    printf("timed %d\n", mtx_timedlock(&timed, &past));
    printf("timed out %d\n", mtx_timedlock(&timed, &past) == thrd_timedout);
    printf("unlock %d %d %d %d\n", mtx_unlock(&plain), mtx_unlock(&recursive),
           mtx_unlock(&recursive), mtx_unlock(&timed));
    mtx_destroy(&plain);
    mtx_destroy(&recursive);
    mtx_destroy(&timed);
    return 0;
}

/* errno is the program's: no successful call of ours may touch it. */
static int errno_kept(void)
{
    pthread_mutex_t *mutex = make(PTHREAD_MUTEX_ERRORCHECK, 0, 0, 0);
    pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    struct timespec past = {0, 0};
    errno = 4242;
    for (int i = 0; i < 10000; i++) {
        pthread_mutex_lock(mutex);
        pthread_mutex_lock(mutex);
        pthread_mutex_trylock(mutex);
        pthread_cond_timedwait(&condition, mutex, &past);
        pthread_cond_signal(&condition);
        pthread_mutex_unlock(mutex);
        pthread_mutex_unlock(mutex);
    }
    printf("errno %d\n", errno);
    pthread_t thread;
    pthread_create(&thread, NULL, lock_and_die, mutex);
    pthread_join(thread, NULL);
    printf("errno %d\n", errno);
    return 0;
}

/* A statically initialised one of each kind, and memory that is locked, freed and used again. */
static int lifetimes(void)
{
    static pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
    tell("recursive", pthread_mutex_lock(&recursive) | pthread_mutex_lock(&recursive));
    for (int i = 0; i < 2000; i++) {
        pthread_mutex_t *mutex = malloc(sizeof *mutex + (size_t)(i % 7) * 40);
        pthread_mutex_init(mutex, NULL);
        if (pthread_mutex_lock(mutex) || pthread_mutex_unlock(mutex) ||
            pthread_mutex_destroy(mutex))
            puts("failed");
        free(mutex);
    }
    pthread_mutex_t dead;
    pthread_mutex_init(&dead, NULL);
    pthread_mutex_destroy(&dead);
    tell("lock a destroyed one", pthread_mutex_lock(&dead));
    return 0;
}

BEHAVIOURS({"types", types}, {"protocols", protocols}, {"robust", robust}, {"shared", shared},
           {"c11", c11}, {"errno", errno_kept}, {"lifetimes", lifetimes});
