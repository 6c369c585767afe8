/* Reading the rows of a large table by its b-tree pages: several times as fast as stepping through
 * them, for who wants all of millions of rows. The file format is that of
 * https://www.sqlite.org/fileformat2.html, sections 1.6 and 2; every byte is taken for hostile.
 *
 * It reads what an ordinary trace has: a rowid table in a file without a write-ahead log, whose
 * rows fit on their pages. For anything else it says REEL_SCAN_CANNOT before the first row, or
 * where it stands, and the caller asks SQLite instead. */
#ifndef REEL_STORE_PAGE_SCAN_H
#define REEL_STORE_PAGE_SCAN_H

#include "tracer/store/trace.h"

#define REEL_SCAN_COLUMNS 16u

/* A value of a row: NULL, an integer, or text (not terminated). */
struct reel_scan_value {
    const char *text; /* NULL unless it is text */
    int64_t number;   /* 0 for NULL and text; of text: its length in bytes */
    bool is_null;
};

struct reel_scan_row {
    int64_t id; /* row id; what an INTEGER PRIMARY KEY column holds */
    unsigned columns;
    struct reel_scan_value value[REEL_SCAN_COLUMNS]; /* those beyond `columns` are NULL */
};

enum reel_scan_end {
    REEL_SCAN_DONE,
    REEL_SCAN_STOPPED, /* the callback said so */
    REEL_SCAN_CANNOT,  /* ask SQLite, for the rows after the last one told */
};

/* Tells every row of `table` with from <= id < to, in the order of ids. `row` returns false to
 * stop; what it is given lives until it returns. `trace` must not be changed meanwhile: a read
 * transaction is held. One scan at a time on a trace. */
enum reel_scan_end reel_page_scan(struct reel_trace *trace, const char *table, int64_t from,
                                  int64_t to,
                                  bool (*row)(void *data, const struct reel_scan_row *row),
                                  void *data);

#endif
