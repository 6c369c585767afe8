#include "viewer/content_lanes.h"

#include <string.h>

#include "probes/event/kinds.h"
#include "tracer/model/time_text.h"

/* Lanes of a kind that are shown without being asked for; the locks waited for longest come first.
 */
#define LOCKS_SHOWN  256
#define QUEUES_SHOWN 256
#define TASKS_SHOWN  512
/* More than these nobody can ask for. */
#define LANES_MOST 16384

struct making {
    struct reel_content *content;
    struct reel_gathering *gathering;
    sqlite3 *database;
    struct reel_error *error;
    guint heading; /* of the lanes that are being added */
};

void reel_lane_free(gpointer data)
{
    struct reel_lane *lane = data;
    reel_lane_data_clear(&lane->data);
    reel_depth_data_clear(&lane->depth);
    reel_depth_data_clear(&lane->readers);
    g_free(lane->name);
    g_free(lane->detail);
    g_free(lane);
}

static gboolean no_memory(struct making *making)
{
    return reel_error_set(making->error, REEL_ERROR_SYSTEM, 0, "out of memory");
}

static sqlite3_stmt *ask(struct making *making, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(making->database, sql, -1, &statement, NULL) != SQLITE_OK)
        reel_error_set(making->error, REEL_ERROR_STORE, 0, "%s", sqlite3_errmsg(making->database));
    return statement;
}

static char *text_of(sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    return text ? g_utf8_make_valid(text, -1) : NULL;
}

static struct reel_lane *add_lane(struct making *making, enum reel_lane_kind kind, uint32_t id,
                                  char *name)
{
    struct reel_lane *lane = g_new0(struct reel_lane, 1);
    gboolean heading = kind == REEL_LANE_PROCESS || kind == REEL_LANE_GROUP;
    if (heading)
        making->heading = making->content->lanes->len;
    lane->kind = kind;
    lane->id = id;
    lane->heading = heading ? G_MAXUINT : making->heading;
    lane->name = name ? name : g_strdup_printf("%u", id);
    g_ptr_array_add(making->content->lanes, lane);
    return lane;
}

static gboolean finish_lane(struct making *making, struct reel_lane *lane)
{
    return (reel_lane_data_finish(&lane->data) && reel_depth_data_finish(&lane->depth) &&
            reel_depth_data_finish(&lane->readers)) ||
           no_memory(making);
}

static gboolean count_spans(struct making *making, struct reel_depth_data *depth,
                            struct reel_spans *spans)
{
    gboolean good = !spans->begin || reel_depth_data_count_spans(
                                         depth, (uint64_t *)(void *)spans->begin->data,
                                         (uint64_t *)(void *)spans->end->data, spans->begin->len);
    reel_spans_clear(spans);
    return good || no_memory(making);
}

static void take(struct reel_lane_data *to, struct reel_lane_data *from)
{
    *to = *from;
    reel_lane_data_init(from);
}

static struct reel_lane *add_process(struct making *making, sqlite3_stmt *row, uint32_t id)
{
    g_autofree char *command = text_of(row, 4);
    g_autofree char *first = command ? g_strndup(command, strcspn(command, " ")) : NULL;
    g_autofree char *base = first ? g_path_get_basename(first) : NULL;
    struct reel_lane *lane =
        add_lane(making, REEL_LANE_PROCESS, id,
                 g_strdup_printf("%s (%d)", base ? base : "process", sqlite3_column_int(row, 3)));
    lane->process = id;
    lane->start_ns = (uint64_t)sqlite3_column_int64(row, 9);
    lane->end_ns = (uint64_t)sqlite3_column_int64(row, 10);
    g_autofree char *note = text_of(row, 13);
    GString *detail = g_string_new(command);
    if (sqlite3_column_type(row, 12) == SQLITE_INTEGER && sqlite3_column_int(row, 12) > 0)
        g_string_append_printf(detail, "\nended by signal %d", sqlite3_column_int(row, 12));
    else if (sqlite3_column_type(row, 11) == SQLITE_INTEGER && sqlite3_column_int(row, 11) >= 0)
        g_string_append_printf(detail, "\nexit status %d", sqlite3_column_int(row, 11));
    if (note && *note)
        g_string_append_printf(detail, "\n%s", note);
    lane->detail = g_string_free(detail, FALSE);
    making->content->processes++;
    return lane;
}

