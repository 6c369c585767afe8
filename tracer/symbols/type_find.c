#include "tracer/symbols/type_find.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "tracer/symbols/type_path.h"

#define DEPTH      8
#define UNIT_LIMIT 5000u /* so many are searched for what this one only declares */

static bool has_name(Dwarf_Die *die, const char *name)
{
    return g_strcmp0(dwarf_diename(die), name) == 0;
}

static bool is_type(int tag)
{
    return tag == DW_TAG_structure_type || tag == DW_TAG_class_type || tag == DW_TAG_union_type ||
           tag == DW_TAG_typedef || tag == DW_TAG_base_type || tag == DW_TAG_enumeration_type;
}

static bool is_declaration(Dwarf_Die *die)
{
    Dwarf_Attribute attribute;
    bool declared = false;
    return dwarf_attr(die, DW_AT_declaration, &attribute) &&
           dwarf_formflag(&attribute, &declared) == 0 && declared;
}

/* A type (or, `variable`, a variable) of that name among all that is inside `parent`. */
static bool search(Dwarf_Die *parent, const char *name, bool variable, int depth, Dwarf_Die *found)
{
    Dwarf_Die child;
    if (depth > DEPTH || dwarf_child(parent, &child) != 0)
        return false;
    do {
        int tag = dwarf_tag(&child);
        bool fits = variable ? tag == DW_TAG_variable || tag == DW_TAG_formal_parameter
                             : is_type(tag) && !is_declaration(&child);
        if (fits && has_name(&child, name)) {
            *found = child;
            return true;
        }
        switch (tag) {
        case DW_TAG_structure_type:
        case DW_TAG_class_type:
            if (variable) /* its static members are known without it */
                break;
            __attribute__((fallthrough));
        case DW_TAG_namespace:
        case DW_TAG_lexical_block:
            if (search(&child, name, variable, depth + 1, found))
                return true;
            break;
        default:
            break;
        }
    } while (dwarf_siblingof(&child, &child) == 0);
    return false;
}

/* What this unit only declares another one may define. */
static bool complete(const struct reel_type_scope *scope, Dwarf_Die *type)
{
    Dwarf_Die inner = *type, root, found;
    Dwarf_CU *unit = NULL;
    uint8_t kind;
    if (!reel_type_peel(&inner) || !is_declaration(&inner))
        return true;
    const char *name = dwarf_diename(&inner);
    for (unsigned i = 0; name && i < UNIT_LIMIT; i++) {
        if (dwarf_get_units(scope->dwarf, unit, &unit, NULL, &kind, &root, NULL) != 0)
            break;
        if (kind == DW_UT_compile && search(&root, name, false, 0, &found) &&
            dwarf_tag(&found) == dwarf_tag(&inner)) {
            *type = found;
            return true;
        }
    }
    return false;
}

bool reel_type_scope_function(const struct reel_type_scope *scope, Dwarf_Die *function)
{
    for (unsigned i = scope->count; i-- > 0;) {
        int tag = dwarf_tag((Dwarf_Die *)&scope->scopes[i]);
        if (tag != DW_TAG_subprogram && tag != DW_TAG_inlined_subroutine)
            continue;
        *function = scope->scopes[i];
        for (int hops = 0; hops < 4; hops++) {
            Dwarf_Attribute attribute;
            Dwarf_Die origin;
            if (!dwarf_attr(function, DW_AT_abstract_origin, &attribute) ||
                !dwarf_formref_die(&attribute, &origin))
                break;
            *function = origin;
        }
        return true;
    }
    return false;
}

/* What a template's parameter stands for in this function. */
static bool find_parameter(Dwarf_Die *function, const char *name, Dwarf_Die *type)
{
    Dwarf_Die child;
    if (dwarf_child(function, &child) != 0)
        return false;
    do
        if (dwarf_tag(&child) == DW_TAG_template_type_parameter && has_name(&child, name))
            return reel_type_named_by(&child, type);
    while (dwarf_siblingof(&child, &child) == 0);
    return false;
}

/* The same where the function was declared, and for the class that it is a method of. */
static bool find_declared_parameter(Dwarf_Die *function, const char *name, Dwarf_Die *type)
{
    Dwarf_Attribute attribute;
    Dwarf_Die declaration = *function, *outer = NULL;
    if (dwarf_attr(function, DW_AT_specification, &attribute) &&
        !dwarf_formref_die(&attribute, &declaration))
        return false;
    int count = dwarf_getscopes_die(&declaration, &outer);
    bool found = find_parameter(&declaration, name, type) ||
                 (count > 1 && find_parameter(&outer[1], name, type));
    free(outer);
    return found;
}

