/* The functions of a compilation unit by address, and what is inlined where. */
#ifndef REEL_SYMBOLS_FUNCTIONS_H
#define REEL_SYMBOLS_FUNCTIONS_H

#include <elfutils/libdw.h>
#include <glib.h>

/* Of one module; the units asked about are read once. Not thread-safe. */
struct reel_functions;

struct reel_functions *reel_functions_new(void);
void reel_functions_free(struct reel_functions *functions);

/* The scopes around the code at `address` (without libdw's bias) in `unit`: its function, then the
 * blocks and inlined calls in it, outermost first; at most `limit`. Returns how many; 0 where the
 * debugging information says nothing. */
unsigned reel_functions_scopes(struct reel_functions *functions, Dwarf_Die *unit,
                               Dwarf_Addr address, Dwarf_Die *scopes, unsigned limit);

/* The inlined calls around the code at `address` (without libdw's bias) in `unit`, innermost first;
 * at most `limit`. Returns how many; 0 also where the debugging information says nothing. */
unsigned reel_functions_inlined(struct reel_functions *functions, Dwarf_Die *unit,
                                Dwarf_Addr address, Dwarf_Die *inlined, unsigned limit);

#endif
