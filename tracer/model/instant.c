#include "tracer/model/instant.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tracer/model/address_map.h"
#include "tracer/model/keyframe.h"
#include "tracer/model/world.h"

struct list {
    void *item;
    size_t count, capacity, size;
};

struct thread_process {
    uint32_t thread, process;
};

struct reel_instants {
    struct reel_trace *trace;
    sqlite3_stmt *threads, *closed, *open, *behind, *events, *object;
    uint64_t end_ns; /* of the trace; after the last instant */
    bool has_frames;
    struct list thread, hold, queue, edge;
    struct list process; /* of each thread: struct thread_process, by thread */
    /* The replayed world's own small numbers for objects, and back. */
    struct reel_address_map number;
    struct list object_of;
    struct reel_instant instant;
};

static bool fail(struct reel_trace *trace, struct reel_error *error)
{
    sqlite3 *database = reel_trace_database(trace);
    return reel_error_set(error, REEL_ERROR_STORE, sqlite3_extended_errcode(database),
                          "%s: reading the state at an instant: %s", reel_trace_path(trace),
                          sqlite3_errmsg(database));
}

static void *add(struct list *list)
{
    if (list->count == list->capacity) {
        size_t wanted = list->capacity ? list->capacity * 2 : 32;
        void *larger = realloc(list->item, wanted * list->size);
        if (!larger)
            return NULL;
        list->item = larger;
        list->capacity = wanted;
    }
    return memset((char *)list->item + list->count++ * list->size, 0, list->size);
}

static bool out_of_memory(struct reel_instants *instants, struct reel_error *error)
{
    return reel_error_set(error, REEL_ERROR_SYSTEM, ENOMEM, "%s: out of memory",
                          reel_trace_path(instants->trace));
}

static bool prepare(struct reel_instants *instants, const char *sql, sqlite3_stmt **statement,
                    struct reel_error *error)
{
    return sqlite3_prepare_v3(reel_trace_database(instants->trace), sql, -1,
                              SQLITE_PREPARE_PERSISTENT, statement, NULL) == SQLITE_OK ||
           fail(instants->trace, error);
}

static bool load_processes(struct reel_instants *instants, struct reel_error *error)
{
    int code;
    while ((code = sqlite3_step(instants->threads)) == SQLITE_ROW) {
        struct thread_process *thread = add(&instants->process);
        if (!thread)
            return out_of_memory(instants, error);
        thread->thread = (uint32_t)sqlite3_column_int64(instants->threads, 0);
        thread->process = (uint32_t)sqlite3_column_int64(instants->threads, 1);
    }
    sqlite3_reset(instants->threads);
    return code == SQLITE_DONE || fail(instants->trace, error);
}

static bool load_end(struct reel_instants *instants, struct reel_error *error)
{
    sqlite3_stmt *statement = NULL;
    /* Sealing notes the end; an older trace must be searched for it. */
    bool good = prepare(instants,
                        "SELECT coalesce((SELECT cast(value AS INTEGER) FROM meta"
                        " WHERE key = 'end_ns'), (SELECT max(end_ns) FROM interval), 0)",
                        &statement, error);
    if (good && sqlite3_step(statement) != SQLITE_ROW)
        good = fail(instants->trace, error);
    else if (good && sqlite3_column_int64(statement, 0) > 0)
        instants->end_ns = (uint64_t)sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return good;
}

static int compare_thread(const void *key, const void *element)
{
    uint32_t thread = *(const uint32_t *)key;
    const struct thread_process *known = element;
    return thread < known->thread ? -1 : thread > known->thread;
}

static uint32_t process_of(const struct reel_instants *instants, uint32_t thread)
{
    const struct list *list = &instants->process;
    const struct thread_process *known =
        list->count ? bsearch(&thread, list->item, list->count, list->size, compare_thread) : NULL;
    return known ? known->process : 0;
}

static uint32_t renumber(void *data, int64_t object)
{
    struct reel_instants *instants = data;
    if (object <= 0 || object > UINT32_MAX)
        return 0;
    uint32_t place = reel_address_place(0, 1);
    uint32_t number = reel_address_map_get(&instants->number, place, (uint64_t)object);
    if (number)
        return number;
    uint32_t *original = add(&instants->object_of);
    if (!original)
        return 0;
    *original = (uint32_t)object;
    number = (uint32_t)instants->object_of.count;
    return reel_address_map_set(&instants->number, place, (uint64_t)object, number) ? number : 0;
}

static uint32_t original(const struct reel_instants *instants, uint32_t number)
{
    return ((const uint32_t *)instants->object_of.item)[number - 1];
}

#define INTERVAL                                                                                   \
    "SELECT thread, start_ns, end_ns, state, object, ended_by, ended_event, stack, call"           \
    " FROM interval WHERE start_ns <= ?1 AND end_ns > ?1"

