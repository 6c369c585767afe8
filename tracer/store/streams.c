#include "tracer/store/streams.h"

#include "tracer/store/trace_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int compare_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static bool same_stream(const struct reel_chunk_place *a, const struct reel_chunk_place *b)
{
    return a->process == b->process && a->thread == b->thread && a->stream == b->stream;
}

static int compare_places(const void *left, const void *right)
{
    const struct reel_chunk_place *a = left, *b = right;
    int order = compare_numbers(a->process, b->process);
    if (order == 0)
        order = compare_numbers(a->thread, b->thread);
    if (order == 0)
        order = compare_numbers(a->stream, b->stream);
    return order ? order : compare_numbers(a->id, b->id);
}

static bool out_of_memory(struct reel_streams *streams, struct reel_error *error)
{
    return reel_error_set(error, REEL_ERROR_SYSTEM, ENOMEM, "%s: out of memory",
                          streams->trace->path);
}

/* Reads the chunks' rows without their data, which SQLite keeps on pages of its own. */
static bool read_places(struct reel_streams *streams, struct reel_error *error)
{
    sqlite3 *database = streams->trace->database;
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(database, "SELECT id, process, thread, stream FROM chunk", -1,
                                  &statement, NULL);
    if (code != SQLITE_OK)
        return reel_trace_fail(database, streams->trace->path, code, "reading events", error);
    uint32_t capacity = 0;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        if (streams->place_count == capacity) {
            capacity = capacity ? 2 * capacity : 256;
            struct reel_chunk_place *places =
                capacity < (1u << 31) ? realloc(streams->places, capacity * sizeof *places) : NULL;
            if (!places) {
                sqlite3_finalize(statement);
                return out_of_memory(streams, error);
            }
            streams->places = places;
        }
        streams->places[streams->place_count++] =
            (struct reel_chunk_place){.id = sqlite3_column_int64(statement, 0),
                                      .process = (uint32_t)sqlite3_column_int64(statement, 1),
                                      .thread = (uint32_t)sqlite3_column_int64(statement, 2),
                                      .stream = (uint32_t)sqlite3_column_int64(statement, 3)};
    }
    sqlite3_finalize(statement);
    /* A broken page of the table ends the walk: what came before it is there. */
    return code == SQLITE_DONE || (streams->is_tolerant && (code & 0xff) == SQLITE_CORRUPT) ||
           reel_trace_fail(database, streams->trace->path, code, "reading events", error);
}

static bool group_places(struct reel_streams *streams, struct reel_error *error)
{
    if (streams->place_count == 0)
        return true;
    qsort(streams->places, streams->place_count, sizeof *streams->places, compare_places);
    uint32_t count = 1;
    for (uint32_t i = 1; i < streams->place_count; i++)
        count += !same_stream(&streams->places[i], &streams->places[i - 1]);
    streams->list = calloc(count, sizeof *streams->list);
    if (!streams->list)
        return out_of_memory(streams, error);
    for (uint32_t i = 0; i < streams->place_count; i++) {
        const struct reel_chunk_place *place = &streams->places[i];
        if (i == 0 || !same_stream(place, place - 1))
            streams->list[streams->count++] = (struct reel_stream){
                .process = place->process, .thread = place->thread, .chunk = i};
        streams->list[streams->count - 1].chunk_end = i + 1;
    }
    return true;
}

bool reel_streams_open(struct reel_streams *streams, struct reel_trace *trace, bool is_tolerant,
                       struct reel_error *error)
{
    *streams = (struct reel_streams){.trace = trace, .is_tolerant = is_tolerant};
    if (!read_places(streams, error) || !group_places(streams, error))
        return false;
    int code =
        sqlite3_prepare_v3(trace->database, "SELECT data, count, first_ns FROM chunk WHERE id = ?",
                           -1, SQLITE_PREPARE_PERSISTENT, &streams->fetch, NULL);
    return code == SQLITE_OK ||
           reel_trace_fail(trace->database, trace->path, code, "reading events", error);
}

void reel_streams_close(struct reel_streams *streams)
{
    for (uint32_t i = 0; i < streams->count; i++)
        reel_chunk_reader_free(streams->list[i].reader);
    sqlite3_finalize(streams->fetch);
    free(streams->places);
    free(streams->damaged);
    free(streams->list);
    *streams = (struct reel_streams){0};
}

bool reel_streams_load(struct reel_streams *streams, uint32_t place,
                       struct reel_chunk_reader *reader, struct reel_error *error)
{
    sqlite3_stmt *fetch = streams->fetch;
    int64_t id = streams->places[place].id;
    sqlite3_bind_int64(fetch, 1, id);
    int code = sqlite3_step(fetch);
    bool good = false;
    if (code == SQLITE_ROW) {
        const void *data = sqlite3_column_blob(fetch, 0);
        int64_t count = sqlite3_column_int64(fetch, 1), first = sqlite3_column_int64(fetch, 2);
        good = reel_chunk_reader_load(
            reader, data ? data : "", (size_t)sqlite3_column_bytes(fetch, 0),
            count > 0 && count <= REEL_CHUNK_EVENTS ? (uint32_t)count : 0, (uint64_t)first, error);
        if (!good)
            reel_error_prefix(error, "%s: chunk %lld", streams->trace->path, (long long)id);
    } else if (code == SQLITE_DONE) {
        reel_error_set(error, REEL_ERROR_DAMAGED, 0, "%s: chunk %lld is gone", streams->trace->path,
                       (long long)id);
    } else {
        reel_trace_fail(streams->trace->database, streams->trace->path, code, "reading events",
                        error);
    }
    sqlite3_reset(fetch);
    if (!good && error && error->code == REEL_ERROR_DAMAGED)
        reel_error_hint(error, "`reel recover %s` saves what can be read.", streams->trace->path);
    return good;
}

bool reel_streams_try(struct reel_streams *streams, uint32_t place,
                      struct reel_chunk_reader *reader, struct reel_error *error)
{
    struct reel_error own = {0};
    if (reel_streams_load(streams, place, reader, &own))
        return true;
    if (streams->is_tolerant && own.code == REEL_ERROR_DAMAGED) {
        reader->count = reader->next = 0;
        reader->has_gap = true; /* events are missing here */
        return true;
    }
    if (error && error->code == REEL_ERROR_NONE)
        *error = own;
    return false;
}

static bool note_damaged(struct reel_streams *streams, uint32_t place, struct reel_error *error)
{
    if (streams->damaged_count == streams->damaged_capacity) {
        uint32_t capacity = streams->damaged_capacity ? 2 * streams->damaged_capacity : 16;
        int64_t *damaged = realloc(streams->damaged, capacity * sizeof *damaged);
        if (!damaged)
            return out_of_memory(streams, error);
        streams->damaged = damaged;
        streams->damaged_capacity = capacity;
    }
    streams->damaged[streams->damaged_count++] = streams->places[place].id;
    return true;
}

bool reel_stream_refill(struct reel_streams *streams, struct reel_stream *stream, bool *at_end,
                        struct reel_error *error)
{
    *at_end = false;
    if (!stream->reader && !(stream->reader = reel_chunk_reader_new()))
        return out_of_memory(streams, error);
    while (stream->reader->next == stream->reader->count) {
        if (stream->chunk == stream->chunk_end) {
            *at_end = true;
            reel_chunk_reader_free(stream->reader);
            stream->reader = NULL;
            return true;
        }
        if (!reel_streams_try(streams, stream->chunk++, stream->reader, error))
            return false;
        if (stream->reader->count == 0 && !note_damaged(streams, stream->chunk - 1, error))
            return false;
    }
    return true;
}
