/* Deadlocks that do not happen in the run. */
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

#include "cases.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER,
                       gate = PTHREAD_MUTEX_INITIALIZER;
static bool bad;

static void *ab(void *unused)
{
    take_both(&a, &b);
    return unused;
}

static void *ba_or_ab(void *unused)
{
    if (bad)
        take_both(&b, &a);
    else
        take_both(&a, &b);
    return unused;
}

static void *ba(void *unused)
{
    take_both(&b, &a);
    return unused;
}

static void opposite(bool guilty)
{
    bad = guilty;
    run_apart(ab, ba_or_ab, NULL);
}

static void *gated_ab(void *unused)
{
    pthread_mutex_lock(&gate);
    take_both(&a, &b);
    pthread_mutex_unlock(&gate);
    return unused;
}

static void *gated_ba(void *unused)
{
    if (!bad)
        pthread_mutex_lock(&gate);
    take_both(&b, &a);
    if (!bad)
        pthread_mutex_unlock(&gate);
    return unused;
}

static void gate_lock(bool guilty)
{
    bad = guilty;
    run_apart(gated_ab, gated_ba, NULL);
}

static void after_join(bool guilty)
{
    if (guilty) {
        run_apart(ab, ba, NULL);
        return;
    }
    pthread_join(start(ab, NULL), NULL);
    pthread_join(start(ba, NULL), NULL);
}

static void before_create(bool guilty)
{
    if (!guilty)
        take_both(&a, &b);
    pthread_t thread = start(ba, NULL);
    pause_ms(20);
    if (guilty)
        take_both(&a, &b);
    pthread_join(thread, NULL);
}

/* A gate that the creator holds around create and join guards what the child does. */
static void *parent_gated(void *unused)
{
    take_both(&b, &a);
    return unused;
}

static void *gating_parent(void *unused)
{
    if (!bad)
        pthread_mutex_lock(&gate);
    pthread_join(start(parent_gated, NULL), NULL);
    if (!bad)
        pthread_mutex_unlock(&gate);
    return unused;
}

static void parent_gate(bool guilty)
{
    bad = guilty;
    run_apart(gated_ab, gating_parent, NULL);
}

static pthread_mutex_t *heap;

static void *heap_first(void *unused)
{
    take_both(&a, heap);
    return unused;
}

static void *heap_second(void *unused)
{
    if (!bad) { /* another lock, that happens to live where the old one did */
        pthread_mutex_destroy(heap);
        pthread_mutex_init(heap, NULL);
    }
    take_both(heap, &a);
    return unused;
}

static void recycled_address(bool guilty)
{
    bad = guilty;
    heap = malloc(sizeof *heap);
    pthread_mutex_init(heap, NULL);
    run_apart(heap_first, heap_second, NULL);
    pthread_mutex_destroy(heap);
    free(heap);
}

static void *try_then_lock(void *unused)
{
    if (pthread_mutex_trylock(&a) == 0) {
        pthread_mutex_lock(&b);
        pthread_mutex_unlock(&b);
        pthread_mutex_unlock(&a);
    }
    return unused;
}

static void *lock_then_lock_or_try(void *unused)
{
    pthread_mutex_lock(&b);
    if (bad ? pthread_mutex_lock(&a) == 0 : pthread_mutex_trylock(&a) == 0)
        pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&b);
    return unused;
}

static void trylock_holds(bool guilty)
{
    bad = guilty;
    run_apart(try_then_lock, lock_then_lock_or_try, NULL);
}

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

static void *read_then_lock(void *unused)
{
    pthread_rwlock_rdlock(&rwlock);
    pthread_mutex_lock(&a);
    pthread_mutex_unlock(&a);
    pthread_rwlock_unlock(&rwlock);
    return unused;
}

static void *lock_then_write_or_read(void *unused)
{
    pthread_mutex_lock(&a);
    if (bad)
        pthread_rwlock_wrlock(&rwlock);
    else
        pthread_rwlock_rdlock(&rwlock);
    pthread_rwlock_unlock(&rwlock);
    pthread_mutex_unlock(&a);
    return unused;
}

