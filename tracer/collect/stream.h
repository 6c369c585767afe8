/* A stream: one thread's records on their way from its blocks to chunks.
 *
 * Reading follows the chain of blocks. A record not yet committed ends a round; one that stays so
 * although later ones are complete was abandoned (a longjmp left a signal handler in the middle of
 * it) and is skipped and counted after a while. */
#ifndef REEL_COLLECT_STREAM_H
#define REEL_COLLECT_STREAM_H

#include "tracer/collect/clock.h"
#include "tracer/collect/live_holds.h"
#include "tracer/collect/region.h"
#include "tracer/collect/stacks.h"
#include "tracer/store/trace.h"

/* What streams share. */
struct reel_stream_sink {
    struct reel_trace *trace;
    struct reel_region_owner *owner;
    const struct reel_clock_map *clock;
    struct reel_stacks *stacks;
    void (*noticed)(void *data, uint32_t process, const struct reel_event *event);
    void *data; /* for `noticed`: called for events the collector itself acts on */
    struct reel_live_holds *holds; /* told of what threads lock; NULL: nobody asks */
    uint64_t events;               /* stored */
    uint64_t lost;                 /* counted by targets */
    uint64_t bytes;                /* of chunks */
};

struct reel_stream {
    uint32_t slot; /* index of its thread slot */
    struct reel_thread_row row;
    uint32_t process_slot; /* index */
    uint32_t block;        /* being read; REEL_NO_BLOCK before the first */
    uint32_t position;     /* next record in it */
    uint64_t hole_since;   /* ns; 0: no uncommitted record is in the way */
    uint64_t abandoned;
    uint64_t last_ns;
    uint64_t unflushed_since; /* ns of the oldest event in the builder */
    bool started, ended;      /* saw START, EXIT */
    bool dirty;               /* its row changed since it was written */
    struct reel_stack_numbers stacks;
    struct reel_chunk_builder *builder;
    struct reel_chunk_builder *switches; /* scheduling events; NULL until the first */
    uint64_t last_switch_ns;
    struct reel_chunk_builder *accesses; /* to watched memory; NULL until the first */
    uint64_t last_access_ns;
};

struct reel_stream *reel_stream_new(struct reel_stream_sink *sink, uint32_t slot_index);
void reel_stream_free(struct reel_stream *stream);

/* Reads what is complete. `final`: the thread writes no more; nothing is waited for. Returns how
 * many records were taken, -1 and an error when the trace could not be written. */
int64_t reel_stream_drain(struct reel_stream *stream, struct reel_stream_sink *sink,
                          uint64_t now_ns, bool final, struct reel_error *error);

/* Adds an event that the collector itself knows of (an EXIT by death, a context switch). */
bool reel_stream_add(struct reel_stream *stream, struct reel_stream_sink *sink,
                     const struct reel_event *event, struct reel_error *error);
bool reel_stream_add_switch(struct reel_stream *stream, struct reel_stream_sink *sink,
                            const struct reel_event *event, struct reel_error *error);

/* The same for what the kernel tells of accesses to memory: it comes later than what the thread
 * itself told by then. */
bool reel_stream_add_access(struct reel_stream *stream, struct reel_stream_sink *sink,
                            const struct reel_event *event, struct reel_error *error);

/* Writes pending events as (short) chunks, and the thread's row if it changed. */
bool reel_stream_flush(struct reel_stream *stream, struct reel_stream_sink *sink,
                       struct reel_error *error);

/* The thread is gone and drained: its blocks and its stack arena go back to the pool, its slot is
 * free again. */
void reel_stream_release(struct reel_stream *stream, struct reel_stream_sink *sink);

#endif
