/* What one access costs: the same program built plain, by `reel cc`, and for ThreadSanitizer. Each
 * line: what, nanoseconds (best of five). */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WORDS (1 << 20)

static volatile long word[WORDS];
static struct record {
    volatile int a, b;
    volatile long c;
} record[1 << 13];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_long count;
static volatile long sink;

/* After a lock and an unlock, what this thread did before is old: the next access is new. */
static void new_epoch(void)
{
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
}

static void known(void)
{
    for (int i = 0; i < 400000; i++)
        word[i & 1023] = i;
}

static void new_in_cache(void)
{
    for (int k = 0; k < 400; k++) {
        new_epoch();
        for (int i = 0; i < 1000; i++)
            word[i] = i;
    }
}

static void new_far(void)
{
    new_epoch();
    for (int i = 0; i < WORDS; i++)
        word[i] = i;
}

static void halves(void)
{
    for (int k = 0; k < 20; k++) {
        new_epoch();
        for (int i = 0; i < 1 << 13; i++) {
            record[i].a = i;
            record[i].b = i;
            record[i].c = i;
        }
    }
}

static __attribute__((noinline)) void leaf(int i)
{
    word[i] = i;
}

static void calls(void)
{
    for (int i = 0; i < 400000; i++)
        leaf(i & 1023);
}

static void heap(void)
{
    for (int i = 0; i < 50000; i++) {
        long *volatile block = malloc(64);
        block[0] = i;
        free(block);
    }
}

static void copies(void)
{
    for (int i = 0; i < 20000; i++)
        memcpy((void *)(word + 4096), (void *)(word + 8192), (size_t)(i & 511) + 256);
}

static void atomics(void)
{
    for (int i = 0; i < 200000; i++)
        atomic_fetch_add_explicit(&count, 1, memory_order_acq_rel);
}

static void loads(void)
{
    for (int i = 0; i < 200000; i++)
        sink = atomic_load_explicit(&count, memory_order_acquire);
}

static void measure(const char *name, void (*run)(void), double times)
{
    double best = 1e9;
    for (int round = 0; round < 5; round++) {
        struct timespec begin, end;
        clock_gettime(CLOCK_MONOTONIC, &begin);
        run();
        clock_gettime(CLOCK_MONOTONIC, &end);
        double taken =
            (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) * 1e-9;
        best = taken < best ? taken : best;
    }
    printf("%s\t%.2f\n", name, best * 1e9 / times);
}

int main(void)
{
    measure("known access", known, 400000);
    measure("new access, in cache", new_in_cache, 400000);
    measure("new access, 8 MB", new_far, WORDS);
    measure("new access, half words", halves, 20.0 * 3 * (1 << 13));
    measure("call and access", calls, 400000);
    measure("malloc, access, free", heap, 50000);
    measure("memcpy of 512 bytes", copies, 20000);
    measure("atomic add", atomics, 200000);
    measure("atomic load", loads, 200000);
    return 0;
}