/* The intervals an instant is in: those closed between the frames around it, and those open at the
 * frame after it. What was closed in retrospect (a condition wait is split at its signal when its
 * thread comes out of it) may stand behind the one that was open. */
static bool prepare_states(struct reel_instants *instants, struct reel_error *error)
{
    instants->has_frames =
        sqlite3_table_column_metadata(reel_trace_database(instants->trace), "main", "keyframe",
                                      NULL, NULL, NULL, NULL, NULL, NULL) == SQLITE_OK;
    if (!instants->has_frames)
        return prepare(instants, INTERVAL, &instants->closed, error);
    return prepare(instants,
                   INTERVAL " AND id > coalesce((SELECT value FROM keyframe"
                            " WHERE time_ns <= ?1 AND kind = 4 ORDER BY time_ns DESC LIMIT 1), 0)"
                            " AND id <= coalesce((SELECT value FROM keyframe"
                            " WHERE time_ns > ?1 AND kind = 4 ORDER BY time_ns LIMIT 1),"
                            " 9223372036854775807)",
                   &instants->closed, error) &&
           prepare(instants,
                   "SELECT thread, value FROM keyframe WHERE kind = 3 AND since_ns <= ?1 AND"
                   " time_ns = (SELECT min(time_ns) FROM keyframe WHERE time_ns > ?1)",
                   &instants->open, error) &&
           prepare(instants, INTERVAL " AND id >= ?2 AND thread = ?3 ORDER BY id LIMIT 1",
                   &instants->behind, error);
}

struct reel_instants *reel_instants_new(struct reel_trace *trace, struct reel_error *error)
{
    if (reel_trace_state(trace) != REEL_TRACE_SEALED) {
        reel_error_set(error, REEL_ERROR_USAGE, 0, "%s: the trace is not sealed",
                       reel_trace_path(trace));
        reel_error_hint(error, "`reel recover %s` seals it", reel_trace_path(trace));
        return NULL;
    }
    struct reel_instants *instants = calloc(1, sizeof *instants);
    if (!instants) {
        reel_error_set(error, REEL_ERROR_SYSTEM, ENOMEM, "%s: out of memory",
                       reel_trace_path(trace));
        return NULL;
    }
    *instants = (struct reel_instants){
        .trace = trace,
        .thread = {.size = sizeof(struct reel_instant_thread)},
        .hold = {.size = sizeof(struct reel_instant_hold)},
        .queue = {.size = sizeof(struct reel_instant_queue)},
        .edge = {.size = sizeof(struct reel_instant_edge)},
        .process = {.size = sizeof(struct thread_process)},
        .object_of = {.size = sizeof(uint32_t)},
    };
    if (prepare(instants, "SELECT id, process FROM thread ORDER BY id", &instants->threads,
                error) &&
        load_processes(instants, error) && load_end(instants, error) &&
        prepare_states(instants, error) &&
        prepare(instants,
                "SELECT time_ns, thread, operation, class, object, argument, stack, flags"
                " FROM event WHERE time_ns > ?1 AND time_ns <= ?2 ORDER BY time_ns",
                &instants->events, error) &&
        prepare(instants, "SELECT class, address FROM object WHERE id = ?1", &instants->object,
                error))
        return instants;
    reel_instants_free(instants);
    return NULL;
}

void reel_instants_free(struct reel_instants *instants)
{
    if (!instants)
        return;
    sqlite3_finalize(instants->threads);
    sqlite3_finalize(instants->closed);
    sqlite3_finalize(instants->open);
    sqlite3_finalize(instants->behind);
    sqlite3_finalize(instants->events);
    sqlite3_finalize(instants->object);
    free(instants->thread.item);
    free(instants->hold.item);
    free(instants->queue.item);
    free(instants->edge.item);
    free(instants->process.item);
    free(instants->object_of.item);
    reel_address_map_clear(&instants->number);
    free(instants);
}

static bool add_thread(struct reel_instants *instants, sqlite3_stmt *row, struct reel_error *error)
{
    struct reel_instant_thread *thread = add(&instants->thread);
    if (!thread)
        return out_of_memory(instants, error);
    uint32_t number = (uint32_t)sqlite3_column_int64(row, 0);
    *thread = (struct reel_instant_thread){
        .thread = number,
        .process = process_of(instants, number),
        .state = REEL_STATE_GAP, /* what a newer Reel's state means is not known */
        .since_ns = (uint64_t)sqlite3_column_int64(row, 1),
        .until_ns = (uint64_t)sqlite3_column_int64(row, 2),
        .object = (uint32_t)sqlite3_column_int64(row, 4),
        .ended_by = (uint32_t)sqlite3_column_int64(row, 5),
        .ended_event = (uint64_t)sqlite3_column_int64(row, 6),
        .stack = (uint32_t)sqlite3_column_int64(row, 7),
    };
    const char *state = (const char *)sqlite3_column_text(row, 3);
    const char *call = (const char *)sqlite3_column_text(row, 8);
    if (state)
        reel_state_parse(state, &thread->state);
    snprintf(thread->call, sizeof thread->call, "%s", call ? call : "");
    return true;
}

