/* Offline: a sealed trace replayed through a world and all detectors. The rows of `event` are the
 * exact order; their objects are known, so identity only has to give back what the table says. */
#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "tracer/detect/detector.h"
#include "tracer/detect/trace_names.h"

/* Standing still for less may be the recording's own end. */
#define OFFLINE_GRACE_NS 100000000ull
/* Whoever was ended from outside together with others is gone by then. */
#define SETTLED_NS 50000000ull

struct replay {
    struct reel_trace *trace;
    struct reel_error *error;
    struct reel_trace_names *names;
    struct reel_identity *identity;
    struct reel_world *world;
    struct reel_detection *detection;
    struct reel_detect_context context;
    const struct reel_detector_class *const *detectors; /* NULL: all of the table */
    void *asker;
    sqlite3_stmt *events, *extras;
    int64_t extra_at;   /* time of the event that the row of `extras` belongs to */
    GArray *wait_mutex; /* by thread: the mutex its last condition wait let go of */
    uint64_t extra[REEL_EXTRA_WORDS * REEL_EXTRA_LIMIT + 1];
    bool ending; /* the last events were threads being ended from outside */
};

static bool fail(struct replay *replay)
{
    sqlite3 *database = reel_trace_database(replay->trace);
    return reel_error_set(replay->error, REEL_ERROR_STORE, sqlite3_extended_errcode(database),
                          "%s: reading events: %s", reel_trace_path(replay->trace),
                          sqlite3_errmsg(database));
}

static void on_interval(void *data, const struct reel_interval *interval)
{
    reel_detection_interval(((struct replay *)data)->detection, interval);
}

static void on_hold(void *data, const struct reel_hold *hold)
{
    reel_detection_hold(((struct replay *)data)->detection, hold);
}

static bool next_extra(struct replay *replay)
{
    int code = sqlite3_step(replay->extras);
    replay->extra_at = code == SQLITE_ROW ? sqlite3_column_int64(replay->extras, 0) : INT64_MAX;
    return code == SQLITE_ROW || code == SQLITE_DONE || fail(replay);
}

/* Both tables are in the order of time: the extras of an event come when it does. */
static bool take_extras(struct replay *replay, struct reel_event *event)
{
    memset(replay->extra, 0, sizeof replay->extra);
    event->extra = replay->extra;
    while (replay->extra_at <= (int64_t)event->time_ns) {
        if (replay->extra_at == (int64_t)event->time_ns) {
            int64_t position = sqlite3_column_int64(replay->extras, 1);
            bool fits = position >= 0 && position < REEL_EXTRA_WORDS * REEL_EXTRA_LIMIT;
            if (fits && sqlite3_column_type(replay->extras, 2) == SQLITE_TEXT) {
                /* It begins where its position says, and ends with a zero. */
                size_t bytes = (size_t)sqlite3_column_bytes(replay->extras, 2);
                size_t room = sizeof replay->extra - ((size_t)position + 1) * 8;
                bytes = MIN(bytes, room);
                memcpy(replay->extra + position, sqlite3_column_text(replay->extras, 2), bytes);
                event->extra_words = (uint8_t)((size_t)position + bytes / 8 + 1);
            } else if (fits) {
                replay->extra[position] = (uint64_t)sqlite3_column_int64(replay->extras, 2);
                if (event->extra_words <= position)
                    event->extra_words = (uint8_t)(position + 1);
            }
        }
        if (!next_extra(replay))
            return false;
    }
    return true;
}

/* What an event is about besides its object: see reel_world_apply_resolved. */
static uint32_t other_of(struct replay *replay, const struct reel_event *event, uint32_t object)
{
    if (event->operation == REEL_OP_RELEASE && event->flags & REEL_FLAG_IN_WAIT) {
        if (replay->wait_mutex->len <= event->thread)
            g_array_set_size(replay->wait_mutex, event->thread + 1);
        g_array_index(replay->wait_mutex, uint32_t, event->thread) = object;
    } else if (event->operation == REEL_OP_WAIT && event->class == REEL_CLASS_CONDITION) {
        uint32_t mutex = event->thread < replay->wait_mutex->len
                             ? g_array_index(replay->wait_mutex, uint32_t, event->thread)
                             : 0;
        return event->extra_words ? mutex : 0;
    } else if (event->operation == REEL_OP_WAKE && event->class == REEL_CLASS_PROCESS &&
               event->extra_words) {
        return reel_trace_names_process_of_pid(replay->names, event->extra[0], event->time_ns);
    }
    return 0;
}

/* Threads that are ended from outside were as they were until then. */
static bool is_ending(const struct reel_event *event)
{
    return event->operation == REEL_OP_EXIT && event->class == REEL_CLASS_THREAD &&
           event->argument >= REEL_EXIT_PROCESS;
}

static bool is_of_kernel(const struct reel_event *event)
{
    return event->operation == REEL_OP_SWITCH_IN || event->operation == REEL_OP_SWITCH_OUT;
}

