/* Global variables by name: where they live, for whoever wants to watch one. */
#ifndef REEL_SYMBOLS_VARIABLE_FIND_H
#define REEL_SYMBOLS_VARIABLE_FIND_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stdint.h>

/* A part of a variable that has no parts. */
struct reel_variable_part {
    uint32_t offset, size; /* bytes */
    bool atomic;           /* by its type: _Atomic, or C++'s std::atomic */
};

#define REEL_VARIABLE_PARTS 4u

struct reel_variable_place {
    uint64_t address, size; /* link-time; bytes */
    unsigned parts;         /* in all, as far as they were counted; 0: not known */
    struct reel_variable_part part[REEL_VARIABLE_PARTS]; /* the first of them, by offset */
};

/* Looks for the variable of that name (of the program, a file or a function) with a fixed address,
 * in the source file `file` (its last part or more; NULL: in any). Returns how many there are that
 * differ in their address; `place` is the first. */
unsigned reel_variable_find(Dwarf *dwarf, const char *file, const char *name,
                            struct reel_variable_place *place);

/* Calls `each` for every variable with a fixed address, some twice, until it returns false. */
typedef bool reel_variable_visitor(void *data, const struct reel_variable_place *place);
void reel_variable_each(Dwarf *dwarf, reel_variable_visitor *each, void *data);

#endif
