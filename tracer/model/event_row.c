#include "tracer/model/event_row.h"

#include <string.h>

static bool is_operation(unsigned operation)
{
    switch (operation) {
#define KNOWN(NAME, number, text, meaning) case number:
        REEL_OPERATIONS(KNOWN)
        return true;
    default:
        return false;
    }
}

static bool is_class(unsigned class)
{
    switch (class) {
        REEL_CLASSES(KNOWN)
        return true;
    default:
        return false;
    }
}

int64_t reel_event_argument(const struct reel_event *event)
{
    switch (event->operation) {
    case REEL_OP_END:
    case REEL_OP_WAKE:
    case REEL_OP_LEAVE:
        return (int32_t)event->argument;
    default:
        return event->argument;
    }
}

struct reel_event_row reel_event_row(const struct reel_event *event, uint32_t object)
{
    return (struct reel_event_row){
        .time_ns = event->time_ns,
        .thread = event->thread,
        .operation = is_operation(event->operation) ? event->operation : 0u,
        .class = is_class(event->class) ? event->class : 0u,
        .object = object,
        .argument = reel_event_argument(event),
        .stack = event->stack,
        .flags = event->flags,
    };
}

bool reel_event_has_text(const struct reel_event *event)
{
    switch (event->operation) {
    case REEL_OP_NAME:
    case REEL_OP_EXEC:
    case REEL_OP_MARK:
    case REEL_OP_FOLLOWED:
    case REEL_OP_LOAD:
    case REEL_OP_INIT:
    case REEL_OP_SPAN_BEGIN:
    case REEL_OP_SPAN_END:
    case REEL_OP_STATE:
        return event->extra_words > 0;
    case REEL_OP_CREATE:
        return event->extra_words > 0 && event->class == REEL_CLASS_TASK;
    default:
        return false;
    }
}

/* Bytes of the well-formed UTF-8 sequence at `at`; 0 when it is none (Unicode 15, table 3-7). */
static size_t sequence_length(const unsigned char *at, size_t left)
{
    unsigned first = at[0];
    size_t length = first < 0x80                     ? 1
                    : first >= 0xc2 && first <= 0xdf ? 2
                    : first >= 0xe0 && first <= 0xef ? 3
                    : first >= 0xf0 && first <= 0xf4 ? 4
                                                     : 0;
    if (!length || length > left)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    bool is_overlong = (first == 0xe0 && at[1] < 0xa0) || (first == 0xf0 && at[1] < 0x90);
    bool is_surrogate = first == 0xed && at[1] > 0x9f;
    bool is_beyond = first == 0xf4 && at[1] > 0x8f;
    return is_overlong || is_surrogate || is_beyond ? 0 : length;
}

const char *reel_event_text(const struct reel_event *event, char *buffer, size_t size)
{
    const unsigned char *from = (const unsigned char *)event->extra;
    size_t left = reel_event_has_text(event) ? event->extra_words * sizeof *event->extra : 0;
    size_t used = 0;
    while (left && *from) {
        size_t length = sequence_length(from, left);
        bool is_control = length == 1 && (*from < 0x20 || *from == 0x7f);
        bool is_c1 = length == 2 && from[0] == 0xc2 && from[1] < 0xa0;
        if (used + (length ? length : 1) >= size)
            break;
        if (!length || is_control || is_c1) {
            buffer[used++] = '?';
            length = length ? length : 1;
        } else {
            memcpy(buffer + used, from, length);
            used += length;
        }
        from += length;
        left -= length;
    }
    buffer[used] = '\0';
    return buffer;
}
