/* Locks, conditions, barriers and threads used against their rules. */
#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cases.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static bool bad, done;

static void *unlock_a(void *unused)
{
    if (bad)
        pthread_mutex_unlock(&a);
    return unused;
}

static void foreign_unlock(bool guilty)
{
    bad = guilty;
    pthread_mutex_lock(&a);
    pthread_join(start(unlock_a, NULL), NULL);
    if (!guilty)
        pthread_mutex_unlock(&a);
}

static void unlock_unlocked(bool guilty)
{
    pthread_mutex_lock(&a);
    pthread_mutex_unlock(&a);
    if (guilty)
        pthread_mutex_unlock(&a);
}

static void error_checking(bool guilty)
{
    pthread_mutex_t mutex;
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&mutex, &attributes);
    pthread_mutex_lock(&mutex);
    if (guilty)
        pthread_mutex_lock(&mutex); /* EDEADLK */
    pthread_mutex_unlock(&mutex);
    pthread_mutex_destroy(&mutex);
}

static void destroy_locked(bool guilty)
{
    pthread_mutex_t *mutex = malloc(sizeof *mutex);
    pthread_mutex_init(mutex, NULL);
    pthread_mutex_lock(mutex);
    if (!guilty)
        pthread_mutex_unlock(mutex);
    pthread_mutex_destroy(mutex);
    free(mutex);
}

static void use_after_destroy(bool guilty)
{
    static pthread_mutex_t mutex;
    pthread_mutex_init(&mutex, NULL);
    if (guilty)
        pthread_mutex_destroy(&mutex);
    if (pthread_mutex_lock(&mutex) == 0)
        pthread_mutex_unlock(&mutex);
    if (!guilty)
        pthread_mutex_destroy(&mutex);
}

static void *wait_with_b(void *unused)
{
    pthread_mutex_t *mutex = bad ? &b : &a;
    pthread_mutex_lock(mutex);
    while (!done)
        pthread_cond_wait(&condition, mutex);
    pthread_mutex_unlock(mutex);
    return unused;
}

static void *wait_with_a(void *unused)
{
    pthread_mutex_lock(&a);
    while (!done)
        pthread_cond_wait(&condition, &a);
    pthread_mutex_unlock(&a);
    return unused;
}

static void two_mutexes(bool guilty)
{
    bad = guilty;
    pthread_t x = start(wait_with_a, NULL), y = start(wait_with_b, NULL);
    pause_ms(50);
    pthread_mutex_lock(&a);
    pthread_mutex_lock(&b);
    done = true;
    pthread_cond_broadcast(&condition);
    pthread_mutex_unlock(&b);
    pthread_mutex_unlock(&a);
    pthread_join(x, NULL);
    pthread_join(y, NULL);
}

static void wait_unheld(bool guilty)
{
    struct timespec soon;
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_nsec += 20000000;
    if (soon.tv_nsec >= 1000000000) {
        soon.tv_nsec -= 1000000000;
        soon.tv_sec++;
    }
    if (!guilty)
        pthread_mutex_lock(&a);
    pthread_cond_timedwait(&condition, &a, &soon);
    pthread_mutex_unlock(&a);
}

static void *read_lock(void *lock)
{
    pthread_rwlock_rdlock(lock);
    if (!bad)
        pthread_rwlock_unlock(lock);
    return NULL;
}

static void exit_holding(bool guilty)
{
    static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
    bad = guilty;
    pthread_join(start(read_lock, &lock), NULL);
}

static void unlock_rwlock(bool guilty)
{
    pthread_rwlock_t *lock = calloc(1, sizeof *lock);
    pthread_rwlock_init(lock, NULL);
    pthread_rwlock_rdlock(lock);
    pthread_rwlock_unlock(lock);
    if (guilty)
        pthread_rwlock_unlock(lock);
    if (!guilty) {
        pthread_rwlock_destroy(lock);
        free(lock);
    }
}

static void recursive_left(bool guilty)
{
    pthread_mutex_t mutex;
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&mutex, &attributes);
    pthread_mutex_lock(&mutex);
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    if (!guilty)
        pthread_mutex_unlock(&mutex);
    pthread_mutex_destroy(&mutex);
}

static void invalid_timeout(bool guilty)
{
    struct timespec when = {.tv_sec = 1, .tv_nsec = guilty ? 2000000000 : 0};
    pthread_mutex_lock(&a);
    pthread_cond_timedwait(&condition, &a, &when);
    pthread_mutex_unlock(&a);
}

static void *nothing(void *unused)
{
    return unused;
}

static void join_detached(bool guilty)
{
    pthread_t thread = start(nothing, NULL);
    if (guilty) {
        pthread_detach(thread);
        pthread_detach(thread);
    } else {
        pthread_join(thread, NULL);
    }
    pause_ms(20);
}

/* Short threads by themselves, whose handles are used again at once. */
static void *detach_self(void *unused)
{
    pthread_detach(pthread_self());
    return unused;
}

static void *make_short_threads(void *unused)
{
    for (int i = 0; i < 500; i++) {
        pthread_t thread;
        bool by_itself = i % 3 == 0, joined = i % 3 == 1;
        if (pthread_create(&thread, NULL, by_itself ? detach_self : nothing, NULL) != 0)
            pause_ms(1);
        else if (joined)
            pthread_join(thread, NULL);
        else if (!by_itself)
            pthread_detach(thread);
    }
    return unused;
}

static void detach_many(bool guilty)
{
    pthread_t maker[4];
    for (int i = 0; i < 4; i++)
        maker[i] = start(make_short_threads, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(maker[i], NULL);
    join_detached(guilty);
}

static void *cancelled(void *unused)
{
    pthread_mutex_lock(&a);
    while (!done)
        pthread_cond_wait(&condition, &a);
    pthread_mutex_unlock(&a);
    return unused;
}

static void unlock_cleanup(void *mutex)
{
    pthread_mutex_unlock(mutex);
}

static void *cancelled_clean(void *unused)
{
    pthread_mutex_lock(&a);
    pthread_cleanup_push(unlock_cleanup, &a);
    while (!done)
        pthread_cond_wait(&condition, &a);
    pthread_cleanup_pop(1);
    return unused;
}

static void cancelled_holding(bool guilty)
{
    pthread_t thread = start(guilty ? cancelled : cancelled_clean, NULL);
    pause_ms(30);
    pthread_cancel(thread);
    pthread_join(thread, NULL);
}

const struct matrix_case misuse_cases[] = {
    {"unlock-by-another", "misuse", "misuse", foreign_unlock},
    {"unlock-unlocked", "misuse", "misuse", unlock_unlocked},
    {"double-lock-checked", "misuse,deadlock", "misuse", error_checking},
    {"destroy-locked", "misuse", "misuse", destroy_locked},
    {"use-after-destroy", "misuse", "misuse", use_after_destroy},
    {"two-mutexes-one-condition", "misuse", "misuse", two_mutexes},
    {"wait-with-mutex-not-held", "misuse", "misuse", wait_unheld},
    {"exit-holding-rwlock", "misuse", "misuse", exit_holding},
    {"unlock-rwlock-not-held", "misuse", "misuse", unlock_rwlock},
    {"recursive-left-locked", "misuse", "misuse", recursive_left},
    {"invalid-timeout", "misuse", "misuse", invalid_timeout},
    {"detach-twice", "misuse", "misuse", join_detached},
    {"detach-twice-among-many", "misuse", "misuse", detach_many},
    {"cancelled-holding", "misuse", "misuse", cancelled_holding},
    {0},
};