static void readers_and_writer(bool guilty)
{
    bad = guilty;
    run_apart(read_then_lock, lock_then_write_or_read, NULL);
}

static int pair[2];

static void *ab_then_tell(void *unused)
{
    take_both(&a, &b);
    if (write(pair[0], "x", 1) != 1)
        abort();
    return unused;
}

static void *hear_then_ba(void *unused)
{
    char byte;
    if (bad)
        take_both(&b, &a);
    if (read(pair[1], &byte, 1) != 1)
        abort();
    if (!bad)
        take_both(&b, &a);
    return unused;
}

/* What one says through a socket pair comes before what the other does when it has heard it. */
static void told_by_socket(bool guilty)
{
    bad = guilty;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
        abort();
    run_apart(ab_then_tell, hear_then_ba, NULL);
}

enum { CHAIN = 5, MANY = 70, OTHERS = 6000 };
static pthread_mutex_t chain[MANY];

static void init_chain(int count)
{
    for (int i = 0; i < count; i++)
        pthread_mutex_init(&chain[i], NULL);
}

static void walk(int from, int to, int step)
{
    pthread_mutex_lock(&chain[from]);
    for (int i = from; i != to; i += step) {
        pthread_mutex_lock(&chain[i + step]);
        pthread_mutex_unlock(&chain[i]);
    }
    pthread_mutex_unlock(&chain[to]);
}

static void *walk_up(void *unused)
{
    walk(0, CHAIN - 1, 1);
    return unused;
}

static void *walk_down(void *unused)
{
    if (bad)
        walk(CHAIN - 1, 0, -1);
    else
        walk(0, CHAIN - 1, 1);
    return unused;
}

static void hand_over_hand(bool guilty)
{
    bad = guilty;
    init_chain(CHAIN);
    run_apart(walk_up, walk_down, NULL);
}

static void hold_all(bool swapped)
{
    for (int i = 0; i < MANY; i++)
        pthread_mutex_lock(&chain[swapped && i >= MANY - 2 ? 2 * MANY - 3 - i : i]);
    for (int i = MANY; i-- > 0;)
        pthread_mutex_unlock(&chain[i]);
}

static void *hold_many(void *unused)
{
    hold_all(false);
    return unused;
}

static void *take_ends_swapped(void *unused)
{
    if (bad)
        take_both(&chain[MANY - 1], &chain[MANY - 2]);
    else
        take_both(&chain[MANY - 2], &chain[MANY - 1]);
    return unused;
}

static void seventy_held(bool guilty)
{
    bad = guilty;
    init_chain(MANY);
    run_apart(hold_many, take_ends_swapped, NULL);
}

static void *far_apart(void *unused)
{
    pthread_mutex_t *others = malloc(OTHERS * sizeof *others);
    for (int i = 0; i < OTHERS; i++) {
        pthread_mutex_init(&others[i], NULL);
        pthread_mutex_lock(&others[i]);
        pthread_mutex_unlock(&others[i]);
    }
    if (bad)
        take_both(&b, &a);
    else
        take_both(&a, &b);
    for (int i = 0; i < OTHERS; i++)
        pthread_mutex_destroy(&others[i]);
    free(others);
    return unused;
}

static void thousands_between(bool guilty)
{
    bad = guilty;
    run_apart(ab, far_apart, NULL);
}

static void *step_of_cycle(void *number)
{
    int i = (int)(size_t)number;
    int next = (i + 1) % CHAIN;
    pause_ms(10 * i);
    if (!bad && next < i)
        take_both(&chain[next], &chain[i]);
    else
        take_both(&chain[i], &chain[next]);
    return NULL;
}

static void cycle_of_five(bool guilty)
{
    pthread_t threads[CHAIN];
    bad = guilty;
    init_chain(CHAIN);
    for (size_t i = 0; i < CHAIN; i++)
        threads[i] = start(step_of_cycle, (void *)i);
    for (int i = 0; i < CHAIN; i++)
        pthread_join(threads[i], NULL);
}

