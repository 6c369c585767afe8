/* The streams of a trace: which chunks each has, and the decoded chunk each is at. */
#ifndef REEL_STORE_STREAMS_H
#define REEL_STORE_STREAMS_H

#include "tracer/store/chunk_format.h"
#include "tracer/store/trace.h"

struct reel_chunk_place {
    int64_t id;
    uint32_t process, thread, stream;
};

struct reel_stream {
    uint32_t process, thread;
    uint32_t chunk, chunk_end;        /* the next chunk and the end, in `places` */
    struct reel_chunk_reader *reader; /* its `next` is the head event */
    /* The merge's: */
    bool is_parked, is_forced;
    bool was_parked;      /* the head event was held back */
    uint64_t awaited;     /* parked: domain << 32 | sequence that will wake it */
    uint32_t next_parked; /* number + 1 of the next stream in the same bucket */
};

struct reel_streams {
    struct reel_trace *trace;
    sqlite3_stmt *fetch;
    struct reel_chunk_place *places; /* by stream, then id */
    uint32_t place_count;
    struct reel_stream *list;
    uint32_t count;
    bool is_tolerant; /* damaged chunks are skipped */
    int64_t *damaged; /* those that were: rows of `chunk` */
    uint32_t damaged_count, damaged_capacity;
};

bool reel_streams_open(struct reel_streams *streams, struct reel_trace *trace, bool is_tolerant,
                       struct reel_error *error);
void reel_streams_close(struct reel_streams *streams);

/* Decodes the chunk at `place` into `reader`. */
bool reel_streams_load(struct reel_streams *streams, uint32_t place,
                       struct reel_chunk_reader *reader, struct reel_error *error);

/* As reel_streams_load, but true without events (reader->count is 0) when the chunk is damaged and
 * that is tolerated. */
bool reel_streams_try(struct reel_streams *streams, uint32_t place,
                      struct reel_chunk_reader *reader, struct reel_error *error);

/* Loads the stream's next chunk when the current one is used up. `*at_end`: there is none, and the
 * stream's memory was given back. */
bool reel_stream_refill(struct reel_streams *streams, struct reel_stream *stream, bool *at_end,
                        struct reel_error *error);

static inline const struct reel_chunk_slot *reel_stream_head(const struct reel_stream *stream)
{
    return &stream->reader->slots[stream->reader->next];
}

#endif
