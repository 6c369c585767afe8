/* Where the reports of `reel check` go: pairs of a format and a file. */
#ifndef REEL_COMMANDS_CHECK_OUTPUT_H
#define REEL_COMMANDS_CHECK_OUTPUT_H

#include "tracer/error.h"
#include "tracer/export/finding_report.h"

struct reel_check_outputs; /* what was asked for; opaque */

/* A file's name as the user gave it, with %p become this process's id, %n the program's (or
 * trace's) base name, %% a percent sign. g_free. */
char *reel_check_file_name(const char *pattern, const char *program);

/* `formats`: "NAME" or "NAME=FILE"; a name without a file takes the next of `files`, else goes to
 * standard output. `program`: for the names of files. NULL and an error when a word is off. */
struct reel_check_outputs *reel_check_outputs_new(char *const *formats, char *const *files,
                                                  const char *program, struct reel_error *error);
void reel_check_outputs_free(struct reel_check_outputs *outputs);
/* Is any report asked for? Else text goes to where a person looks. */
bool reel_check_outputs_any(const struct reel_check_outputs *outputs);
/* Is every report asked for plain text, so that several may follow each other in a file? */
bool reel_check_outputs_may_repeat(const struct reel_check_outputs *outputs);

/* Writes all of them. A second call appends. */
bool reel_check_outputs_write(struct reel_check_outputs *outputs,
                              const struct reel_finding_report *report, struct reel_error *error);

#endif
