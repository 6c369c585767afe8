/* The heap, ranges, and calls that leave in other ways than they came. */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "races.h"

static bool is_guilty;
KEPT volatile int seen;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *touch_block(void *block)
{
    ((volatile char *)block)[3]++;
    return NULL;
}

/* One thread frees what another still uses. */
static void free_and_use(bool guilty)
{
    char *block = calloc(1, 24);
    pthread_t thread = start(touch_block, block);
    pause_ms(5);
    if (!guilty)
        pthread_join(thread, NULL);
    free(block);
    if (guilty)
        pthread_join(thread, NULL);
}

/* The same address, one block after the other, in one thread after the other: no race. */
static void *allocate_and_free(void *unused)
{
    (void)unused;
    for (int i = 0; i < 20; i++) {
        int *block = malloc(64);
        memset(block, 0, 64);
        free(block);
    }
    return NULL;
}

KEPT int *shared_block;

static void *write_shared_block(void *unused)
{
    (void)unused;
    shared_block[1] = 1;
    return NULL;
}

static void heap_used_again(bool guilty)
{
    run_apart(allocate_and_free, allocate_and_free, NULL);
    if (!guilty)
        return;
    shared_block = calloc(4, sizeof *shared_block);
    run_apart(write_shared_block, write_shared_block, NULL);
    free(shared_block);
}

KEPT char buffer[256], elsewhere[256];

static void *copy_into(void *unused)
{
    (void)unused;
    memcpy(buffer + 10, elsewhere, (size_t)100 + (is_guilty ? 1 : 0));
    return NULL;
}

static void *write_one(void *unused)
{
    (void)unused;
    buffer[110] = 1; /* the first byte behind a hundred */
    return NULL;
}

static void memcpy_range(bool guilty)
{
    is_guilty = guilty;
    run_apart(copy_into, write_one, NULL);
}

static void *copy_from(void *unused)
{
    (void)unused;
    memmove(elsewhere, buffer + 10, (size_t)100 + (is_guilty ? 1 : 0));
    return NULL;
}

static void memmove_source(bool guilty)
{
    is_guilty = guilty;
    run_apart(copy_from, write_one, NULL);
}

static void *set_range(void *unused)
{
    (void)unused;
    memset(buffer, 0, (size_t)110 + (is_guilty ? 1 : 0));
    return NULL;
}

static void memset_range(bool guilty)
{
    is_guilty = guilty;
    run_apart(write_one, set_range, NULL);
}

KEPT char text[32] = "hello";

static void *measure(void *unused)
{
    (void)unused;
    if (!is_guilty)
        pthread_mutex_lock(&lock);
    seen += (int)strlen(text) & 1;
    if (!is_guilty)
        pthread_mutex_unlock(&lock);
    return NULL;
}

static void *change(void *unused)
{
    (void)unused;
    if (!is_guilty)
        pthread_mutex_lock(&lock);
    text[2] = 'L';
    if (!is_guilty)
        pthread_mutex_unlock(&lock);
    return NULL;
}

static void string_length(bool guilty)
{
    is_guilty = guilty;
    run_apart(change, measure, NULL);
}

/* A block that grows moves: who holds the old address uses what is gone. */
KEPT char *growing;

static void *use_growing(void *argument)
{
    ((volatile char *)argument)[1] = 1;
    return NULL;
}

static void reallocated(bool guilty)
{
    growing = calloc(1, 32);
    pthread_t thread = start(use_growing, growing);
    pause_ms(5);
    if (!guilty)
        pthread_join(thread, NULL);
    growing = realloc(growing, 100000);
    if (guilty)
        pthread_join(thread, NULL);
    free(growing);
}

/* Mappings come back at the same address. */
static void *map_and_write(void *unused)
{
    (void)unused;
    for (int i = 0; i < 5; i++) {
        char *map = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        map[100] = 1;
        munmap(map, 1 << 16);
    }
    return NULL;
}

static void mappings_used_again(bool guilty)
{
    run_apart(map_and_write, map_and_write, NULL);
    if (!guilty)
        return;
    char *map = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    run_apart(use_growing, use_growing, map);
}

/* Calls left by longjmp: the stacks of later accesses are right again. */
static jmp_buf home;
KEPT int after_jump;

static __attribute__((noinline)) void jump(int depth)
{
    if (depth > 0)
        jump(depth - 1);
    else if (depth == 0)
        longjmp(home, 1);
    seen++;
}

