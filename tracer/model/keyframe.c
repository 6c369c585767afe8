#include "tracer/model/keyframe.h"

#include <stdlib.h>
#include <string.h>

#include "tracer/model/world_private.h"

enum {
    SPACING = 4096, /* events between two frames, at least */
    COST = 32,      /* … and so many for each row of the last frame */
};

enum kind { KIND_EXCLUSIVE, KIND_SHARED, KIND_DEPTH, KIND_OPEN, KIND_FRAME };

struct row {
    uint64_t time_ns, since_ns;
    int64_t value; /* of an open interval not told yet: the row before that waits for it too */
    uint32_t object, thread, stack;
    enum kind kind;
};

struct reel_keyframes {
    struct row *row;
    size_t count, capacity;
    uint32_t *queue; /* objects whose depth counts */
    uint32_t queue_count, queue_capacity;
    uint8_t *is_queue; /* by object */
    size_t object_capacity;
    size_t until_next, last_rows;
    int64_t intervals; /* told so far */
    size_t *waiting;   /* by thread: index + 1 of the last row whose interval is open */
    size_t thread_capacity;
};

struct reel_keyframes *reel_keyframes_new(void)
{
    struct reel_keyframes *keyframes = calloc(1, sizeof *keyframes);
    if (keyframes)
        keyframes->until_next = SPACING;
    return keyframes;
}

void reel_keyframes_free(struct reel_keyframes *keyframes)
{
    if (!keyframes)
        return;
    free(keyframes->row);
    free(keyframes->queue);
    free(keyframes->is_queue);
    free(keyframes->waiting);
    free(keyframes);
}

static bool has_depth(unsigned class)
{
    return class == REEL_CLASS_SEMAPHORE || class == REEL_CLASS_QUEUE || class == REEL_CLASS_PIPE ||
           class == REEL_CLASS_MESSAGE_QUEUE;
}

static bool notice_queue(struct reel_keyframes *keyframes, uint32_t object)
{
    if (object >= keyframes->object_capacity) {
        size_t wanted = keyframes->object_capacity ? keyframes->object_capacity * 2 : 1024;
        while (wanted <= object)
            wanted *= 2;
        uint8_t *larger = realloc(keyframes->is_queue, wanted);
        if (!larger)
            return false;
        memset(larger + keyframes->object_capacity, 0, wanted - keyframes->object_capacity);
        keyframes->is_queue = larger;
        keyframes->object_capacity = wanted;
    }
    if (keyframes->is_queue[object])
        return true;
    if (keyframes->queue_count == keyframes->queue_capacity) {
        uint32_t wanted = keyframes->queue_capacity ? keyframes->queue_capacity * 2 : 64;
        uint32_t *larger = realloc(keyframes->queue, wanted * sizeof *larger);
        if (!larger)
            return false;
        keyframes->queue = larger;
        keyframes->queue_capacity = wanted;
    }
    keyframes->is_queue[object] = 1;
    keyframes->queue[keyframes->queue_count++] = object;
    return true;
}

static bool add(struct reel_keyframes *keyframes, const struct row *row)
{
    if (keyframes->count == keyframes->capacity) {
        size_t wanted = keyframes->capacity ? keyframes->capacity * 2 : 1024;
        struct row *larger = realloc(keyframes->row, wanted * sizeof *larger);
        if (!larger)
            return false;
        keyframes->row = larger;
        keyframes->capacity = wanted;
    }
    keyframes->row[keyframes->count++] = *row;
    return true;
}

/* A row for the thread's open interval. Its id will be known when it is told. */
static bool add_open(struct reel_keyframes *keyframes, uint64_t now,
                     const struct reel_world_thread *thread)
{
    if (thread->number >= keyframes->thread_capacity) {
        size_t wanted = keyframes->thread_capacity ? keyframes->thread_capacity * 2 : 64;
        while (wanted <= thread->number)
            wanted *= 2;
        size_t *larger = realloc(keyframes->waiting, wanted * sizeof *larger);
        if (!larger)
            return false;
        memset(larger + keyframes->thread_capacity, 0,
               (wanted - keyframes->thread_capacity) * sizeof *larger);
        keyframes->waiting = larger;
        keyframes->thread_capacity = wanted;
    }
    struct row row = {
        .time_ns = now,
        .since_ns = thread->start_ns,
        .value = (int64_t)keyframes->waiting[thread->number],
        .thread = thread->number,
        .kind = KIND_OPEN,
    };
    if (!add(keyframes, &row))
        return false;
    keyframes->waiting[thread->number] = keyframes->count;
    return true;
}

