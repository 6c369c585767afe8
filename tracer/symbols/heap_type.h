/* What a heap block is made of. Debugging information does not say what type memory is asked for;
 * the function that asks mostly does: it assigns the result to a pointer, takes the size of a type,
 * or has one pointer alone to something of that size. Where these leave a doubt, nothing is said.
 */
#ifndef REEL_SYMBOLS_HEAP_TYPE_H
#define REEL_SYMBOLS_HEAP_TYPE_H

#include <elfutils/libdw.h>
#include <glib.h>
#include <stdint.h>

#include "tracer/symbols/functions.h"
#include "tracer/symbols/source.h"

/* A call that hands out memory, directly or by others. */
struct reel_heap_site {
    Dwarf *dwarf;
    Dwarf_Die unit;
    Dwarf_Addr address; /* of the call, without libdw's bias */
    struct reel_functions *functions;
    struct reel_sources *sources;
};

enum reel_heap_answer {
    REEL_HEAP_UNKNOWN,
    REEL_HEAP_NAMED,
    REEL_HEAP_ASK_CALLER, /* the function hands memory out itself: who called it may know */
};

/* Appends "struct stats.hits" or "struct item[3].count": what lies `offset` bytes into a block that
 * was allocated there and has `size` bytes, or up to a few less: allocators round up. */
enum reel_heap_answer reel_heap_type_append(const struct reel_heap_site *site, uint64_t size,
                                            uint64_t offset, GString *name);

#endif