static void process_shared(bool guilty)
{
    pthread_mutex_t *shared =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&shared[0], &attributes);
    pthread_mutex_init(&shared[1], &attributes);
    pid_t child = fork();
    if (child == 0) {
        pause_ms(30);
        if (guilty)
            take_both(&shared[1], &shared[0]);
        else
            take_both(&shared[0], &shared[1]);
        _exit(0);
    }
    take_both(&shared[0], &shared[1]);
    waitpid(child, NULL, 0);
}

static sem_t semaphore;

static void *sem_then_lock(void *unused)
{
    sem_wait(&semaphore);
    pthread_mutex_lock(&a);
    pthread_mutex_unlock(&a);
    sem_post(&semaphore);
    return unused;
}

static void *lock_then_sem(void *unused)
{
    if (!bad)
        return sem_then_lock(unused);
    pthread_mutex_lock(&a);
    sem_wait(&semaphore);
    sem_post(&semaphore);
    pthread_mutex_unlock(&a);
    return unused;
}

static void semaphore_as_lock(bool guilty)
{
    bad = guilty;
    sem_init(&semaphore, 0, 1);
    run_apart(sem_then_lock, lock_then_sem, NULL);
}

static void *take_a(void *unused)
{
    pthread_mutex_lock(&a);
    pthread_mutex_unlock(&a);
    return unused;
}

static void hold_and_join(bool guilty)
{
    pthread_t thread = start(take_a, NULL);
    pause_ms(20);
    if (guilty)
        pthread_mutex_lock(&a);
    pthread_join(thread, NULL);
    if (guilty)
        pthread_mutex_unlock(&a);
}

static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static pthread_mutex_t box = PTHREAD_MUTEX_INITIALIZER;
static int items;

static void fetch(pthread_mutex_t *held)
{
    if (held)
        pthread_mutex_lock(held);
    pthread_mutex_lock(&box);
    while (!items)
        pthread_cond_wait(&filled, &box);
    items--;
    pthread_mutex_unlock(&box);
    if (held)
        pthread_mutex_unlock(held);
}

static void bring(pthread_mutex_t *needed)
{
    pthread_mutex_lock(needed);
    pthread_mutex_lock(&box);
    items++;
    pthread_cond_signal(&filled);
    pthread_mutex_unlock(&box);
    pthread_mutex_unlock(needed);
}

static void *fetch_under_a(void *unused)
{
    fetch(&a);
    return unused;
}

static void *bring_late(void *unused)
{
    pause_ms(60);
    bring(&b);
    return unused;
}

/* One waits for an item under a, the other brings it under b, and a third one takes b, then a. The
 * twin takes them the other way round. */
static void wait_under_lock(bool guilty)
{
    bad = guilty;
    pthread_t bringer = start(bring_late, NULL);
    run_apart(ba_or_ab, fetch_under_a, NULL);
    pthread_join(bringer, NULL);
}

static void *bring_after_a(void *unused)
{
    for (int i = 0; i < 2; i++) {
        pause_ms(20);
        pthread_mutex_lock(&a);
        pthread_mutex_unlock(&a);
        pause_ms(20);
        pthread_mutex_lock(&box);
        items++;
        pthread_cond_signal(&filled);
        pthread_mutex_unlock(&box);
    }
    return unused;
}

static void *fetch_twice(void *unused)
{
    fetch(NULL);
    pause_ms(30);
    fetch(bad ? &a : NULL);
    return unused;
}

/* Whoever brings an item takes a first; the second time it is waited for under a. */
static void wait_under_needed_lock(bool guilty)
{
    bad = guilty;
    run_together(fetch_twice, bring_after_a, NULL);
}

static mtx_t first, second;

static void take_c11(mtx_t *x, mtx_t *y)
{
    mtx_lock(x);
    mtx_lock(y);
    mtx_unlock(y);
    mtx_unlock(x);
}

static int c11_one(void *unused)
{
    (void)unused;
    take_c11(&first, &second);
    return 0;
}

