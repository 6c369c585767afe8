/* The reader of call-frame information on bytes that no compiler wrote: it may refuse them or read
 * a rule from them, but it stays within what it was given. Each table ends at a page that cannot be
 * read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "probes/preload/cfi.c" /* its parts are tested one by one */

static uint8_t *guarded; /* a page, and one behind it that cannot be touched */
#define PAGE 4096u

static int set_up(void **state)
{
    (void)state;
    guarded = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return guarded == MAP_FAILED ? -1 : mprotect(guarded + PAGE, PAGE, PROT_NONE);
}

static uint64_t next(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random;
}

static void any_program_is_read_within_its_bounds(void **state)
{
    (void)state;
    uint64_t random = 88172645463325252u;
    for (int round = 0; round < 300000; round++) {
        size_t size = next(&random) % 40;
        uint8_t *begin = guarded + PAGE - size;
        for (size_t i = 0; i < size; i++)
            begin[i] = (uint8_t)next(&random);
        struct program program = {.code_alignment = 1 + next(&random) % 4,
                                  .data_alignment = -8,
                                  .pointer_encoding = (uint8_t)next(&random)};
        struct row row = {0};
        struct bytes in = {begin, begin + size};
        struct reel_cfi_rule rule;
        if (run(in, &program, 0, next(&random) % 100, &row))
            rule_of_row(&row, next(&random), &rule);
    }
}

static void put32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, sizeof value);
}

/* A common entry and an entry that refers to it, with honest lengths and random contents. */
static void any_entry_is_read_within_its_bounds(void **state)
{
    (void)state;
    static const char *const augmentations[] = {"zR", "zPLR", "", "zRS", "eh", "zzzz"};
    uint64_t random = 1234567u;
    for (int round = 0; round < 300000; round++) {
        uint32_t common = 8 + (uint32_t)(next(&random) % 40);
        uint32_t entry = 8 + (uint32_t)(next(&random) % 40);
        uint8_t *begin = guarded + PAGE - (4 + common + 4 + entry);
        for (uint8_t *at = begin; at < guarded + PAGE; at++)
            *at = (uint8_t)next(&random);
        put32(begin, common);
        put32(begin + 4, 0);
        begin[8] = 1;
        const char *augmentation = augmentations[next(&random) % 6];
        if (next(&random) % 4 && strlen(augmentation) + 1 <= common - 5)
            strcpy((char *)begin + 9, augmentation);
        uint8_t *second = begin + 4 + common;
        put32(second, entry);
        put32(second + 4, (uint32_t)(second + 4 - begin));
        struct row row = {0};
        bool signal_frame;
        uint64_t pc = (uint64_t)second + next(&random) % 1000;
        run_entry(second, pc, &row, &signal_frame);
    }
}

static void every_function_of_this_program_has_a_rule(void **state)
{
    (void)state;
    struct reel_cfi_rule rule;
    reel_cfi_find((uint64_t)(uintptr_t)&any_entry_is_read_within_its_bounds, &rule);
    assert_int_equal(rule.base, REEL_CFI_STACK_POINTER);
    assert_int_equal(rule.cfa_offset, 8); /* at its first instruction: the return address alone */
    reel_cfi_find((uint64_t)(uintptr_t)&qsort, &rule);
    assert_int_equal(rule.base, REEL_CFI_STACK_POINTER);
    reel_cfi_find(16, &rule);
    assert_int_equal(rule.base, REEL_CFI_STOP);
    reel_cfi_find((uint64_t)(uintptr_t)guarded, &rule);
    assert_int_equal(rule.base, REEL_CFI_STOP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_program_is_read_within_its_bounds),
        cmocka_unit_test(any_entry_is_read_within_its_bounds),
        cmocka_unit_test(every_function_of_this_program_has_a_rule),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
