/* Building a chunk: see chunk_format.h for the bytes. Columns grow as events are appended; at the
 * end each is copied, or thinned out when mostly zero. A thread that records little costs little:
 * all tables begin small. */
#include "tracer/store/chunk_format.h"

#include <stdlib.h>
#include <string.h>

struct column {
    uint8_t *data;
    uint32_t used, capacity;
    uint32_t sparse_bytes; /* what it would take to store only what is not 0 */
    uint32_t zeros;        /* since the last value that was not 0 */
};

struct site {
    uint64_t object;
    uint32_t stack;
    uint32_t kind; /* operation << 16 | class << 8 | flags */
    uint32_t argument;
    uint16_t kind_number, object_number;
    uint16_t successor; /* the site that followed last time; no_site: none yet */
};

struct object {
    uint64_t address;
    uint32_t sequence; /* the last one seen */
};

enum { no_site = 0xffff, first_capacity = 64 };

/* Open addressing; an entry is a site's or object's number + 1. */
struct index {
    uint16_t *entries;
    uint32_t mask;
};

struct reel_chunk_builder {
    uint32_t count;
    uint64_t first_ns, last_ns;
    struct column time, site, sequence, argument, extras;
    struct site *sites;
    struct object *objects;
    uint32_t *kinds;
    uint32_t site_count, object_count, kind_count;
    uint32_t site_capacity, object_capacity, kind_capacity;
    struct index site_index, object_index;
    uint32_t previous; /* site of the last event; no_site at the start */
    uint32_t events_since_extra;
    uint8_t *output;
    size_t output_capacity;
};

