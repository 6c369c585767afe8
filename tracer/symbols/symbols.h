/* Symbols: from an address of a recorded process to a function, file and line, or to a variable.
 * Works from the trace's `mapping` rows and the files they name, after the run. What a file no
 * longer is (another build-id than what ran) is not trusted. Not thread-safe. */
#ifndef REEL_SYMBOLS_SYMBOLS_H
#define REEL_SYMBOLS_SYMBOLS_H

#include "tracer/store/trace.h"

struct reel_symbols;

struct reel_symbols *reel_symbols_new(struct reel_trace *trace, struct reel_error *error);
void reel_symbols_free(struct reel_symbols *symbols);

struct reel_symbol {
    const char *function;     /* NULL not known */
    const char *inlined_into; /* NULL: it was not inlined */
    const char *file;         /* NULL not known */
    int line;                 /* 0 not known */
    const char *module;       /* path; NULL: in no mapped file */
    uint64_t offset;          /* in the module's file */
};

/* What a return address of that process returns into (the call before it). Valid until the next
 * call. False: it lies in no known mapping. */
bool reel_symbols_code(struct reel_symbols *symbols, uint32_t process, uint64_t return_address,
                       struct reel_symbol *symbol);
/* The same for the address of a function itself. */
bool reel_symbols_entry(struct reel_symbols *symbols, uint32_t process, uint64_t address,
                        struct reel_symbol *symbol);
/* The global variable at that address; NULL: none. Valid until the next call. */
const char *reel_symbols_variable(struct reel_symbols *symbols, uint32_t process, uint64_t address);

/* What lies `offset` bytes into a heap block of `size` bytes that was allocated at `stack`:
 * "struct stats.hits". NULL: not known for certain. Valid until the next call. */
const char *reel_symbols_field(struct reel_symbols *symbols, uint32_t stack, uint64_t size,
                               uint64_t offset);

/* Fills in function, file, line, module of all rows of `frame`, and the site of all stacks: the
 * innermost frame of the program's own code, past the C library and the like. */
bool reel_symbols_name_frames(struct reel_symbols *symbols, struct reel_error *error);

/* A stack's site, once frames are named: what to show first. False: unknown. `expression` is what
 * the source applies the call to, or NULL. */
struct reel_symbol_site {
    const char *function, *file, *expression;
    int line;
};
bool reel_symbols_site(struct reel_symbols *symbols, uint32_t stack, struct reel_symbol_site *site);

#endif
