/* The unit and the inlined calls of an address against what libdw finds, for the bytes of this very
 * program, which is built with debugging information and has calls inlined three deep. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <unistd.h>

#include "tracer/symbols/functions.h"
#include "tracer/symbols/units.h"

#define INLINED __attribute__((always_inline)) static inline

INLINED unsigned innermost(unsigned value)
{
    return value * 7 + (value >> 3);
}

INLINED unsigned middle(unsigned value)
{
    return innermost(value + 1) ^ innermost(value - 1);
}

INLINED unsigned outer(unsigned value)
{
    return value % 2 ? middle(value) : innermost(value) - middle(value / 2);
}

__attribute__((noinline)) static unsigned inlines_three_deep(unsigned value)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < value; i++)
        sum += outer(i) + innermost(sum);
    return sum;
}

/* By the definition: from the innermost scope outwards, until the function itself. */
static unsigned by_walking(Dwarf_Die *unit, Dwarf_Addr address, Dwarf_Die *inlined, unsigned limit)
{
    Dwarf_Die *innermost_scope = NULL, *scopes = NULL;
    unsigned found = 0;
    int count = dwarf_getscopes(unit, address, &innermost_scope);
    if (count > 0)
        count = dwarf_getscopes_die(&innermost_scope[0], &scopes);
    free(innermost_scope);
    for (int i = 0; i < count && found < limit; i++) {
        if (dwarf_tag(&scopes[i]) == DW_TAG_subprogram)
            break;
        if (dwarf_tag(&scopes[i]) == DW_TAG_inlined_subroutine)
            inlined[found++] = scopes[i];
    }
    free(scopes);
    return found;
}

static char *no_debuginfo_server = NULL;
static const Dwfl_Callbacks callbacks = {.find_elf = dwfl_linux_proc_find_elf,
                                         .find_debuginfo = dwfl_standard_find_debuginfo,
                                         .section_address = dwfl_offline_section_address,
                                         .debuginfo_path = &no_debuginfo_server};

static void inlined_calls_are_those_that_libdw_walks_to(void **state)
{
    (void)state;
    assert_true(inlines_three_deep(100) != 0);
    Dwfl *dwfl = dwfl_begin(&callbacks);
    assert_int_equal(dwfl_linux_proc_report(dwfl, getpid()), 0);
    dwfl_report_end(dwfl, NULL, NULL);
    struct reel_functions *functions = reel_functions_new();
    struct reel_units *units = NULL;
    unsigned compared = 0, deepest = 0;
    uintptr_t begin = (uintptr_t)inlines_three_deep;
    Dwfl_Module *module = dwfl_addrmodule(dwfl, begin);
    assert_non_null(module);
    Dwarf_Addr bias = 0;
    units = reel_units_read(dwfl_module_getdwarf(module, &bias));
    /* This function, and what stands around it: its ends, its neighbours, code without a unit. */
    for (uintptr_t address = begin - 600; address < begin + 1200; address++) {
        Dwarf_Addr unused;
        Dwarf_Die unit, *known = dwfl_module_addrdie(module, address, &unused);
        bool found = reel_units_find(units, address - bias, &unit);
        /* clang writes no table of addresses, without which an older libdw knows no unit; with one
         * it takes what lies between two units to be of the first. */
        if (!found)
            continue;
        if (known)
            assert_int_equal(dwarf_dieoffset(known), dwarf_dieoffset(&unit));
        Dwarf_Die fast[64], walked[64];
        unsigned count = reel_functions_inlined(functions, &unit, address - bias, fast, 64);
        assert_int_equal(count, by_walking(&unit, address - bias, walked, 64));
        for (unsigned i = 0; i < count; i++)
            assert_int_equal(dwarf_dieoffset(&fast[i]), dwarf_dieoffset(&walked[i]));
        if (count > deepest)
            deepest = count;
        compared++;
    }
    reel_functions_free(functions);
    reel_units_free(units);
    dwfl_end(dwfl);
    assert_true(compared > 500);
    assert_true(deepest >= 3);
}

static void a_limit_is_kept(void **state)
{
    (void)state;
    Dwfl *dwfl = dwfl_begin(&callbacks);
    assert_int_equal(dwfl_linux_proc_report(dwfl, getpid()), 0);
    dwfl_report_end(dwfl, NULL, NULL);
    struct reel_functions *functions = reel_functions_new();
    uintptr_t begin = (uintptr_t)inlines_three_deep;
    Dwarf_Addr bias = 0;
    struct reel_units *units =
        reel_units_read(dwfl_module_getdwarf(dwfl_addrmodule(dwfl, begin), &bias));
    for (uintptr_t address = begin; address < begin + 200; address++) {
        Dwarf_Die inlined[1], unit;
        if (reel_units_find(units, address - bias, &unit))
            assert_true(reel_functions_inlined(functions, &unit, address - bias, inlined, 1) <= 1);
    }
    reel_units_free(units);
    reel_functions_free(functions);
    dwfl_end(dwfl);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inlined_calls_are_those_that_libdw_walks_to),
        cmocka_unit_test(a_limit_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
