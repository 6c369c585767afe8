/* libdw finds the scopes of an address by walking all that a unit has, each time. A program made of
 * one large unit has ten thousand functions and as many frames: here a unit's functions are read
 * once, and an address is looked up by bisection and then within its function alone. */
#include "tracer/symbols/functions.h"

#include <dwarf.h>

#define NESTING       16 /* of namespaces and classes around a function */
#define NESTED_SCOPES 256

struct range {
    Dwarf_Addr start, end;
    Dwarf_Die function;
};

struct reel_functions {
    GHashTable *units; /* offset of the unit → GArray of struct range by start */
};

static void ranges_free(gpointer data)
{
    g_array_free(data, TRUE);
}

struct reel_functions *reel_functions_new(void)
{
    struct reel_functions *functions = g_new0(struct reel_functions, 1);
    functions->units = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, ranges_free);
    return functions;
}

void reel_functions_free(struct reel_functions *functions)
{
    if (!functions)
        return;
    g_hash_table_destroy(functions->units);
    g_free(functions);
}

static void collect(GArray *ranges, Dwarf_Die *parent, unsigned depth)
{
    Dwarf_Die child;
    if (depth > NESTING || dwarf_child(parent, &child) != 0)
        return;
    do {
        switch (dwarf_tag(&child)) {
        case DW_TAG_subprogram: {
            struct range range = {.function = child};
            Dwarf_Addr base;
            ptrdiff_t place = 0;
            while ((place = dwarf_ranges(&child, place, &base, &range.start, &range.end)) > 0)
                g_array_append_val(ranges, range);
            break;
        }
        case DW_TAG_namespace:
        case DW_TAG_module:
        case DW_TAG_class_type:
        case DW_TAG_structure_type:
            collect(ranges, &child, depth + 1);
            break;
        default:
            break;
        }
    } while (dwarf_siblingof(&child, &child) == 0);
}

static gint by_start(gconstpointer a, gconstpointer b)
{
    Dwarf_Addr x = ((const struct range *)a)->start, y = ((const struct range *)b)->start;
    return x < y ? -1 : x > y;
}

static const GArray *ranges_of(struct reel_functions *functions, Dwarf_Die *unit)
{
    gint64 offset = (gint64)dwarf_dieoffset(unit);
    GArray *ranges = g_hash_table_lookup(functions->units, &offset);
    if (ranges)
        return ranges;
    ranges = g_array_new(FALSE, FALSE, sizeof(struct range));
    collect(ranges, unit, 0);
    g_array_sort(ranges, by_start);
    g_hash_table_insert(functions->units, g_memdup2(&offset, sizeof offset), ranges);
    return ranges;
}

/* The last that begins at or before `address`, when it reaches so far. */
static const struct range *covering(const GArray *ranges, Dwarf_Addr address)
{
    guint low = 0, high = ranges->len;
    while (low < high) {
        guint middle = low + (high - low) / 2;
        if (g_array_index(ranges, struct range, middle).start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    const struct range *last = low ? &g_array_index(ranges, struct range, low - 1) : NULL;
    return last && address < last->end ? last : NULL;
}

/* The scope just inside `parent` that has the code at `address`. */
static bool inner_scope(Dwarf_Die *parent, Dwarf_Addr address, Dwarf_Die *inner)
{
    Dwarf_Die child;
    if (dwarf_child(parent, &child) != 0)
        return false;
    do {
        switch (dwarf_tag(&child)) {
        case DW_TAG_lexical_block:
        case DW_TAG_inlined_subroutine:
        case DW_TAG_try_block:
        case DW_TAG_catch_block:
            if (dwarf_haspc(&child, address) > 0) {
                *inner = child;
                return true;
            }
            break;
        default:
            break;
        }
    } while (dwarf_siblingof(&child, &child) == 0);
    return false;
}

unsigned reel_functions_scopes(struct reel_functions *functions, Dwarf_Die *unit,
                               Dwarf_Addr address, Dwarf_Die *scopes, unsigned limit)
{
    const struct range *range = covering(ranges_of(functions, unit), address);
    unsigned count = 0;
    if (!range || !limit)
        return 0;
    scopes[count++] = range->function;
    while (count < limit && inner_scope(&scopes[count - 1], address, &scopes[count]))
        count++;
    return count;
}

unsigned reel_functions_inlined(struct reel_functions *functions, Dwarf_Die *unit,
                                Dwarf_Addr address, Dwarf_Die *inlined, unsigned limit)
{
    Dwarf_Die scopes[NESTED_SCOPES];
    unsigned found = 0,
             count = reel_functions_scopes(functions, unit, address, scopes, NESTED_SCOPES);
    while (count-- > 1 && found < limit)
        if (dwarf_tag(&scopes[count]) == DW_TAG_inlined_subroutine)
            inlined[found++] = scopes[count];
    return found;
}
