#include "tracer/symbols/type_path.h"

#include <dwarf.h>
#include <string.h>

#define DEPTH      16
#define DIMENSIONS 8

bool reel_type_named_by(Dwarf_Die *die, Dwarf_Die *type)
{
    Dwarf_Attribute attribute;
    return dwarf_attr_integrate(die, DW_AT_type, &attribute) && dwarf_formref_die(&attribute, type);
}

bool reel_type_peel(Dwarf_Die *type)
{
    for (int i = 0; i < 32; i++) {
        Dwarf_Die inner;
        switch (dwarf_tag(type)) {
        case DW_TAG_typedef:
        case DW_TAG_const_type:
        case DW_TAG_volatile_type:
        case DW_TAG_restrict_type:
        case DW_TAG_atomic_type:
            if (!reel_type_named_by(type, &inner))
                return false;
            *type = inner;
            break;
        default:
            return true;
        }
    }
    return false;
}

bool reel_type_of(Dwarf_Die *die, Dwarf_Die *type)
{
    return reel_type_named_by(die, type) && reel_type_peel(type);
}

uint64_t reel_type_size(Dwarf_Die *type)
{
    Dwarf_Word size;
    return dwarf_aggregate_size(type, &size) == 0 ? size : 0;
}

/* Where a member begins, in bits. False: it is not in the structure itself, as a static one. */
static bool place_of(Dwarf_Die *member, uint64_t *bits)
{
    Dwarf_Attribute attribute;
    Dwarf_Word place = 0;
    bool declared;
    if (dwarf_attr(member, DW_AT_declaration, &attribute) &&
        dwarf_formflag(&attribute, &declared) == 0 && declared)
        return false;
    if (dwarf_attr(member, DW_AT_data_bit_offset, &attribute)) {
        *bits = dwarf_formudata(&attribute, &place) == 0 ? place : 0;
        return true;
    }
    if (dwarf_attr(member, DW_AT_data_member_location, &attribute) &&
        dwarf_formudata(&attribute, &place) != 0)
        return false; /* a virtual base: where it is, the object says */
    *bits = place * 8;
    return true;
}

static bool is_bit_field(Dwarf_Die *member)
{
    Dwarf_Attribute attribute;
    return dwarf_attr(member, DW_AT_bit_size, &attribute);
}

/* The bit-fields that have bits in that byte. */
static void append_bit_fields(Dwarf_Die *type, uint64_t byte, GString *path)
{
    Dwarf_Die member;
    char between = '.';
    if (dwarf_child(type, &member) != 0)
        return;
    do {
        Dwarf_Attribute attribute;
        Dwarf_Word size;
        uint64_t bits;
        if (dwarf_tag(&member) != DW_TAG_member || !place_of(&member, &bits) ||
            !dwarf_attr(&member, DW_AT_bit_size, &attribute) ||
            dwarf_formudata(&attribute, &size) != 0 || !size || bits / 8 > byte ||
            (bits + size - 1) / 8 < byte || !dwarf_diename(&member))
            continue;
        g_string_append_printf(path, "%c%s", between, dwarf_diename(&member));
        between = '/';
    } while (dwarf_siblingof(&member, &member) == 0);
}

/* The member of a structure that covers `offset`; its own offset is taken off. */
static bool descend_member(Dwarf_Die *type, uint64_t *offset, GString *path)
{
    Dwarf_Die member, best;
    uint64_t best_bits = 0;
    bool found = false;
    if (dwarf_child(type, &member) != 0)
        return false;
    do {
        uint64_t bits;
        if ((dwarf_tag(&member) != DW_TAG_member && dwarf_tag(&member) != DW_TAG_inheritance) ||
            !place_of(&member, &bits))
            continue;
        if (bits / 8 <= *offset && (!found || bits >= best_bits)) {
            best = member;
            best_bits = bits;
            found = true;
        }
    } while (dwarf_siblingof(&member, &member) == 0);
    if (!found)
        return false;
    if (is_bit_field(&best)) {
        append_bit_fields(type, *offset, path);
        return false;
    }
    const char *name = dwarf_diename(&best);
    if (name && dwarf_tag(&best) == DW_TAG_member)
        g_string_append_printf(path, ".%s", name);
    *offset -= best_bits / 8;
    return reel_type_named_by(&best, type);
}

