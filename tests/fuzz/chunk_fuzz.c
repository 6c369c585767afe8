/* Any bytes given to the chunk reader: an error, or events that survive being written and read
 * again. Input: two bytes of count, two of time, then the chunk. */
#include "tracer/store/chunk.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was decoded from the input, encoded again and decoded again, must be the same. */
static void round_trip(struct reel_chunk_reader *reader, const struct reel_chunk *chunk)
{
    struct reel_chunk_reader *again = reel_chunk_reader_new();
    struct reel_error error = {0};
    if (!reel_chunk_reader_load(again, chunk->data, chunk->bytes, chunk->count, chunk->first_ns,
                                &error))
        abort();
    for (const struct reel_event *event; (event = reel_chunk_reader_next(reader));) {
        const struct reel_event *other = reel_chunk_reader_next(again);
        if (!other || other->time_ns != event->time_ns || other->object != event->object ||
            other->sequence != event->sequence || other->argument != event->argument ||
            other->stack != event->stack || other->operation != event->operation ||
            other->class != event->class || other->flags != event->flags ||
            other->extra_words != event->extra_words ||
            (event->extra_words && memcmp(other->extra, event->extra, 8u * event->extra_words)))
            abort();
    }
    if (reel_chunk_reader_next(again))
        abort();
    reel_chunk_reader_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4)
        return 0;
    uint32_t count = (uint32_t)data[0] << 8 | data[1];
    uint64_t first_ns = (uint64_t)data[2] << 56 | data[3];
    struct reel_chunk_reader *reader = reel_chunk_reader_new();
    struct reel_chunk_builder *builder = reel_chunk_builder_new();
    struct reel_error error = {0};
    if (reel_chunk_reader_load(reader, data + 4, size - 4, count, first_ns, &error)) {
        for (const struct reel_event *event; (event = reel_chunk_reader_next(reader));)
            if (!reel_chunk_builder_append(builder, event))
                abort();
        struct reel_chunk chunk = reel_chunk_builder_finish(builder);
        if (!reel_chunk_reader_load(reader, data + 4, size - 4, count, first_ns, &error))
            abort();
        round_trip(reader, &chunk);
    } else if (error.code != REEL_ERROR_DAMAGED) {
        abort();
    }
    reel_chunk_builder_free(builder);
    reel_chunk_reader_free(reader);
    return 0;
}