static bool replay_row(struct replay *replay)
{
    sqlite3_stmt *row = replay->events;
    int64_t thread = sqlite3_column_int64(row, 1), object = sqlite3_column_int64(row, 4);
    struct reel_event event = {
        .time_ns = (uint64_t)sqlite3_column_int64(row, 0),
        .thread = thread > 0 && thread < REEL_MODEL_NUMBER_LIMIT ? (uint32_t)thread : 0,
        .operation = (uint8_t)sqlite3_column_int64(row, 2),
        .class = (uint8_t)sqlite3_column_int64(row, 3),
        .argument = (uint32_t)sqlite3_column_int64(row, 5),
        .stack = (uint32_t)sqlite3_column_int64(row, 6),
        .flags = (uint8_t)sqlite3_column_int64(row, 7),
    };
    event.process = reel_trace_names_process(replay->names, event.thread);
    const struct reel_object *facts = object > 0 && object <= UINT32_MAX
                                          ? reel_trace_names_object(replay->names, (uint32_t)object)
                                          : NULL;
    if (facts)
        event.object = facts->address;
    uint32_t id = facts ? (uint32_t)object : 0;
    if (!take_extras(replay, &event))
        return false;
    uint32_t other = other_of(replay, &event, id);
    bool ending = is_ending(&event);
    if (ending && !replay->ending)
        reel_detection_look(replay->detection, event.time_ns);
    if (ending || !is_of_kernel(&event))
        replay->ending = ending;
    reel_world_apply_resolved(replay->world, &event, id, other);
    reel_detection_event(replay->detection, &event, id, other);
    return true;
}

static bool begin(struct replay *replay, uint64_t grace_ns)
{
    struct reel_trace *trace = replay->trace;
    if (reel_trace_state(trace) != REEL_TRACE_SEALED) {
        reel_error_set(replay->error, REEL_ERROR_USAGE, 0, "%s: the trace is not sealed",
                       reel_trace_path(trace));
        return reel_error_hint(replay->error, "finish it with: reel recover %s",
                               reel_trace_path(trace));
    }
    replay->names = reel_trace_names_new(trace, replay->error);
    if (!replay->names)
        return false;
    const struct reel_world_listener listener = {
        .data = replay, .interval = on_interval, .hold = on_hold};
    replay->identity = reel_identity_new(NULL);
    replay->world = reel_world_new(replay->identity, &listener);
    if (!replay->identity || !replay->world ||
        !reel_trace_names_restore(replay->names, replay->identity))
        return reel_error_set(replay->error, REEL_ERROR_SYSTEM, ENOMEM, "%s: out of memory",
                              reel_trace_path(trace));
    uint64_t processors = reel_trace_meta_number(trace, "processors");
    replay->context = (struct reel_detect_context){
        .world = replay->world,
        .findings = reel_finding_set_new(),
        .end_ns = reel_trace_meta_number(trace, "end_ns"),
        .grace_ns = grace_ns,
        .processors = processors && processors < 65536 ? (unsigned)processors : 1,
        .detectors = replay->detectors,
        .asker = replay->asker,
    };
    reel_trace_names_provide(replay->names, &replay->context);
    char *verdict = reel_trace_meta(trace, "live_verdict");
    replay->context.hung = verdict && strcmp(verdict, "hang") == 0;
    sqlite3_free(verdict);
    replay->context.watched_ns = reel_trace_meta_number(trace, "live_grace_ns");
    replay->detection = reel_detection_new(&replay->context);
    replay->wait_mutex = g_array_new(FALSE, TRUE, sizeof(uint32_t));
    sqlite3 *database = reel_trace_database(trace);
    if (sqlite3_prepare_v2(database,
                           "SELECT time_ns, thread, operation, class, object, argument, stack,"
                           " flags FROM event ORDER BY time_ns",
                           -1, &replay->events, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(database,
                           "SELECT event, position, value FROM event_extra"
                           " ORDER BY event, position",
                           -1, &replay->extras, NULL) != SQLITE_OK)
        return fail(replay);
    return next_extra(replay);
}

static bool replay_all(struct replay *replay)
{
    int code;
    while ((code = sqlite3_step(replay->events)) == SQLITE_ROW)
        if (!replay_row(replay))
            return false;
    if (code != SQLITE_DONE)
        return fail(replay);
    uint64_t end_ns = replay->context.end_ns;
    if (end_ns < reel_world_now(replay->world))
        end_ns = reel_world_now(replay->world) + 1;
    /* One process of several may have been the last to do anything, by its end; who lives on for a
     * while after it is looked at as well. */
    if (!replay->ending || end_ns >= reel_world_now(replay->world) + SETTLED_NS)
        reel_detection_look(replay->detection, end_ns);
    reel_trace_names_end_threads(replay->names, replay->world);
    reel_world_finish(replay->world, end_ns);
    reel_detection_finish(replay->detection);
    return true;
}

/* The findings, NULL on failure. */
static struct reel_finding_set *run(struct replay *replay, uint64_t grace_ns)
{
    bool good = begin(replay, grace_ns) && replay_all(replay);
    sqlite3_finalize(replay->events);
    sqlite3_finalize(replay->extras);
    reel_detection_free(replay->detection);
    reel_world_free(replay->world);
    reel_identity_free(replay->identity);
    reel_trace_names_free(replay->names);
    if (replay->wait_mutex)
        g_array_unref(replay->wait_mutex);
    if (good)
        return replay->context.findings;
    reel_finding_set_free(replay->context.findings);
    return NULL;
}

struct reel_finding_set *reel_detect_trace_with(struct reel_trace *trace, uint64_t grace_ns,
                                                struct reel_error *error)
{
    struct replay replay = {.trace = trace, .error = error};
    return run(&replay, grace_ns);
}

struct reel_finding_set *reel_detect_trace(struct reel_trace *trace, struct reel_error *error)
{
    return reel_detect_trace_with(trace, OFFLINE_GRACE_NS, error);
}

bool reel_detect_trace_for(struct reel_trace *trace, const struct reel_detector_class *detector,
                           void *asker, struct reel_error *error)
{
    const struct reel_detector_class *const detectors[] = {detector, NULL};
    struct replay replay = {.trace = trace, .error = error, .detectors = detectors, .asker = asker};
    struct reel_finding_set *nothing = run(&replay, OFFLINE_GRACE_NS);
    reel_finding_set_free(nothing);
    return nothing != NULL;
}