static int c11_two(void *unused)
{
    (void)unused;
    pause_ms(20);
    if (bad)
        take_c11(&second, &first);
    else
        take_c11(&first, &second);
    return 0;
}

static void c11(bool guilty)
{
    thrd_t x, y;
    bad = guilty;
    mtx_init(&first, mtx_plain);
    mtx_init(&second, mtx_plain);
    thrd_create(&x, c11_one, NULL);
    thrd_create(&y, c11_two, NULL);
    thrd_join(x, NULL);
    thrd_join(y, NULL);
}

static pthread_key_t key;

static void destructor(void *unused)
{
    (void)unused;
    ba_or_ab(NULL);
}

static void *with_destructor(void *unused)
{
    pthread_setspecific(key, &key);
    return unused;
}

static void in_destructor(bool guilty)
{
    bad = guilty;
    pthread_key_create(&key, destructor);
    run_apart(ab, with_destructor, NULL);
}

static void at_exit(void)
{
    ba_or_ab(NULL);
}

static void in_atexit(bool guilty)
{
    bad = guilty;
    atexit(at_exit);
    pthread_t thread = start(ab, NULL);
    pthread_detach(thread);
    pause_ms(30);
}

static void *recursive_twice(void *mutex)
{
    pthread_mutex_lock(mutex);
    if (bad)
        pthread_mutex_lock(&b);
    pthread_mutex_lock(mutex); /* re-entry: no order of its own */
    pthread_mutex_unlock(mutex);
    if (bad)
        pthread_mutex_unlock(&b);
    pthread_mutex_unlock(mutex);
    return NULL;
}

static void *b_then_recursive(void *mutex)
{
    pthread_mutex_lock(&b);
    pthread_mutex_lock(mutex);
    pthread_mutex_unlock(mutex);
    pthread_mutex_unlock(&b);
    return NULL;
}

static void recursive(bool guilty)
{
    static pthread_mutex_t mutex;
    pthread_mutexattr_t attributes;
    bad = guilty;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&mutex, &attributes);
    run_apart(recursive_twice, b_then_recursive, &mutex);
}

static void one_thread_both_orders(bool guilty)
{
    if (guilty) {
        run_apart(ab, ba, NULL);
        return;
    }
    take_both(&a, &b);
    take_both(&b, &a);
}

const struct matrix_case predicted_cases[] = {
    {"opposite-orders", "deadlock", "predicted", opposite},
    {"gate-lock", "deadlock", "predicted", gate_lock},
    {"parent-gate", "deadlock", "predicted", parent_gate},
    {"after-join", "deadlock", "predicted", after_join},
    {"before-create", "deadlock", "predicted", before_create},
    {"one-thread", "deadlock", "predicted", one_thread_both_orders},
    {"recycled-address", "deadlock", "predicted", recycled_address},
    {"trylock-holds", "deadlock", "predicted", trylock_holds},
    {"reader-writer", "deadlock", "predicted", readers_and_writer},
    {"told-by-socket", "deadlock", "predicted", told_by_socket},
    {"hand-over-hand", "deadlock", "predicted", hand_over_hand},
    {"seventy-held", "deadlock", "predicted", seventy_held},
    {"thousands-between", "deadlock", "predicted", thousands_between},
    {"cycle-of-five", "deadlock", "predicted", cycle_of_five},
    {"process-shared", "deadlock", "predicted", process_shared},
    {"semaphore-as-lock", "deadlock", "predicted", semaphore_as_lock},
    {"hold-and-join", "deadlock", "predicted", hold_and_join},
    {"wait-under-lock", "deadlock", "possible", wait_under_lock},
    {"wait-under-needed-lock", "deadlock", "possible", wait_under_needed_lock},
    {"c11", "deadlock", "predicted", c11},
    {"in-destructor", "deadlock", "predicted", in_destructor},
    {"in-atexit", "deadlock", "predicted", in_atexit},
    {"recursive", "deadlock", "predicted", recursive},
    {0},
};
