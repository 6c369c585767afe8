/* The names and facts of a sealed trace, for detectors: its objects, its threads, its places. Loads
 * what is small at once and places when they are asked for. Texts live as long as the names. */
#ifndef REEL_DETECT_TRACE_NAMES_H
#define REEL_DETECT_TRACE_NAMES_H

#include "tracer/detect/detector.h"

struct reel_trace_names;

/* NULL and an error when the tables cannot be read. The trace must outlive it. */
struct reel_trace_names *reel_trace_names_new(struct reel_trace *trace, struct reel_error *error);
void reel_trace_names_free(struct reel_trace_names *names);

/* Fills in the callbacks of the context. */
void reel_trace_names_provide(struct reel_trace_names *names, struct reel_detect_context *context);

/* The process of a thread, 0 = not known; the newest process of a pid at a time. */
uint32_t reel_trace_names_process(const struct reel_trace_names *names, uint32_t thread);
uint32_t reel_trace_names_process_of_pid(const struct reel_trace_names *names, uint64_t pid,
                                         uint64_t time_ns);
/* Puts all objects and processes into `identity`, under the trace's numbers. */
bool reel_trace_names_restore(const struct reel_trace_names *names, struct reel_identity *identity);
/* Calls reel_world_end_thread for all threads whose end is known. */
void reel_trace_names_end_threads(const struct reel_trace_names *names, struct reel_world *world);
const struct reel_object *reel_trace_names_object(const struct reel_trace_names *names,
                                                  uint32_t object);
/* How many objects there are. */
uint32_t reel_trace_names_count(const struct reel_trace_names *names);

#endif
