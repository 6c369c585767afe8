#include "tracer/symbols/variable_find.h"

#include <dwarf.h>
#include <glib.h>
#include <string.h>

#include "tracer/symbols/type_path.h"
#include "tracer/symbols/variable.h"

struct finding {
    const char *name; /* NULL: any */
    struct reel_variable_place *place;
    unsigned count;
    reel_variable_visitor *each;
    void *data;
    bool over;
};

/* "a/b.c" is asked for by "b.c" and by "a/b.c". */
static bool is_file(const char *path, const char *wanted)
{
    if (!wanted)
        return true;
    size_t length = path ? strlen(path) : 0, tail = strlen(wanted);
    return length >= tail && strcmp(path + length - tail, wanted) == 0 &&
           (length == tail || path[length - tail - 1] == '/');
}

/* The type behind typedefs and qualifiers, atomic ones noted; false: of a lock and the like, too.
 * What its own functions do to a lock orders, or is ordered by what they do: it has no parts. */
static bool peel(Dwarf_Die *die, Dwarf_Die *type, bool *atomic)
{
    Dwarf_Die at = *die;
    for (int i = 0; i < 32; i++) {
        Dwarf_Attribute attribute;
        if (!dwarf_attr_integrate(&at, DW_AT_type, &attribute) ||
            !dwarf_formref_die(&attribute, type))
            return false;
        const char *name = dwarf_diename(type);
        *atomic |=
            dwarf_tag(type) == DW_TAG_atomic_type ||
            (name && (g_str_has_prefix(name, "atomic<") || strcmp(name, "atomic_flag") == 0));
        if (reel_type_is_opaque(type))
            return false;
        switch (dwarf_tag(type)) {
        case DW_TAG_typedef:
        case DW_TAG_const_type:
        case DW_TAG_volatile_type:
        case DW_TAG_atomic_type:
            at = *type;
            break;
        default:
            return true;
        }
    }
    return false;
}

static void add_parts(struct reel_variable_place *place, Dwarf_Die *type, uint64_t offset,
                      bool atomic, int depth);

static void add_members(struct reel_variable_place *place, Dwarf_Die *type, uint64_t offset,
                        bool atomic, int depth)
{
    Dwarf_Die member, inner;
    if (dwarf_child(type, &member) != 0)
        return;
    do {
        Dwarf_Attribute attribute;
        Dwarf_Word at = 0;
        bool member_atomic = atomic;
        if ((dwarf_tag(&member) != DW_TAG_member && dwarf_tag(&member) != DW_TAG_inheritance) ||
            (dwarf_attr(&member, DW_AT_data_member_location, &attribute) &&
             dwarf_formudata(&attribute, &at) != 0) ||
            !peel(&member, &inner, &member_atomic))
            continue;
        add_parts(place, &inner, offset + at, member_atomic, depth + 1);
    } while (dwarf_siblingof(&member, &member) == 0);
}

static void add_elements(struct reel_variable_place *place, Dwarf_Die *type, uint64_t offset,
                         bool atomic, int depth)
{
    Dwarf_Die element;
    Dwarf_Word whole, size;
    if (!peel(type, &element, &atomic) || dwarf_aggregate_size(type, &whole) != 0 ||
        dwarf_aggregate_size(&element, &size) != 0 || !size)
        return;
    for (uint64_t at = 0; at < whole && place->parts <= REEL_VARIABLE_PARTS; at += size)
        add_parts(place, &element, offset + at, atomic, depth + 1);
}

/* Two threads may each have a part of their own: what is watched must not be larger. */
static void add_parts(struct reel_variable_place *place, Dwarf_Die *type, uint64_t offset,
                      bool atomic, int depth)
{
    Dwarf_Word size;
    if (depth > 16 || place->parts > REEL_VARIABLE_PARTS)
        return;
    switch (dwarf_tag(type)) {
    case DW_TAG_structure_type:
    case DW_TAG_class_type:
    case DW_TAG_union_type:
        add_members(place, type, offset, atomic, depth);
        return;
    case DW_TAG_array_type:
        add_elements(place, type, offset, atomic, depth);
        return;
    default:
        break;
    }
    if (dwarf_aggregate_size(type, &size) != 0 || !size || size > UINT32_MAX || offset > UINT32_MAX)
        return;
    for (unsigned i = 0; i < MIN(place->parts, REEL_VARIABLE_PARTS); i++)
        if (place->part[i].offset == offset) /* of a union; bits of one word */
            return;
    if (place->parts < REEL_VARIABLE_PARTS)
        place->part[place->parts] =
            (struct reel_variable_part){(uint32_t)offset, (uint32_t)size, atomic};
    place->parts++;
}

static void take(struct finding *finding, Dwarf_Die *die)
{
    struct reel_variable_place place = {0};
    Dwarf_Die type;
    Dwarf_Word size;
    bool atomic = false;
    if (!reel_variable_address(die, &place.address) || !reel_type_of(die, &type) ||
        dwarf_aggregate_size(&type, &size) != 0)
        return;
    place.size = size;
    if (peel(die, &type, &atomic))
        add_parts(&place, &type, 0, atomic, 0);
    if (finding->each) {
        finding->over = !finding->each(finding->data, &place);
        return;
    }
    if (finding->count && finding->place->address == place.address)
        return;
    if (finding->count++ == 0)
        *finding->place = place;
}

static void search(struct finding *finding, Dwarf_Die *parent, int depth)
{
    Dwarf_Die child;
    if (depth > 32 || dwarf_child(parent, &child) != 0)
        return;
    do {
        switch (dwarf_tag(&child)) {
        case DW_TAG_variable:
            if (!finding->name || g_strcmp0(dwarf_diename(&child), finding->name) == 0)
                take(finding, &child);
            break;
        case DW_TAG_subprogram:
        case DW_TAG_lexical_block:
        case DW_TAG_namespace:
            search(finding, &child, depth + 1);
            break;
        default:
            break;
        }
    } while (!finding->over && dwarf_siblingof(&child, &child) == 0);
}

static void search_all(struct finding *finding, Dwarf *dwarf, const char *file)
{
    Dwarf_CU *unit = NULL;
    Dwarf_Die die;
    uint8_t type;
    while (!finding->over && dwarf_get_units(dwarf, unit, &unit, NULL, &type, &die, NULL) == 0)
        if (type == DW_UT_compile && is_file(dwarf_diename(&die), file))
            search(finding, &die, 0);
}

void reel_variable_each(Dwarf *dwarf, reel_variable_visitor *each, void *data)
{
    struct finding finding = {.each = each, .data = data};
    search_all(&finding, dwarf, NULL);
}

unsigned reel_variable_find(Dwarf *dwarf, const char *file, const char *name,
                            struct reel_variable_place *place)
{
    struct finding finding = {.name = name, .place = place};
    search_all(&finding, dwarf, file);
    return finding.count;
}