void reel_keyframes_interval(struct reel_keyframes *keyframes, uint32_t thread)
{
    keyframes->intervals++;
    if (thread >= keyframes->thread_capacity)
        return;
    size_t at = keyframes->waiting[thread];
    keyframes->waiting[thread] = 0;
    while (at) {
        struct row *row = &keyframes->row[at - 1];
        at = (size_t)row->value;
        row->value = keyframes->intervals;
    }
}

static bool add_frame(struct reel_keyframes *keyframes, const struct reel_world *world)
{
    size_t before = keyframes->count;
    for (uint32_t t = 0; t < reel_world_thread_limit(world); t++) {
        const struct reel_world_thread *thread = reel_world_thread(world, t);
        if (!thread || !thread->begun || thread->ended)
            continue;
        if (!add_open(keyframes, world->now, thread))
            return false;
        for (uint32_t i = 0; i < thread->held_count; i++) {
            const struct reel_held *held = &thread->held[i];
            struct row row = {
                .time_ns = world->now,
                .since_ns = held->since_ns,
                .value = held->depth,
                .object = held->object,
                .thread = t,
                .stack = held->stack,
                .kind = held->shared ? KIND_SHARED : KIND_EXCLUSIVE,
            };
            if (!add(keyframes, &row))
                return false;
        }
    }
    for (uint32_t i = 0; i < keyframes->queue_count; i++) {
        const struct reel_world_object *object = reel_world_object(world, keyframes->queue[i]);
        if (!object || !object->depth)
            continue;
        struct row row = {.time_ns = world->now,
                          .value = object->depth,
                          .object = keyframes->queue[i],
                          .kind = KIND_DEPTH};
        if (!add(keyframes, &row))
            return false;
    }
    struct row frame = {.time_ns = world->now, .value = keyframes->intervals, .kind = KIND_FRAME};
    if (!add(keyframes, &frame))
        return false;
    keyframes->last_rows = keyframes->count - before;
    return true;
}

bool reel_keyframes_see(struct reel_keyframes *keyframes, const struct reel_world *world,
                        const struct reel_event *event, uint32_t object)
{
    if (object && has_depth(event->class) && !notice_queue(keyframes, object))
        return false;
    /* What a forked or exec'd image does to locks takes more than its events to tell. */
    bool is_special = event->operation == REEL_OP_ATTACH;
    if (--keyframes->until_next && !is_special)
        return true;
    if (!add_frame(keyframes, world))
        return false;
    size_t worth = keyframes->last_rows * COST;
    keyframes->until_next = worth > SPACING ? worth : SPACING;
    return true;
}

static bool fail(struct reel_trace *trace, const char *what, struct reel_error *error)
{
    sqlite3 *database = reel_trace_database(trace);
    return reel_error_set(error, REEL_ERROR_STORE, sqlite3_extended_errcode(database), "%s: %s: %s",
                          reel_trace_path(trace), what, sqlite3_errmsg(database));
}

