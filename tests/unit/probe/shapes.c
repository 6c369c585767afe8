#include "tests/unit/probe/shapes.h"

#include <alloca.h>
#include <search.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#define NOINLINE __attribute__((noinline))

static void *volatile sink;
static shape_leaf current;

static NOINLINE void direct(shape_leaf leaf)
{
    leaf();
    sink = NULL;
}

static NOINLINE int recurse(shape_leaf leaf, int depth)
{
    if (depth == 0) {
        leaf();
        return 1;
    }
    return recurse(leaf, depth - 1) + (sink != NULL) + depth;
}

static void recursion(shape_leaf leaf)
{
    for (int depth = 0; depth < 40; depth += 7)
        recurse(leaf, depth);
    sink = NULL;
}

static NOINLINE void with_room(shape_leaf leaf, size_t size)
{
    char *room = alloca(size);
    memset(room, 1, size);
    sink = room;
    leaf();
    if (size > 64)
        with_room(leaf, size / 2);
    sink = room;
}

static void dynamic(shape_leaf leaf)
{
    for (size_t size = 8; size < 5000; size = size * 3 + 1)
        with_room(leaf, size);
}

static NOINLINE void with_array(shape_leaf leaf, int size)
{
    int array[size];
    for (int i = 0; i < size; i++)
        array[i] = i;
    sink = array;
    leaf();
    sink = &array[size - 1];
}

static void variable(shape_leaf leaf)
{
    for (int size = 1; size < 100; size += 13)
        with_array(leaf, size);
}

static NOINLINE void aligned(shape_leaf leaf, int depth)
{
    char block[96] __attribute__((aligned(64)));
    memset(block, depth, sizeof block);
    sink = block;
    leaf();
    if (depth > 0)
        aligned(leaf, depth - 1);
    sink = block;
}

static NOINLINE void aligned_dynamic(shape_leaf leaf, size_t size)
{
    char block[64] __attribute__((aligned(32)));
    char *room = alloca(size);
    memset(room, 2, size);
    memset(block, 1, sizeof block);
    sink = room;
    leaf();
    sink = block;
}

static void realigned(shape_leaf leaf)
{
    aligned(leaf, 6);
    for (size_t size = 10; size < 200; size += 37)
        aligned_dynamic(leaf, size);
}

static int compare(const void *a, const void *b)
{
    current();
    return *(const int *)a - *(const int *)b;
}

static void callback(shape_leaf leaf)
{
    int numbers[12] = {5, 3, 9, 1, 7, 2, 8, 0, 4, 6, 11, 10};
    int key = 7;
    void *tree = NULL;
    current = leaf;
    qsort(numbers, 12, sizeof *numbers, compare);
    bsearch(&key, numbers, 12, sizeof *numbers, compare);
    tsearch(&numbers[0], &tree, compare);
    tsearch(&numbers[5], &tree, compare);
    tdelete(&numbers[0], &tree, compare);
    tdelete(&numbers[5], &tree, compare);
}

static void on_signal(int number)
{
    (void)number;
    current();
    sink = NULL;
}

static NOINLINE int interrupted(int depth)
{
    if (depth == 0)
        raise(SIGUSR1);
    else
        return interrupted(depth - 1) + (sink != NULL);
    return 1;
}

static void signalled(shape_leaf leaf)
{
    current = leaf;
    signal(SIGUSR1, on_signal);
    for (int depth = 0; depth < 20; depth += 3)
        interrupted(depth);
    signal(SIGUSR1, SIG_DFL);
}

static volatile sig_atomic_t alarms;
static void on_alarm(int number)
{
    (void)number;
    alarms++;
    current();
}

static NOINLINE uint64_t mix(uint64_t value, int depth)
{
    char room[40];
    memset(room, (int)value, sizeof room);
    sink = room;
    if (depth > 0)
        value = mix(value * 31 + (uint64_t)room[depth % 40], depth - 1) + 1;
    return value ^ (uint64_t)room[3];
}

/* A timer strikes anywhere: in prologues, epilogues, the C library. */
static void anywhere(shape_leaf leaf)
{
    struct itimerval timer = {{0, 300}, {0, 300}}, none = {{0, 0}, {0, 0}};
    uint64_t value = 1;
    current = leaf;
    alarms = 0;
    signal(SIGALRM, on_alarm);
    setitimer(ITIMER_REAL, &timer, NULL);
    while (alarms < 150)
        value = mix(value, 12);
    setitimer(ITIMER_REAL, &none, NULL);
    signal(SIGALRM, SIG_IGN);
    sink = (void *)value;
}

#if defined(__x86_64__) && defined(SHAPES_VECTORS)
__attribute__((target("avx2"))) static NOINLINE float vectors_of(shape_leaf leaf, const float *in)
{
    float out[64] __attribute__((aligned(32)));
    float sum = 0;
    for (int i = 0; i < 64; i++)
        out[i] = in[i] * 3.0f;
    sink = out;
    leaf();
    for (int i = 0; i < 64; i++)
        sum += out[i];
    return sum;
}
#endif

static void vectors(shape_leaf leaf)
{
#if defined(__x86_64__) && defined(SHAPES_VECTORS)
    float in[64];
    for (int i = 0; i < 64; i++)
        in[i] = (float)i;
    if (__builtin_cpu_supports("avx2"))
        sink = vectors_of(leaf, in) > 0 ? in : NULL;
#endif
    direct(leaf);
}

static NOINLINE void many(long a, long b, long c, long d, long e, long f, long g, double h,
                          struct shape by_value, shape_leaf leaf)
{
    sink = (void *)(a + b + c + d + e + f + g + (long)h);
    leaf();
    sink = (void *)by_value.name;
}

static void arguments(shape_leaf leaf)
{
    struct shape some = {"some", NULL};
    many(1, 2, 3, 4, 5, 6, 7, 8.0, some, leaf);
}

const struct shape SHAPES[] = {
    {"direct", direct},
    {"recursion", recursion},
    {"dynamic", dynamic},
    {"variable", variable},
    {"realigned", realigned},
    {"callback", callback},
    {"signalled", signalled},
    {"anywhere", anywhere},
    {"vectors", vectors},
    {"arguments", arguments},
    {NULL, NULL},
};
