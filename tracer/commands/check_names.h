/* Names for what the threads of a live verdict wait for: the global variable at an address of a
 * process that still runs, as the report at the end will call it. Debugging information of a large
 * program takes its time, a notice does not wait long: a thread of its own looks, and who asks
 * takes what is there by then. */
#ifndef REEL_COMMANDS_CHECK_NAMES_H
#define REEL_COMMANDS_CHECK_NAMES_H

#include "tracer/collect/live_watch.h"

struct reel_check_names;

/* Begins to look for the names of `count` waits, which are read during this call only. */
struct reel_check_names *reel_check_names_look(const struct reel_live_wait *waits, unsigned count);

/* Waits until all are looked for, or `patience_ms` have passed. */
void reel_check_names_wait(struct reel_check_names *names, unsigned patience_ms);

/* The name of the object of wait `index`, as far as it was found by the end of the wait above;
 * NULL: none. Valid until the names are freed. */
const char *reel_check_names_at(const struct reel_check_names *names, unsigned index);

/* A search that is still under way ends by itself. NULL is no error. */
void reel_check_names_free(struct reel_check_names *names);

#endif
