#include "tracer/symbols/units.h"

#include <dwarf.h>
#include <glib.h>

struct range {
    Dwarf_Addr start, end;
    Dwarf_Off unit;
};

struct reel_units {
    Dwarf *dwarf;
    GArray *ranges; /* struct range by start */
};

static gint by_start(gconstpointer a, gconstpointer b)
{
    Dwarf_Addr x = ((const struct range *)a)->start, y = ((const struct range *)b)->start;
    return x < y ? -1 : x > y;
}

struct reel_units *reel_units_read(Dwarf *dwarf)
{
    struct reel_units *units = g_new0(struct reel_units, 1);
    units->dwarf = dwarf;
    units->ranges = g_array_new(FALSE, FALSE, sizeof(struct range));
    Dwarf_CU *unit = NULL;
    Dwarf_Die die;
    uint8_t type;
    while (dwarf && dwarf_get_units(dwarf, unit, &unit, NULL, &type, &die, NULL) == 0) {
        struct range range = {.unit = dwarf_dieoffset(&die)};
        Dwarf_Addr base;
        ptrdiff_t place = 0;
        if (type != DW_UT_compile)
            continue;
        while ((place = dwarf_ranges(&die, place, &base, &range.start, &range.end)) > 0)
            if (range.start) /* code that the linker left out is said to be at 0 */
                g_array_append_val(units->ranges, range);
    }
    g_array_sort(units->ranges, by_start);
    return units;
}

void reel_units_free(struct reel_units *units)
{
    if (!units)
        return;
    g_array_free(units->ranges, TRUE);
    g_free(units);
}

bool reel_units_find(const struct reel_units *units, Dwarf_Addr address, Dwarf_Die *unit)
{
    guint low = 0, high = units->ranges->len;
    while (low < high) {
        guint middle = low + (high - low) / 2;
        if (g_array_index(units->ranges, struct range, middle).start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    const struct range *last = low ? &g_array_index(units->ranges, struct range, low - 1) : NULL;
    return last && address < last->end && dwarf_offdie(units->dwarf, last->unit, unit);
}
