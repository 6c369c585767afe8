#include "tracer/symbols/module.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <gelf.h>
#include <glib.h>
#include <string.h>

#include "tracer/symbols/code_find.h"
#include "tracer/symbols/code_line.h"
#include "tracer/symbols/demangle.h"
#include "tracer/symbols/functions.h"
#include "tracer/symbols/symbol_table.h"
#include "tracer/symbols/units.h"
#include "tracer/symbols/variable.h"
#include "tracer/symbols/variable_find.h"

#define INLINED_DEPTH 64

struct reel_module {
    Dwfl *dwfl;
    Dwfl_Module *module;
    GElf_Addr bias; /* libdwfl's place for it, less the link-time address */
    Elf *elf;
    struct reel_variables *variables; /* NULL until the first question */
    bool variables_read;
    Dwarf *dwarf; /* NULL: no debugging information */
    Dwarf_Addr dwarf_bias;
    struct reel_units *units; /* NULL until the first question, as is the next */
    struct reel_functions *functions;
    struct reel_symbol_table *symbols;
};

static char *no_debuginfo_server = NULL;

static const Dwfl_Callbacks callbacks = {
    .find_elf = dwfl_build_id_find_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
    .section_address = dwfl_offline_section_address,
    .debuginfo_path = &no_debuginfo_server,
};

struct reel_module *reel_module_open(const char *path)
{
    Dwfl *dwfl = dwfl_begin(&callbacks);
    if (!dwfl)
        return NULL;
    dwfl_report_begin(dwfl);
    Dwfl_Module *reported = dwfl_report_offline(dwfl, path, path, -1);
    dwfl_report_end(dwfl, NULL, NULL);
    if (!reported) {
        dwfl_end(dwfl);
        return NULL;
    }
    struct reel_module *module = g_new0(struct reel_module, 1);
    module->dwfl = dwfl;
    module->module = reported;
    module->elf = dwfl_module_getelf(reported, &module->bias);
    if (!module->elf) {
        reel_module_close(module);
        return NULL;
    }
    return module;
}

void reel_module_close(struct reel_module *module)
{
    if (!module)
        return;
    reel_variables_free(module->variables);
    reel_functions_free(module->functions);
    reel_units_free(module->units);
    reel_symbol_table_free(module->symbols);
    dwfl_end(module->dwfl);
    g_free(module);
}

bool reel_module_address(const struct reel_module *module, uint64_t offset, uint64_t *address)
{
    size_t count = 0;
    elf_getphdrnum(module->elf, &count);
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr segment;
        if (!gelf_getphdr(module->elf, (int)i, &segment) || segment.p_type != PT_LOAD)
            continue;
        /* Mappings begin at whole pages: before the segment's first byte. */
        uint64_t start = segment.p_offset & ~(uint64_t)4095;
        if (offset >= start && offset < segment.p_offset + segment.p_filesz) {
            *address = segment.p_vaddr - segment.p_offset + offset;
            return true;
        }
    }
    return false;
}

uint64_t reel_module_end(const struct reel_module *module)
{
    size_t count = 0;
    uint64_t end = 0;
    elf_getphdrnum(module->elf, &count);
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr segment;
        if (gelf_getphdr(module->elf, (int)i, &segment) && segment.p_type == PT_LOAD)
            end = MAX(end, segment.p_vaddr + segment.p_memsz);
    }
    return end;
}

/* The debugging information of the code at `address` (libdwfl's), and where that is in it. */
static bool unit_of(struct reel_module *module, GElf_Addr address, Dwarf_Die *unit, Dwarf_Addr *at)
{
    if (!module->units) {
        module->dwarf = dwfl_module_getdwarf(module->module, &module->dwarf_bias);
        module->units = reel_units_read(module->dwarf);
        module->functions = reel_functions_new();
    }
    *at = address - module->dwarf_bias;
    return module->dwarf && reel_units_find(module->units, *at, unit);
}

