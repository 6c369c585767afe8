#include "tracer/symbols/code_find.h"

#include <dwarf.h>
#include <glib.h>
#include <string.h>

#define DEPTH 32

static void add(GArray *found, uint64_t start, uint64_t end)
{
    const struct reel_code_range range = {start, end};
    if (start && start < end)
        g_array_append_val(found, range);
}

static gint by_start(gconstpointer a, gconstpointer b)
{
    const struct reel_code_range *x = a, *y = b;
    return x->start < y->start ? -1 : x->start > y->start;
}

/* In order, and those that touch are one. */
static unsigned settle(GArray *found, struct reel_code_range *ranges, unsigned limit)
{
    unsigned count = 0;
    uint64_t end = 0;
    g_array_sort(found, by_start);
    for (guint i = 0; i < found->len; i++) {
        const struct reel_code_range *range = &g_array_index(found, struct reel_code_range, i);
        if (count && range->start <= end) {
            end = MAX(end, range->end);
        } else {
            end = range->end;
            if (count++ < limit)
                ranges[count - 1] = *range;
        }
        if (count <= limit)
            ranges[count - 1].end = end;
    }
    g_array_free(found, TRUE);
    return count;
}

/* "Bank::load" is asked for by its last part; whose it is is looked at by what it is inside. */
static const char *last_part(const char *name)
{
    const char *last = name;
    for (const char *at = name; (at = strstr(at, "::")); last = at += 2)
        ;
    return last;
}

/* Is the function's linkage name one of that class or namespace? "4Bank4load" is in it. */
static bool is_of(Dwarf_Die *function, const char *name, const char *last)
{
    Dwarf_Attribute attribute;
    g_auto(GStrv) parts = g_strsplit(name, "::", -1);
    const char *linkage = dwarf_attr_integrate(function, DW_AT_linkage_name, &attribute)
                              ? dwarf_formstring(&attribute)
                              : NULL;
    if (last == name)
        return true;
    for (char **part = parts; linkage && *part; part++) {
        g_autofree char *mangled = g_strdup_printf("%zu%s", strlen(*part), *part);
        linkage = strstr(linkage, mangled);
    }
    return linkage;
}

static void search(GArray *found, Dwarf_Die *parent, const char *name, const char *last, int depth)
{
    Dwarf_Die child;
    if (depth > DEPTH || dwarf_child(parent, &child) != 0)
        return;
    do {
        const int tag = dwarf_tag(&child);
        const bool code = tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine;
        Dwarf_Addr base, start, end;
        ptrdiff_t place = 0;
        if (code && g_strcmp0(dwarf_diename(&child), last) == 0 && is_of(&child, name, last))
            while ((place = dwarf_ranges(&child, place, &base, &start, &end)) > 0)
                add(found, start, end);
        if (code || tag == DW_TAG_lexical_block || tag == DW_TAG_namespace ||
            tag == DW_TAG_class_type || tag == DW_TAG_structure_type)
            search(found, &child, name, last, depth + 1);
    } while (dwarf_siblingof(&child, &child) == 0);
}

unsigned reel_code_find_function(Dwarf *dwarf, const char *name, struct reel_code_range *ranges,
                                 unsigned limit)
{
    GArray *found = g_array_new(FALSE, FALSE, sizeof(struct reel_code_range));
    Dwarf_CU *unit = NULL;
    Dwarf_Die die;
    uint8_t type;
    while (dwarf_get_units(dwarf, unit, &unit, NULL, &type, &die, NULL) == 0)
        if (type == DW_UT_compile)
            search(found, &die, name, last_part(name), 0);
    return settle(found, ranges, limit);
}

static bool is_file(const char *path, const char *wanted)
{
    size_t length = path ? strlen(path) : 0, tail = strlen(wanted);
    return length >= tail && strcmp(path + length - tail, wanted) == 0 &&
           (length == tail || path[length - tail - 1] == '/');
}

static void search_lines(GArray *found, Dwarf_Die *unit, const char *file, int line)
{
    Dwarf_Lines *lines;
    size_t count;
    if (dwarf_getsrclines(unit, &lines, &count) != 0)
        return;
    for (size_t i = 0; i + 1 < count; i++) {
        Dwarf_Line *row = dwarf_onesrcline(lines, i), *next = dwarf_onesrcline(lines, i + 1);
        Dwarf_Addr start, end;
        int number;
        bool ends = true;
        if (dwarf_lineno(row, &number) == 0 && number == line &&
            dwarf_lineendsequence(row, &ends) == 0 && !ends && dwarf_lineaddr(row, &start) == 0 &&
            dwarf_lineaddr(next, &end) == 0 && is_file(dwarf_linesrc(row, NULL, NULL), file))
            add(found, start, end);
    }
}

unsigned reel_code_find_line(Dwarf *dwarf, const char *file, int line,
                             struct reel_code_range *ranges, unsigned limit)
{
    GArray *found = g_array_new(FALSE, FALSE, sizeof(struct reel_code_range));
    Dwarf_CU *unit = NULL;
    Dwarf_Die die;
    uint8_t type;
    while (dwarf_get_units(dwarf, unit, &unit, NULL, &type, &die, NULL) == 0)
        if (type == DW_UT_compile)
            search_lines(found, &die, file, line);
    return settle(found, ranges, limit);
}
