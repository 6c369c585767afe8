/* Reading a chunk. The bytes are untrusted: every number is checked against what it counts or
 * points into before it is used, and memory is asked for only in proportion to bytes that are
 * there. */
#include "tracer/store/chunk_format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A column being read: see chunk_format.h. */
struct column {
    struct reel_bytes bytes;
    bool is_sparse;
    uint64_t zeros; /* sparse: still to come before the next stored value */
};

enum { no_site = 0xffff };

/* What is known about sites and objects while decoding; on the stack, 120 KiB at most is too much
 * for a thread's stack, so it is one allocation a load. */
struct state {
    struct {
        uint32_t argument;
        uint16_t object, successor;
    } site[REEL_CHUNK_EVENTS];
    uint32_t sequence[REEL_CHUNK_EVENTS]; /* by object */
    uint64_t object[REEL_CHUNK_EVENTS];
    uint8_t kind[REEL_CHUNK_EVENTS][3];
};

static void column_skip_zeros(struct column *column)
{
    column->zeros =
        column->bytes.at < column->bytes.end ? reel_bytes_varint(&column->bytes) : UINT64_MAX;
}

static struct column column_open(struct reel_bytes *bytes)
{
    uint64_t head = reel_bytes_varint(bytes);
    struct column column = {.bytes = reel_bytes_take(bytes, head >> 1), .is_sparse = head & 1};
    if (column.is_sparse)
        column_skip_zeros(&column);
    return column;
}

static inline uint64_t column_next(struct column *column)
{
    if (!column->is_sparse)
        return reel_bytes_varint(&column->bytes);
    if (column->zeros > 0) {
        column->zeros--;
        return 0;
    }
    uint64_t value = reel_bytes_varint(&column->bytes);
    column_skip_zeros(column);
    return value;
}

static bool column_is_whole(const struct column *column)
{
    return !column->bytes.bad && column->bytes.at == column->bytes.end;
}

struct reel_chunk_reader *reel_chunk_reader_new(void)
{
    return calloc(1, sizeof(struct reel_chunk_reader));
}

void reel_chunk_reader_free(struct reel_chunk_reader *reader)
{
    if (!reader)
        return;
    free(reader->sites);
    free(reader->slots);
    free(reader->extras);
    free(reader);
}

/* Room for `count` elements; what was there may be lost. */
static bool room_for(void **array, uint32_t *capacity, uint32_t count, size_t element)
{
    if (count <= *capacity)
        return true;
    free(*array);
    *array = malloc(count * element);
    *capacity = *array ? count : 0;
    return *array != NULL;
}

static bool operation_may_be_stored(uint8_t operation)
{
    return operation < REEL_OP_LIMIT && operation != REEL_OP_NONE && operation != REEL_OP_EXTRA &&
           operation != REEL_OP_PAD && operation != REEL_OP_STACK_NODE;
}

/* NULL, or what is wrong. */
static const char *read_dictionaries(struct reel_chunk_reader *reader, struct reel_bytes *bytes,
                                     struct state *state, uint32_t count)
{
    uint64_t kinds = reel_bytes_varint(bytes);
    if (kinds > count)
        return "more kinds than events";
    reader->has_gap = false;
    for (uint64_t i = 0; i < kinds; i++) {
        for (unsigned k = 0; k < 3; k++)
            state->kind[i][k] = reel_bytes_byte(bytes);
        if (!operation_may_be_stored(state->kind[i][0]) || state->kind[i][1] >= REEL_CLASS_LIMIT)
            return "an unknown kind";
        if (state->kind[i][0] == REEL_OP_GAP)
            reader->has_gap = true;
    }
    uint64_t objects = reel_bytes_varint(bytes);
    if (objects > count)
        return "more objects than events";
    uint64_t address = 0;
    for (uint64_t i = 0; i < objects; i++) {
        address += (uint64_t)reel_unzigzag(reel_bytes_varint(bytes));
        state->object[i] = address;
        state->sequence[i] = 0;
    }
    uint64_t sites = reel_bytes_varint(bytes);
    if (sites > count)
        return "more sites than events";
    if (!room_for((void **)&reader->sites, &reader->site_capacity, (uint32_t)sites,
                  sizeof *reader->sites))
        return "out of memory";
    uint32_t stack = 0;
    for (uint64_t i = 0; i < sites; i++) {
        uint64_t kind = reel_bytes_varint(bytes), object = reel_bytes_varint(bytes);
        stack += (uint32_t)reel_unzigzag(reel_bytes_varint(bytes));
        if (kind >= kinds || object >= objects)
            return "a site without a kind or object";
        reader->sites[i] = (struct reel_chunk_site){.object = state->object[object],
                                                    .stack = stack,
                                                    .operation = state->kind[kind][0],
                                                    .class = state->kind[kind][1],
                                                    .flags = state->kind[kind][2]};
        state->site[i].object = (uint16_t)object;
        state->site[i].successor = no_site;
        state->site[i].argument = 0;
    }
    reader->site_count = (uint32_t)sites;
    return NULL;
}

