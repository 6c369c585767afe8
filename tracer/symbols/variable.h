/* Global variables by address, down to members and array elements, as DWARF describes them. */
#ifndef REEL_SYMBOLS_VARIABLE_H
#define REEL_SYMBOLS_VARIABLE_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stdint.h>

/* Where a variable always is, at link time. False: on a stack, in registers, or nowhere. */
bool reel_variable_address(Dwarf_Die *die, uint64_t *address);

struct reel_variables;

/* Reads all variables with a fixed address (function-local static ones too). NULL when there are
 * none. The Dwarf must outlive it. */
struct reel_variables *reel_variables_read(Dwarf *dwarf);
void reel_variables_free(struct reel_variables *variables);

/* "bank.accounts[3].lock": the variable that covers the link-time `address`, and the way to the
 * member that begins there. NULL: none covers it. g_free. `variables` may be NULL. */
char *reel_variables_name(const struct reel_variables *variables, uint64_t address);

#endif
