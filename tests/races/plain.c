/* Plain data and the simplest of orders. */
#include <stdlib.h>
#include <string.h>

#include "races.h"

static bool is_guilty;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, other_lock = PTHREAD_MUTEX_INITIALIZER;

static void enter(void)
{
    if (!is_guilty)
        pthread_mutex_lock(&lock);
}

static void leave(void)
{
    if (!is_guilty)
        pthread_mutex_unlock(&lock);
}

KEPT long counter;

static void *count(void *unused)
{
    (void)unused;
    for (int i = 0; i < 100; i++) {
        enter();
        counter++;
        leave();
    }
    return NULL;
}

static void plain_counter(bool guilty)
{
    is_guilty = guilty;
    run_apart(count, count, NULL);
}

KEPT int written;
KEPT volatile int read_back;

static void *write_it(void *unused)
{
    (void)unused;
    enter();
    written = 1;
    leave();
    return NULL;
}

static void *read_it(void *unused)
{
    (void)unused;
    enter();
    read_back = written;
    leave();
    return NULL;
}

static void write_then_read(bool guilty)
{
    is_guilty = guilty;
    run_apart(write_it, read_it, NULL);
}

static void read_then_write(bool guilty)
{
    is_guilty = guilty;
    run_apart(read_it, write_it, NULL);
}

KEPT int configured;

static void *use_configured(void *unused)
{
    (void)unused;
    read_back = configured;
    return NULL;
}

/* Written before the thread is made, or after. */
static void order_by_create(bool guilty)
{
    if (!guilty)
        configured = 1;
    pthread_t thread = start(use_configured, NULL);
    if (guilty)
        configured = 1;
    pthread_join(thread, NULL);
}

static void *configure(void *unused)
{
    (void)unused;
    configured = 2;
    return NULL;
}

static void order_by_join(bool guilty)
{
    pthread_t thread = start(configure, NULL);
    if (!guilty)
        pthread_join(thread, NULL);
    pause_ms(5);
    read_back = configured;
    if (guilty)
        pthread_join(thread, NULL);
}

/* Two readers and a writer that knows of one of them only. */
KEPT int table;

static void *read_table(void *unused)
{
    (void)unused;
    (void)*(volatile int *)&table;
    return NULL;
}

static void one_reader_unknown(bool guilty)
{
    pthread_t a = start(read_table, NULL), b = start(read_table, NULL);
    pthread_join(a, NULL);
    if (!guilty)
        pthread_join(b, NULL);
    pause_ms(5);
    table = 1;
    if (guilty)
        pthread_join(b, NULL);
}

KEPT int guarded;

static void *by_own_lock(void *argument)
{
    pthread_mutex_t *mine = is_guilty && argument ? &other_lock : &lock;
    pthread_mutex_lock(mine);
    guarded++;
    pthread_mutex_unlock(mine);
    return NULL;
}

static void different_locks(bool guilty)
{
    is_guilty = guilty;
    pthread_t a = start(by_own_lock, NULL);
    pause_ms(5);
    pthread_t b = start(by_own_lock, &guarded);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
}

/* Neighbours: bytes of one word are not each other's business. */
KEPT struct {
    char left, right;
} halves;

static void *write_left(void *unused)
{
    (void)unused;
    for (int i = 0; i < 50; i++)
        halves.left++;
    return NULL;
}

static void *write_right(void *unused)
{
    (void)unused;
    for (int i = 0; i < 50; i++)
        halves.right++;
    if (is_guilty)
        halves.left++;
    return NULL;
}

static void neighbouring_bytes(bool guilty)
{
    is_guilty = guilty;
    run_apart(write_left, write_right, NULL);
}

/* Bit-fields of one unit share its bytes; a zero-width one parts them. */
KEPT struct {
    unsigned together_a : 3, together_b : 3;
    unsigned : 0;
    unsigned apart : 3;
} fields;

static void *write_field(void *unused)
{
    (void)unused;
    fields.together_a = 1;
    return NULL;
}

static void *write_other_field(void *unused)
{
    (void)unused;
    if (is_guilty)
        fields.together_b = 1;
    else
        fields.apart = 1;
    return NULL;
}

static void bit_fields(bool guilty)
{
    is_guilty = guilty;
    run_apart(write_field, write_other_field, NULL);
}

/* A misaligned long across two words. */
KEPT struct __attribute__((packed)) {
    char pad[5];
    long value;
    char behind;
} packed;

