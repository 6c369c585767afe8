#include "tracer/symbols/heap_type.h"

#include <dwarf.h>

#include "tracer/symbols/code_line.h"
#include "tracer/symbols/statement.h"
#include "tracer/symbols/type_find.h"
#include "tracer/symbols/type_path.h"

#define SCOPES 64

/* What a block may be, and how sure that is. */
struct guess {
    Dwarf_Die type; /* of one */
    bool is_array, has_more;
};

/* Allocators round up: to sixteen bytes, or to a size an eighth or so larger. */
static bool is_filled_by(uint64_t size, uint64_t bytes)
{
    return bytes <= size && size - bytes <= MAX(16, bytes / 8);
}

static bool is_named_plainly(Dwarf_Die *type)
{
    Dwarf_Die inner = *type;
    return reel_type_peel(&inner) && !(dwarf_tag(&inner) == DW_TAG_base_type &&
                                       reel_type_size(&inner) == 1); /* bytes may be anything */
}

/* What the statement says. */
static bool guess_by_words(const struct reel_type_scope *scope,
                           const struct reel_allocation_words *words, struct guess *guess)
{
    Dwarf_Die pointer, target, function, operand;
    *guess = (struct guess){.is_array = words->is_array, .has_more = words->has_more};
    if (words->made)
        return reel_type_find(scope, words->made, &guess->type);
    bool assigned = (words->target && reel_type_of_expression(scope, words->target, &pointer)) ||
                    (words->returned && reel_type_scope_function(scope, &function) &&
                     reel_type_named_by(&function, &pointer));
    assigned =
        assigned && reel_type_pointed_to(scope, &pointer, &target) && is_named_plainly(&target);
    bool measured = words->operand && (reel_type_of_expression(scope, words->operand, &operand) ||
                                       reel_type_find(scope, words->operand, &operand));
    /* A structure may begin with the one that the pointer is to: its size says what it is. */
    if (words->operand && !measured) /* a type that nothing else is of is not told of */
        return false;
    if (measured && is_named_plainly(&operand) &&
        (!assigned || reel_type_size(&operand) != reel_type_size(&target)))
        guess->type = operand;
    else if (assigned)
        guess->type = target;
    else
        return false;
    return true;
}

/* Numbers and pointers: what is behind the first of them is another one. */
static bool is_scalar(const Dwarf_Die *type)
{
    Dwarf_Die inner = *type;
    return reel_type_peel(&inner) &&
           (dwarf_tag(&inner) == DW_TAG_base_type || dwarf_tag(&inner) == DW_TAG_pointer_type ||
            dwarf_tag(&inner) == DW_TAG_enumeration_type);
}

/* The C++ library keeps what make_shared, lists and maps are asked for behind a head of its own, at
 * the end of the block. Says what that is and where it begins; false: it is none of these. */
static bool unwrap(Dwarf_Die *type, uint64_t *begin)
{
    static const char *const wrappers[] = {"_Sp_counted_ptr_inplace<", "_List_node<",
                                           "_Rb_tree_node<"};
    Dwarf_Die wrapper = *type, child;
    if (!reel_type_peel(&wrapper))
        return false;
    const char *name = dwarf_diename(&wrapper);
    bool known = false;
    for (size_t i = 0; name && i < G_N_ELEMENTS(wrappers); i++)
        known |= g_str_has_prefix(name, wrappers[i]);
    if (!known || dwarf_child(&wrapper, &child) != 0)
        return false;
    do {
        Dwarf_Die inner;
        if (dwarf_tag(&child) != DW_TAG_template_type_parameter)
            continue;
        const uint64_t whole = reel_type_size(&wrapper);
        const uint64_t size = reel_type_named_by(&child, &inner) ? reel_type_size(&inner) : 0;
        if (!size || size > whole)
            return false;
        *begin = (whole - size) & ~(uint64_t)7; /* heads are words, and what is behind is padding */
        *type = inner;
        return true;
    } while (dwarf_siblingof(&child, &child) == 0);
    return false;
}