static gboolean add_thread(struct making *making, sqlite3_stmt *row, uint32_t id, uint32_t process)
{
    struct reel_gathered_thread *gathered = reel_gathering_thread(making->gathering, id);
    struct reel_lane *lane = add_lane(making, REEL_LANE_THREAD, id, text_of(row, 1));
    lane->process = process;
    lane->start_ns = (uint64_t)sqlite3_column_int64(row, 5);
    lane->end_ns = (uint64_t)sqlite3_column_int64(row, 6);
    lane->lock_wait_ns = (uint64_t)sqlite3_column_int64(row, 7);
    lane->detail = g_strdup_printf("kernel thread %d", sqlite3_column_int(row, 8));
    g_hash_table_insert(making->content->by_thread, GUINT_TO_POINTER(id), lane);
    making->content->threads++;
    if (!gathered)
        return TRUE;
    take(&lane->data, &gathered->states);
    if (!count_spans(making, &lane->depth, &gathered->held) || !finish_lane(making, lane))
        return FALSE;
    if (!gathered->spans.count)
        return TRUE;
    struct reel_lane *spans =
        add_lane(making, REEL_LANE_SPANS, id, g_strdup_printf("%s: spans", lane->name));
    spans->process = process;
    spans->detail = g_strdup("annotated spans, the innermost one");
    take(&spans->data, &gathered->spans);
    return finish_lane(making, spans);
}

/* Processes with their threads below them. */
static gboolean add_threads(struct making *making)
{
    sqlite3_stmt *row =
        ask(making,
            "SELECT t.id, t.name, t.process, p.pid, coalesce(p.command, p.executable), t.start_ns, "
            "coalesce(t.end_ns, 0), coalesce((SELECT sum(total_ns) FROM thread_state s WHERE "
            "s.thread = t.id AND s.state IN ('lock-wait', 'gil-wait')), 0), t.tid, p.start_ns, "
            "coalesce(p.end_ns, 0), p.exit_status, p.signal, p.note "
            "FROM thread t JOIN process p ON p.id = t.process ORDER BY t.process, t.id");
    uint32_t process = 0;
    gboolean good = row != NULL;
    while (good && sqlite3_step(row) == SQLITE_ROW) {
        uint32_t owner = (uint32_t)sqlite3_column_int64(row, 2);
        if (owner != process)
            add_process(making, row, owner);
        process = owner;
        good = add_thread(making, row, (uint32_t)sqlite3_column_int64(row, 0), owner);
    }
    sqlite3_finalize(row);
    return good;
}

static gboolean read_names(struct making *making)
{
    sqlite3_stmt *row = ask(making, "SELECT id, name FROM object WHERE name IS NOT NULL");
    while (row && sqlite3_step(row) == SQLITE_ROW)
        g_hash_table_insert(making->content->object_names,
                            GUINT_TO_POINTER((uint32_t)sqlite3_column_int64(row, 0)),
                            text_of(row, 1));
    sqlite3_finalize(row);
    return row != NULL;
}

static char *name_of(struct making *making, uint32_t object)
{
    const char *name = g_hash_table_lookup(making->content->object_names, GUINT_TO_POINTER(object));
    return name ? g_strdup(name) : g_strdup_printf("object %u", object);
}

/* How many there are, where that is more than can have lanes. */
static char *count_heading(struct making *making, const char *what, const char *sql)
{
    sqlite3_stmt *row = ask(making, sql);
    guint count = row && sqlite3_step(row) == SQLITE_ROW ? (guint)sqlite3_column_int(row, 0) : 0;
    sqlite3_finalize(row);
    return count > LANES_MOST ? g_strdup_printf("%s: %u of %u", what, LANES_MOST, count)
                              : g_strdup(what);
}