/* Takes what `line` has. */
static void set_line(struct reel_code_place *place, struct reel_code_line line)
{
    g_free(place->file);
    place->file = line.file;
    place->line = line.line;
}

/* Which inlined function the code at `address` is of; inlined wrappers are stepped out of. */
static void step_through_inlined(struct reel_module *module, Dwarf_Die *unit, Dwarf_Addr address,
                                 struct reel_code_place *place)
{
    Dwarf_Die inlined[INLINED_DEPTH];
    unsigned count =
        reel_functions_inlined(module->functions, unit, address, inlined, INLINED_DEPTH);
    for (unsigned i = 0; i < count; i++) {
        struct reel_code_line call;
        if (reel_code_line_is_wrapper(place->file)) {
            if (reel_code_line_of_call(&inlined[i], &call))
                set_line(place, call);
            continue;
        }
        const char *name = dwarf_diename(&inlined[i]);
        if (name && g_strcmp0(name, place->function) != 0) {
            place->inlined_into = place->function;
            place->function = g_strdup(name);
        }
        break;
    }
}

static bool find_symbol_at(struct reel_module *module, GElf_Addr address,
                           struct reel_symbol_entry *symbol)
{
    if (!module->symbols)
        module->symbols = reel_symbol_table_read(module->module);
    const struct reel_symbol_entry *found = reel_symbol_table_find(module->symbols, address);
    if (found) {
        *symbol = *found;
        return true;
    }
    if (!reel_symbol_table_has_label(module->symbols, address))
        return false;
    GElf_Off offset = 0;
    GElf_Sym label;
    const char *name =
        dwfl_module_addrinfo(module->module, address, &offset, &label, NULL, NULL, NULL);
    *symbol = (struct reel_symbol_entry){name, address - offset, 0,
                                         name && GELF_ST_TYPE(label.st_info) == STT_OBJECT};
    return name;
}

bool reel_module_code(struct reel_module *module, uint64_t address, struct reel_code_place *place)
{
    memset(place, 0, sizeof *place);
    GElf_Addr at = address + module->bias;
    struct reel_symbol_entry symbol;
    if (find_symbol_at(module, at, &symbol)) {
        place->function = reel_demangle(symbol.name);
        place->offset = at - symbol.start;
    }
    Dwarf_Die unit;
    Dwarf_Addr in_unit;
    if (unit_of(module, at, &unit, &in_unit)) {
        struct reel_code_line line;
        if (reel_code_line_at(&unit, in_unit, &line))
            set_line(place, line);
        step_through_inlined(module, &unit, in_unit, place);
    }
    return place->function || place->file;
}

enum reel_heap_answer reel_module_heap(struct reel_module *module, struct reel_sources *sources,
                                       uint64_t address, uint64_t size, uint64_t offset,
                                       GString *name)
{
    struct reel_heap_site site = {.sources = sources};
    if (!unit_of(module, address - 1 + module->bias, &site.unit, &site.address))
        return REEL_HEAP_ASK_CALLER;
    site.dwarf = module->dwarf;
    site.functions = module->functions;
    return reel_heap_type_append(&site, size, offset, name);
}

void reel_code_place_clear(struct reel_code_place *place)
{
    g_free(place->function);
    g_free(place->inlined_into);
    g_free(place->file);
    memset(place, 0, sizeof *place);
}

char *reel_module_variable(struct reel_module *module, uint64_t address)
{
    if (!module->variables_read) {
        module->variables_read = true;
        Dwarf_Addr bias = 0;
        Dwarf *dwarf = dwfl_module_getdwarf(module->module, &bias);
        if (dwarf)
            module->variables = reel_variables_read(dwarf);
    }
    char *name = reel_variables_name(module->variables, address);
    if (name)
        return name;
    struct reel_symbol_entry symbol;
    if (!find_symbol_at(module, address + module->bias, &symbol) || !symbol.is_object)
        return NULL;
    const uint64_t offset = address + module->bias - symbol.start;
    g_autofree char *readable = reel_demangle(symbol.name);
    return offset ? g_strdup_printf("%s+%#" G_GINT64_MODIFIER "x", readable, (guint64)offset)
                  : g_steal_pointer(&readable);
}

