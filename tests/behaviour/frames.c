/* Frames of odd shapes, while stacks are taken in every one of them: coroutines, alloca, stacks
 * realigned for vectors, deep recursion, callbacks through the C library. */
#include <alloca.h>
#include <pthread.h>
#include <stdint.h>
#include <ucontext.h>

#include "case.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long sum;

__attribute__((noinline)) static void touch(long amount)
{
    pthread_mutex_lock(&mutex);
    sum += amount;
    pthread_mutex_unlock(&mutex);
}

static ucontext_t main_context, coroutine[4];
static char coroutine_stack[4][32768] __attribute__((aligned(16)));

static void body(int number)
{
    for (int i = 0; i < 200; i++) {
        touch(number);
        swapcontext(&coroutine[number], &main_context);
        touch(number);
    }
}

static int coroutines(void)
{
    for (int i = 0; i < 4; i++) {
        getcontext(&coroutine[i]);
        coroutine[i].uc_stack.ss_sp = coroutine_stack[i];
        coroutine[i].uc_stack.ss_size = sizeof coroutine_stack[i];
        coroutine[i].uc_link = &main_context;
        makecontext(&coroutine[i], (void (*)(void))(void *)body, 1, i);
    }
    for (int round = 0; round < 201; round++)
        for (int i = 0; i < 4; i++) {
            touch(1);
            if (round < 200)
                swapcontext(&main_context, &coroutine[i]);
        }
    printf("sum %ld\n", sum);
    return 0;
}

__attribute__((noinline)) static void variable(int size)
{
    char *room = alloca((size_t)size);
    char array[size + 1];
    memset(room, 1, (size_t)size);
    memset(array, 1, (size_t)size);
    touch(room[size - 1] + array[0]);
    if (size > 10)
        variable(size - 9);
    touch(1);
}

static int variable_frames(void)
{
    for (int i = 0; i < 50; i++)
        variable(500 + i);
    printf("sum %ld\n", sum);
    return 0;
}

__attribute__((noinline)) static void aligned_frame(int depth)
{
    volatile char block[128] __attribute__((aligned(64)));
    block[0] = (char)depth;
    touch(((uintptr_t)block & 63) == 0);
    if (depth)
        aligned_frame(depth - 1);
    touch(block[0]);
}

__attribute__((noinline, target("avx2"))) static void vectors(float *values, int count)
{
    float room[64] __attribute__((aligned(32)));
    for (int i = 0; i < count && i < 64; i++)
        room[i] = values[i] * 2.0f;
    touch((long)room[count - 1]);
}

static int realigned(void)
{
    float values[64];
    for (int i = 0; i < 64; i++)
        values[i] = (float)i;
    for (int i = 0; i < 200; i++) {
        aligned_frame(i % 60);
        if (__builtin_cpu_supports("avx2"))
            vectors(values, 1 + i % 63);
        else
            touch((long)(values[i % 63] * 2.0f));
    }
    printf("sum %ld\n", sum);
    return 0;
}

__attribute__((noinline)) static int deep(int depth)
{
    touch(1);
    return depth ? deep(depth - 1) + 1 : 0;
}

static int compare(const void *a, const void *b)
{
    touch(1);
    return *(const int *)a - *(const int *)b;
}

static int callbacks(void)
{
    int numbers[500];
    for (int i = 0; i < 500; i++)
        numbers[i] = (i * 7919) % 1000;
    qsort(numbers, 500, sizeof *numbers, compare);
    int key = numbers[250];
    printf("found %d\n", bsearch(&key, numbers, 500, sizeof *numbers, compare) != NULL);
    printf("depth %d\n", deep(20000));
    return 0;
}

BEHAVIOURS({"coroutines", coroutines}, {"variable-frames", variable_frames},
           {"realigned", realigned}, {"callbacks", callbacks});
