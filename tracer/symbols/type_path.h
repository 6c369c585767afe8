/* Types as DWARF tells them: the way from a type to the member or element at an offset. */
#ifndef REEL_SYMBOLS_TYPE_PATH_H
#define REEL_SYMBOLS_TYPE_PATH_H

#include <elfutils/libdw.h>
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* The type that a variable, member, pointer or array (its element) names, as it is written there;
 * false: none, as of a pointer to void. */
bool reel_type_named_by(Dwarf_Die *die, Dwarf_Die *type);
/* Steps through typedefs and qualifiers. False: they lead nowhere. */
bool reel_type_peel(Dwarf_Die *type);
/* Both. */
bool reel_type_of(Dwarf_Die *die, Dwarf_Die *type);
/* Bytes of a value of that type; 0: not known, as of one that is only declared. */
uint64_t reel_type_size(Dwarf_Die *type);

/* Appends ".accounts[3].total": the way from a value of that type (peeled or not) to what lies
 * `offset` bytes in. It ends at what has no parts, at unions, and at the C library's own
 * structures: mutexes and the like are named as a whole. Bit-fields of one byte are all named,
 * "ready/done". */
void reel_type_append_path(const Dwarf_Die *type, uint64_t offset, GString *path);

/* Is this typedef one of the C library's synchronisation objects? What is inside is the library's.
 */
bool reel_type_is_opaque(Dwarf_Die *type);

/* Does a structure end with an array that has no length, or one of no or one element? Then a block
 * may be larger than it. */
bool reel_type_is_open(const Dwarf_Die *type);

#endif
