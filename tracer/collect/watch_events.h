/* Accesses to watched memory as events of the thread that made them. */
#ifndef REEL_COLLECT_WATCH_EVENTS_H
#define REEL_COLLECT_WATCH_EVENTS_H

#include "tracer/collect/stream.h"
#include "tracer/collect/watch.h"

/* Adds what the hit was to its thread's stream, with `depth` frames of its stack at most: READ or
 * WRITE of class MEMORY; what orders (an atomic step) as AFTER, for it reads, and BEFORE, for it
 * writes; a MARK where watching began; and a GAP where accesses were lost. */
bool reel_watch_tell(struct reel_stream *stream, struct reel_stream_sink *sink,
                     const struct reel_watch_hit *hit, uint32_t depth, struct reel_error *error);

#endif