static void *write_packed(void *unused)
{
    (void)unused;
    packed.value = 1;
    return NULL;
}

static void *write_behind(void *unused)
{
    (void)unused;
    if (is_guilty)
        *(volatile char *)((char *)&packed + 12) = 1; /* the last byte of the long */
    else
        packed.behind = 1;
    return NULL;
}

static void unaligned(bool guilty)
{
    is_guilty = guilty;
    run_apart(write_packed, write_behind, NULL);
}

KEPT struct big {
    long word[8];
} source, target;

static void *copy_struct(void *unused)
{
    (void)unused;
    target = source;
    return NULL;
}

static void *touch_struct(void *unused)
{
    (void)unused;
    if (is_guilty)
        target.word[5] = 1;
    else
        source.word[5] = *(volatile long *)&source.word[5] ? 1 : source.word[5] + (long)counter;
    return NULL;
}

static void *read_struct(void *unused)
{
    (void)unused;
    (void)*(volatile long *)&source.word[5];
    return NULL;
}

static void struct_copy(bool guilty)
{
    is_guilty = guilty;
    run_apart(copy_struct, guilty ? touch_struct : read_struct, NULL);
}

KEPT __thread int own;

static void *use_own(void *unused)
{
    (void)unused;
    for (int i = 0; i < 50; i++)
        own++;
    return NULL;
}

static void *use_others(void *argument)
{
    ++*(int *)argument;
    return NULL;
}

/* A thread's own variable, and a pointer to it that got about. */
static void thread_local_storage(bool guilty)
{
    run_apart(use_own, use_own, NULL);
    run_apart(use_own, use_own, NULL);
    if (!guilty)
        return;
    pthread_t thread = start(use_others, &own);
    own++;
    pthread_join(thread, NULL);
}

/* Local variables of threads that come and go share their stacks' addresses. */
static void *use_stack(void *unused)
{
    volatile int local[64];
    (void)unused;
    (void)local;
    for (int i = 0; i < 64; i++)
        local[i] = i;
    return NULL;
}

static void *write_through(void *argument)
{
    *(volatile int *)argument = 1;
    return NULL;
}

static void stacks_used_again(bool guilty)
{
    for (int i = 0; i < 10; i++) {
        pthread_t thread = start(use_stack, NULL);
        pthread_detach(thread);
        pause_ms(1);
    }
    volatile int mine = 0;
    pthread_t thread = start(write_through, (void *)&mine);
    if (guilty)
        mine = 2;
    pthread_join(thread, NULL);
    mine = 3;
}

/* Names of what is deep inside: members of members, rows of rows, static ones of a function. */
struct square {
    char colour;
    long visits;
};
KEPT struct {
    int moves;
    struct square square[3][4];
} board;

static void *visit(void *guarded)
{
    if (guarded)
        pthread_mutex_lock(&lock);
    board.square[1][2].visits++;
    if (guarded)
        pthread_mutex_unlock(&lock);
    return NULL;
}

static void member_deep_inside(bool guilty)
{
    run_apart(visit, visit, guilty ? NULL : &lock);
}

static void *count_visits(void *guarded)
{
    static struct square here __attribute__((used));
    if (guarded)
        pthread_mutex_lock(&lock);
    here.visits++;
    if (guarded)
        pthread_mutex_unlock(&lock);
    return NULL;
}

static void static_of_function(bool guilty)
{
    run_apart(count_visits, count_visits, guilty ? NULL : &lock);
}

const struct race_case plain_cases[] = {
    {"member-deep-inside", "board.square[1][2].visits", member_deep_inside},
    {"static-of-function", "here.visits", static_of_function},
    {"plain-counter", "counter", plain_counter},
    {"write-then-read", "written", write_then_read},
    {"read-then-write", "written", read_then_write},
    {"order-by-create", "configured", order_by_create},
    {"order-by-join", "configured", order_by_join},
    {"one-reader-unknown", "table", one_reader_unknown},
    {"different-locks", "guarded", different_locks},
    {"neighbouring-bytes", "halves.left", neighbouring_bytes},
    {"bit-fields", "fields", bit_fields},
    {"unaligned", "packed", unaligned},
    {"struct-copy", "target", struct_copy},
    {"thread-local", "", thread_local_storage},
    {"stacks-used-again", "", stacks_used_again},
    {0},
};