bool reel_keyframes_write(const struct reel_keyframes *keyframes, struct reel_trace *trace,
                          struct reel_error *error)
{
    static const char make[] = "DROP TABLE IF EXISTS keyframe;"
                               "CREATE TABLE keyframe ("
                               " time_ns INTEGER NOT NULL," /* the last event it takes in */
                               " kind INTEGER NOT NULL,"
                               " object INTEGER NOT NULL,"
                               " thread INTEGER NOT NULL,"
                               " since_ns INTEGER, value INTEGER, stack INTEGER,"
                               " PRIMARY KEY (time_ns, kind, object, thread)) WITHOUT ROWID";
    sqlite3 *database = reel_trace_database(trace);
    sqlite3_stmt *insert = NULL;
    if (sqlite3_exec(database, make, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(database, "INSERT OR IGNORE INTO keyframe VALUES (?,?,?,?,?,?,?)", -1,
                           &insert, NULL) != SQLITE_OK)
        return fail(trace, "making key frames", error);
    bool good = true;
    for (size_t i = 0; good && i < keyframes->count; i++) {
        const struct row *row = &keyframes->row[i];
        sqlite3_bind_int64(insert, 1, (int64_t)row->time_ns);
        sqlite3_bind_int(insert, 2, (int)row->kind);
        sqlite3_bind_int64(insert, 3, row->object);
        sqlite3_bind_int64(insert, 4, row->thread);
        sqlite3_bind_int64(insert, 5, (int64_t)row->since_ns);
        sqlite3_bind_int64(insert, 6, row->value);
        sqlite3_bind_int64(insert, 7, row->stack);
        good = sqlite3_step(insert) == SQLITE_DONE;
        sqlite3_reset(insert);
    }
    if (!good)
        fail(trace, "writing key frames", error);
    sqlite3_finalize(insert);
    return good;
}

static void restore_row(struct reel_world *world, uint32_t id, sqlite3_stmt *row)
{
    struct reel_world_object *object = reel_world_object_at(world, id);
    if (!object)
        return;
    int kind = sqlite3_column_int(row, 0);
    if (kind == KIND_DEPTH) {
        object->depth = sqlite3_column_int64(row, 4);
        object->depth_known = true;
        return;
    }
    struct reel_world_thread *thread =
        reel_world_thread_at(world, (uint32_t)sqlite3_column_int64(row, 2));
    if (!thread || (object->owner && kind == KIND_EXCLUSIVE))
        return;
    thread->process = (uint32_t)sqlite3_column_int64(row, 7);
    if (!thread->begun)
        reel_thread_begin(world, thread, (uint64_t)sqlite3_column_int64(row, 3));
    struct reel_held held = {
        .since_ns = (uint64_t)sqlite3_column_int64(row, 3),
        .object = id,
        .stack = (uint32_t)sqlite3_column_int64(row, 5),
        .depth = (uint32_t)sqlite3_column_int64(row, 4),
        .shared = kind == KIND_SHARED,
    };
    reel_lock_take(world, thread, id, &held);
}

bool reel_keyframe_restore(struct reel_trace *trace, uint64_t time_ns, struct reel_world *world,
                           uint32_t (*renumber)(void *data, int64_t object), void *data,
                           uint64_t *frame_ns, struct reel_error *error)
{
    sqlite3 *database = reel_trace_database(trace);
    sqlite3_stmt *statement = NULL;
    *frame_ns = 0;
    /* A trace sealed without key frames has no such table: then from the beginning. */
    if (sqlite3_table_column_metadata(database, "main", "keyframe", NULL, NULL, NULL, NULL, NULL,
                                      NULL) != SQLITE_OK)
        return true;
    if (sqlite3_prepare_v2(database,
                           "SELECT kind, object, thread, since_ns, value, stack, time_ns,"
                           " (SELECT process FROM thread WHERE id = keyframe.thread)"
                           " FROM keyframe WHERE time_ns ="
                           " (SELECT max(time_ns) FROM keyframe WHERE time_ns <= ?)"
                           " AND kind IN (0, 1, 2, 4)"
                           " ORDER BY since_ns",
                           -1, &statement, NULL) != SQLITE_OK)
        return fail(trace, "reading key frames", error);
    sqlite3_bind_int64(statement, 1, (int64_t)time_ns);
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        *frame_ns = (uint64_t)sqlite3_column_int64(statement, 6);
        if (sqlite3_column_int(statement, 0) != KIND_FRAME)
            restore_row(world, renumber(data, sqlite3_column_int64(statement, 1)), statement);
    }
    sqlite3_finalize(statement);
    return code == SQLITE_DONE || fail(trace, "reading key frames", error);
}
