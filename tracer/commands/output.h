/* Where a command's text goes: standard output, through $PAGER when a person is looking; with
 * colour only where it is wanted, with only the characters that the locale has. */
#ifndef REEL_COMMANDS_OUTPUT_H
#define REEL_COMMANDS_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

struct reel_output {
    FILE *file;
    bool color;    /* a terminal, TERM not dumb, NO_COLOR not set */
    bool utf8;     /* the locale's characters; else plain ASCII */
    bool terminal; /* somebody looks at it */
    int width;     /* columns; 100 where nobody knows */
    int pager_pid; /* 0: none */
};

/* `paged`: long output, worth a pager on a terminal. */
void reel_output_open(struct reel_output *output, bool paged);
/* Waits for the pager. False when the output could not be written (disk full; a closed pipe is
 * fine). */
bool reel_output_close(struct reel_output *output);

/* ANSI sequences, or "" without colour. */
enum reel_style {
    REEL_STYLE_PLAIN,
    REEL_STYLE_BOLD,
    REEL_STYLE_DIM,
    REEL_STYLE_GOOD,
    REEL_STYLE_WARNING,
    REEL_STYLE_BAD,
};
const char *reel_output_style(const struct reel_output *output, enum reel_style style);

/* Prints a paragraph, `indent` columns in, wrapped at the output's width but at most 100 columns;
 * in plain ASCII where the locale has no more. */
void reel_output_paragraph(const struct reel_output *output, const char *text, int indent);

/* Columns a text takes on a terminal (wide characters count twice). */
int reel_text_columns(const char *text);

#endif
