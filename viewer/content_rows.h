/* Reading the rows of a sealed trace: intervals, holds and queue events are read by four jobs on
 * two threads, each with a connection of its own, because reading rows is what takes the time. */
#ifndef REEL_VIEWER_CONTENT_ROWS_H
#define REEL_VIEWER_CONTENT_ROWS_H

#include <sqlite3.h>

#include "tracer/error.h"
#include "viewer/content_outline.h"
#include "viewer/core/gathering.h"

/* What the jobs share, and what all reading of the trace does with errors. */
struct reel_row_reader {
    const char *path;
    const struct reel_content_options *options;
    guint64 expected;        /* rows */
    guint64 read;            /* atomically */
    gint failed;             /* atomically */
    GMutex lock;             /* of `error` */
    struct reel_error error; /* the first one */
};

void reel_row_reader_init(struct reel_row_reader *reader, const char *path,
                          const struct reel_content_options *options);
void reel_row_reader_clear(struct reel_row_reader *reader);

/* A statement; NULL, and the reader has failed, when it cannot be made. */
sqlite3_stmt *reel_row_reader_ask(struct reel_row_reader *reader, sqlite3 *database,
                                  const char *sql);
/* The first value of the first row; 0 when there is none. */
uint64_t reel_row_reader_number(struct reel_row_reader *reader, sqlite3 *database, const char *sql);

/* All rows, gathered; NULL when a job failed or it was cancelled. */
struct reel_gathering *reel_row_reader_gather(struct reel_row_reader *reader, sqlite3 *database);

#endif