/* "struct", "const" and the like off; a qualified name's last part. */
static const char *bare_name(const char *name)
{
    static const char *const words[] = {"struct ", "class ", "union ",    "enum ",
                                        "const ",  "::",     "typename ", "volatile "};
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (g_str_has_prefix(name, words[i]))
            return bare_name(name + strlen(words[i]) + strspn(name + strlen(words[i]), " "));
    const char *last = name;
    for (const char *at = name; *at && *at != '<'; at++)
        if (at[0] == ':' && at[1] == ':')
            last = at + 2;
    return last;
}

bool reel_type_find(const struct reel_type_scope *scope, const char *name, Dwarf_Die *type)
{
    Dwarf_Die function, unit = scope->unit;
    const char *bare = bare_name(name);
    if (!*bare)
        return false;
    if (reel_type_scope_function(scope, &function) &&
        (find_parameter(&function, bare, type) || find_declared_parameter(&function, bare, type) ||
         search(&function, bare, false, 0, type)))
        return complete(scope, type);
    return search(&unit, bare, false, 0, type);
}

/* A member of that name, those of base classes and of members without a name too. */
static bool find_member(Dwarf_Die *structure, const char *name, int depth, Dwarf_Die *type)
{
    Dwarf_Die member, inner;
    if (depth > DEPTH || dwarf_child(structure, &member) != 0)
        return false;
    do {
        int tag = dwarf_tag(&member);
        if (tag != DW_TAG_member && tag != DW_TAG_inheritance)
            continue;
        if (tag == DW_TAG_member && has_name(&member, name))
            return reel_type_named_by(&member, type);
        if ((tag == DW_TAG_inheritance || !dwarf_diename(&member)) &&
            reel_type_of(&member, &inner) && find_member(&inner, name, depth + 1, type))
            return true;
    } while (dwarf_siblingof(&member, &member) == 0);
    return false;
}

bool reel_type_pointed_to(const struct reel_type_scope *scope, const Dwarf_Die *type,
                          Dwarf_Die *target)
{
    Dwarf_Die pointer = *type, peeled;
    if (!reel_type_peel(&pointer) || dwarf_tag(&pointer) != DW_TAG_pointer_type ||
        !reel_type_named_by(&pointer, target))
        return false;
    peeled = *target;
    return reel_type_peel(&peeled) && dwarf_tag(&peeled) != DW_TAG_unspecified_type &&
           complete(scope, target);
}

/* What [0] or a star makes of it. */
static bool step_into(const struct reel_type_scope *scope, Dwarf_Die *type)
{
    Dwarf_Die inner = *type;
    if (!reel_type_peel(&inner))
        return false;
    if (dwarf_tag(&inner) == DW_TAG_array_type)
        return reel_type_named_by(&inner, type);
    inner = *type;
    return reel_type_pointed_to(scope, &inner, type);
}

/* The structure that `type` is, refers to or, with ->, points to. */
static bool step_to_structure(const struct reel_type_scope *scope, Dwarf_Die *type)
{
    Dwarf_Die target;
    if (reel_type_peel(type) && (dwarf_tag(type) == DW_TAG_reference_type) &&
        reel_type_named_by(type, &target))
        *type = target;
    target = *type;
    if (reel_type_pointed_to(scope, &target, type))
        return reel_type_peel(type);
    *type = target;
    return reel_type_peel(type) && complete(scope, type);
}

/* The variable of that name, its innermost: of the blocks, the function, the object it is a method
 * of, the unit. */
static bool find_variable(const struct reel_type_scope *scope, const char *name, Dwarf_Die *type)
{
    Dwarf_Die found, function, this, unit = scope->unit;
    for (unsigned i = scope->count; i-- > 0;) {
        Dwarf_Die child, block = scope->scopes[i];
        if (dwarf_child(&block, &child) != 0)
            continue;
        do {
            int tag = dwarf_tag(&child);
            if ((tag == DW_TAG_variable || tag == DW_TAG_formal_parameter) &&
                has_name(&child, name))
                return reel_type_named_by(&child, type);
        } while (dwarf_siblingof(&child, &child) == 0);
    }
    bool inside = reel_type_scope_function(scope, &function);
    if (inside && search(&function, name, true, 0, &found))
        return reel_type_named_by(&found, type);
    if (inside && strcmp(name, "this") != 0 && search(&function, "this", true, 0, &found) &&
        reel_type_named_by(&found, &this) && step_to_structure(scope, &this) &&
        find_member(&this, name, 0, type))
        return true;
    return search(&unit, name, true, 0, &found) && reel_type_named_by(&found, type);
}

