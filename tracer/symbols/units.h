/* The compilation units of a module by address. libdw finds them by .debug_aranges, which clang
 * does not write: here the units' own ranges are read, once. */
#ifndef REEL_SYMBOLS_UNITS_H
#define REEL_SYMBOLS_UNITS_H

#include <elfutils/libdw.h>
#include <stdbool.h>

/* Not thread-safe. */
struct reel_units;

/* Never NULL. The Dwarf must outlive it; NULL is one without units. */
struct reel_units *reel_units_read(Dwarf *dwarf);
void reel_units_free(struct reel_units *units);

/* The unit that the code at `address` (without libdw's bias) is of. False: none tells of it. */
bool reel_units_find(const struct reel_units *units, Dwarf_Addr address, Dwarf_Die *unit);

#endif
