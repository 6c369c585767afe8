#include "tracer/symbols/variable.h"

#include <dwarf.h>
#include <glib.h>
#include <string.h>

#define UNIT_LIMIT   50000u /* a browser's worth of debugging information is not read for a name */
#define MEMBER_DEPTH 16

struct variable {
    uint64_t address, size;
    Dwarf_Off die;
};

struct reel_variables {
    Dwarf *dwarf;
    GArray *sorted; /* struct variable by address */
};

/* The type behind typedefs and qualifiers. */
static bool peel(Dwarf_Die *type)
{
    for (int i = 0; i < 32; i++) {
        switch (dwarf_tag(type)) {
        case DW_TAG_typedef:
        case DW_TAG_const_type:
        case DW_TAG_volatile_type:
        case DW_TAG_atomic_type: {
            Dwarf_Attribute attribute;
            Dwarf_Die inner;
            if (!dwarf_attr_integrate(type, DW_AT_type, &attribute) ||
                !dwarf_formref_die(&attribute, &inner))
                return false;
            *type = inner;
            break;
        }
        default:
            return true;
        }
    }
    return false;
}

static bool type_of(Dwarf_Die *die, Dwarf_Die *type)
{
    Dwarf_Attribute attribute;
    return dwarf_attr_integrate(die, DW_AT_type, &attribute) &&
           dwarf_formref_die(&attribute, type) && peel(type);
}

bool reel_variable_address(Dwarf_Die *die, uint64_t *address)
{
    Dwarf_Attribute attribute;
    Dwarf_Op *operations;
    size_t count;
    if (!dwarf_attr_integrate(die, DW_AT_location, &attribute) ||
        dwarf_getlocation(&attribute, &operations, &count) != 0 || count != 1)
        return false;
    if (operations[0].atom == DW_OP_addrx) { /* clang: an index into a table of addresses */
        Dwarf_Attribute indexed;
        Dwarf_Addr found;
        if (dwarf_getlocation_attr(&attribute, &operations[0], &indexed) != 0 ||
            dwarf_formaddr(&indexed, &found) != 0)
            return false;
        *address = found;
        return true;
    }
    *address = operations[0].number;
    return operations[0].atom == DW_OP_addr;
}

static void collect(GArray *found, Dwarf_Die *parent, int depth)
{
    Dwarf_Die child;
    if (depth > MEMBER_DEPTH || dwarf_child(parent, &child) != 0)
        return;
    do {
        switch (dwarf_tag(&child)) {
        case DW_TAG_variable: {
            struct variable variable = {.die = dwarf_dieoffset(&child)};
            Dwarf_Die type;
            Dwarf_Word size = 0;
            if (reel_variable_address(&child, &variable.address) && type_of(&child, &type)) {
                variable.size = dwarf_aggregate_size(&type, &size) == 0 ? size : 1;
                g_array_append_val(found, variable);
            }
            break;
        }
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

/* The member of a structure that covers `offset`; its own offset is taken off. */
static bool descend_member(Dwarf_Die *type, uint64_t *offset, GString *name)
{
    Dwarf_Die child, best;
    uint64_t best_offset = 0;
    bool found = false;
    if (dwarf_child(type, &child) != 0)
        return false;
    do {
        Dwarf_Attribute attribute;
        Dwarf_Word place = 0;
        if (dwarf_tag(&child) != DW_TAG_member && dwarf_tag(&child) != DW_TAG_inheritance)
            continue;
        if (dwarf_attr(&child, DW_AT_data_member_location, &attribute))
            dwarf_formudata(&attribute, &place);
        if (place <= *offset && (!found || place >= best_offset)) {
            best = child;
            best_offset = place;
            found = true;
        }
    } while (dwarf_siblingof(&child, &child) == 0);
    if (!found)
        return false;
    const char *member = dwarf_diename(&best);
    if (member && dwarf_tag(&best) == DW_TAG_member)
        g_string_append_printf(name, ".%s", member);
    *offset -= best_offset;
    return type_of(&best, type);
}

static bool descend_element(Dwarf_Die *type, uint64_t *offset, GString *name)
{
    Dwarf_Die element;
    Dwarf_Word size = 0;
    if (!type_of(type, &element) || dwarf_aggregate_size(&element, &size) != 0 || size == 0)
        return false;
    g_string_append_printf(name, "[%" G_GUINT64_FORMAT "]", (guint64)(*offset / size));
    *offset %= size;
    *type = element;
    return true;
}

/* Synchronisation objects are named as a whole: what is inside is the C library's. */
static bool is_opaque(Dwarf_Die *die)
{
    static const char *const names[] = {"pthread_mutex_t",    "pthread_cond_t", "pthread_rwlock_t",
                                        "pthread_barrier_t",  "pthread_once_t", "sem_t",
                                        "pthread_spinlock_t", "mtx_t",          "cnd_t",
                                        "once_flag"};
    Dwarf_Attribute attribute;
    Dwarf_Die type;
    if (!dwarf_attr_integrate(die, DW_AT_type, &attribute) ||
        !dwarf_formref_die(&attribute, &type) || dwarf_tag(&type) != DW_TAG_typedef)
        return false;
    const char *name = dwarf_diename(&type);
    for (unsigned i = 0; name && i < G_N_ELEMENTS(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
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
    g_autoptr(GString) name = g_string_new(base);
    uint64_t offset = address - variable->address;
    bool opaque = is_opaque(&die);
    if (!type_of(&die, &type))
        return g_strdup(name->str);
    for (int depth = 0; depth < MEMBER_DEPTH && !opaque; depth++) {
        int tag = dwarf_tag(&type);
        if (tag == DW_TAG_array_type) {
            Dwarf_Die array = type;
            opaque = is_opaque(&array);
            if (!descend_element(&type, &offset, name))
                break;
        } else if (tag == DW_TAG_structure_type || tag == DW_TAG_class_type) {
            /* The C library's own structures begin with two underscores, or are unions. */
            const char *tag_name = dwarf_diename(&type);
            if (tag_name && strncmp(tag_name, "__", 2) == 0)
                break;
            if (!descend_member(&type, &offset, name))
                break;
        } else {
            break;
        }
    }
    return g_strdup(name->str);
}
