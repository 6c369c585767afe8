/* A k-way merge by time over a binary heap of streams, with one rule above time: an event of a
 * domain waits for its predecessor's delivery.
 *
 * A stream whose head event has to wait is *parked*: it leaves the heap and is found again by what
 * it waits for, (domain, sequence), when that is delivered. Inversions are rare, so parking is.
 *
 * A predecessor that was lost never comes. To know (rather than to wait until every other stream
 * has run dry, which would tear the order of time apart) all chunks are read once more, and the
 * sequence numbers that exist are noted (presence.h): at the first sign of loss, which is a thread
 * known to have lost events, a GAP event, a wait longer than `patience_ns`, or a standstill. Then
 * an event waits for the largest sequence below its own that exists and was not delivered, or for
 * nothing. */
#include "tracer/store/merge.h"

#include "tracer/store/domain.h"
#include "tracer/store/presence.h"
#include "tracer/store/streams.h"
#include "tracer/store/trace_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { patience_ns = 10000000 };

struct head {
    uint64_t time_ns;
    uint32_t stream;
};

struct reel_merge {
    struct reel_streams streams;
    struct reel_domains domains;
    struct reel_presence *presence; /* NULL: no sign of loss so far */
    struct head *heap;
    uint32_t heap_count;
    uint32_t *parked_buckets; /* number + 1 of the first stream; chained by next_parked */
    uint32_t bucket_mask;
    uint32_t parked_count;
    uint64_t parked_since; /* at or before the time of every parked event */
    uint64_t last_ns;
    bool has_delivered; /* heap[0]'s head event was handed out and is still there */
    uint32_t delivered_domain;
    bool has_lost; /* there is reason to believe that events are missing */
    bool has_failed;
    struct reel_event event;
    struct reel_merge_statistics statistics;
};

/* --- heap: the earliest head first; between equals the lower stream, so that runs agree ------- */

static bool is_before(struct head a, struct head b)
{
    return a.time_ns < b.time_ns || (a.time_ns == b.time_ns && a.stream < b.stream);
}

static void heap_sift_down(struct reel_merge *merge)
{
    struct head *heap = merge->heap, moving = heap[0];
    uint32_t at = 0, count = merge->heap_count;
    for (uint32_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count)
            child += is_before(heap[child + 1], heap[child]);
        if (!is_before(heap[child], moving))
            break;
        heap[at] = heap[child];
    }
    heap[at] = moving;
}

static void heap_push(struct reel_merge *merge, struct head moving)
{
    struct head *heap = merge->heap;
    uint32_t at = merge->heap_count++;
    for (uint32_t parent; at > 0 && is_before(moving, heap[parent = (at - 1) / 2]); at = parent)
        heap[at] = heap[parent];
    heap[at] = moving;
}

static void heap_pop(struct reel_merge *merge)
{
    merge->heap[0] = merge->heap[--merge->heap_count];
    if (merge->heap_count)
        heap_sift_down(merge);
}

/* --- parking ------------------------------------------------------------------------------ */

static uint32_t *bucket_of(struct reel_merge *merge, uint64_t awaited)
{
    return &merge->parked_buckets[(awaited * 0x9e3779b97f4a7c15u) >> 40 & merge->bucket_mask];
}

/* Takes the first stream off the heap until `sequence` of `domain` has been delivered. */
static void park(struct reel_merge *merge, uint32_t domain, uint32_t sequence)
{
    struct head head = merge->heap[0];
    struct reel_stream *stream = &merge->streams.list[head.stream];
    stream->is_parked = stream->was_parked = true;
    stream->awaited = (uint64_t)domain << 32 | sequence;
    uint32_t *bucket = bucket_of(merge, stream->awaited);
    stream->next_parked = *bucket;
    *bucket = head.stream + 1;
    if (merge->parked_count++ == 0 || head.time_ns < merge->parked_since)
        merge->parked_since = head.time_ns;
    merge->domains.state[domain].parked++;
    heap_pop(merge);
}

static void unpark(struct reel_merge *merge, uint32_t number)
{
    struct reel_stream *stream = &merge->streams.list[number];
    stream->is_parked = false;
    merge->parked_count--;
    merge->domains.state[stream->awaited >> 32].parked--;
    heap_push(merge, (struct head){reel_stream_head(stream)->time_ns, number});
}

/* The domain's last event was delivered: whoever waited for it goes on. */
static void wake(struct reel_merge *merge, uint32_t domain)
{
    uint64_t delivered = (uint64_t)domain << 32 | merge->domains.state[domain].last;
    uint32_t *link = bucket_of(merge, delivered);
    while (*link) {
        uint32_t number = *link - 1;
        struct reel_stream *stream = &merge->streams.list[number];
        if (stream->awaited == delivered) {
            *link = stream->next_parked;
            unpark(merge, number);
        } else {
            link = &stream->next_parked;
        }
    }
}

