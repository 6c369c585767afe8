/* The probe's own walk against libunwind's: on every shape of frame, the same return addresses from
 * the caller of the wrapper outwards. */
#define UNW_LOCAL_ONLY
#include <libunwind.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "probes/preload/stack.h"
#include "tests/unit/probe/shapes.h"
#include "tracer/collect/region.h"

#define DEPTH 64

/* What attach.c holds in the real probe. */
struct reel_probe reel_probe;
struct reel_fork_page reel_fork_page;
struct reel_real reel_real;
struct reel_tls *reel_enter_slow(enum reel_family family)
{
    (void)family;
    return NULL;
}

static struct reel_region_owner owner;
static unsigned compared, differing, shortened;
static char difference[4096];

/* The addresses of stack `number`, innermost first, as the collector would learn them: from the
 * STACK_NODE records of this thread. */
static unsigned told(uint32_t number, uint64_t *address)
{
    static struct {
        uint64_t pc;
        uint32_t inner;
    } node[65536];
    static uint32_t block = REEL_NO_BLOCK, position;
    struct reel_tls *tls = &reel_tls;
    if (block == REEL_NO_BLOCK)
        block = atomic_load(&tls->slot->first_block);
    for (;;) {
        struct reel_block *here = reel_region_block(owner.region, block);
        for (; position < REEL_BLOCK_RECORDS; position++) {
            const struct reel_record *record = &here->record[position];
            uint32_t kind = atomic_load(&record->kind);
            if (!kind)
                break;
            if (REEL_KIND_OPERATION(kind) == REEL_OP_STACK_NODE && record->stack < 65536) {
                node[record->stack].pc = record->object;
                node[record->stack].inner = record->argument;
            }
        }
        uint32_t next = atomic_load(&here->next);
        if (position < REEL_BLOCK_RECORDS || next == REEL_NO_BLOCK)
            break;
        block = next;
        position = 0;
    }
    uint64_t outwards[DEPTH + 1];
    unsigned count = 0;
    for (; number && count < DEPTH; number = node[number].inner)
        outwards[count++] = node[number].pc;
    for (unsigned i = 0; i < count; i++)
        address[i] = outwards[count - 1 - i];
    return count;
}

static void note(const char *what, const uint64_t *ours, unsigned our_count, const uint64_t *theirs,
                 unsigned their_count)
{
    differing++;
    if (difference[0])
        return;
    int used = snprintf(difference, sizeof difference, "%s\n", what);
    for (unsigned i = 0; i < our_count || i < their_count; i++)
        used += snprintf(difference + used, sizeof difference - (size_t)used, "%2u %16llx %16llx\n",
                         i, i < our_count ? (unsigned long long)ours[i] : 0ull,
                         i < their_count ? (unsigned long long)theirs[i] : 0ull);
}

/* Stands for a wrapper: it keeps a frame pointer, as those do. */
__attribute__((noinline)) static void wrapper(void)
{
    struct reel_tls *tls = &reel_tls;
    uint32_t number = reel_stack_here(tls);
    uint32_t again = reel_stack_here(tls);
    uint64_t ours[DEPTH], theirs[DEPTH];
    unsigned our_count = told(number, ours), their_count = 0;
    unw_context_t context;
    unw_cursor_t cursor;
    unw_getcontext(&context);
    unw_init_local(&cursor, &context);
    while (their_count < DEPTH && unw_step(&cursor) > 0) {
        unw_word_t ip;
        unw_get_reg(&cursor, UNW_REG_IP, &ip);
        if (ip == 0)
            break;
        theirs[their_count++] = ip;
    }
    compared++;
    if (number != again) {
        note("the same stack got two numbers", ours, our_count, theirs, their_count);
        return;
    }
    unsigned common = our_count < their_count ? our_count : their_count;
    if (common < 2 || memcmp(ours, theirs, common * sizeof *ours) != 0) {
        note("other addresses", ours, our_count, theirs, their_count);
        return;
    }
    /* A walk may end early where the tables say nothing (the procedure linkage table); a handler
     * interrupts there now and then. */
    shortened += our_count < their_count;
}

static int set_up(void **state)
{
    (void)state;
    struct reel_collect_options options = {.families = ~0u,
                                           .stack_mode = REEL_STACK_UNWIND,
                                           .stack_depth = DEPTH,
                                           .buffer_bytes = 64 << 20};
    struct reel_error error = {0};
    if (!reel_region_open(&owner, &options, REEL_CLOCK_MONOTONIC, 1.0, 512, &error))
        return -1;
    reel_probe.region = owner.region;
    reel_probe.stack_mode = REEL_STACK_UNWIND;
    reel_probe.stack_depth = DEPTH;
    return reel_thread_attach(&reel_tls) ? 0 : -1;
}

static void agree(const struct shape *shapes, unsigned allowed_shorter)
{
    for (; shapes->name; shapes++) {
        compared = differing = shortened = 0;
        difference[0] = '\0';
        shapes->run(wrapper);
        assert_true(compared > 0);
        if (differing)
            fail_msg("%s: %u of %u differ, the first: %s", shapes->name, differing, compared,
                     difference);
        if (shortened * 100 > compared * allowed_shorter)
            fail_msg("%s: %u of %u end early", shapes->name, shortened, compared);
    }
}

static void unoptimised_frames_are_walked_as_libunwind_does(void **state)
{
    (void)state;
    agree(shapes_plain, 5);
}

static void optimised_frames_are_walked_as_libunwind_does(void **state)
{
    (void)state;
    agree(shapes_optimised, 5);
}

static void frames_without_pointers_are_walked_as_libunwind_does(void **state)
{
    (void)state;
    agree(shapes_fast, 5);
}

static void frames_of_cxx_are_walked_as_libunwind_does(void **state)
{
    (void)state;
    agree(shapes_cxx, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unoptimised_frames_are_walked_as_libunwind_does),
        cmocka_unit_test(optimised_frames_are_walked_as_libunwind_does),
        cmocka_unit_test(frames_without_pointers_are_walked_as_libunwind_does),
        cmocka_unit_test(frames_of_cxx_are_walked_as_libunwind_does),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
