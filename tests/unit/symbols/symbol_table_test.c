/* The symbol at an address against libdwfl's own walk: at thousands of places of this program and
 * of the C library, where the two must say the same. */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <elfutils/libdwfl.h>

#include "tracer/symbols/symbol_table.h"

#define PLACES 1500

static char *no_debuginfo_server = NULL;
static const Dwfl_Callbacks callbacks = {.find_elf = dwfl_build_id_find_elf,
                                         .find_debuginfo = dwfl_standard_find_debuginfo,
                                         .section_address = dwfl_offline_section_address,
                                         .debuginfo_path = &no_debuginfo_server};

/* How many places had a symbol with a size. */
static unsigned compare(const char *path)
{
    Dwfl *dwfl = dwfl_begin(&callbacks);
    dwfl_report_begin(dwfl);
    Dwfl_Module *module = dwfl_report_offline(dwfl, path, path, -1);
    dwfl_report_end(dwfl, NULL, NULL);
    assert_non_null(module);
    Dwarf_Addr start, end;
    dwfl_module_info(module, NULL, &start, &end, NULL, NULL, NULL, NULL);
    struct reel_symbol_table *table = reel_symbol_table_read(module);
    uint64_t random = 1;
    unsigned found = 0;
    for (int i = 0; i < PLACES; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        const Dwarf_Addr address = start + (random >> 20) % (end - start);
        GElf_Off offset = 0;
        GElf_Sym symbol;
        const char *theirs =
            dwfl_module_addrinfo(module, address, &offset, &symbol, NULL, NULL, NULL);
        const struct reel_symbol_entry *ours = reel_symbol_table_find(table, address);
        if (ours) {
            assert_non_null(theirs);
            assert_string_equal(ours->name, theirs);
            assert_int_equal(address - ours->start, offset);
            found++;
        } else if (theirs) {
            assert_true(reel_symbol_table_has_label(table, address));
        }
    }
    reel_symbol_table_free(table);
    dwfl_end(dwfl);
    return found;
}

static void symbols_are_those_that_libdwfl_finds(void **state)
{
    (void)state;
    Dl_info library;
    assert_true(dladdr((const void *)(uintptr_t)printf, &library) != 0);
    assert_true(compare("/proc/self/exe") > 100);
    assert_true(compare(library.dli_fname) > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(symbols_are_those_that_libdwfl_finds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
