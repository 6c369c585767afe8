/* Code by name: where the instructions of a function or of a line are. */
#ifndef REEL_SYMBOLS_CODE_FIND_H
#define REEL_SYMBOLS_CODE_FIND_H

#include <elfutils/libdw.h>
#include <stdint.h>

struct reel_code_range {
    uint64_t start, end; /* link-time */
};

/* All of a function of that name ("load", "bank::load", "Bank::load"), where it was inlined too; or
 * of a line of a source file (its last part or more). Writes `limit` ranges at most, by address,
 * and returns how many there are. */
unsigned reel_code_find_function(Dwarf *dwarf, const char *name, struct reel_code_range *ranges,
                                 unsigned limit);
unsigned reel_code_find_line(Dwarf *dwarf, const char *file, int line,
                             struct reel_code_range *ranges, unsigned limit);

#endif