static unsigned find_symbol(struct reel_module *module, const char *name,
                            struct reel_variable_place *place)
{
    unsigned count = 0;
    int symbols = dwfl_module_getsymtab(module->module);
    for (int i = 1; i < symbols; i++) {
        GElf_Sym symbol;
        GElf_Addr address;
        const char *called =
            dwfl_module_getsym_info(module->module, i, &symbol, &address, NULL, NULL, NULL);
        if (!called || GELF_ST_TYPE(symbol.st_info) != STT_OBJECT || !symbol.st_size ||
            strcmp(called, name) != 0 || (count && place->address == address - module->bias))
            continue;
        if (count++ == 0)
            *place = (struct reel_variable_place){.address = address - module->bias,
                                                  .size = symbol.st_size};
    }
    return count;
}

unsigned reel_module_find(struct reel_module *module, const char *file, const char *name,
                          struct reel_variable_place *place)
{
    Dwarf_Addr bias;
    Dwarf *dwarf = dwfl_module_getdwarf(module->module, &bias);
    unsigned count = dwarf ? reel_variable_find(dwarf, file, name, place) : 0;
    return count || file ? count : find_symbol(module, name, place);
}

struct visit {
    const struct reel_module *module;
    reel_variable_visitor *each;
    void *data;
};

static bool is_writable(const struct reel_module *module, uint64_t address)
{
    size_t count = 0;
    elf_getphdrnum(module->elf, &count);
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr segment;
        if (gelf_getphdr(module->elf, (int)i, &segment) && segment.p_type == PT_LOAD &&
            address >= segment.p_vaddr && address < segment.p_vaddr + segment.p_memsz)
            return segment.p_flags & PF_W;
    }
    return false;
}

static bool visit(void *data, const struct reel_variable_place *place)
{
    const struct visit *visit = data;
    return !is_writable(visit->module, place->address) || visit->each(visit->data, place);
}

void reel_module_each(struct reel_module *module, reel_variable_visitor *each, void *data)
{
    Dwarf_Addr bias;
    Dwarf *dwarf = dwfl_module_getdwarf(module->module, &bias);
    struct visit all = {module, each, data};
    if (dwarf)
        reel_variable_each(dwarf, visit, &all);
}

static unsigned find_function_symbol(struct reel_module *module, const char *name,
                                     struct reel_code_range *range)
{
    int symbols = dwfl_module_getsymtab(module->module);
    for (int i = 1; i < symbols; i++) {
        GElf_Sym symbol;
        GElf_Addr address;
        const char *called =
            dwfl_module_getsym_info(module->module, i, &symbol, &address, NULL, NULL, NULL);
        if (called && GELF_ST_TYPE(symbol.st_info) == STT_FUNC && symbol.st_size &&
            strcmp(called, name) == 0) {
            *range = (struct reel_code_range){address - module->bias,
                                              address - module->bias + symbol.st_size};
            return 1;
        }
    }
    return 0;
}

unsigned reel_module_code_ranges(struct reel_module *module, const char *name, int line,
                                 struct reel_code_range *ranges, unsigned limit)
{
    Dwarf_Addr bias;
    Dwarf *dwarf = dwfl_module_getdwarf(module->module, &bias);
    if (line)
        return dwarf ? reel_code_find_line(dwarf, name, line, ranges, limit) : 0;
    unsigned count = dwarf ? reel_code_find_function(dwarf, name, ranges, limit) : 0;
    return count || !limit ? count : find_function_symbol(module, name, ranges);
}
