#include "tracer/collect/watch_events.h"

#include <glib.h>
#include <string.h>

#include "probes/event/kinds.h"

/* The stack as the trace numbers it, from the outermost frame inwards. */
static uint32_t stack_of(const struct reel_stream *stream, struct reel_stream_sink *sink,
                         const struct reel_watch_hit *hit, uint32_t depth, struct reel_error *error)
{
    uint32_t stack = 0;
    for (uint32_t i = MIN(hit->depth, depth); i-- > 0;)
        stack = reel_stacks_intern(sink->stacks, stream->row.process, stack, hit->frame[i], error);
    return stack;
}

bool reel_watch_tell(struct reel_stream *stream, struct reel_stream_sink *sink,
                     const struct reel_watch_hit *hit, uint32_t depth, struct reel_error *error)
{
    static const char begun[24] = "watched from here on";
    static const uint8_t operations[] = {[REEL_WATCH_READ] = REEL_OP_READ,
                                         [REEL_WATCH_WRITE] = REEL_OP_WRITE,
                                         [REEL_WATCH_SYNC] = REEL_OP_AFTER,
                                         [REEL_WATCH_BEGUN] = REEL_OP_MARK,
                                         [REEL_WATCH_LOST] = REEL_OP_GAP};
    uint64_t words[sizeof begun / 8];
    struct reel_event event = {
        .time_ns = hit->time_ns,
        .object = hit->address,
        .argument = hit->size,
        .thread = stream->row.id,
        .process = stream->row.process,
        .stack = stack_of(stream, sink, hit, depth, error),
        .operation = operations[hit->access],
        .class = REEL_CLASS_MEMORY,
    };
    if (hit->access == REEL_WATCH_BEGUN) {
        memcpy(words, begun, sizeof begun);
        event.extra = words;
        event.extra_words = G_N_ELEMENTS(words);
    }
    if (hit->access == REEL_WATCH_LOST) {
        event.argument = (uint32_t)MIN(hit->lost, UINT32_MAX);
        words[0] = hit->lost;
        words[1] = MIN(hit->since_ns, hit->time_ns);
        event.extra = words;
        event.extra_words = 2;
    }
    if (hit->access == REEL_WATCH_READ || hit->access == REEL_WATCH_WRITE) {
        words[0] = (hit->access == REEL_WATCH_WRITE ? REEL_ACCESS_WRITE : 0) |
                   (hit->single ? REEL_ACCESS_SINGLE : 0) |
                   (hit->has_value ? REEL_ACCESS_VALUE : 0);
        words[1] = hit->value;
        event.extra = words;
        event.extra_words = hit->has_value ? 2 : 1;
    }
    if (hit->access != REEL_WATCH_SYNC)
        return reel_stream_add_access(stream, sink, &event, error);
    bool good = !hit->reads || reel_stream_add_access(stream, sink, &event, error);
    event.operation = REEL_OP_BEFORE;
    return good && (!hit->writes || reel_stream_add_access(stream, sink, &event, error));
}
