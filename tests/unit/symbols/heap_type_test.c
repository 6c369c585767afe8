/* What a block is for, as the code that asks for it lets know: see allocations.c, built by this or
 * another compiler, with its source at hand or without. heap_type_test ALLOCATIONS.so with|without
 */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>
#include <malloc.h>

#include "tracer/symbols/module.h"

static void *library;
static struct reel_module *module;
static struct reel_sources *sources;
static bool with_source;

/* The last block. */
static uint64_t site, size;

static void *hand_out(size_t bytes)
{
    static char memory[4096];
    Dl_info info;
    void *returns = __builtin_return_address(0), *block = malloc(bytes);
    assert_true(dladdr(returns, &info) != 0);
    site = (uint64_t)((char *)returns - (char *)info.dli_fbase);
    size = malloc_usable_size(block);
    free(block);
    assert_true(bytes <= sizeof memory);
    return memory;
}

/* What is `offset` bytes into it. */
static const char *at(uint64_t offset)
{
    static GString *name;
    if (!name)
        name = g_string_new(NULL);
    g_string_truncate(name, 0);
    enum reel_heap_answer answer = reel_module_heap(module, sources, site, size, offset, name);
    return answer == REEL_HEAP_NAMED        ? name->str
           : answer == REEL_HEAP_ASK_CALLER ? "ask the caller"
                                            : "unknown";
}

#define RUN(function, type, ...) ((type)dlsym(library, #function))(__VA_ARGS__)

static void a_pointer_that_is_declared_there_tells_the_type(void **state)
{
    (void)state;
    RUN(declared, void (*)(void));
    assert_string_equal(at(0), "struct stats.misses");
    assert_string_equal(at(8), "struct stats.hits");
    assert_string_equal(at(19), "struct stats.name[3]");
}

static void a_member_of_what_a_pointer_points_to_tells_an_array(void **state)
{
    char table[64] = {0};
    (void)state;
    RUN(assigned_to_a_member, void (*)(void *, size_t), table, 5);
    if (!with_source)
        return; /* the table's other members are in sight, too */
    assert_string_equal(at(3 * 32), "struct item[3].kind");
    assert_string_equal(at(4 * 32 + 16), "struct item[4].count[1]");
    assert_string_equal(at(2 * 32 + 24), "struct item[2].ready/done");
    assert_string_equal(at(5 * 32), "unknown");
}

static void pointers_are_types_too(void **state)
{
    (void)state;
    RUN(of_pointers, void (*)(size_t), 8);
    if (with_source)
        assert_string_equal(at(16), "point *[2]");
    else
        assert_string_equal(at(16), "unknown");
}

static void the_size_of_a_type_tells_it(void **state)
{
    (void)state;
    RUN(measured_by_type, void (*)(void));
    if (with_source)
        assert_string_equal(at(8), "struct stats.hits");
    else
        assert_string_equal(at(8), "unknown");
    RUN(passed_on, void (*)(void));
    if (with_source)
        assert_string_equal(at(8), "point.y");
    else
        assert_string_equal(at(8), "unknown");
}

static void what_follows_a_structure_is_of_it_only_where_it_ends_openly(void **state)
{
    (void)state;
    RUN(with_a_tail, void (*)(size_t), 100);
    if (with_source) {
        assert_string_equal(at(0), "struct row.length");
        assert_string_equal(at(4 + 2 * 70), "struct row.cell[70]");
    }
    RUN(with_bytes_behind, void (*)(size_t), 100);
    if (with_source)
        assert_string_equal(at(8), "struct stats.hits");
    assert_string_equal(at(60), "unknown");
}

static void the_size_says_more_than_the_pointer(void **state)
{
    (void)state;
    RUN(larger_than_it_seems, void (*)(void));
    if (with_source)
        assert_string_equal(at(24 + 8), "struct named_node.number[1]");
    else
        assert_string_equal(at(24 + 8), "unknown");
    RUN(of_a_type_unheard_of, void (*)(void));
    assert_string_equal(at(8), "unknown");
}

static void one_type_in_sight_of_that_size_is_it(void **state)
{
    (void)state;
    RUN(one_in_sight, void *(*)(size_t), 40);
    /* It returns what may be the memory: its caller might know better. */
    assert_string_equal(at(8), "ask the caller");
}

static void of_two_that_fit_neither_is_named(void **state)
{
    (void)state;
    RUN(two_in_sight, int (*)(size_t, int), 40, 1);
    assert_string_equal(at(8), "unknown");
}

static void bytes_have_no_name(void **state)
{
    (void)state;
    RUN(bytes_alone, int (*)(size_t), 40);
    assert_string_equal(at(8), "unknown");
}

static void what_hands_memory_out_is_seen_through(void **state)
{
    (void)state;
    RUN(by_another, void (*)(void));
    assert_string_equal(at(8), "struct stats.hits");
    RUN(for_others, void *(*)(size_t), 40);
    assert_string_equal(at(8), "ask the caller");
}

static void a_statement_may_have_several_lines(void **state)
{
    (void)state;
    RUN(several_lines, void (*)(size_t), 5);
    if (with_source)
        assert_string_equal(at(3 * 32), "struct item[3].kind");
    else
        assert_string_equal(at(3 * 32), "unknown");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pointer_that_is_declared_there_tells_the_type),
        cmocka_unit_test(a_member_of_what_a_pointer_points_to_tells_an_array),
        cmocka_unit_test(pointers_are_types_too),
        cmocka_unit_test(the_size_of_a_type_tells_it),
        cmocka_unit_test(what_follows_a_structure_is_of_it_only_where_it_ends_openly),
        cmocka_unit_test(the_size_says_more_than_the_pointer),
        cmocka_unit_test(one_type_in_sight_of_that_size_is_it),
        cmocka_unit_test(of_two_that_fit_neither_is_named),
        cmocka_unit_test(bytes_have_no_name),
        cmocka_unit_test(what_hands_memory_out_is_seen_through),
        cmocka_unit_test(a_statement_may_have_several_lines),
    };
    if (argc != 3 || !(library = dlopen(argv[1], RTLD_NOW)))
        return 2;
    with_source = strcmp(argv[2], "with") == 0;
    module = reel_module_open(argv[1]);
    sources = reel_sources_new();
    *(void *(**)(size_t))dlsym(library, "hand_out") = hand_out;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    reel_sources_free(sources);
    reel_module_close(module);
    return failed;
}
