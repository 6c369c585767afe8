#include "tracer/symbols/code_line.h"

#include <dwarf.h>
#include <glib.h>
#include <string.h>

/* What the compiler was given may be relative to where it ran. g_free. */
static char *whole_path(const char *file, Dwarf_Die *unit)
{
    Dwarf_Attribute attribute;
    const char *folder =
        dwarf_attr(unit, DW_AT_comp_dir, &attribute) ? dwarf_formstring(&attribute) : NULL;
    return file && file[0] != '/' && folder && folder[0] == '/'
               ? g_canonicalize_filename(file, folder)
               : g_strdup(file);
}

bool reel_code_line_at(Dwarf_Die *unit, Dwarf_Addr address, struct reel_code_line *line)
{
    Dwarf_Line *row = dwarf_getsrc_die(unit, address);
    const char *file = row ? dwarf_linesrc(row, NULL, NULL) : NULL;
    *line = (struct reel_code_line){0};
    if (!file || dwarf_lineno(row, &line->line) != 0)
        return false;
    line->file = whole_path(file, unit);
    return true;
}

bool reel_code_line_of_call(Dwarf_Die *inlined, struct reel_code_line *line)
{
    Dwarf_Attribute attribute;
    Dwarf_Word number = 0, file = 0;
    Dwarf_Files *files = NULL;
    Dwarf_Die unit;
    size_t count = 0;
    *line = (struct reel_code_line){0};
    if (!dwarf_attr(inlined, DW_AT_call_line, &attribute) ||
        dwarf_formudata(&attribute, &number) != 0 ||
        !dwarf_attr(inlined, DW_AT_call_file, &attribute) ||
        dwarf_formudata(&attribute, &file) != 0 || !dwarf_diecu(inlined, &unit, NULL, NULL) ||
        dwarf_getsrcfiles(&unit, &files, &count) != 0 || file >= count || number > INT_MAX)
        return false;
    line->file = whole_path(dwarf_filesrc(files, file, NULL, NULL), &unit);
    line->line = (int)number;
    return line->file;
}

bool reel_code_line_is_wrapper(const char *file)
{
    return file && (strstr(file, "/include/c++/") || strstr(file, "/bits/gthr") ||
                    strstr(file, "/rustc/") || strstr(file, "/rust/deps/") ||
                    g_str_has_prefix(file, "library/") || g_str_has_suffix(file, "/reel.h"));
}
