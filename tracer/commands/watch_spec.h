/* --watch: what the user wants watched, and where that is in a process. */
#ifndef REEL_COMMANDS_WATCH_SPEC_H
#define REEL_COMMANDS_WATCH_SPEC_H

#include "tracer/collect/watch.h"
#include "tracer/error.h"
#include "tracer/store/trace.h"

struct reel_watch_specs;

/* For a run of `program`. Each of `words` (NULL-terminated) is one of
 *     NAME             a global or static variable of the program or one of its libraries
 *     FILE.c:NAME      the one of that source file
 *     LIB.so:NAME      the one of that library
 *     0xADDRESS+BYTES  memory by its address in the process
 *     heap:SITE        a block of the heap, see watch_heap.h; one
 *     auto             all variables of the program, in turns of 10 ms; alone
 * NULL and an error when one is none of these. */
struct reel_watch_specs *reel_watch_specs_new(char *const *words, const char *program,
                                              struct reel_error *error);
void reel_watch_specs_free(struct reel_watch_specs *specs);

const struct reel_watch_hooks *reel_watch_specs_hooks(struct reel_watch_specs *specs);

/* When the recording is over: notes in the trace what was watched, and prints what was not. */
bool reel_watch_specs_settle(struct reel_watch_specs *specs, struct reel_trace *trace,
                             uint64_t lost, struct reel_error *error);

#endif
