/* A module: one ELF file with its debugging information, opened once and asked by the addresses it
 * was linked at. Debugging information is found by build-id and .gnu_debuglink where distributions
 * put it (libdwfl's standard search). Not thread-safe. */
#ifndef REEL_SYMBOLS_MODULE_H
#define REEL_SYMBOLS_MODULE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "tracer/symbols/heap_type.h"

struct reel_module;

/* NULL when the file cannot be read or is not ELF. */
struct reel_module *reel_module_open(const char *path);
void reel_module_close(struct reel_module *module);

/* From a file offset (as in /proc/PID/maps) to a link-time address. False: in no loaded segment. */
bool reel_module_address(const struct reel_module *module, uint64_t offset, uint64_t *address);
/* The end of the module's memory, in link-time addresses: its .bss ends there. */
uint64_t reel_module_end(const struct reel_module *module);

struct reel_code_place {
    char *function;     /* innermost, inlined ones included; g_free */
    char *inlined_into; /* the function it was inlined into, or NULL; g_free */
    char *file;         /* g_free; NULL not known */
    int line;           /* 0 not known */
    uint64_t offset;    /* from the start of the (outer) function */
};

/* What code is at `address`. False: no symbol covers it. */
bool reel_module_code(struct reel_module *module, uint64_t address, struct reel_code_place *place);
void reel_code_place_clear(struct reel_code_place *place);

/* The global variable that lives at `address`, down to the member: "accounts[3].lock". NULL: none.
 * g_free. */
char *reel_module_variable(struct reel_module *module, uint64_t address);

/* What lies `offset` bytes into a heap block that the call before `address` returned: see
 * heap_type.h. Appends to `name`. */
enum reel_heap_answer reel_module_heap(struct reel_module *module, struct reel_sources *sources,
                                       uint64_t address, uint64_t size, uint64_t offset,
                                       GString *name);

/* The variable of that name: see variable_find.h. Without debugging information by the symbol
 * table, which knows neither files nor types. Returns how many there are. */
struct reel_variable_place;
unsigned reel_module_find(struct reel_module *module, const char *file, const char *name,
                          struct reel_variable_place *place);
/* Calls `each` for every variable that can be written, as far as debugging information tells. */
void reel_module_each(struct reel_module *module,
                      bool (*each)(void *data, const struct reel_variable_place *place),
                      void *data);

/* Where the code of a function is, or of a line when `line` is not 0: see code_find.h. Without
 * debugging information functions by the symbol table. */
struct reel_code_range;
unsigned reel_module_code_ranges(struct reel_module *module, const char *name, int line,
                                 struct reel_code_range *ranges, unsigned limit);

#endif
