/* Chunks: the form events have while recording. A chunk holds up to REEL_CHUNK_EVENTS consecutive
 * events of one stream (one thread's records, or the kernel's scheduling events of that thread), as
 * delta-varint columns: about 8 bytes an event. Decoding checks every bound: a trace file is
 * untrusted. */
#ifndef REEL_STORE_CHUNK_H
#define REEL_STORE_CHUNK_H

#include <stdbool.h>
#include <stddef.h>

#include "tracer/error.h"
#include "tracer/store/event.h"

#define REEL_CHUNK_EVENTS 4096u

struct reel_chunk_builder; /* one a stream; not thread-safe */

struct reel_chunk_builder *reel_chunk_builder_new(void);
void reel_chunk_builder_free(struct reel_chunk_builder *builder);

/* Appends one event. Its time must not be before the last one's in this builder (it is raised to it
 * otherwise); thread and process are not stored: they are the chunk's. Returns false when the chunk
 * is full (REEL_CHUNK_EVENTS): take it out with `finish`, then append again. */
bool reel_chunk_builder_append(struct reel_chunk_builder *builder, const struct reel_event *event);

unsigned reel_chunk_builder_count(const struct reel_chunk_builder *builder);

struct reel_chunk {
    uint64_t first_ns, last_ns;
    uint32_t count;
    const void *data; /* owned by the builder, valid until its next call */
    size_t bytes;
};

/* Encodes what was appended and empties the builder. Count 0: nothing was there. */
struct reel_chunk reel_chunk_builder_finish(struct reel_chunk_builder *builder);

struct reel_chunk_reader; /* decodes one chunk at a time; reusable */

struct reel_chunk_reader *reel_chunk_reader_new(void);
void reel_chunk_reader_free(struct reel_chunk_reader *reader);

/* Takes a chunk of `count` events starting at `first_ns`; `data` is copied or fully decoded before
 * this returns. False and an error (REEL_ERROR_DAMAGED) when the bytes are not a valid chunk. */
bool reel_chunk_reader_load(struct reel_chunk_reader *reader, const void *data, size_t bytes,
                            uint32_t count, uint64_t first_ns, struct reel_error *error);
/* The next event, or NULL at the chunk's end; valid until the next call. thread/process are 0. */
const struct reel_event *reel_chunk_reader_next(struct reel_chunk_reader *reader);

#endif
