#include "tracer/symbols/variable.h"

#include <dwarf.h>
#include <glib.h>

#include "tracer/symbols/type_path.h"

#define UNIT_LIMIT 50000u /* a browser's worth of debugging information is not read for a name */
#define DEPTH      16     /* of blocks in blocks */

/* A variable, or one of the pieces into which the optimiser took it apart. */
struct variable {
    uint64_t address, size;
    uint64_t offset; /* in the whole variable */
    Dwarf_Off die;
};

struct reel_variables {
    Dwarf *dwarf;
    GArray *sorted; /* struct variable by address */
};

/* What a location's operation says is an address; clang says an index into a table of them. */
static bool address_in(Dwarf_Attribute *location, Dwarf_Op *operation, uint64_t *address)
{
    Dwarf_Attribute indexed;
    Dwarf_Addr found;
    if (operation->atom == DW_OP_addr) {
        *address = operation->number;
        return true;
    }
    if (operation->atom != DW_OP_addrx ||
        dwarf_getlocation_attr(location, operation, &indexed) != 0 ||
        dwarf_formaddr(&indexed, &found) != 0)
        return false;
    *address = found;
    return true;
}

bool reel_variable_address(Dwarf_Die *die, uint64_t *address)
{
    Dwarf_Attribute location;
    Dwarf_Op *operations;
    size_t count;
    return dwarf_attr_integrate(die, DW_AT_location, &location) &&
           dwarf_getlocation(&location, &operations, &count) == 0 && count == 1 &&
           address_in(&location, &operations[0], address);
}

/* The places of a variable: one, or those of its pieces that are anywhere. */
static void add_variable(GArray *found, Dwarf_Die *die)
{
    struct variable variable = {.die = dwarf_dieoffset(die)};
    Dwarf_Attribute location;
    Dwarf_Op *operations;
    Dwarf_Die type;
    size_t count;
    if (!reel_type_of(die, &type))
        return;
    if (reel_variable_address(die, &variable.address)) {
        variable.size = MAX(reel_type_size(&type), 1);
        g_array_append_val(found, variable);
        return;
    }
    if (!dwarf_attr_integrate(die, DW_AT_location, &location) ||
        dwarf_getlocation(&location, &operations, &count) != 0)
        return;
    bool placed = false;
    for (size_t i = 0; i < count; i++) {
        if (operations[i].atom != DW_OP_piece) {
            placed = address_in(&location, &operations[i], &variable.address);
            continue;
        }
        variable.size = operations[i].number;
        if (placed && variable.size)
            g_array_append_val(found, variable);
        variable.offset += variable.size;
        placed = false;
    }
}

static void collect(GArray *found, Dwarf_Die *parent, int depth)
{
    Dwarf_Die child;
    if (depth > DEPTH || dwarf_child(parent, &child) != 0)
        return;
    do {
        switch (dwarf_tag(&child)) {
        case DW_TAG_variable:
            add_variable(found, &child);
            break;
        case DW_TAG_subprogram:
        case DW_TAG_lexical_block:
        case DW_TAG_namespace:
            collect(found, &child, depth + 1);
            break;
        default:
            break;
        }
    } while (dwarf_siblingof(&child, &child) == 0);
}

static gint by_address(gconstpointer a, gconstpointer b)
{
    uint64_t x = ((const struct variable *)a)->address, y = ((const struct variable *)b)->address;
    return x < y ? -1 : x > y;
}

struct reel_variables *reel_variables_read(Dwarf *dwarf)
{
    GArray *found = g_array_new(FALSE, FALSE, sizeof(struct variable));
    Dwarf_CU *unit = NULL;
    Dwarf_Die root;
    uint8_t unit_type;
    for (unsigned i = 0; i < UNIT_LIMIT; i++) {
        if (dwarf_get_units(dwarf, unit, &unit, NULL, &unit_type, &root, NULL) != 0)
            break;
        if (dwarf_tag(&root) == DW_TAG_compile_unit)
            collect(found, &root, 0);
    }
    if (found->len == 0) {
        g_array_free(found, TRUE);
        return NULL;
    }
    g_array_sort(found, by_address);
    struct reel_variables *variables = g_new0(struct reel_variables, 1);
    variables->dwarf = dwarf;
    variables->sorted = found;
    return variables;
}

void reel_variables_free(struct reel_variables *variables)
{
    if (!variables)
        return;
    g_array_free(variables->sorted, TRUE);
    g_free(variables);
}

static const struct variable *covering(const struct reel_variables *variables, uint64_t address)
{
    guint low = 0, high = variables->sorted->len;
    while (low < high) {
        guint middle = (low + high) / 2;
        if (g_array_index(variables->sorted, struct variable, middle).address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NULL;
    const struct variable *candidate = &g_array_index(variables->sorted, struct variable, low - 1);
    return address - candidate->address < MAX(candidate->size, 1) ? candidate : NULL;
}

char *reel_variables_name(const struct reel_variables *variables, uint64_t address)
{
    const struct variable *variable = variables ? covering(variables, address) : NULL;
    Dwarf_Die die, type;
    if (!variable || !dwarf_offdie(variables->dwarf, variable->die, &die))
        return NULL;
    const char *base = dwarf_diename(&die);
    if (!base)
        return NULL;
    GString *name = g_string_new(base);
    if (reel_type_named_by(&die, &type))
        reel_type_append_path(&type, address - variable->address + variable->offset, name);
    return g_string_free(name, FALSE);
}