/* Can the block be so many of these, at least one? */
static bool is_filled_by_some(uint64_t size, uint64_t one)
{
    return one <= size && is_filled_by(size, size / one * one);
}

/* Where in the block `offset` is, if it can be of that type. */
static bool append_place(const struct reel_type_scope *scope, const struct guess *guess,
                         uint64_t size, uint64_t offset, GString *name)
{
    Dwarf_Die type = guess->type;
    uint64_t one = reel_type_size(&type), index = 0, head = 0;
    g_autoptr(GString) text = g_string_new(NULL);
    if (unwrap(&type, &head)) {
        if (!is_filled_by(size, one) || offset < head || offset - head >= reel_type_size(&type) ||
            !reel_type_append_name(scope, &type, text))
            return false;
        reel_type_append_path(&type, offset - head, text);
        g_string_append(name, text->str);
        return true;
    }
    if (!one || one > size || !reel_type_append_name(scope, &type, text))
        return false;
    bool is_open = guess->has_more || reel_type_is_open(&type);
    if (!is_open && !is_filled_by_some(size, one))
        return false;
    bool is_array = !is_open && (guess->is_array || is_scalar(&type));
    if (is_array && (offset >= one || !is_filled_by(size, one))) {
        index = offset / one;
        if (index >= size / one)
            return false;
        g_string_append_printf(text, "[%" G_GUINT64_FORMAT "]", index);
    } else if (offset >= one && !reel_type_is_open(&type)) {
        return false; /* behind it: of what, nobody says */
    }
    reel_type_append_path(&type, offset - index * one, text);
    g_string_append(name, text->str);
    return true;
}

static bool same_type(const Dwarf_Die *a, const Dwarf_Die *b)
{
    Dwarf_Die x = *a, y = *b;
    return reel_type_peel(&x) && reel_type_peel(&y) && dwarf_dieoffset(&x) == dwarf_dieoffset(&y);
}

enum told { TOLD_NOTHING, TOLD_FIELD, TOLD_OTHERWISE };

/* Several statements of a line may allocate: they must agree. What the source says and is not
 * understood is not to be guessed at. */
static enum told append_by_source(const struct reel_type_scope *scope,
                                  const struct reel_heap_site *site,
                                  const struct reel_code_line *line, uint64_t size, uint64_t offset,
                                  GString *name)
{
    GPtrArray *statements = reel_statements_at(site->sources, line->file, line->line);
    g_autoptr(GString) found = g_string_new(NULL);
    enum told told = TOLD_NOTHING;
    for (guint i = 0; statements && i < statements->len; i++) {
        struct reel_allocation_words words;
        struct guess guess;
        g_autoptr(GString) text = g_string_new(NULL);
        reel_allocation_words_read(statements->pdata[i], &words);
        if (words.allocates && guess_by_words(scope, &words, &guess) &&
            append_place(scope, &guess, size, offset, text)) {
            bool agrees = told == TOLD_NOTHING || g_string_equal(found, text);
            told = agrees ? TOLD_FIELD : TOLD_OTHERWISE;
            g_string_assign(found, text->str);
        } else if (words.operand || words.made || words.has_more) {
            told = TOLD_OTHERWISE;
        }
        reel_allocation_words_clear(&words);
    }
    if (statements)
        g_ptr_array_unref(statements);
    if (told == TOLD_FIELD)
        g_string_append(name, found->str);
    return told;
}

/* The one type that pointers in sight are to, and that one of fills the block: that some of them
 * do is too easily true. */
struct sight {
    const struct reel_type_scope *scope;
    uint64_t size;
    struct guess guess;
    unsigned count;
};

