/* Orders that are made of atomics. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "races.h"

static bool is_guilty;

/* Both of these wait for the flag: the data are always read after they were written, and only the
 * orders of the atomics decide whether that is a race. */
KEPT atomic_int flag;
KEPT int payload;
KEPT volatile int seen;

static void *publish(void *unused)
{
    (void)unused;
    payload = 42;
    atomic_store_explicit(&flag, 1, is_guilty ? memory_order_relaxed : memory_order_release);
    return NULL;
}

static void *consume(void *unused)
{
    (void)unused;
    while (!atomic_load_explicit(&flag, is_guilty ? memory_order_relaxed : memory_order_acquire))
        ;
    seen = payload;
    return NULL;
}

static void flag_publication(bool guilty)
{
    is_guilty = guilty;
    run_apart(publish, consume, NULL);
}

/* A flag that is not atomic at all: the flag races too. */
KEPT volatile int raw_flag;
KEPT int raw_payload;

static void *publish_raw(void *unused)
{
    (void)unused;
    raw_payload = 42;
    raw_flag = 1;
    return NULL;
}

static void *consume_raw(void *unused)
{
    (void)unused;
    while (!raw_flag)
        ;
    seen = raw_payload;
    return NULL;
}

static void volatile_flag(bool guilty)
{
    is_guilty = guilty;
    if (guilty)
        run_apart(publish_raw, consume_raw, NULL);
    else
        run_apart(publish, consume, NULL);
}

static void *store_only(void *unused)
{
    (void)unused;
    payload = 7;
    atomic_store_explicit(&flag, 1, memory_order_release);
    return NULL;
}

/* Acquire without release, and release without acquire. */
static void *load_half(void *unused)
{
    (void)unused;
    while (!atomic_load_explicit(&flag, is_guilty ? memory_order_relaxed : memory_order_acquire))
        ;
    seen = payload;
    return NULL;
}

static void release_unheard(bool guilty)
{
    is_guilty = guilty;
    run_apart(store_only, load_half, NULL);
}

static void *fence_publish(void *unused)
{
    (void)unused;
    payload = 9;
    if (!is_guilty)
        atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&flag, 1, memory_order_relaxed);
    return NULL;
}

static void *fence_consume(void *unused)
{
    (void)unused;
    while (!atomic_load_explicit(&flag, memory_order_relaxed))
        ;
    atomic_thread_fence(memory_order_acquire);
    seen = payload;
    return NULL;
}

static void fences(bool guilty)
{
    is_guilty = guilty;
    run_apart(fence_publish, fence_consume, NULL);
}

/* What comes behind a release fence is not let go by the store that follows. */
static void *write_behind_fence(void *unused)
{
    (void)unused;
    if (!is_guilty)
        payload = 9;
    atomic_thread_fence(memory_order_release);
    if (is_guilty)
        payload = 9;
    atomic_store_explicit(&flag, 1, memory_order_relaxed);
    return NULL;
}

static void behind_a_fence(bool guilty)
{
    is_guilty = guilty;
    run_apart(write_behind_fence, fence_consume, NULL);
}

/* A release sequence: a relaxed read-modify-write of another thread continues it, a store ends it.
 */
static void *publish_first(void *unused)
{
    (void)unused;
    payload = 11;
    atomic_store_explicit(&flag, 1, memory_order_release);
    return NULL;
}

static void *pass_on(void *unused)
{
    (void)unused;
    while (atomic_load_explicit(&flag, memory_order_relaxed) != 1)
        ;
    if (is_guilty)
        atomic_store_explicit(&flag, 2, memory_order_relaxed);
    else
        atomic_fetch_add_explicit(&flag, 1, memory_order_relaxed);
    return NULL;
}

static void *consume_second(void *unused)
{
    (void)unused;
    while (atomic_load_explicit(&flag, memory_order_relaxed) != 2)
        ;
    (void)atomic_load_explicit(&flag, memory_order_acquire);
    seen = payload;
    return NULL;
}

