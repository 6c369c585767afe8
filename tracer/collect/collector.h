/* What one recording consists of while it runs, and its rounds: between collect.c, which begins,
 * follows and ends a recording, and collector.c, which reads what the target wrote. */
#ifndef REEL_COLLECT_COLLECTOR_H
#define REEL_COLLECT_COLLECTOR_H

#include <glib.h>

#include "tracer/collect/collect.h"
#include "tracer/collect/processes.h"
#include "tracer/collect/scheduling.h"
#include "tracer/collect/stream.h"
#include "tracer/collect/watch_events.h"

struct reel_collector {
    const struct reel_collect_options *options;
    struct reel_trace *trace;
    struct reel_region_owner owner;
    struct reel_clock_map clock;
    struct reel_stacks *stacks;
    struct reel_processes *processes;
    struct reel_scheduling *scheduling;
    struct reel_stream_sink sink;
    struct reel_live *live;       /* NULL: nobody watches */
    struct reel_watch *watch;     /* of memory; NULL: none */
    struct reel_stream **streams; /* by thread slot */
    GHashTable *by_tid;           /* tid → stream, for context switches */
    unsigned threads;             /* seen in all */
    uint32_t feed;                /* free blocks to keep in the pool */
    struct reel_error *error;
    uint64_t dropped; /* events that a flight recording let go */
    bool failed;
};

/* Nanoseconds since the recording began. */
uint64_t reel_collector_now(const struct reel_collector *collector);
/* For the sink of the streams: what an event says of its process. `data`: the collector. */
void reel_collector_noticed(void *data, uint32_t process, const struct reel_event *event);
/* One look at everything the target wrote. `last`: nothing more will come. Returns how many records
 * came, -1 on failure. */
int64_t reel_collector_round(struct reel_collector *collector, bool last);
/* Stores what streams hold back. */
bool reel_collector_flush(struct reel_collector *collector);
/* Events that threads which go on unrecorded have lost by now. */
uint64_t reel_collector_still_lost(struct reel_collector *collector);

#endif