static void unpark_all(struct reel_merge *merge)
{
    memset(merge->parked_buckets, 0, (merge->bucket_mask + 1) * sizeof *merge->parked_buckets);
    for (uint32_t i = 0; i < merge->streams.count; i++)
        if (merge->streams.list[i].is_parked)
            unpark(merge, i);
}

/* --- loss --------------------------------------------------------------------------------- */

static bool out_of_memory(struct reel_merge *merge, struct reel_error *error)
{
    return reel_error_set(error, REEL_ERROR_SYSTEM, ENOMEM, "%s: ordering events: out of memory",
                          merge->streams.trace->path);
}

static bool note_chunk(struct reel_merge *merge, struct reel_chunk_reader *reader, uint32_t process)
{
    for (uint32_t i = 0; i < reader->count; i++) {
        const struct reel_chunk_slot *slot = &reader->slots[i];
        if (slot->sequence == 0)
            continue;
        uint32_t domain = reel_domains_find(&merge->domains, process, &reader->sites[slot->site]);
        if (domain == 0 || !reel_presence_add(merge->presence, domain, slot->sequence))
            return false;
    }
    return true;
}

/* Learns which sequence numbers exist, then lets every parked stream try again. */
static bool look_for_losses(struct reel_merge *merge, struct reel_error *error)
{
    struct reel_chunk_reader *reader = reel_chunk_reader_new();
    merge->presence = reel_presence_new();
    bool good = reader && merge->presence;
    for (uint32_t i = 0; good && i < merge->streams.place_count; i++)
        good = reel_streams_try(&merge->streams, i, reader, error) &&
               note_chunk(merge, reader, merge->streams.places[i].process);
    good = good && reel_presence_finish(merge->presence);
    reel_chunk_reader_free(reader);
    if (!good)
        return out_of_memory(merge, error); /* unless the chunk's own error is there already */
    unpark_all(merge);
    return true;
}

/* Every stream is parked or at its end, though nothing is missing: the numbers contradict the
 * streams' own order. The oldest event goes on. */
static void force_oldest(struct reel_merge *merge)
{
    uint32_t oldest = UINT32_MAX;
    uint64_t time = UINT64_MAX;
    for (uint32_t i = 0; i < merge->streams.count; i++) {
        const struct reel_stream *stream = &merge->streams.list[i];
        if (stream->is_parked && reel_stream_head(stream)->time_ns < time) {
            time = reel_stream_head(stream)->time_ns;
            oldest = i;
        }
    }
    merge->streams.list[oldest].is_forced = true;
    unpark_all(merge);
}

/* --- the merge ---------------------------------------------------------------------------- */

/* The head event of heap[0] was used up: the stream's next one takes its place in the order. */
static bool advance(struct reel_merge *merge, struct reel_error *error)
{
    struct reel_stream *stream = &merge->streams.list[merge->heap[0].stream];
    bool at_end = false;
    if (stream->reader->next == stream->reader->count) {
        if (!reel_stream_refill(&merge->streams, stream, &at_end, error))
            return false;
        merge->statistics.damaged_chunks = merge->streams.damaged_count;
        merge->has_lost |= !at_end && stream->reader->has_gap;
    }
    if (at_end) {
        heap_pop(merge);
    } else {
        const struct reel_chunk_slot *slot = reel_stream_head(stream);
        /* With many streams the site is not in the cache when the event's turn comes. */
        __builtin_prefetch(&stream->reader->sites[slot->site]);
        merge->heap[0].time_ns = slot->time_ns;
        heap_sift_down(merge);
    }
    return true;
}

/* Whether it is time to learn what exists: see the head of this file. */
static bool must_look_for_losses(const struct reel_merge *merge)
{
    if (merge->presence)
        return false;
    if (merge->has_lost)
        return true;
    return merge->parked_count &&
           (merge->heap_count == 0 || merge->heap[0].time_ns > merge->parked_since + patience_ns);
}

/* What the event with this sequence still has to wait for; 0: nothing. */
static uint32_t awaited_by(struct reel_merge *merge, uint32_t domain, uint32_t sequence)
{
    uint32_t last = merge->domains.state[domain].last;
    if (sequence <= last || sequence == last + 1)
        return 0;
    if (!merge->presence)
        return sequence - 1;
    return reel_presence_last(merge->presence, domain, last + 1, sequence - 1);
}

static const struct reel_event *deliver(struct reel_merge *merge, struct reel_stream *stream,
                                        const struct reel_chunk_slot *slot)
{
    struct reel_event *event = &merge->event;
    reel_chunk_slot_event(stream->reader, slot, event);
    event->thread = stream->thread;
    event->process = stream->process;
    if (merge->statistics.events > 0 && event->time_ns <= merge->last_ns)
        event->time_ns = merge->last_ns + 1;
    merge->last_ns = event->time_ns;
    merge->statistics.events++;
    if (stream->was_parked) {
        stream->was_parked = false;
        merge->statistics.repaired++;
        if (event->time_ns - slot->time_ns > merge->statistics.largest_repair_ns)
            merge->statistics.largest_repair_ns = event->time_ns - slot->time_ns;
    }
    stream->reader->next++;
    merge->has_delivered = true;
    return event;
}