/* The lengths of an array's dimensions, outermost first; the first may be 0, not known. */
static unsigned dimensions_of(Dwarf_Die *array, uint64_t *lengths)
{
    Dwarf_Die range;
    unsigned count = 0;
    if (dwarf_child(array, &range) != 0)
        return 0;
    do {
        Dwarf_Attribute attribute;
        Dwarf_Word value;
        if (dwarf_tag(&range) != DW_TAG_subrange_type)
            continue;
        if (count == DIMENSIONS)
            return 0;
        lengths[count] = 0;
        if (dwarf_attr(&range, DW_AT_count, &attribute) && dwarf_formudata(&attribute, &value) == 0)
            lengths[count] = value;
        else if (dwarf_attr(&range, DW_AT_upper_bound, &attribute) &&
                 dwarf_formudata(&attribute, &value) == 0 && value < INT64_MAX)
            lengths[count] = value + 1;
        count++;
    } while (dwarf_siblingof(&range, &range) == 0);
    return count;
}

static bool descend_element(Dwarf_Die *type, uint64_t *offset, GString *path)
{
    Dwarf_Die element;
    uint64_t lengths[DIMENSIONS], stride[DIMENSIONS], size;
    unsigned count = dimensions_of(type, lengths);
    if (!reel_type_named_by(type, &element) || !(size = reel_type_size(&element)) || !count)
        return false;
    for (unsigned i = count; i-- > 0;) {
        stride[i] = size;
        if (i && (!lengths[i] || __builtin_mul_overflow(size, lengths[i], &size)))
            return false;
    }
    for (unsigned i = 0; i < count; i++) {
        g_string_append_printf(path, "[%" G_GUINT64_FORMAT "]", *offset / stride[i]);
        *offset %= stride[i];
    }
    *type = element;
    return true;
}

bool reel_type_is_opaque(Dwarf_Die *type)
{
    static const char *const names[] = {"pthread_mutex_t",    "pthread_cond_t", "pthread_rwlock_t",
                                        "pthread_barrier_t",  "pthread_once_t", "sem_t",
                                        "pthread_spinlock_t", "mtx_t",          "cnd_t",
                                        "once_flag"};
    const char *name = dwarf_tag(type) == DW_TAG_typedef ? dwarf_diename(type) : NULL;
    for (unsigned i = 0; name && i < G_N_ELEMENTS(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

void reel_type_append_path(const Dwarf_Die *from, uint64_t offset, GString *path)
{
    Dwarf_Die type = *from;
    for (int depth = 0; depth < DEPTH && !reel_type_is_opaque(&type) && reel_type_peel(&type);
         depth++) {
        switch (dwarf_tag(&type)) {
        case DW_TAG_array_type:
            if (!descend_element(&type, &offset, path))
                return;
            break;
        case DW_TAG_structure_type:
        case DW_TAG_class_type: {
            /* The C library's own structures begin with two underscores, or are unions. */
            const char *name = dwarf_diename(&type);
            if ((name && strncmp(name, "__", 2) == 0) || !descend_member(&type, &offset, path))
                return;
            break;
        }
        default:
            return;
        }
    }
}

bool reel_type_is_open(const Dwarf_Die *type)
{
    Dwarf_Die structure = *type, member, last;
    uint64_t lengths[DIMENSIONS];
    bool any = false;
    if (!reel_type_peel(&structure) || dwarf_child(&structure, &member) != 0)
        return false;
    do {
        if (dwarf_tag(&member) == DW_TAG_member) {
            last = member;
            any = true;
        }
    } while (dwarf_siblingof(&member, &member) == 0);
    return any && reel_type_of(&last, &member) && dwarf_tag(&member) == DW_TAG_array_type &&
           dimensions_of(&member, lengths) == 1 && lengths[0] <= 1;
}
