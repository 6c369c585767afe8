/* Types and variables by name, and the names of types, as somebody says them who stands in a
 * function: names that its source uses mean what they mean there. */
#ifndef REEL_SYMBOLS_TYPE_FIND_H
#define REEL_SYMBOLS_TYPE_FIND_H

#include <elfutils/libdw.h>
#include <glib.h>
#include <stdbool.h>

/* Where one stands. */
struct reel_type_scope {
    Dwarf *dwarf;
    Dwarf_Die unit;
    const Dwarf_Die *scopes; /* a function, or an inlined call of one, and the blocks in it */
    unsigned count;
};

/* What "struct row", "bank::Account", "_Tp" is there. False: no complete type of that name. */
bool reel_type_find(const struct reel_type_scope *scope, const char *name, Dwarf_Die *type);
/* The type of "table->rows[i]" or "*row". False: it is none of what these say. */
bool reel_type_of_expression(const struct reel_type_scope *scope, const char *expression,
                             Dwarf_Die *type);
/* The function itself, whatever it was inlined into. */
bool reel_type_scope_function(const struct reel_type_scope *scope, Dwarf_Die *function);
/* What a pointer points to, whole where it is known somewhere. False: no pointer, or to void. */
bool reel_type_pointed_to(const struct reel_type_scope *scope, const Dwarf_Die *type,
                          Dwarf_Die *target);

/* "struct row", "bank::Account", "long", "struct row *": as the source would say it. False: it has
 * no name, or one of the library's own. */
bool reel_type_append_name(const struct reel_type_scope *scope, const Dwarf_Die *type,
                           GString *name);

#endif