static gboolean has_group(struct making *making, const char *name)
{
    for (guint i = 0; i < making->content->lanes->len; i++) {
        const struct reel_lane *lane = making->content->lanes->pdata[i];
        if (lane->kind == REEL_LANE_GROUP && g_str_has_prefix(lane->name, name))
            return TRUE;
    }
    return FALSE;
}

/* The locks that cost most, each with who held it when, and how many waited; or, for the end of the
 * list, those that were hardly waited for (less than a two-hundredth of the time) and are in no
 * finding. */
static gboolean add_locks(struct making *making, gboolean costly)
{
    const char *heading = costly || !has_group(making, "Locks") ? "Locks" : "Other locks";
    const struct reel_content *content = making->content;
    g_autofree char *condition = g_strdup_printf(
        "FROM lock_total l JOIN object o ON o.id = l.object JOIN class c ON c.id = o.class WHERE "
        "o.class <> %d AND (l.wait_ns > %" G_GUINT64_FORMAT
        " OR l.object IN (SELECT object FROM finding_object)) = %d",
        REEL_CLASS_ONCE, (guint64)(content->end_ns - content->start_ns) / 200, costly ? 1 : 0);
    g_autofree char *sql = g_strdup_printf(
        "SELECT l.object, l.wait_ns, l.acquisitions, c.name %s ORDER BY l.wait_ns DESC, "
        "l.acquisitions DESC, l.object LIMIT " G_STRINGIFY(LANES_MOST),
        condition);
    g_autofree char *counting = g_strdup_printf("SELECT count(*) %s", condition);
    sqlite3_stmt *row = ask(making, sql);
    gboolean good = row != NULL;
    for (guint count = 0; good && sqlite3_step(row) == SQLITE_ROW; count++) {
        if (count == 0)
            add_lane(making, REEL_LANE_GROUP, 0, count_heading(making, heading, counting));
        uint32_t id = (uint32_t)sqlite3_column_int64(row, 0);
        struct reel_lane *lane = add_lane(making, REEL_LANE_LOCK, id, name_of(making, id));
        lane->is_spare = count >= LOCKS_SHOWN;
        char wait[REEL_TIME_TEXT];
        lane->lock_wait_ns = (uint64_t)sqlite3_column_int64(row, 1);
        lane->detail =
            g_strdup_printf("%s, taken %lld times, waited for %s", sqlite3_column_text(row, 3),
                            (long long)sqlite3_column_int64(row, 2),
                            reel_duration_text(lane->lock_wait_ns, false, wait));
        g_hash_table_insert(making->content->by_object, GUINT_TO_POINTER(id), lane);
        struct reel_gathered_object *gathered = reel_gathering_object(making->gathering, id);
        if (!gathered)
            continue;
        take(&lane->data, &gathered->owners);
        good = count_spans(making, &lane->depth, &gathered->waits) &&
               count_spans(making, &lane->readers, &gathered->shared) && finish_lane(making, lane);
    }
    sqlite3_finalize(row);
    return good;
}

