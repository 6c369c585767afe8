/* What a statement of the source says about the memory it allocates: text alone, no types. It is
 * read as C or C++ that people write, not parsed: what it cannot make sense of it leaves out. */
#ifndef REEL_SYMBOLS_STATEMENT_H
#define REEL_SYMBOLS_STATEMENT_H

#include <glib.h>
#include <stdbool.h>

#include "tracer/symbols/source.h"

/* The statements that have a part of that line, without comments and strings; NULL when the file
 * cannot be read. Of char *; g_ptr_array_unref. */
GPtrArray *reel_statements_at(struct reel_sources *sources, const char *file, int line);

struct reel_allocation_words {
    bool allocates; /* it calls something, or has a new */
    char *target; /* what the result is assigned to: "table->rows[i]"; NULL: nothing that is seen */
    bool returned; /* it is what the function returns */
    char *operand; /* of sizeof: "struct row", "*table->rows"; NULL: none, or several that differ */
    char *made;    /* by new: "bank::Account"; NULL: none */
    bool is_array; /* so many of them are asked for */
    bool has_more; /* bytes behind it: sizeof(struct row) + length */
};

void reel_allocation_words_read(const char *statement, struct reel_allocation_words *words);
void reel_allocation_words_clear(struct reel_allocation_words *words);

#endif
