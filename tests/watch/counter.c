/* Plain programs, of which nothing is instrumented: counter WHAT [TIMES]. Two threads count; what
 * keeps them apart, or does not, is the case. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long counter;
static struct {
    int before, watched, behind;
} record;
static _Atomic int tickets;
static struct {
    int unused;
    _Atomic int stored;
} mixed;
static int plain;
static char name[24];
static int flag, ticket_of, count_of;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t phase;
static int times = 50;

static void rest(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
}

static void *count_freely(void *unused)
{
    for (int i = 0; i < times; i++) {
        *(volatile long *)&counter += 1;
        rest();
    }
    return unused;
}

static void *count_locked(void *unused)
{
    for (int i = 0; i < times; i++) {
        pthread_mutex_lock(&lock);
        *(volatile long *)&counter += 1;
        pthread_mutex_unlock(&lock);
        if (i % 8 == 0)
            rest();
    }
    return unused;
}

static void *count_atomically(void *unused)
{
    for (int i = 0; i < times; i++) {
        __atomic_fetch_add(&plain, 1, __ATOMIC_SEQ_CST);
        int before = atomic_load(&tickets);
        while (!atomic_compare_exchange_weak(&tickets, &before, before + 1))
            ;
        atomic_store_explicit(&mixed.stored, i, memory_order_relaxed);
        rest();
    }
    return unused;
}

/* One tells, the other looks; nothing but loads and stores. */
static void *tell_by_flag(void *tells)
{
    for (int i = 1; i <= times; i++) {
        if (tells)
            __atomic_store_n(&flag, i, __ATOMIC_RELEASE);
        else
            (void)__atomic_load_n(&flag, __ATOMIC_ACQUIRE);
        rest();
    }
    return NULL;
}

/* The same instructions, but each adds to what it saw. */
static void *count_in_two_steps(void *unused)
{
    for (int i = 0; i < times; i++) {
        int seen = *(volatile int *)&count_of;
        *(volatile int *)&count_of = seen + 1;
        rest();
    }
    return unused;
}

/* An increment is one instruction, but not one step. */
static void *count_in_one_instruction(void *unused)
{
    for (int i = 0; i < times; i++) {
#if defined(__x86_64__)
        __asm__ volatile("addl $1, %0" : "+m"(ticket_of));
#else
        ticket_of++;
#endif
        rest();
    }
    return unused;
}

static void *count_in_turn(void *argument)
{
    for (int i = 0; i < times; i++) {
        if (i % 2 == (argument != NULL))
            *(volatile long *)&counter += 1;
        pthread_barrier_wait(&phase);
    }
    return NULL;
}

static void *touch_neighbours(void *argument)
{
    for (int i = 0; i < times; i++) {
        if (argument)
            *(volatile int *)&record.before += 1;
        else
            *(volatile int *)&record.watched += 1;
        rest();
    }
    return NULL;
}

static void *write_name(void *argument)
{
    for (int i = 0; i < times; i++) {
        ((volatile char *)name)[1] = argument ? 'a' : 'b';
        ((volatile char *)name)[20] = argument ? 'a' : 'b';
        rest();
    }
    return NULL;
}

/* On the heap: the address is nobody's before it runs. */
struct stats {
    long misses, hits;
};
static struct stats *stats;

__attribute__((noinline)) static struct stats *make_stats(void)
{
    struct stats *made = calloc(1, sizeof *made);
    return made;
}

static void *hit(void *guarded)
{
    for (int i = 0; i < times; i++) {
        if (guarded)
            pthread_mutex_lock(&lock);
        *(volatile long *)&stats->hits += 1;
        if (guarded)
            pthread_mutex_unlock(&lock);
        rest();
    }
    return NULL;
}

static void hit_on_heap(bool guarded)
{
    pthread_t one, two;
    free(make_stats());
    stats = make_stats();
    pthread_create(&one, NULL, hit, guarded ? stats : NULL);
    pthread_create(&two, NULL, hit, guarded ? stats : NULL);
    pthread_join(one, NULL);
    pthread_join(two, NULL);
    free(stats);
}

static void run_two(void *(*routine)(void *))
{
    pthread_t one, two;
    pthread_create(&one, NULL, routine, NULL);
    pthread_create(&two, NULL, routine, &counter);
    pthread_join(one, NULL);
    pthread_join(two, NULL);
}

/* Processes that share a page do not share this counter: each has its own after the fork. */
static void count_in_a_child(void)
{
    pid_t child = fork();
    count_freely(NULL);
    if (child == 0)
        _exit(0);
    waitpid(child, NULL, 0);
}

/* As fast as it goes; prints how many microseconds an access took. */
static void count_fast(const char *what)
{
    bool reads = strcmp(what, "fast-write") != 0, writes = strcmp(what, "fast-read") != 0;
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int i = 0; i < times; i++) {
        if (reads)
            (void)*(volatile long *)&counter;
        if (writes)
            *(volatile long *)&counter = i;
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%.4f\n",
           ((double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec)) /
               times / (reads + writes) / 1000);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    times = argc > 2 ? atoi(argv[2]) : times;
    pthread_barrier_init(&phase, NULL, 2);
    if (strcmp(what, "free") == 0)
        run_two(count_freely);
    else if (strcmp(what, "locked") == 0)
        run_two(count_locked);
    else if (strcmp(what, "atomic") == 0)
        run_two(count_atomically);
    else if (strcmp(what, "flag") == 0)
        run_two(tell_by_flag);
    else if (strcmp(what, "steps") == 0)
        run_two(count_in_two_steps);
    else if (strcmp(what, "increment") == 0)
        run_two(count_in_one_instruction);
    else if (strcmp(what, "turns") == 0)
        run_two(count_in_turn);
    else if (strcmp(what, "neighbours") == 0)
        run_two(touch_neighbours);
    else if (strcmp(what, "heap") == 0)
        hit_on_heap(false);
    else if (strcmp(what, "heap-locked") == 0)
        hit_on_heap(true);
    else if (strcmp(what, "name") == 0)
        run_two(write_name);
    else if (strcmp(what, "fork") == 0)
        count_in_a_child();
    else if (strcmp(what, "alone") == 0)
        count_freely(NULL);
    else if (strncmp(what, "fast", 4) == 0)
        count_fast(what);
    else
        return 2;
    return 0;
}