/* Adds the threads of all rows of `statement`. */
static bool add_threads(struct reel_instants *instants, sqlite3_stmt *statement,
                        struct reel_error *error)
{
    int code;
    bool good = true;
    while (good && (code = sqlite3_step(statement)) == SQLITE_ROW)
        good = add_thread(instants, statement, error);
    sqlite3_reset(statement);
    return good && (code == SQLITE_DONE || fail(instants->trace, error));
}

static int by_number(const void *a, const void *b)
{
    const struct reel_instant_thread *x = a, *y = b;
    return x->thread < y->thread ? -1 : x->thread > y->thread;
}

static bool is_found(const struct reel_instants *instants, size_t sorted, uint32_t thread)
{
    const struct reel_instant_thread key = {.thread = thread};
    return sorted && bsearch(&key, instants->thread.item, sorted, sizeof key, by_number);
}

static void sort_threads(struct reel_instants *instants)
{
    if (instants->thread.count)
        qsort(instants->thread.item, instants->thread.count, instants->thread.size, by_number);
}

static bool find_threads(struct reel_instants *instants, uint64_t time_ns, struct reel_error *error)
{
    sqlite3_bind_int64(instants->closed, 1, (int64_t)time_ns);
    if (!add_threads(instants, instants->closed, error))
        return false;
    sort_threads(instants);
    if (!instants->has_frames)
        return true;
    size_t sorted = instants->thread.count;
    int code;
    bool good = true;
    sqlite3_bind_int64(instants->open, 1, (int64_t)time_ns);
    while (good && (code = sqlite3_step(instants->open)) == SQLITE_ROW) {
        uint32_t thread = (uint32_t)sqlite3_column_int64(instants->open, 0);
        if (is_found(instants, sorted, thread))
            continue;
        sqlite3_bind_int64(instants->behind, 1, (int64_t)time_ns);
        sqlite3_bind_int64(instants->behind, 2, sqlite3_column_int64(instants->open, 1));
        sqlite3_bind_int64(instants->behind, 3, thread);
        good = add_threads(instants, instants->behind, error);
    }
    sqlite3_reset(instants->open);
    sort_threads(instants);
    return good && (code == SQLITE_DONE || fail(instants->trace, error));
}

/* Brings `world` from its key frame to the instant. */
static bool replay(struct reel_instants *instants, struct reel_world *world, uint64_t frame_ns,
                   uint64_t time_ns, struct reel_error *error)
{
    sqlite3_stmt *row = instants->events;
    sqlite3_bind_int64(row, 1, (int64_t)frame_ns);
    sqlite3_bind_int64(row, 2, (int64_t)time_ns);
    int code;
    while ((code = sqlite3_step(row)) == SQLITE_ROW) {
        struct reel_event event = {
            .time_ns = (uint64_t)sqlite3_column_int64(row, 0),
            .thread = (uint32_t)sqlite3_column_int64(row, 1),
            .operation = (uint8_t)sqlite3_column_int64(row, 2),
            .class = (uint8_t)sqlite3_column_int64(row, 3),
            .argument = (uint32_t)sqlite3_column_int64(row, 5),
            .stack = (uint32_t)sqlite3_column_int64(row, 6),
            .flags = (uint8_t)sqlite3_column_int64(row, 7),
        };
        event.process = process_of(instants, event.thread);
        reel_world_apply_resolved(world, &event, renumber(instants, sqlite3_column_int64(row, 4)),
                                  0);
    }
    sqlite3_reset(row);
    return code == SQLITE_DONE || fail(instants->trace, error);
}

static bool take_holds(struct reel_instants *instants, const struct reel_world *world)
{
    for (uint32_t t = 0; t < reel_world_thread_limit(world); t++) {
        const struct reel_world_thread *thread = reel_world_thread(world, t);
        for (uint32_t i = 0; thread && i < thread->held_count; i++) {
            const struct reel_held *held = &thread->held[i];
            struct reel_instant_hold *hold = add(&instants->hold);
            if (!hold)
                return false;
            *hold = (struct reel_instant_hold){
                .object = original(instants, held->object),
                .thread = t,
                .stack = held->stack,
                .depth = held->depth,
                .since_ns = held->since_ns,
                .shared = held->shared,
            };
        }
    }
    for (uint32_t id = 1; id <= instants->object_of.count; id++) {
        const struct reel_world_object *object = reel_world_object(world, id);
        if (!object || !object->depth_known || object->depth <= 0)
            continue;
        struct reel_instant_queue *queue = add(&instants->queue);
        if (!queue)
            return false;
        *queue = (struct reel_instant_queue){original(instants, id), object->depth};
    }
    return true;
}

