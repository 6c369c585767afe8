#include "tracer/collect/stream.h"

#include <glib.h>
#include <string.h>

/* An interrupted record may still be finished, when the handler on top of it returns. A thread that
 * was seen to leave handlers by longjmp gets less and less patience: it would fill the pool. */
#define HOLE_PATIENCE_NS     1000000000u
#define HOLE_PATIENCE_MIN_NS 4000000u

#define ROUND_RECORDS (16 * (int64_t)REEL_BLOCK_RECORDS) /* of one thread in one round */

struct reel_stream *reel_stream_new(struct reel_stream_sink *sink, uint32_t slot_index)
{
    struct reel_thread_slot *slot = reel_region_thread(sink->owner->region, slot_index);
    struct reel_stream *stream = g_new0(struct reel_stream, 1);
    stream->slot = slot_index;
    stream->block = REEL_NO_BLOCK;
    stream->process_slot = slot->process;
    stream->row = (struct reel_thread_row){
        .id = slot->number,
        .process = slot->process_number,
        .tid = slot->tid,
        .handle = slot->handle,
        .parent = slot->parent,
        .start_routine = slot->start_routine,
        .end_reason = -1,
        .cpu_ns = -1,
    };
    stream->builder = reel_chunk_builder_new();
    return stream;
}

void reel_stream_free(struct reel_stream *stream)
{
    if (!stream)
        return;
    reel_stack_numbers_clear(&stream->stacks);
    reel_chunk_builder_free(stream->builder);
    reel_chunk_builder_free(stream->switches);
    reel_chunk_builder_free(stream->accesses);
    g_free(stream);
}

static bool put(struct reel_stream *stream, struct reel_stream_sink *sink,
                struct reel_chunk_builder *builder, uint32_t number, struct reel_error *error)
{
    struct reel_chunk chunk = reel_chunk_builder_finish(builder);
    if (chunk.count == 0)
        return true;
    sink->bytes += chunk.bytes;
    return reel_trace_put_chunk(sink->trace, stream->row.process, stream->row.id, number, &chunk,
                                error);
}

static bool append(struct reel_stream *stream, struct reel_stream_sink *sink,
                   struct reel_chunk_builder *builder, uint32_t number,
                   const struct reel_event *event, struct reel_error *error)
{
    if (!reel_chunk_builder_append(builder, event)) {
        if (!put(stream, sink, builder, number, error))
            return false;
        reel_chunk_builder_append(builder, event);
    }
    sink->events++;
    return true;
}

bool reel_stream_add(struct reel_stream *stream, struct reel_stream_sink *sink,
                     const struct reel_event *event, struct reel_error *error)
{
    struct reel_event ordered = *event;
    if (ordered.time_ns < stream->last_ns)
        ordered.time_ns = stream->last_ns;
    stream->last_ns = ordered.time_ns;
    if (!stream->dirty && !stream->started) {
        stream->started = stream->dirty = true;
        stream->row.start_ns = ordered.time_ns;
    }
    return append(stream, sink, stream->builder, 0, &ordered, error);
}

bool reel_stream_add_switch(struct reel_stream *stream, struct reel_stream_sink *sink,
                            const struct reel_event *event, struct reel_error *error)
{
    if (!stream->switches)
        stream->switches = reel_chunk_builder_new();
    struct reel_event ordered = *event;
    if (ordered.time_ns < stream->last_switch_ns)
        ordered.time_ns = stream->last_switch_ns;
    stream->last_switch_ns = ordered.time_ns;
    return append(stream, sink, stream->switches, 1, &ordered, error);
}

bool reel_stream_add_access(struct reel_stream *stream, struct reel_stream_sink *sink,
                            const struct reel_event *event, struct reel_error *error)
{
    if (!stream->accesses)
        stream->accesses = reel_chunk_builder_new();
    struct reel_event ordered = *event;
    if (ordered.time_ns < stream->last_access_ns)
        ordered.time_ns = stream->last_access_ns;
    stream->last_access_ns = ordered.time_ns;
    return append(stream, sink, stream->accesses, 2, &ordered, error);
}

