/* For tests that record a program with the command itself, interfere, and look into the trace. */
#ifndef REEL_TESTS_KIT_RECORDING_H
#define REEL_TESTS_KIT_RECORDING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tracer/store/merge.h"

struct recording {
    char folder[64];  /* of its own, for the program too */
    char trace[128];  /* the file */
    char output[128]; /* what the program wrote to its standard output */
    char errors[128]; /* and what it and reel wrote to theirs */
    pid_t reel;
};

/* Starts `reel record OPTIONS -- PROGRAM…`, both lists end with NULL. Fails the test when it
 * cannot. The trace goes to `folder` (NULL: the recording's own, made when there is none yet). */
void recording_start(struct recording *recording, const char *reel, const char *folder,
                     char *const options[], char *const program[]);
/* Waits for reel; its status as a shell tells it. */
int recording_wait(struct recording *recording);
/* Removes the folder. */
void recording_remove(struct recording *recording);

char *recording_text(const char *path); /* to be freed by g_free */

/* Calls `each` for every event in the exact order; fails the test when the trace cannot be read to
 * its end. */
struct reel_merge_statistics
recording_read(const struct recording *recording,
               void (*each)(void *data, const struct reel_event *event), void *data);
/* The number in meta, 0 when absent. */
uint64_t recording_meta(const struct recording *recording, const char *key);
/* The first column of the first row, -1 when there is none or it is NULL. */
int64_t recording_ask(const struct recording *recording, const char *sql);

/* A page that tests share with the program they trace: a file, mapped. */
void *recording_page(const struct recording *recording, const char *name, size_t bytes);

#endif