/* What more than nothing ever was in, the busiest first. */
static gboolean add_queues(struct making *making)
{
    g_autofree char *sql = g_strdup_printf(
        "SELECT o.id, c.name, coalesce(o.capacity, 0), o.class FROM object o JOIN class c ON "
        "c.id = o.class WHERE o.class IN (%d, %d, %d, %d) ORDER BY o.class = %d DESC, "
        "o.class = %d DESC, o.class = %d DESC, o.id",
        REEL_CLASS_SEMAPHORE, REEL_CLASS_PIPE, REEL_CLASS_MESSAGE_QUEUE, REEL_CLASS_QUEUE,
        REEL_CLASS_QUEUE, REEL_CLASS_MESSAGE_QUEUE, REEL_CLASS_PIPE);
    sqlite3_stmt *row = ask(making, sql);
    gboolean good = row != NULL;
    guint count = 0;
    while (good && count < LANES_MOST && sqlite3_step(row) == SQLITE_ROW) {
        uint32_t id = (uint32_t)sqlite3_column_int64(row, 0);
        struct reel_gathered_object *gathered = reel_gathering_object(making->gathering, id);
        /* A semaphore that is one or nothing is no queue: a lock, or a bell. */
        gboolean is_semaphore = sqlite3_column_int(row, 3) == REEL_CLASS_SEMAPHORE;
        if (!gathered || gathered->depth.highest < (is_semaphore ? 2 : 1) ||
            g_hash_table_contains(making->content->by_object, GUINT_TO_POINTER(id)))
            continue;
        if (count++ == 0)
            add_lane(making, REEL_LANE_GROUP, 0, g_strdup("Queues"));
        struct reel_lane *lane = add_lane(making, REEL_LANE_QUEUE, id, name_of(making, id));
        lane->is_spare = count > QUEUES_SHOWN;
        /* As many as it began with is nothing a semaphore is full at. */
        lane->capacity = is_semaphore ? 0 : sqlite3_column_int64(row, 2);
        lane->depth = gathered->depth;
        gathered->depth = (struct reel_depth_data){0};
        lane->detail = lane->capacity > 0
                           ? g_strdup_printf("%s, %d at most of %lld", sqlite3_column_text(row, 1),
                                             lane->depth.highest, (long long)lane->capacity)
                           : g_strdup_printf("%s, %d at most", sqlite3_column_text(row, 1),
                                             lane->depth.highest);
        g_hash_table_insert(making->content->by_object, GUINT_TO_POINTER(id), lane);
        good = finish_lane(making, lane);
    }
    sqlite3_finalize(row);
    return good;
}

static gboolean add_steps(struct making *making, enum reel_class class, enum reel_lane_kind kind,
                          const char *heading, guint shown)
{
    sqlite3_stmt *row = ask(making, "SELECT id FROM object WHERE class = ?1 ORDER BY first_ns, id");
    gboolean good = row != NULL;
    guint count = 0;
    if (row)
        sqlite3_bind_int(row, 1, (int)class);
    while (good && sqlite3_step(row) == SQLITE_ROW) {
        uint32_t id = (uint32_t)sqlite3_column_int64(row, 0);
        struct reel_gathered_object *gathered = reel_gathering_object(making->gathering, id);
        if (!gathered || !gathered->steps.count)
            continue;
        if (count++ >= LANES_MOST)
            continue;
        if (count == 1)
            add_lane(making, REEL_LANE_GROUP, 0, g_strdup(heading));
        struct reel_lane *lane = add_lane(making, kind, id, name_of(making, id));
        lane->is_spare = count > shown;
        take(&lane->data, &gathered->steps);
        g_hash_table_insert(making->content->by_object, GUINT_TO_POINTER(id), lane);
        good = finish_lane(making, lane);
    }
    if (count > LANES_MOST) {
        struct reel_lane *group = making->content->lanes->pdata[making->heading];
        g_free(group->name);
        group->name = g_strdup_printf("%s: the first %u of %u", heading, LANES_MOST, count);
    }
    sqlite3_finalize(row);
    return good;
}

gboolean reel_content_make_lanes(struct reel_content *content, struct reel_gathering *gathering,
                                 sqlite3 *database, struct reel_error *error)
{
    struct making making = {.content = content,
                            .gathering = gathering,
                            .database = database,
                            .error = error,
                            .heading = G_MAXUINT};
    return read_names(&making) && add_threads(&making) && add_locks(&making, TRUE) &&
           add_queues(&making) &&
           add_steps(&making, REEL_CLASS_LOOP, REEL_LANE_LOOP, "Event loops", QUEUES_SHOWN) &&
           add_steps(&making, REEL_CLASS_TASK, REEL_LANE_TASK, "Tasks", TASKS_SHOWN) &&
           add_locks(&making, FALSE);
}