/* A word at `*at`, which goes behind it. g_free. */
static char *take_word(const char **at)
{
    while (**at == ' ')
        (*at)++;
    const char *begin = *at;
    while (g_ascii_isalnum(**at) || **at == '_' || (**at == ':' && (*at)[1] == ':'))
        *at += **at == ':' ? 2 : 1;
    return g_strndup(begin, (gsize)(*at - begin));
}

static const char *behind_index(const char *at)
{
    int depth = 0;
    for (; *at; at++) {
        depth += *at == '[';
        depth -= *at == ']';
        if (depth == 0)
            return at + 1;
    }
    return at;
}

bool reel_type_of_expression(const struct reel_type_scope *scope, const char *expression,
                             Dwarf_Die *type)
{
    const char *at = expression;
    unsigned stars = 0;
    for (; *at == ' ' || *at == '*'; at++)
        stars += *at == '*';
    g_autofree char *variable = take_word(&at);
    if (!*variable || !find_variable(scope, bare_name(variable), type))
        return false;
    while (*at) {
        bool arrow = at[0] == '-' && at[1] == '>';
        if (*at == ' ') {
            at++;
        } else if (*at == '[') {
            at = behind_index(at);
            if (!step_into(scope, type))
                return false;
        } else if (arrow || *at == '.') {
            at += arrow ? 2 : 1;
            g_autofree char *member = take_word(&at);
            Dwarf_Die structure = *type;
            if (!step_to_structure(scope, &structure) || !find_member(&structure, member, 0, type))
                return false;
        } else {
            return false;
        }
    }
    for (; stars; stars--)
        if (!step_into(scope, type))
            return false;
    return true;
}

static bool is_cxx(const struct reel_type_scope *scope)
{
    Dwarf_Die unit = scope->unit;
    switch (dwarf_srclang(&unit)) {
    case DW_LANG_C_plus_plus:
    case DW_LANG_C_plus_plus_03:
    case DW_LANG_C_plus_plus_11:
    case DW_LANG_C_plus_plus_14:
        return true;
    default:
        return false;
    }
}

/* What it is declared in: "bank::". */
static void append_outer(Dwarf_Die *type, GString *name)
{
    Dwarf_Die *outer = NULL;
    int count = dwarf_getscopes_die(type, &outer);
    for (int i = count; i-- > 1;) {
        int tag = dwarf_tag(&outer[i]);
        const char *called = dwarf_diename(&outer[i]);
        if (called &&
            (tag == DW_TAG_namespace || tag == DW_TAG_structure_type || tag == DW_TAG_class_type))
            g_string_append_printf(name, "%s::", called);
    }
    free(outer);
}

static bool append_name(const struct reel_type_scope *scope, const Dwarf_Die *of, int depth,
                        GString *name)
{
    Dwarf_Die type = *of, inner = *of;
    if (depth > DEPTH || !reel_type_peel(&inner))
        return false;
    int tag = dwarf_tag(&inner);
    if (tag == DW_TAG_pointer_type) {
        Dwarf_Die target;
        if (!reel_type_named_by(&inner, &target))
            g_string_append(name, "void");
        else if (!append_name(scope, &target, depth + 1, name))
            return false;
        g_string_append(name, g_str_has_suffix(name->str, "*") ? "*" : " *");
        return true;
    }
    bool tagged =
        dwarf_diename(&inner) && (tag == DW_TAG_structure_type || tag == DW_TAG_class_type ||
                                  tag == DW_TAG_union_type || tag == DW_TAG_enumeration_type);
    if (tagged)
        type = inner;
    for (int i = 0; !tagged && !dwarf_diename(&type); i++)
        if (i > DEPTH || !reel_type_named_by(&type, &type)) /* a qualifier */
            return false;
    const char *called = dwarf_diename(&type);
    if (!called || *called == '_')
        return false;
    if (is_cxx(scope))
        append_outer(&type, name);
    else if (tagged)
        g_string_append(name, tag == DW_TAG_union_type         ? "union "
                              : tag == DW_TAG_enumeration_type ? "enum "
                                                               : "struct ");
    g_string_append(name, called);
    return true;
}

bool reel_type_append_name(const struct reel_type_scope *scope, const Dwarf_Die *type,
                           GString *name)
{
    return append_name(scope, type, 0, name);
}
