/* Lines of the source, as a unit's debugging information tells them. */
#ifndef REEL_SYMBOLS_CODE_LINE_H
#define REEL_SYMBOLS_CODE_LINE_H

#include <elfutils/libdw.h>
#include <stdbool.h>

struct reel_code_line {
    char *file; /* a whole path, as far as it is known; NULL: nothing is known; g_free */
    int line;
};

/* Of the code at `address` (without libdw's bias). */
bool reel_code_line_at(Dwarf_Die *unit, Dwarf_Addr address, struct reel_code_line *line);
/* Where an inlined function was called from. */
bool reel_code_line_of_call(Dwarf_Die *inlined, struct reel_code_line *line);

/* Is it in a header that only passes calls on? Then what called it is of interest. */
bool reel_code_line_is_wrapper(const char *file);

#endif
