/* The sections of a report: each is one question in SQL over the totals, and what its columns mean.
 */
#ifndef REEL_COMMANDS_REPORT_SECTION_H
#define REEL_COMMANDS_REPORT_SECTION_H

#include "tracer/commands/table.h"
#include "tracer/store/trace.h"

struct reel_report_section {
    const char *title; /* NULL ends the list */
    const char *key;
    const char *sql; /* as many columns as `columns`; most important rows first */
    struct reel_column columns[12];
};

extern const struct reel_report_section reel_report_sections[];

/* Asks; at most `rows` (0: all). *left_out: how many more there are. */
struct reel_table *reel_report_table(struct reel_trace *trace,
                                     const struct reel_report_section *section, int rows,
                                     unsigned *left_out, struct reel_error *error);

#endif
