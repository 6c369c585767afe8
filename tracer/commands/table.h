/* A table of text, and the same as JSON: columns with names, rows of cells, one way to fill both.
 */
#ifndef REEL_COMMANDS_TABLE_H
#define REEL_COMMANDS_TABLE_H

#include <json-glib/json-glib.h>
#include <stdint.h>

#include "tracer/commands/output.h"

enum reel_column_kind {
    REEL_COLUMN_TEXT,     /* left */
    REEL_COLUMN_NUMBER,   /* right, with thousands apart */
    REEL_COLUMN_DURATION, /* right, ns shown as people read it */
    REEL_COLUMN_SHARE,    /* right, thousandths shown as percent */
};

struct reel_column {
    const char *title; /* shown */
    const char *key;   /* in JSON */
    enum reel_column_kind kind;
};

struct reel_table;

/* `columns` must outlive the table. */
struct reel_table *reel_table_new(const struct reel_column *columns, unsigned count);
void reel_table_free(struct reel_table *table);

/* Cells of the current row, from left to right. */
void reel_table_row(struct reel_table *table);
void reel_table_text(struct reel_table *table, const char *text); /* NULL: empty */
void reel_table_number(struct reel_table *table, int64_t value);
void reel_table_none(struct reel_table *table);

unsigned reel_table_rows(const struct reel_table *table);
/* Prints `title` and the table, `indent` columns in; long texts are cut at the output's width. */
void reel_table_print(const struct reel_table *table, const struct reel_output *output,
                      const char *title, int indent);
/* An array of objects. */
JsonNode *reel_table_json(const struct reel_table *table);

/* Writes a JSON document and a newline. */
void reel_output_json(const struct reel_output *output, JsonNode *root);

#endif
