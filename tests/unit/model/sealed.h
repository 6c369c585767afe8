/* A sealed trace made from the text form, and questions to it. */
#ifndef REEL_TESTS_SEALED_H
#define REEL_TESTS_SEALED_H

#include "tracer/model/seal.h"
#include "tracer/model/text_form.h"

/* The trace of that text in the test's directory: recorded and closed, open for writing. */
struct reel_trace *record_text(const char *directory, const char *name, const char *text);
/* Seals it through SQLite's API; fails the test when that fails. */
struct reel_seal_result seal(struct reel_trace *trace);
/* All rows of a query, columns by blanks, rows by newlines; valid until the next call. */
const char *rows_of(struct reel_trace *trace, const char *sql);

#endif