static uint32_t joined_thread(struct reel_instants *instants, uint32_t object)
{
    uint32_t number = 0;
    sqlite3_bind_int64(instants->object, 1, object);
    if (sqlite3_step(instants->object) == SQLITE_ROW &&
        sqlite3_column_int(instants->object, 0) == REEL_CLASS_THREAD)
        number = (uint32_t)sqlite3_column_int64(instants->object, 1);
    sqlite3_reset(instants->object);
    return number;
}

static bool add_edge(struct reel_instants *instants, uint32_t from, uint32_t object, uint32_t to)
{
    struct reel_instant_edge *edge = add(&instants->edge);
    if (edge)
        *edge = (struct reel_instant_edge){from, object, to};
    return edge;
}

static bool take_edges(struct reel_instants *instants)
{
    struct reel_instant_thread *threads = instants->thread.item;
    const struct reel_instant_hold *holds = instants->hold.item;
    for (size_t i = 0; i < instants->thread.count; i++) {
        struct reel_instant_thread *thread = &threads[i];
        if (!thread->object || !reel_state_waits(thread->state))
            continue;
        if (thread->state == REEL_STATE_JOIN_WAIT) {
            thread->holder = joined_thread(instants, thread->object);
            if (thread->holder &&
                !add_edge(instants, thread->thread, thread->object, thread->holder))
                return false;
            continue;
        }
        for (size_t k = 0; k < instants->hold.count; k++) {
            if (holds[k].object != thread->object)
                continue;
            if (!thread->holder)
                thread->holder = holds[k].thread;
            if (!add_edge(instants, thread->thread, thread->object, holds[k].thread))
                return false;
        }
    }
    return true;
}

const struct reel_instant *reel_instants_at(struct reel_instants *instants, uint64_t time_ns,
                                            struct reel_error *error)
{
    if (time_ns >= instants->end_ns)
        time_ns = instants->end_ns ? instants->end_ns - 1 : 0;
    instants->thread.count = instants->hold.count = 0;
    instants->queue.count = instants->edge.count = 0;
    instants->object_of.count = 0;
    reel_address_map_clear(&instants->number);
    struct reel_world *world = reel_world_new(NULL, NULL);
    if (!world) {
        out_of_memory(instants, error);
        return NULL;
    }
    uint64_t frame_ns;
    bool good =
        find_threads(instants, time_ns, error) &&
        reel_keyframe_restore(instants->trace, time_ns, world, renumber, instants, &frame_ns,
                              error) &&
        replay(instants, world, frame_ns, time_ns, error) &&
        ((take_holds(instants, world) && take_edges(instants)) || out_of_memory(instants, error));
    reel_world_free(world);
    if (!good)
        return NULL;
    instants->instant = (struct reel_instant){
        .time_ns = time_ns,
        .thread = instants->thread.item,
        .hold = instants->hold.item,
        .queue = instants->queue.item,
        .edge = instants->edge.item,
        .thread_count = instants->thread.count,
        .hold_count = instants->hold.count,
        .queue_count = instants->queue.count,
        .edge_count = instants->edge.count,
    };
    return &instants->instant;
}

size_t reel_instant_waiters(const struct reel_instant *instant, uint32_t object, size_t *index,
                            size_t limit)
{
    size_t count = 0;
    for (size_t i = 0; i < instant->thread_count; i++) {
        const struct reel_instant_thread *thread = &instant->thread[i];
        if (thread->object != object || !reel_state_waits(thread->state))
            continue;
        /* Keep the earliest `limit`, sorted by arrival. */
        size_t at = count < limit ? count : limit;
        while (at > 0 && instant->thread[index[at - 1]].since_ns > thread->since_ns) {
            if (at < limit)
                index[at] = index[at - 1];
            at--;
        }
        if (at < limit)
            index[at] = i;
        count++;
    }
    return count;
}

uint64_t reel_instant_last(struct reel_trace *trace, uint64_t end_ns)
{
    sqlite3_stmt *statement;
    uint64_t moment = end_ns ? end_ns - 1 : 0;
    if (sqlite3_prepare_v2(reel_trace_database(trace),
                           "SELECT min(end_ns) - 1 FROM thread WHERE end_ns >= (SELECT max(end_ns) "
                           "FROM thread) - 100000 AND end_reason IN ('process-ended', 'killed')",
                           -1, &statement, NULL) != SQLITE_OK)
        return moment;
    if (sqlite3_step(statement) == SQLITE_ROW &&
        sqlite3_column_type(statement, 0) == SQLITE_INTEGER)
        moment = (uint64_t)sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return moment;
}