static const char *read_events(struct reel_chunk_reader *reader, struct reel_bytes *bytes,
                               struct state *state, uint32_t count, uint64_t time)
{
    struct column times = column_open(bytes), sites = column_open(bytes),
                  sequences = column_open(bytes), arguments = column_open(bytes);
    uint32_t previous = no_site, seen = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t later = column_next(&times);
        if (later > (uint64_t)INT64_MAX - time)
            return "a time beyond all times";
        time += later;
        uint64_t code = column_next(&sites);
        uint32_t number;
        if (code == REEL_SITE_CODE_FOLLOWS)
            number = previous == no_site ? no_site : state->site[previous].successor;
        else if (code == REEL_SITE_CODE_NEW)
            number = seen++;
        else
            number = code - REEL_SITE_CODE_FIRST < seen ? (uint32_t)code - REEL_SITE_CODE_FIRST
                                                        : (uint32_t)no_site;
        if (number >= reader->site_count)
            return "an event without a site";
        if (previous != no_site)
            state->site[previous].successor = (uint16_t)number;
        previous = number;

        uint64_t surprise = column_next(&sequences);
        uint32_t *last = &state->sequence[state->site[number].object], sequence = 0;
        if (surprise != 1) {
            sequence = *last + 1;
            if (surprise > 1)
                sequence += (uint32_t)reel_unzigzag(surprise - 1);
            *last = sequence;
        }
        state->site[number].argument += (uint32_t)reel_unzigzag(column_next(&arguments));
        reader->slots[i] = (struct reel_chunk_slot){.time_ns = time,
                                                    .sequence = sequence,
                                                    .argument = state->site[number].argument,
                                                    .site = (uint16_t)number};
    }
    if (!column_is_whole(&times) || !column_is_whole(&sites) || !column_is_whole(&sequences) ||
        !column_is_whole(&arguments))
        return "a column of the wrong length";
    return NULL;
}

static const char *read_extras(struct reel_chunk_reader *reader, struct reel_bytes *bytes,
                               uint32_t count)
{
    uint64_t length = reel_bytes_varint(bytes);
    struct reel_bytes extras = reel_bytes_take(bytes, length);
    if (bytes->bad || bytes->at != bytes->end)
        return "extra words of the wrong length";
    /* A word takes a byte at least, so the bytes bound the words. */
    if (!room_for((void **)&reader->extras, &reader->extra_capacity, (uint32_t)length,
                  sizeof *reader->extras))
        return "out of memory";
    uint32_t used = 0;
    uint64_t event = 0;
    while (extras.at < extras.end) {
        uint64_t skipped = reel_bytes_varint(&extras), words = reel_bytes_varint(&extras);
        if (skipped >= count || (event += skipped) >= count || words == 0 || words > UINT8_MAX ||
            words > (uint64_t)(extras.end - extras.at))
            return "extra words without an event";
        reader->slots[event].extra = used;
        reader->slots[event].extra_words = (uint16_t)words;
        for (uint64_t i = 0; i < words; i++)
            reader->extras[used++] = reel_bytes_varint(&extras);
        event++;
    }
    return extras.bad ? "broken extra words" : NULL;
}

bool reel_chunk_reader_load(struct reel_chunk_reader *reader, const void *data, size_t bytes,
                            uint32_t count, uint64_t first_ns, struct reel_error *error)
{
    struct reel_bytes input = {data, (const uint8_t *)data + bytes, false};
    reader->count = reader->next = 0;
    const char *wrong = NULL;
    struct state *state = NULL;
    if (count == 0 || count > REEL_CHUNK_EVENTS || bytes > UINT32_MAX)
        wrong = "an impossible number of events";
    else if (first_ns > INT64_MAX)
        wrong = "a time beyond all times";
    else if (reel_bytes_byte(&input) != REEL_CHUNK_VERSION)
        wrong = "an unknown chunk version";
    else if (!room_for((void **)&reader->slots, &reader->slot_capacity, count,
                       sizeof *reader->slots) ||
             !(state = malloc(sizeof *state)))
        wrong = "out of memory";
    if (!wrong)
        wrong = read_dictionaries(reader, &input, state, count);
    if (!wrong)
        wrong = read_events(reader, &input, state, count, first_ns);
    if (!wrong)
        wrong = read_extras(reader, &input, count);
    if (!wrong && input.bad)
        wrong = "missing bytes";
    free(state);
    if (wrong)
        return reel_error_set(error, REEL_ERROR_DAMAGED, 0, "a chunk of events is damaged: %s",
                              wrong);
    reader->count = count;
    return true;
}

const struct reel_event *reel_chunk_reader_next(struct reel_chunk_reader *reader)
{
    if (reader->next == reader->count)
        return NULL;
    reel_chunk_slot_event(reader, &reader->slots[reader->next++], &reader->event);
    return &reader->event;
}
