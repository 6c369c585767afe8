#include "tracer/model/shared_places.h"

#include <errno.h>
#include <stdlib.h>

struct mapping {
    uint64_t start, end, from_ns;
    struct reel_shared_place place; /* of `start` */
    uint32_t process;
};

struct family {
    uint32_t process, parent;
};

struct reel_shared_places {
    struct mapping *mapping; /* by process */
    size_t mapping_count;
    struct family *family; /* by process */
    size_t family_count;
};

/* Calls `take` with each row, which has room in `array` for one more element. */
static bool load(struct reel_trace *trace, const char *sql, void **array, size_t size,
                 size_t *count, void (*take)(void *element, sqlite3_stmt *row),
                 struct reel_error *error)
{
    sqlite3 *database = reel_trace_database(trace);
    sqlite3_stmt *statement = NULL;
    size_t capacity = 0;
    int code = sqlite3_prepare_v2(database, sql, -1, &statement, NULL);
    while (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        if (*count == capacity) {
            size_t wanted = capacity ? capacity * 2 : 64;
            void *larger = realloc(*array, wanted * size);
            if (!larger) {
                sqlite3_finalize(statement);
                return reel_error_set(error, REEL_ERROR_SYSTEM, ENOMEM, "%s: out of memory",
                                      reel_trace_path(trace));
            }
            *array = larger;
            capacity = wanted;
        }
        take((char *)*array + (*count)++ * size, statement);
        code = SQLITE_OK;
    }
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ||
           reel_error_set(error, REEL_ERROR_STORE, code, "%s: reading mappings: %s",
                          reel_trace_path(trace), sqlite3_errmsg(database));
}

static void take_mapping(void *element, sqlite3_stmt *row)
{
    *(struct mapping *)element = (struct mapping){
        .process = (uint32_t)sqlite3_column_int64(row, 0),
        .start = (uint64_t)sqlite3_column_int64(row, 1),
        .end = (uint64_t)sqlite3_column_int64(row, 2),
        .place = {.offset = (uint64_t)sqlite3_column_int64(row, 3),
                  .device = (uint64_t)sqlite3_column_int64(row, 4),
                  .inode = (uint64_t)sqlite3_column_int64(row, 5)},
        .from_ns = (uint64_t)sqlite3_column_int64(row, 6),
    };
}

static void take_family(void *element, sqlite3_stmt *row)
{
    *(struct family *)element = (struct family){
        .process = (uint32_t)sqlite3_column_int64(row, 0),
        .parent = (uint32_t)sqlite3_column_int64(row, 1),
    };
}

struct reel_shared_places *reel_shared_places_new(struct reel_trace *trace,
                                                  struct reel_error *error)
{
    struct reel_shared_places *places = calloc(1, sizeof *places);
    if (!places) {
        reel_error_set(error, REEL_ERROR_SYSTEM, ENOMEM, "%s: out of memory",
                       reel_trace_path(trace));
        return NULL;
    }
    if (load(trace,
             "SELECT process, start, end, offset, device, inode, from_ns FROM mapping"
             " WHERE shared AND inode ORDER BY process, from_ns",
             (void **)&places->mapping, sizeof *places->mapping, &places->mapping_count,
             take_mapping, error) &&
        load(trace, "SELECT id, parent FROM process WHERE parent IS NOT NULL ORDER BY id",
             (void **)&places->family, sizeof *places->family, &places->family_count, take_family,
             error))
        return places;
    reel_shared_places_free(places);
    return NULL;
}

void reel_shared_places_free(struct reel_shared_places *places)
{
    if (!places)
        return;
    free(places->mapping);
    free(places->family);
    free(places);
}

static int compare_mapping(const void *key, const void *element)
{
    uint32_t process = *(const uint32_t *)key;
    const struct mapping *mapping = element;
    return process < mapping->process ? -1 : process > mapping->process;
}

static int compare_family(const void *key, const void *element)
{
    uint32_t process = *(const uint32_t *)key;
    const struct family *family = element;
    return process < family->process ? -1 : process > family->process;
}

/* The newest mapping seen by then at the address; if there is none, one seen later: a mapping is
 * looked at only after it was made. */
static const struct mapping *find(const struct reel_shared_places *places, uint32_t process,
                                  uint64_t address, uint64_t time_ns)
{
    const struct mapping *at = places->mapping_count
                                   ? bsearch(&process, places->mapping, places->mapping_count,
                                             sizeof *places->mapping, compare_mapping)
                                   : NULL;
    if (!at)
        return NULL;
    const struct mapping *end = places->mapping + places->mapping_count, *best = NULL;
    while (at > places->mapping && at[-1].process == process)
        at--;
    for (; at < end && at->process == process; at++) {
        if (address < at->start || address >= at->end)
            continue;
        if (!best || at->from_ns <= time_ns)
            best = at;
    }
    return best;
}

static bool resolve(void *data, uint32_t process, uint64_t address, uint64_t time_ns,
                    struct reel_shared_place *place)
{
    const struct reel_shared_places *places = data;
    for (unsigned hops = 0; process && hops < 64; hops++) {
        const struct mapping *mapping = find(places, process, address, time_ns);
        if (mapping) {
            *place = mapping->place;
            place->offset += address - mapping->start;
            return true;
        }
        const struct family *family = places->family_count
                                          ? bsearch(&process, places->family, places->family_count,
                                                    sizeof *places->family, compare_family)
                                          : NULL;
        process = family ? family->parent : 0;
    }
    return false;
}

struct reel_identity_resolver reel_shared_places_resolver(struct reel_shared_places *places)
{
    return (struct reel_identity_resolver){resolve, places};
}
