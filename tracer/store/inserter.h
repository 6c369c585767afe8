/* Rows into a table through SQLite's API, many rows a statement: the writer that always works. */
#ifndef REEL_STORE_INSERTER_H
#define REEL_STORE_INSERTER_H

#include "tracer/store/cell.h"
#include "tracer/store/trace.h"

struct reel_inserter;

/* Rows of all `columns` of `table`, in the order of its definition. */
struct reel_inserter *reel_inserter_new(struct reel_trace *trace, const char *table,
                                        unsigned columns, struct reel_error *error);
void reel_inserter_free(struct reel_inserter *inserter);

bool reel_inserter_put(struct reel_inserter *inserter, const struct reel_cell *cells,
                       struct reel_error *error);
/* Writes what waits in the buffer. */
bool reel_inserter_flush(struct reel_inserter *inserter, struct reel_error *error);

#endif