static uint32_t hash(uint64_t a, uint64_t b)
{
    uint64_t mixed = (a ^ b * 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;
    return (uint32_t)(mixed >> 32);
}

static uint32_t hash_site(uint64_t object, uint32_t stack, uint32_t kind)
{
    return hash(object, (uint64_t)stack << 32 | kind);
}

static bool index_make(struct index *index, uint32_t size)
{
    index->entries = calloc(size, sizeof *index->entries);
    index->mask = size - 1;
    return index->entries != NULL;
}

static void index_put(struct index *index, uint32_t at, uint32_t number)
{
    while (index->entries[at & index->mask])
        at++;
    index->entries[at & index->mask] = (uint16_t)(number + 1);
}

/* Makes room for `bytes` more. */
static bool column_reserve(struct column *column, uint32_t bytes)
{
    if (column->capacity - column->used >= bytes)
        return true;
    uint32_t capacity = column->capacity * 2 + bytes;
    uint8_t *data = realloc(column->data, capacity);
    if (!data)
        return false;
    column->data = data;
    column->capacity = capacity;
    return true;
}

/* Room was reserved. */
static inline void column_put(struct column *column, uint64_t value)
{
    uint8_t *at = column->data + column->used;
    if (value == 0) {
        *at = 0;
        column->used++;
        column->zeros++;
        return;
    }
    uint32_t bytes = (uint32_t)(reel_varint_put(at, value) - at);
    column->used += bytes;
    column->sparse_bytes += bytes + reel_varint_bytes(column->zeros);
    column->zeros = 0;
}

static void column_clear(struct column *column)
{
    column->used = column->sparse_bytes = column->zeros = 0;
}

struct reel_chunk_builder *reel_chunk_builder_new(void)
{
    struct reel_chunk_builder *builder = calloc(1, sizeof *builder);
    if (!builder)
        return NULL;
    builder->site_capacity = builder->object_capacity = builder->kind_capacity = first_capacity;
    builder->sites = malloc(first_capacity * sizeof *builder->sites);
    builder->objects = malloc(first_capacity * sizeof *builder->objects);
    builder->kinds = malloc(first_capacity * sizeof *builder->kinds);
    bool good = builder->sites && builder->objects && builder->kinds &&
                index_make(&builder->site_index, 2 * first_capacity) &&
                index_make(&builder->object_index, 2 * first_capacity);
    if (!good) {
        reel_chunk_builder_free(builder);
        return NULL;
    }
    builder->previous = no_site;
    return builder;
}

void reel_chunk_builder_free(struct reel_chunk_builder *builder)
{
    if (!builder)
        return;
    free(builder->time.data);
    free(builder->site.data);
    free(builder->sequence.data);
    free(builder->argument.data);
    free(builder->extras.data);
    free(builder->sites);
    free(builder->objects);
    free(builder->kinds);
    free(builder->site_index.entries);
    free(builder->object_index.entries);
    free(builder->output);
    free(builder);
}

unsigned reel_chunk_builder_count(const struct reel_chunk_builder *builder)
{
    return builder->count;
}

static bool grow(void **array, uint32_t *capacity, size_t element)
{
    void *larger = realloc(*array, 2u * *capacity * element);
    if (!larger)
        return false;
    *array = larger;
    *capacity *= 2;
    return true;
}

/* Doubles an array together with the index over it: an index is never more than half full. */
static bool grow_objects(struct reel_chunk_builder *builder)
{
    struct index larger;
    if (!index_make(&larger, 4 * builder->object_capacity))
        return false;
    if (!grow((void **)&builder->objects, &builder->object_capacity, sizeof *builder->objects)) {
        free(larger.entries);
        return false;
    }
    for (uint32_t i = 0; i < builder->object_count; i++)
        index_put(&larger, hash(builder->objects[i].address, 0), i);
    free(builder->object_index.entries);
    builder->object_index = larger;
    return true;
}

static bool grow_sites(struct reel_chunk_builder *builder)
{
    struct index larger;
    if (!index_make(&larger, 4 * builder->site_capacity))
        return false;
    if (!grow((void **)&builder->sites, &builder->site_capacity, sizeof *builder->sites)) {
        free(larger.entries);
        return false;
    }
    for (uint32_t i = 0; i < builder->site_count; i++) {
        const struct site *site = &builder->sites[i];
        index_put(&larger, hash_site(site->object, site->stack, site->kind), i);
    }
    free(builder->site_index.entries);
    builder->site_index = larger;
    return true;
}

static bool make_room(struct reel_chunk_builder *builder)
{
    return (builder->site_count < builder->site_capacity || grow_sites(builder)) &&
           (builder->object_count < builder->object_capacity || grow_objects(builder)) &&
           (builder->kind_count < builder->kind_capacity ||
            grow((void **)&builder->kinds, &builder->kind_capacity, sizeof *builder->kinds));
}

static uint16_t object_number(struct reel_chunk_builder *builder, uint64_t address)
{
    struct index *index = &builder->object_index;
    uint32_t start = hash(address, 0), entry;
    for (uint32_t at = start; (entry = index->entries[at & index->mask]) != 0; at++)
        if (builder->objects[entry - 1].address == address)
            return (uint16_t)(entry - 1);
    uint32_t number = builder->object_count++;
    builder->objects[number] = (struct object){.address = address};
    index_put(index, start, number);
    return (uint16_t)number;
}

static uint16_t kind_number(struct reel_chunk_builder *builder, uint32_t kind)
{
    for (uint32_t i = 0; i < builder->kind_count; i++)
        if (builder->kinds[i] == kind)
            return (uint16_t)i;
    builder->kinds[builder->kind_count] = kind;
    return (uint16_t)builder->kind_count++;
}

static bool site_is(const struct site *site, const struct reel_event *event, uint32_t kind)
{
    return site->object == event->object && site->stack == event->stack && site->kind == kind;
}

/* The event's site and how to say it. Room for a new one was made. */
static uint32_t site_of(struct reel_chunk_builder *builder, const struct reel_event *event,
                        uint32_t *code)
{
    uint32_t kind =
        (uint32_t)event->operation << 16 | (uint32_t)event->class << 8 | (uint32_t)event->flags;
    uint32_t expected =
        builder->previous == no_site ? no_site : builder->sites[builder->previous].successor;
    if (expected != no_site && site_is(&builder->sites[expected], event, kind)) {
        *code = REEL_SITE_CODE_FOLLOWS;
        return expected;
    }
    struct index *index = &builder->site_index;
    uint32_t start = hash_site(event->object, event->stack, kind), entry;
    for (uint32_t at = start; (entry = index->entries[at & index->mask]) != 0; at++) {
        if (site_is(&builder->sites[entry - 1], event, kind)) {
            *code = REEL_SITE_CODE_FIRST + entry - 1;
            return entry - 1;
        }
    }
    uint32_t number = builder->site_count++;
    builder->sites[number] = (struct site){.object = event->object,
                                           .stack = event->stack,
                                           .kind = kind,
                                           .kind_number = kind_number(builder, kind),
                                           .object_number = object_number(builder, event->object),
                                           .successor = no_site};
    index_put(index, start, number);
    *code = REEL_SITE_CODE_NEW;
    return number;
}

static bool reserve_event(struct reel_chunk_builder *builder, const struct reel_event *event)
{
    return column_reserve(&builder->time, REEL_VARINT_LIMIT) &&
           column_reserve(&builder->site, REEL_VARINT_LIMIT) &&
           column_reserve(&builder->sequence, REEL_VARINT_LIMIT) &&
           column_reserve(&builder->argument, REEL_VARINT_LIMIT) &&
           (event->extra_words == 0 ||
            column_reserve(&builder->extras, (event->extra_words + 2) * REEL_VARINT_LIMIT)) &&
           make_room(builder);
}

bool reel_chunk_builder_append(struct reel_chunk_builder *builder, const struct reel_event *event)
{
    /* Short of memory counts as full: finishing empties the tables, whose room is kept. */
    if (builder->count == REEL_CHUNK_EVENTS || !reserve_event(builder, event))
        return false;
    uint64_t time = event->time_ns > builder->last_ns ? event->time_ns : builder->last_ns;
    if (builder->count == 0)
        builder->first_ns = builder->last_ns = time;
    column_put(&builder->time, time - builder->last_ns);
    builder->last_ns = time;

    uint32_t code;
    uint32_t number = site_of(builder, event, &code);
    column_put(&builder->site, code);
    if (builder->previous != no_site)
        builder->sites[builder->previous].successor = (uint16_t)number;
    builder->previous = number;

    struct site *site = &builder->sites[number];
    struct object *object = &builder->objects[site->object_number];
    if (event->sequence == 0) {
        column_put(&builder->sequence, 1);
    } else {
        int64_t surprise = (int64_t)event->sequence - (int64_t)object->sequence - 1;
        column_put(&builder->sequence, surprise == 0 ? 0 : 1 + reel_zigzag(surprise));
        object->sequence = event->sequence;
    }
    column_put(&builder->argument, reel_zigzag((int64_t)event->argument - (int64_t)site->argument));
    site->argument = event->argument;

    if (event->extra_words == 0) {
        builder->events_since_extra++;
    } else {
        column_put(&builder->extras, builder->events_since_extra);
        column_put(&builder->extras, event->extra_words);
        for (unsigned i = 0; i < event->extra_words; i++)
            column_put(&builder->extras, event->extra[i]);
        builder->events_since_extra = 0;
    }
    builder->count++;
    return true;
}

static uint8_t *put_column(uint8_t *to, const struct column *column)
{
    if (column->sparse_bytes >= column->used) {
        to = reel_varint_put(to, (uint64_t)column->used << 1);
        memcpy(to, column->data, column->used);
        return to + column->used;
    }
    to = reel_varint_put(to, (uint64_t)column->sparse_bytes << 1 | 1);
    uint32_t zeros = 0;
    for (const uint8_t *at = column->data, *end = at + column->used; at < end;) {
        if (*at == 0) { /* a value's later bytes are skipped below: this is a value */
            zeros++;
            at++;
            continue;
        }
        to = reel_varint_put(to, zeros);
        zeros = 0;
        while (*at >= 0x80)
            *to++ = *at++;
        *to++ = *at++;
    }
    return to;
}

static uint8_t *put_dictionaries(uint8_t *to, const struct reel_chunk_builder *builder)
{
    *to++ = REEL_CHUNK_VERSION;
    to = reel_varint_put(to, builder->kind_count);
    for (uint32_t i = 0; i < builder->kind_count; i++) {
        *to++ = (uint8_t)(builder->kinds[i] >> 16);
        *to++ = (uint8_t)(builder->kinds[i] >> 8);
        *to++ = (uint8_t)builder->kinds[i];
    }
    to = reel_varint_put(to, builder->object_count);
    uint64_t address = 0;
    for (uint32_t i = 0; i < builder->object_count; i++) {
        to = reel_varint_put(to, reel_zigzag((int64_t)(builder->objects[i].address - address)));
        address = builder->objects[i].address;
    }
    to = reel_varint_put(to, builder->site_count);
    uint32_t stack = 0;
    for (uint32_t i = 0; i < builder->site_count; i++) {
        const struct site *site = &builder->sites[i];
        to = reel_varint_put(to, site->kind_number);
        to = reel_varint_put(to, site->object_number);
        to = reel_varint_put(to, reel_zigzag((int64_t)site->stack - (int64_t)stack));
        stack = site->stack;
    }
    return to;
}

static void empty(struct reel_chunk_builder *builder)
{
    column_clear(&builder->time);
    column_clear(&builder->site);
    column_clear(&builder->sequence);
    column_clear(&builder->argument);
    column_clear(&builder->extras);
    memset(builder->site_index.entries, 0,
           (builder->site_index.mask + 1) * sizeof *builder->site_index.entries);
    memset(builder->object_index.entries, 0,
           (builder->object_index.mask + 1) * sizeof *builder->object_index.entries);
    builder->site_count = builder->object_count = builder->kind_count = 0;
    builder->previous = no_site;
    builder->events_since_extra = 0;
    builder->count = 0;
}

struct reel_chunk reel_chunk_builder_finish(struct reel_chunk_builder *builder)
{
    struct reel_chunk chunk = {
        .first_ns = builder->first_ns, .last_ns = builder->last_ns, .count = builder->count};
    if (builder->count == 0)
        return chunk;
    size_t needed = 1 + 8 * REEL_VARINT_LIMIT + 3 * (size_t)builder->kind_count +
                    REEL_VARINT_LIMIT * (size_t)builder->object_count +
                    11 * (size_t)builder->site_count + builder->time.used + builder->site.used +
                    builder->sequence.used + builder->argument.used + builder->extras.used;
    if (needed > builder->output_capacity) {
        free(builder->output);
        builder->output = malloc(2 * needed);
        builder->output_capacity = builder->output ? 2 * needed : 0;
        if (!builder->output)
            abort(); /* the events would be lost unseen; the target's are safe in its rings */
    }
    uint8_t *to = put_dictionaries(builder->output, builder);
    to = put_column(to, &builder->time);
    to = put_column(to, &builder->site);
    to = put_column(to, &builder->sequence);
    to = put_column(to, &builder->argument);
    to = reel_varint_put(to, builder->extras.used);
    memcpy(to, builder->extras.data ? builder->extras.data : to, builder->extras.used);
    to += builder->extras.used;
    chunk.data = builder->output;
    chunk.bytes = (size_t)(to - builder->output);
    empty(builder);
    return chunk;
}