static const struct reel_event *fail(struct reel_merge *merge)
{
    merge->has_failed = true;
    return NULL;
}

const struct reel_event *reel_merge_next(struct reel_merge *merge, struct reel_error *error)
{
    if (merge->has_failed) {
        reel_error_set(error, REEL_ERROR_DAMAGED, 0, "%s: the events after this cannot be read",
                       merge->streams.trace->path);
        return NULL;
    }
    if (merge->has_delivered) {
        merge->has_delivered = false;
        if (!advance(merge, error))
            return fail(merge);
        if (merge->delivered_domain && merge->domains.state[merge->delivered_domain].parked)
            wake(merge, merge->delivered_domain);
    }
    for (;;) {
        if (must_look_for_losses(merge) && !look_for_losses(merge, error))
            return fail(merge);
        if (merge->heap_count == 0) {
            if (merge->parked_count == 0)
                return NULL;
            force_oldest(merge);
        }
        struct reel_stream *stream = &merge->streams.list[merge->heap[0].stream];
        const struct reel_chunk_slot *slot = reel_stream_head(stream);
        merge->delivered_domain = 0;
        if (slot->sequence == 0)
            return deliver(merge, stream, slot);
        uint32_t domain =
            reel_domains_find(&merge->domains, stream->process, &stream->reader->sites[slot->site]);
        if (domain == 0) {
            out_of_memory(merge, error);
            return fail(merge);
        }
        uint32_t awaited = awaited_by(merge, domain, slot->sequence);
        if (awaited && !stream->is_forced) {
            park(merge, domain, awaited);
            continue;
        }
        stream->is_forced = false;
        struct reel_domain *state = &merge->domains.state[domain];
        if (slot->sequence > state->last) {
            merge->statistics.orders_broken += slot->sequence != state->last + 1;
            state->last = slot->sequence;
        }
        merge->delivered_domain = domain;
        return deliver(merge, stream, slot);
    }
}

static bool fill_heap(struct reel_merge *merge, struct reel_error *error)
{
    merge->has_lost = reel_trace_integer(merge->streams.trace,
                                         "SELECT count(*) FROM thread WHERE lost > 0", 0) > 0;
    for (uint32_t i = 0; i < merge->streams.count; i++) {
        struct reel_stream *stream = &merge->streams.list[i];
        bool at_end;
        if (!reel_stream_refill(&merge->streams, stream, &at_end, error))
            return false;
        merge->statistics.damaged_chunks = merge->streams.damaged_count;
        if (at_end) /* all its chunks are damaged */
            continue;
        merge->has_lost |= stream->reader->has_gap;
        heap_push(merge, (struct head){reel_stream_head(stream)->time_ns, i});
    }
    return true;
}

static struct reel_merge *merge_new(struct reel_trace *trace, bool is_tolerant,
                                    struct reel_error *error)
{
    struct reel_merge *merge = calloc(1, sizeof *merge);
    if (!merge) {
        reel_error_set(error, REEL_ERROR_SYSTEM, ENOMEM, "%s: out of memory", trace->path);
        return NULL;
    }
    bool good = reel_streams_open(&merge->streams, trace, is_tolerant, error);
    if (good) {
        uint32_t buckets = 16;
        while (buckets < merge->streams.count)
            buckets *= 2;
        merge->bucket_mask = buckets - 1;
        merge->heap = calloc(merge->streams.count + 1, sizeof *merge->heap);
        merge->parked_buckets = calloc(buckets, sizeof *merge->parked_buckets);
        good = merge->heap && merge->parked_buckets && reel_domains_init(&merge->domains);
        if (!good)
            out_of_memory(merge, error);
    }
    if (good && fill_heap(merge, error))
        return merge;
    reel_merge_free(merge);
    return NULL;
}

struct reel_merge *reel_merge_new(struct reel_trace *trace, struct reel_error *error)
{
    return merge_new(trace, false, error);
}

struct reel_merge *reel_merge_new_tolerant(struct reel_trace *trace, struct reel_error *error)
{
    return merge_new(trace, true, error);
}

void reel_merge_free(struct reel_merge *merge)
{
    if (!merge)
        return;
    reel_streams_close(&merge->streams);
    reel_domains_clear(&merge->domains);
    reel_presence_free(merge->presence);
    free(merge->heap);
    free(merge->parked_buckets);
    free(merge);
}

const struct reel_merge_statistics *reel_merge_statistics(const struct reel_merge *merge)
{
    return &merge->statistics;
}

int64_t reel_merge_damaged(const struct reel_merge *merge, uint32_t index)
{
    return index < merge->streams.damaged_count ? merge->streams.damaged[index] : 0;
}
