/* Rows into a table by writing SQLite's b-tree pages: several times faster than statements, for
 * rows that come in the order of their row ids. The format is documented ("Database File Format",
 * sections 1.6 and 2.1): leaf pages are filled left to right and go to a nameless file beside the
 * trace; installing appends them to the trace, builds the interior pages bottom-up over them and
 * writes the root last. Until then the trace is not touched.
 *
 * Installing is atomic: a rollback journal of SQLite's own form stands beside the trace while its
 * pages are being changed, so that whoever opens the trace after a crash, any SQLite at all, puts
 * back what was there before. */
#ifndef REEL_STORE_PAGE_WRITER_H
#define REEL_STORE_PAGE_WRITER_H

#include "tracer/store/cell.h"
#include "tracer/store/trace.h"

struct reel_page_writer;

/* Whether pages may be written into this trace: it is in plain (not WAL) form, the tables are ours
 * to the letter, and nothing is attached to them (indexes, triggers) that would have to be kept up.
 */
bool reel_pages_are_possible(struct reel_trace *trace);

/* `table` is ordinary (it has row ids), with an INTEGER PRIMARY KEY as the first of `columns`. */
struct reel_page_writer *reel_page_writer_new(struct reel_trace *trace, const char *table,
                                              unsigned columns, struct reel_error *error);
void reel_page_writer_free(struct reel_page_writer *writer);

/* cells[0] is the row id: an integer, larger than the one before. */
bool reel_page_writer_put(struct reel_page_writer *writer, const struct reel_cell *cells,
                          struct reel_error *error);

/* Puts the rows into their tables, which must be empty; all of them or, on failure, none. No
 * transaction may be open. */
bool reel_page_writer_install(struct reel_page_writer *const *writers, unsigned count,
                              struct reel_error *error);

#endif