static void release_sequence(bool guilty)
{
    is_guilty = guilty;
    pthread_t b = start(pass_on, NULL), c = start(consume_second, NULL);
    pause_ms(2);
    pthread_t a = start(publish_first, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    pthread_join(c, NULL);
}

/* The last one to drop its reference looks at what all others did. */
struct shared {
    atomic_int references;
    int work[4];
};

static void drop(struct shared *shared)
{
    memory_order order = is_guilty ? memory_order_relaxed : memory_order_acq_rel;
    if (atomic_fetch_sub_explicit(&shared->references, 1, order) == 1) {
        for (int i = 0; i < 4; i++)
            seen += shared->work[i];
        free(shared);
    }
}

static void *use_and_drop(void *data)
{
    struct shared *shared = data;
    shared->work[0]++;
    drop(shared);
    return NULL;
}

static void reference_count(bool guilty)
{
    is_guilty = guilty;
    struct shared *shared = calloc(1, sizeof *shared);
    atomic_init(&shared->references, 2);
    pthread_t thread = start(use_and_drop, shared);
    shared->work[1]++;
    drop(shared);
    pthread_join(thread, NULL);
}

/* Double-checked locking. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
KEPT int *_Atomic instance;
KEPT int *raw_instance;

static int *get_instance(void)
{
    int *found = is_guilty ? raw_instance : atomic_load_explicit(&instance, memory_order_acquire);
    if (found)
        return found;
    pthread_mutex_lock(&lock);
    found = is_guilty ? raw_instance : atomic_load_explicit(&instance, memory_order_relaxed);
    if (!found) {
        found = calloc(1, sizeof *found);
        *found = 5;
        if (is_guilty)
            raw_instance = found;
        else
            atomic_store_explicit(&instance, found, memory_order_release);
    }
    pthread_mutex_unlock(&lock);
    return found;
}

static void *use_instance(void *unused)
{
    (void)unused;
    (void)*(volatile int *)get_instance();
    return NULL;
}

static void double_checked(bool guilty)
{
    is_guilty = guilty;
    run_apart(use_instance, use_instance, NULL);
}

/* A seqlock as C11 wants it: the data are relaxed atomics between fences. Guilty: plain data. */
KEPT atomic_uint version;
KEPT atomic_int quiet_data[2];
KEPT int loud_data[2];

static void *seqlock_write(void *unused)
{
    (void)unused;
    for (int i = 1; i <= 20; i++) {
        unsigned now = atomic_load_explicit(&version, memory_order_relaxed);
        atomic_store_explicit(&version, now + 1, memory_order_relaxed);
        atomic_thread_fence(memory_order_release);
        for (int k = 0; k < 2; k++)
            if (is_guilty)
                loud_data[k] = i;
            else
                atomic_store_explicit(&quiet_data[k], i, memory_order_relaxed);
        atomic_store_explicit(&version, now + 2, memory_order_release);
    }
    return NULL;
}

static void *seqlock_read(void *unused)
{
    (void)unused;
    for (int i = 0; i < 20; i++) {
        unsigned before, after;
        int sum;
        do {
            before = atomic_load_explicit(&version, memory_order_acquire);
            sum = 0;
            for (int k = 0; k < 2; k++)
                sum += is_guilty ? loud_data[k]
                                 : atomic_load_explicit(&quiet_data[k], memory_order_relaxed);
            atomic_thread_fence(memory_order_acquire);
            after = atomic_load_explicit(&version, memory_order_relaxed);
        } while ((before & 1) || before != after);
        seen = sum;
    }
    return NULL;
}

static void seqlock(bool guilty)
{
    is_guilty = guilty;
    run_apart(seqlock_read, seqlock_write, NULL);
}

/* A spin lock of one's own. */
KEPT atomic_flag spin = ATOMIC_FLAG_INIT;
KEPT int spun;

static void *spin_and_count(void *unused)
{
    (void)unused;
    for (int i = 0; i < 50; i++) {
        while (atomic_flag_test_and_set_explicit(&spin, is_guilty ? memory_order_relaxed
                                                                  : memory_order_acquire))
            ;
        spun++;
        atomic_flag_clear_explicit(&spin, is_guilty ? memory_order_relaxed : memory_order_release);
    }
    return NULL;
}

static void own_spin_lock(bool guilty)
{
    is_guilty = guilty;
    run_apart(spin_and_count, spin_and_count, NULL);
}

/* A counter that one side increments atomically and the other does not. */
KEPT atomic_long half_atomic;

static void *count_atomically(void *unused)
{
    (void)unused;
    atomic_fetch_add_explicit(&half_atomic, 1, memory_order_relaxed);
    return NULL;
}

static void *count_plainly(void *unused)
{
    (void)unused;
    if (is_guilty)
        ++*(long *)&half_atomic;
    else
        atomic_fetch_add(&half_atomic, 1);
    return NULL;
}

static void atomic_and_plain(bool guilty)
{
    is_guilty = guilty;
    run_apart(count_atomically, count_plainly, NULL);
}

/* Compare-and-swap that fails has only its failure order. */
static void *cas_consume(void *unused)
{
    (void)unused;
    int expected;
    do {
        expected = 5;
    } while (!atomic_compare_exchange_strong_explicit(&flag, &expected, 6, memory_order_acq_rel,
                                                      is_guilty ? memory_order_relaxed
                                                                : memory_order_acquire) &&
             expected != 1);
    seen = payload;
    return NULL;
}

static void failed_exchange(bool guilty)
{
    is_guilty = guilty;
    run_apart(publish_first, cas_consume, NULL);
}

/* A stack without locks: nodes are handed over by compare-and-swap. */
KEPT struct node {
    struct node *next;
    int value;
} * _Atomic top, nodes[20];

static void *push_nodes(void *unused)
{
    (void)unused;
    for (int i = 0; i < 20; i++) {
        nodes[i].value = i;
        struct node *old = atomic_load_explicit(&top, memory_order_relaxed);
        do {
            nodes[i].next = old;
        } while (!atomic_compare_exchange_weak_explicit(
            &top, &old, &nodes[i], is_guilty ? memory_order_relaxed : memory_order_release,
            memory_order_relaxed));
    }
    return NULL;
}

static void *take_nodes(void *unused)
{
    (void)unused;
    for (int taken = 0; taken < 20;)
        for (struct node *node = atomic_exchange_explicit(&top, NULL, memory_order_acquire); node;
             node = node->next, taken++)
            seen += node->value;
    return NULL;
}

static void lock_free_stack(bool guilty)
{
    is_guilty = guilty;
    run_apart(push_nodes, take_nodes, NULL);
}

const struct race_case atomic_cases[] = {
    {"flag-publication", "payload", flag_publication},
    {"volatile-flag", "raw_flag", volatile_flag},
    {"release-unheard", "payload", release_unheard},
    {"fences", "payload", fences},
    {"behind-a-fence", "payload", behind_a_fence},
    {"release-sequence", "payload", release_sequence},
    {"reference-count", "", reference_count},
    {"double-checked", "raw_instance", double_checked},
    {"seqlock", "loud_data", seqlock},
    {"own-spin-lock", "spun", own_spin_lock},
    {"atomic-and-plain", "half_atomic", atomic_and_plain},
    {"failed-exchange", "payload", failed_exchange},
    {"lock-free-stack", "nodes", lock_free_stack},
    {0},
};