/* What the recorder itself learns from an event. */
static void notice(struct reel_stream *stream, struct reel_stream_sink *sink,
                   const struct reel_event *event)
{
    switch (event->operation) {
    case REEL_OP_START:
        stream->row.tid = (int32_t)event->argument;
        stream->row.handle = event->extra_words > 0 ? event->extra[0] : 0;
        stream->row.start_routine = event->extra_words > 1 ? event->extra[1] : 0;
        stream->row.start_ns = event->time_ns;
        stream->started = stream->dirty = true;
        break;
    case REEL_OP_EXIT:
        if (event->class == REEL_CLASS_THREAD) {
            stream->row.end_ns = event->time_ns;
            stream->row.end_reason = (int32_t)event->argument;
            stream->ended = stream->dirty = true;
        }
        break;
    case REEL_OP_LOAD:
    case REEL_OP_UNLOAD:
    case REEL_OP_OPEN:
        break;
    case REEL_OP_NAME:
    case REEL_OP_EXEC:
    case REEL_OP_EXEC_FAILED:
    case REEL_OP_CREATED:
    case REEL_OP_WAKE:
        if (event->class != REEL_CLASS_PROCESS)
            return;
        break;
    default:
        if (event->flags & REEL_FLAG_SHARED_OBJECT)
            break;
        return;
    }
    if (sink->noticed)
        sink->noticed(sink->data, stream->row.process, event);
}

/* Takes the complete event at `record`; *taken is how many records it spans. */
static bool take(struct reel_stream *stream, struct reel_stream_sink *sink,
                 const struct reel_record *record, uint32_t room, uint32_t kind, uint32_t *taken,
                 struct reel_error *error)
{
    uint64_t words[REEL_EXTRA_LIMIT * REEL_EXTRA_WORDS];
    unsigned count = 0, extras = 0;
    while (extras + 1 < room && extras < REEL_EXTRA_LIMIT) {
        const struct reel_record_extra *extra =
            (const struct reel_record_extra *)(record + 1 + extras);
        uint32_t extra_kind = atomic_load_explicit(&extra->kind, memory_order_acquire);
        if (REEL_KIND_OPERATION(extra_kind) != REEL_OP_EXTRA)
            break;
        for (unsigned i = 0; i < REEL_EXTRA_WORDS && i < extra->words; i++)
            words[count++] = extra->word[i];
        extras++;
    }
    *taken = 1 + extras;
    struct reel_event event = {
        .time_ns = reel_clock_map_ns(sink->clock, record->time),
        .object = record->object,
        .sequence = record->sequence,
        .argument = record->argument,
        .thread = stream->row.id,
        .process = stream->row.process,
        .operation = (uint8_t)REEL_KIND_OPERATION(kind),
        .class = (uint8_t)REEL_KIND_CLASS(kind),
        .flags = (uint8_t)REEL_KIND_FLAGS(kind),
        .extra_words = (uint8_t)count,
        .extra = words,
    };
    switch (event.operation) {
    case REEL_OP_PAD:
    case REEL_OP_EXTRA: /* its event was abandoned */
        return true;
    case REEL_OP_STACK_NODE:
        reel_stack_numbers_define(&stream->stacks, record->stack, record->argument, record->object);
        return true;
    case REEL_OP_STALL:
        event.argument = (uint32_t)((double)record->argument * sink->clock->ns_per_tick / 1000.0);
        break;
    case REEL_OP_GAP:
        if (count > 1)
            words[1] = reel_clock_map_ns(sink->clock, words[1]);
        break;
    default:
        break;
    }
    if (record->stack)
        event.stack = reel_stack_numbers_get(&stream->stacks, sink->stacks, stream->row.process,
                                             record->stack, error);
    if (event.time_ns < stream->last_ns)
        event.time_ns = stream->last_ns;
    notice(stream, sink, &event);
    if (sink->holds && reel_live_holds_wants(sink->holds, &event))
        reel_live_holds_event(sink->holds, stream->slot, &event);
    return reel_stream_add(stream, sink, &event, error);
}

/* Is anything complete behind an uncommitted record? */
static bool goes_on_behind(const struct reel_block *block, uint32_t position)
{
    if (atomic_load_explicit(&block->next, memory_order_acquire) != REEL_NO_BLOCK)
        return true;
    for (uint32_t i = position + 1; i < REEL_BLOCK_RECORDS && i < position + 1 + 64; i++)
        if (atomic_load_explicit(&block->record[i].kind, memory_order_acquire))
            return true;
    return false;
}