static void look_at_pointer(struct sight *sight, const Dwarf_Die *type)
{
    Dwarf_Die target;
    if (!reel_type_pointed_to(sight->scope, type, &target))
        return;
    uint64_t one = reel_type_size(&target);
    bool fits = is_filled_by(sight->size, one) ||
                (!is_named_plainly(&target) && is_filled_by_some(sight->size, one));
    if (!one || !fits || (sight->count && same_type(&target, &sight->guess.type)))
        return;
    sight->guess = (struct guess){.type = target};
    sight->count++;
}

/* A variable's own type, or where it is of a structure or points to one, its members' too. */
static void look_at(struct sight *sight, Dwarf_Die *variable)
{
    Dwarf_Die type, structure, member;
    if (!reel_type_named_by(variable, &type))
        return;
    look_at_pointer(sight, &type);
    structure = type;
    if (!reel_type_pointed_to(sight->scope, &type, &structure))
        structure = type;
    if (!reel_type_peel(&structure) || dwarf_child(&structure, &member) != 0)
        return;
    do
        if (dwarf_tag(&member) == DW_TAG_member && reel_type_named_by(&member, &type))
            look_at_pointer(sight, &type);
    while (dwarf_siblingof(&member, &member) == 0);
}

static bool append_by_sight(const struct reel_type_scope *scope, uint64_t size, uint64_t offset,
                            GString *name)
{
    struct sight sight = {.scope = scope, .size = size};
    for (unsigned i = 0; i < scope->count; i++) {
        Dwarf_Die child, block = scope->scopes[i];
        if (dwarf_child(&block, &child) != 0)
            continue;
        do
            if (dwarf_tag(&child) == DW_TAG_variable ||
                dwarf_tag(&child) == DW_TAG_formal_parameter)
                look_at(&sight, &child);
        while (dwarf_siblingof(&child, &child) == 0);
    }
    return sight.count == 1 && is_named_plainly(&sight.guess.type) &&
           append_place(scope, &sight.guess, size, offset, name);
}

/* Does it return memory of no type? */
static bool hands_out(const struct reel_type_scope *scope, const struct reel_code_line *line)
{
    Dwarf_Die function, pointer, target;
    if (reel_code_line_is_wrapper(line->file) || !reel_type_scope_function(scope, &function))
        return true;
    return reel_type_of(&function, &pointer) && dwarf_tag(&pointer) == DW_TAG_pointer_type &&
           (!reel_type_pointed_to(scope, &pointer, &target) || !is_named_plainly(&target));
}

enum reel_heap_answer reel_heap_type_append(const struct reel_heap_site *site, uint64_t size,
                                            uint64_t offset, GString *name)
{
    Dwarf_Die scopes[SCOPES], unit = site->unit;
    unsigned end = reel_functions_scopes(site->functions, &unit, site->address, scopes, SCOPES);
    struct reel_code_line line;
    reel_code_line_at(&unit, site->address, &line);
    enum reel_heap_answer answer = REEL_HEAP_ASK_CALLER;
    while (end > 0 && answer == REEL_HEAP_ASK_CALLER) {
        unsigned begin = end - 1; /* from an inlined call on, or the function itself */
        while (begin > 0 && dwarf_tag(&scopes[begin]) != DW_TAG_inlined_subroutine)
            begin--;
        const struct reel_type_scope scope = {site->dwarf, unit, scopes + begin, end - begin};
        switch (append_by_source(&scope, site, &line, size, offset, name)) {
        case TOLD_FIELD:
            answer = REEL_HEAP_NAMED;
            break;
        case TOLD_OTHERWISE:
            answer = REEL_HEAP_UNKNOWN;
            break;
        case TOLD_NOTHING:
            if (!hands_out(&scope, &line))
                answer = append_by_sight(&scope, size, offset, name) ? REEL_HEAP_NAMED
                                                                     : REEL_HEAP_UNKNOWN;
        }
        g_free(line.file);
        line.file = NULL;
        if (begin > 0)
            reel_code_line_of_call(&scopes[begin], &line);
        end = begin;
    }
    g_free(line.file);
    return answer;
}
