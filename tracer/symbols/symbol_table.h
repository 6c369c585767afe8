/* A module's symbols by address. libdwfl walks the whole table for every address, which takes
 * milliseconds in a large library: here it is sorted once, and what it would say is found by
 * bisection. */
#ifndef REEL_SYMBOLS_SYMBOL_TABLE_H
#define REEL_SYMBOLS_SYMBOL_TABLE_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stdint.h>

/* Not thread-safe; the module must outlive it. */
struct reel_symbol_table;

struct reel_symbol_table *reel_symbol_table_read(Dwfl_Module *module);
void reel_symbol_table_free(struct reel_symbol_table *table);

struct reel_symbol_entry {
    const char *name;
    uint64_t start, size; /* libdwfl's address; size 0: it tells none */
    bool is_object;       /* a variable */
};

/* The symbol that covers `address` (libdwfl's): a global one before a local one, then the nearest,
 * the more global, the smallest, the first, as libdwfl has it. NULL: none with a size does. */
const struct reel_symbol_entry *reel_symbol_table_find(const struct reel_symbol_table *table,
                                                       uint64_t address);
/* May a label that tells no size be what lies there? Then libdwfl is to be asked. */
bool reel_symbol_table_has_label(const struct reel_symbol_table *table, uint64_t address);

#endif