static __attribute__((noinline)) void write_after_jump(void)
{
    after_jump++;
}

static void *jump_and_write(void *unused)
{
    (void)unused;
    static pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&own);
    for (volatile int i = 0; i < 50; i++)
        if (setjmp(home) == 0)
            jump(20);
    pthread_mutex_unlock(&own);
    if (!is_guilty)
        pthread_mutex_lock(&lock);
    write_after_jump();
    if (!is_guilty)
        pthread_mutex_unlock(&lock);
    return NULL;
}

static void *write_without_jump(void *unused)
{
    (void)unused;
    if (!is_guilty)
        pthread_mutex_lock(&lock);
    write_after_jump();
    if (!is_guilty)
        pthread_mutex_unlock(&lock);
    return NULL;
}

static void long_jumps(bool guilty)
{
    is_guilty = guilty;
    run_apart(write_without_jump, jump_and_write, NULL);
}

/* Many threads, one after the other and at once; one of the last does wrong. */
KEPT long crowd_total, crowd_bare;

static void *crowd_member(void *argument)
{
    pthread_mutex_lock(&lock);
    crowd_total++;
    pthread_mutex_unlock(&lock);
    if (argument)
        crowd_bare++;
    return NULL;
}

static void crowd(bool guilty)
{
    pthread_t threads[200];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 200; i++)
            threads[i] = start(crowd_member,
                               guilty && round == 2 && (i == 3 || i == 190) ? &crowd_bare : NULL);
        for (int i = 0; i < 200; i++)
            pthread_join(threads[i], NULL);
    }
}

/* An old access is remembered, however much happens in between. */
KEPT long old, other_words[100000];

static void *write_old(void *unused)
{
    (void)unused;
    old = 1;
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 100000; k++)
            other_words[k]++;
        pthread_mutex_lock(&lock);
        pthread_mutex_unlock(&lock);
    }
    if (is_guilty)
        pause_ms(5);
    return NULL;
}

static void long_ago(bool guilty)
{
    is_guilty = guilty;
    pthread_t thread = start(write_old, NULL);
    if (!guilty)
        pthread_join(thread, NULL);
    pause_ms(30);
    old = 2;
    if (guilty)
        pthread_join(thread, NULL);
}

/* What a block is for is told by the code that asks for it: its fields have names. */
struct account {
    int number;
    long total;
};

KEPT struct account *accounts, *one_account;

static __attribute__((noinline)) void *allocate(size_t size)
{
    void *memory = malloc(size);
    if (!memory)
        abort();
    return memset(memory, 0, size);
}

static void *pay_in(void *unused)
{
    (void)unused;
    if (!is_guilty)
        pthread_mutex_lock(&lock);
    accounts[4].total++;
    if (!is_guilty)
        pthread_mutex_unlock(&lock);
    return NULL;
}

static void field_of_element(bool guilty)
{
    is_guilty = guilty;
    accounts = calloc(6, sizeof *accounts);
    run_apart(pay_in, pay_in, NULL);
    free(accounts);
}

static void *pay_once(void *unused)
{
    (void)unused;
    if (!is_guilty)
        pthread_mutex_lock(&lock);
    one_account->total++;
    if (!is_guilty)
        pthread_mutex_unlock(&lock);
    return NULL;
}

static void field_by_wrapper(bool guilty)
{
    is_guilty = guilty;
    one_account = allocate(sizeof(struct account));
    run_apart(pay_once, pay_once, NULL);
    free(one_account);
}

const struct race_case memory_cases[] = {
    {"field-of-element", "struct account[4].total of the block allocated at field_of_element",
     field_of_element},
    {"field-by-wrapper", "struct account.total of the block allocated at", field_by_wrapper},
    {"free-and-use", "", free_and_use},
    {"heap-used-again", "write", heap_used_again},
    {"memcpy-range", "buffer[110]", memcpy_range},
    {"memmove-source", "buffer[110]", memmove_source},
    {"memset-range", "buffer[110]", memset_range},
    {"string-length", "text", string_length},
    {"reallocated", "", reallocated},
    {"mappings-used-again", "", mappings_used_again},
    {"long-jumps", "after_jump", long_jumps},
    {"crowd", "crowd_bare", crowd},
    {"long-ago", "old", long_ago},
    {0},
};