static uint64_t patience(const struct reel_stream *stream)
{
    uint64_t ns = HOLE_PATIENCE_NS >> (stream->abandoned < 20 ? stream->abandoned : 20);
    return ns > HOLE_PATIENCE_MIN_NS ? ns : HOLE_PATIENCE_MIN_NS;
}

int64_t reel_stream_drain(struct reel_stream *stream, struct reel_stream_sink *sink,
                          uint64_t now_ns, bool final, struct reel_error *error)
{
    struct reel_region *region = sink->owner->region;
    struct reel_thread_slot *slot = reel_region_thread(region, stream->slot);
    int64_t taken = 0;
    if (stream->block == REEL_NO_BLOCK) {
        stream->block = atomic_load_explicit(&slot->first_block, memory_order_acquire);
        if (stream->block >= region->block_capacity) {
            stream->block = REEL_NO_BLOCK;
            return 0;
        }
    }
    if (!stream->row.tid) {
        stream->row.tid = slot->tid;
        stream->row.handle = slot->handle;
    }
    for (;;) {
        struct reel_block *block = reel_region_block(region, stream->block);
        while (stream->position < REEL_BLOCK_RECORDS) {
            const struct reel_record *record = &block->record[stream->position];
            uint32_t kind = atomic_load_explicit(&record->kind, memory_order_acquire);
            if (!kind) {
                if (!goes_on_behind(block, stream->position)) {
                    stream->hole_since = 0;
                    return taken;
                }
                if (!final && !stream->hole_since) {
                    stream->hole_since = now_ns ? now_ns : 1;
                    return taken;
                }
                if (!final && now_ns - stream->hole_since < patience(stream))
                    return taken;
                stream->abandoned++;
                stream->position++;
                continue;
            }
            stream->hole_since = 0;
            uint32_t records = 1;
            if (!take(stream, sink, record, REEL_BLOCK_RECORDS - stream->position, kind, &records,
                      error))
                return -1;
            stream->position += records;
            taken += records;
        }
        uint32_t next = atomic_load_explicit(&block->next, memory_order_acquire);
        if (next >= region->block_capacity)
            return taken;
        reel_region_recycle(sink->owner, stream->block);
        stream->block = next;
        stream->position = 0;
        /* The others wait for their turn, and who writes as fast as we read has no end. */
        if (!final && taken >= ROUND_RECORDS)
            return taken;
    }
}

bool reel_stream_flush(struct reel_stream *stream, struct reel_stream_sink *sink,
                       struct reel_error *error)
{
    if (stream->dirty) {
        struct reel_thread_slot *slot = reel_region_thread(sink->owner->region, stream->slot);
        if (slot->number == stream->row.id)
            stream->row.lost = atomic_load(&slot->lost) + stream->abandoned;
        if (!reel_trace_put_thread(sink->trace, &stream->row, error))
            return false;
        stream->dirty = false;
    }
    return put(stream, sink, stream->builder, 0, error) &&
           (!stream->switches || put(stream, sink, stream->switches, 1, error)) &&
           (!stream->accesses || put(stream, sink, stream->accesses, 2, error));
}

void reel_stream_release(struct reel_stream *stream, struct reel_stream_sink *sink)
{
    struct reel_region *region = sink->owner->region;
    struct reel_thread_slot *slot = reel_region_thread(region, stream->slot);
    sink->lost += atomic_load(&slot->lost) + stream->abandoned;
    /* Blocks are taken one at a time and chained: what is left is the one being read. */
    while (stream->block < region->block_capacity) {
        uint32_t next = atomic_load_explicit(&reel_region_block(region, stream->block)->next,
                                             memory_order_acquire);
        reel_region_recycle(sink->owner, stream->block);
        stream->block = next;
    }
    uint32_t steps = 0;
    for (uint32_t arena = slot->arena; arena < region->block_capacity && steps < 4096; steps++) {
        uint32_t below = atomic_load(&reel_region_block(region, arena)->next_free);
        reel_region_recycle(sink->owner, arena);
        arena = below;
    }
    slot->number = 0;
    atomic_store_explicit(&slot->state, REEL_SLOT_FREE, memory_order_release);
}
