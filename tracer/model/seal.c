/* Sealing: see seal.h. The order of work: what the tables know; every event through the world, rows
 * written as they come; objects with their names; the store's commit; then what is derived from the
 * rows (threads' names, key frames), without which the trace is whole all the same. */
#include "tracer/model/seal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tracer/model/event_row.h"
#include "tracer/model/keyframe.h"
#include "tracer/model/seal_facts.h"
#include "tracer/model/shared_places.h"
#include "tracer/model/totals.h"

enum { PROGRESS_EVERY = 1 << 16 };

struct sealing {
    struct reel_trace *trace;
    const struct reel_seal_options *options;
    struct reel_error *error;
    struct reel_seal_facts facts;
    struct reel_shared_places *places;
    struct reel_identity *identity;
    struct reel_world *world;
    struct reel_names *names;
    struct reel_keyframes *keyframes;
    struct reel_totals *totals;
    struct reel_merge *merge;
    struct reel_rows *rows;
    uint64_t end_ns;
    bool failed; /* in a listener */
};

static bool out_of_memory(struct sealing *sealing)
{
    return reel_error_set(sealing->error, REEL_ERROR_SYSTEM, ENOMEM, "%s: out of memory",
                          reel_trace_path(sealing->trace));
}

static bool fail(struct sealing *sealing, const char *what)
{
    sqlite3 *database = reel_trace_database(sealing->trace);
    return reel_error_set(sealing->error, REEL_ERROR_STORE, sqlite3_extended_errcode(database),
                          "%s: %s: %s", reel_trace_path(sealing->trace), what,
                          sqlite3_errmsg(database));
}

/* A thread as a row may refer to it. */
static uint32_t known_thread(const struct sealing *sealing, uint32_t thread)
{
    return thread && reel_seal_facts_thread(&sealing->facts, thread) ? thread : 0;
}

static void on_interval(void *data, const struct reel_interval *told)
{
    struct sealing *sealing = data;
    struct reel_interval interval = *told; /* referring only to what there is */
    interval.owner = known_thread(sealing, told->owner);
    interval.ended_by = known_thread(sealing, told->ended_by);
    interval.stack = reel_seal_facts_stack(&sealing->facts, told->stack);
    const struct reel_interval_row row = {
        .thread = interval.thread,
        .start_ns = interval.start_ns,
        .end_ns = interval.end_ns,
        .state = reel_state_name(interval.state),
        .object = interval.object,
        .owner = interval.owner,
        .ended_by = interval.ended_by,
        .ended_event = interval.ended_event,
        .stack = interval.stack,
        .call = interval.call & REEL_CALL_NUMBER ? reel_call_name(interval.call) : NULL,
    };
    reel_totals_interval(sealing->totals, &interval);
    reel_keyframes_interval(sealing->keyframes, interval.thread);
    if (!sealing->failed && !reel_rows_put_interval(sealing->rows, &row, sealing->error))
        sealing->failed = true;
}

static void on_hold(void *data, const struct reel_hold *told)
{
    struct sealing *sealing = data;
    struct reel_hold hold = *told;
    hold.stack = reel_seal_facts_stack(&sealing->facts, told->stack);
    const struct reel_hold_row row = {
        .object = hold.object,
        .thread = hold.thread,
        .start_ns = hold.start_ns,
        .end_ns = hold.end_ns,
        .shared = hold.shared,
        .waited_ns = hold.waited_ns,
        .stack = hold.stack,
        .released = hold.released,
    };
    reel_totals_hold(sealing->totals, &hold);
    if (!sealing->failed && !reel_rows_put_hold(sealing->rows, &row, sealing->error))
        sealing->failed = true;
}

static void put_gap(struct sealing *sealing, const struct reel_gap_row *row)
{
    if (!sealing->failed && !reel_rows_put_gap(sealing->rows, row, sealing->error))
        sealing->failed = true;
}

static void on_gap(void *data, const struct reel_gap *gap)
{
    struct sealing *sealing = data;
    struct reel_seal_thread *thread = reel_seal_facts_thread(&sealing->facts, gap->thread);
    if (thread && gap->lost > 0 && !gap->accesses)
        thread->lost_seen += (uint64_t)gap->lost;
    put_gap(sealing, &(struct reel_gap_row){
                         .thread = known_thread(sealing, gap->thread),
                         .process = thread ? thread->process : 0,
                         .start_ns = gap->start_ns,
                         .end_ns = gap->end_ns,
                         .lost = gap->lost,
                         .reason = gap->reason,
                     });
}

/* Which field of the block was accessed: a text behind the words. */
static bool put_field(struct sealing *sealing, const struct reel_event *event)
{
    const char *field = reel_names_field(sealing->names, sealing->identity, event);
    return !field || reel_rows_put_extra(sealing->rows, event->time_ns, event->extra_words, 0,
                                         field, sealing->error);
}

static bool put_extras(struct sealing *sealing, const struct reel_event *event)
{
    if (reel_event_has_text(event)) {
        char text[REEL_EVENT_TEXT_BYTES];
        return reel_rows_put_extra(sealing->rows, event->time_ns, 0, 0,
                                   reel_event_text(event, text, sizeof text), sealing->error);
    }
    for (uint32_t i = 0; i < event->extra_words; i++)
        if (!reel_rows_put_extra(sealing->rows, event->time_ns, i, (int64_t)event->extra[i], NULL,
                                 sealing->error))
            return false;
    return event->operation != REEL_OP_ALLOCATED || put_field(sealing, event);
}

static bool seal_event(struct sealing *sealing, const struct reel_event *event)
{
    uint32_t object = reel_world_apply(sealing->world, event);
    reel_names_see(sealing->names, sealing->identity, event, object);
    struct reel_event_row row = reel_event_row(event, object);
    row.stack = reel_seal_facts_stack(&sealing->facts, row.stack);
    if (sealing->failed || !reel_rows_put_event(sealing->rows, &row, sealing->error) ||
        (event->extra_words && !put_extras(sealing, event)))
        return false;
    return reel_keyframes_see(sealing->keyframes, sealing->world, event, object) ||
           out_of_memory(sealing);
}

static bool seal_events(struct sealing *sealing)
{
    const struct reel_seal_options *options = sealing->options;
    const struct reel_event *event;
    struct reel_error merge_error = {0};
    uint64_t done = 0;
    while ((event = reel_merge_next(sealing->merge, &merge_error))) {
        if (!seal_event(sealing, event))
            return false;
        if (++done % PROGRESS_EVERY == 0 && options->progress &&
            !options->progress(options->progress_data, done, sealing->facts.events)) {
            reel_error_set(sealing->error, REEL_ERROR_LIMIT, ECANCELED, "%s: sealing was given up",
                           reel_trace_path(sealing->trace));
            return reel_error_hint(sealing->error, "the trace is as it was; seal it again");
        }
    }
    if (merge_error.code != REEL_ERROR_NONE) {
        if (sealing->error && sealing->error->code == REEL_ERROR_NONE)
            *sealing->error = merge_error;
        return false;
    }
    for (size_t i = 0; i < sealing->facts.thread_count; i++)
        if (sealing->facts.thread[i].end_ns)
            reel_world_end_thread(sealing->world, sealing->facts.thread[i].id,
                                  sealing->facts.thread[i].end_ns);
    uint64_t last = reel_world_now(sealing->world);
    /* Later than the last event: a wait that begins with it is a state too. */
    sealing->end_ns = last >= sealing->facts.end_ns ? last + 1 : sealing->facts.end_ns;
    reel_world_finish(sealing->world, sealing->end_ns);
    if (reel_world_statistics(sealing->world)->out_of_memory)
        return out_of_memory(sealing);
    return !sealing->failed;
}

/* Events lost at a thread's end have no GAP event behind them: only the recorder's count tells. */
static bool put_late_gaps(struct sealing *sealing)
{
    for (size_t i = 0; i < sealing->facts.thread_count; i++) {
        const struct reel_seal_thread *thread = &sealing->facts.thread[i];
        if (thread->lost <= thread->lost_seen)
            continue;
        uint64_t end_ns = thread->end_ns ? thread->end_ns : sealing->end_ns;
        put_gap(sealing, &(struct reel_gap_row){
                             .thread = thread->id,
                             .process = thread->process,
                             .start_ns = thread->start_ns < end_ns ? thread->start_ns : end_ns,
                             .end_ns = end_ns,
                             .lost = (int64_t)(thread->lost - thread->lost_seen),
                             .reason = "no room in the recorder's buffers; when is not known",
                         });
    }
    return !sealing->failed;
}

/* What a flight recording let go on purpose. */
static bool put_flight_gap(struct sealing *sealing)
{
    uint64_t since_ns = reel_trace_meta_number(sealing->trace, "flight_since_ns");
    uint64_t dropped = reel_trace_meta_number(sealing->trace, "flight_dropped");
    if (since_ns && dropped)
        put_gap(sealing, &(struct reel_gap_row){
                             .end_ns = since_ns,
                             .lost = (int64_t)dropped,
                             .reason = "only the end was kept, as asked for (--flight)",
                         });
    return !sealing->failed;
}

/* What was left out of a damaged trace is a gap in its thread. */
static bool put_damaged_gaps(struct sealing *sealing)
{
    sqlite3_stmt *chunk = NULL;
    uint64_t count = reel_merge_statistics(sealing->merge)->damaged_chunks;
    if (count == 0)
        return true;
    if (sqlite3_prepare_v2(reel_trace_database(sealing->trace),
                           "SELECT thread, process, first_ns, last_ns, count FROM chunk "
                           "WHERE id = ?",
                           -1, &chunk, NULL) != SQLITE_OK)
        return fail(sealing, "reading damaged chunks");
    for (uint64_t i = 0; i < count; i++) {
        sqlite3_bind_int64(chunk, 1, reel_merge_damaged(sealing->merge, (uint32_t)i));
        if (sqlite3_step(chunk) == SQLITE_ROW) {
            int64_t from = sqlite3_column_int64(chunk, 2), to = sqlite3_column_int64(chunk, 3);
            const struct reel_seal_thread *thread =
                reel_seal_facts_thread(&sealing->facts, (uint32_t)sqlite3_column_int64(chunk, 0));
            if (from >= 0 && to >= from)
                put_gap(sealing, &(struct reel_gap_row){
                                     .thread = thread ? thread->id : 0,
                                     .process = thread ? thread->process : 0,
                                     .start_ns = (uint64_t)from,
                                     .end_ns = (uint64_t)to,
                                     .lost = sqlite3_column_int64(chunk, 4),
                                     .reason = "this piece of the trace file is damaged",
                                 });
        }
        sqlite3_reset(chunk);
    }
    sqlite3_finalize(chunk);
    return !sealing->failed;
}

static const char *thread_name(struct sealing *sealing, const struct reel_seal_thread *thread)
{
    return reel_names_thread(sealing->names, thread->process, thread->id, thread->routine,
                             thread->is_first);
}

static const char *object_name(struct sealing *sealing, uint32_t id)
{
    const struct reel_seal_thread *thread =
        reel_seal_facts_thread(&sealing->facts, reel_identity_thread_of(sealing->identity, id));
    return thread ? thread_name(sealing, thread)
                  : reel_names_object(sealing->names, sealing->identity, id);
}

static bool put_objects(struct sealing *sealing)
{
    size_t count = reel_identity_count(sealing->identity);
    for (uint32_t id = 1; id <= count; id++) {
        const struct reel_object *object = reel_identity_object(sealing->identity, id);
        const struct reel_object_row row = {
            .id = id,
            .process = object->process,
            .class = object->class <= REEL_CLASS_RECORDER ? object->class : 0u,
            .address = object->address,
            .generation = object->generation,
            .ordinal = object->ordinal,
            .creator = known_thread(sealing, object->creator),
            .site = reel_seal_facts_stack(&sealing->facts, object->site),
            .first_ns = object->first_ns,
            .last_ns = object->last_ns,
            .capacity = object->capacity,
            .name = object_name(sealing, id),
            .detail = object->after_destroy    ? "used after its destruction"
                      : object->inherited_from ? "inherited by fork"
                      : object->shared         ? "shared between processes"
                                               : NULL,
        };
        if (!reel_rows_put_object(sealing->rows, &row, sealing->error))
            return false;
    }
    return true;
}

static bool name_threads(struct sealing *sealing)
{
    sqlite3_stmt *update = NULL;
    if (sqlite3_prepare_v2(reel_trace_database(sealing->trace),
                           "UPDATE thread SET name = ? WHERE id = ?", -1, &update,
                           NULL) != SQLITE_OK)
        return fail(sealing, "naming threads");
    bool good = true;
    for (size_t i = 0; good && i < sealing->facts.thread_count; i++) {
        const struct reel_seal_thread *thread = &sealing->facts.thread[i];
        sqlite3_bind_text(update, 1, thread_name(sealing, thread), -1, SQLITE_TRANSIENT);
        sqlite3_bind_int64(update, 2, thread->id);
        good = sqlite3_step(update) == SQLITE_DONE;
        sqlite3_reset(update);
    }
    if (!good)
        fail(sealing, "naming threads");
    sqlite3_finalize(update);
    return good;
}

/* Threads of one process that share a name are told apart by their order: worker/0, worker/1. */
static bool number_threads(struct sealing *sealing)
{
    static const char sql[] =
        "WITH same AS (SELECT id, row_number() OVER (PARTITION BY process, name ORDER BY id) - 1 "
        "AS "
        "place, count(*) OVER (PARTITION BY process, name) AS many FROM thread) "
        "UPDATE thread SET name = name || '/' || (SELECT place FROM same WHERE same.id = "
        "thread.id) "
        "WHERE id IN (SELECT id FROM same WHERE many > 1);"
        "UPDATE object SET name = (SELECT name FROM thread WHERE thread.id = object.address) "
        "WHERE class = 1 AND address IN (SELECT id FROM thread)";
    return sqlite3_exec(reel_trace_database(sealing->trace), sql, NULL, NULL, NULL) == SQLITE_OK ||
           fail(sealing, "numbering threads");
}

static bool derive(struct sealing *sealing)
{
    char end_ns[24], events[24];
    snprintf(end_ns, sizeof end_ns, "%llu", (unsigned long long)sealing->end_ns);
    snprintf(events, sizeof events, "%llu",
             (unsigned long long)reel_world_statistics(sealing->world)->events);
    return reel_trace_begin(sealing->trace, sealing->error) &&
           reel_trace_set_meta(sealing->trace, "end_ns", end_ns, sealing->error) &&
           reel_trace_set_meta(sealing->trace, "events", events, sealing->error) &&
           name_threads(sealing) && number_threads(sealing) &&
           reel_keyframes_write(sealing->keyframes, sealing->trace, sealing->error) &&
           reel_totals_write(sealing->totals, sealing->trace, sealing->error) &&
           reel_trace_commit(sealing->trace, sealing->error);
}

static bool begin(struct sealing *sealing)
{
    struct reel_trace *trace = sealing->trace;
    const struct reel_seal_options *options = sealing->options;
    if (!reel_seal_facts_load(&sealing->facts, trace, sealing->error))
        return false;
    struct reel_identity_resolver resolver = options->identity;
    if (!resolver.resolve) {
        sealing->places = reel_shared_places_new(trace, sealing->error);
        if (!sealing->places)
            return false;
        resolver = reel_shared_places_resolver(sealing->places);
    }
    const struct reel_world_listener listener = {sealing, on_interval, on_hold, on_gap};
    sealing->identity = reel_identity_new(&resolver);
    sealing->names = reel_names_new(&options->names);
    sealing->keyframes = reel_keyframes_new();
    sealing->totals = reel_totals_new();
    sealing->world = reel_world_new(sealing->identity, &listener);
    if (!sealing->identity || !sealing->names || !sealing->keyframes || !sealing->world)
        return out_of_memory(sealing);
    if (!reel_seal_facts_declare(&sealing->facts, trace, sealing->identity, sealing->error))
        return false;
    sealing->rows = reel_rows_new(trace, options->writer, sealing->error);
    if (!sealing->rows)
        return false;
    sealing->merge = options->tolerant ? reel_merge_new_tolerant(trace, sealing->error)
                                       : reel_merge_new(trace, sealing->error);
    return sealing->merge != NULL;
}

bool reel_seal(struct reel_trace *trace, const struct reel_seal_options *options,
               struct reel_seal_result *result, struct reel_error *error)
{
    struct reel_error own = {0};
    struct sealing sealing = {.trace = trace, .options = options, .error = error ? error : &own};
    bool good = begin(&sealing) && seal_events(&sealing) && put_late_gaps(&sealing) &&
                put_flight_gap(&sealing) && put_damaged_gaps(&sealing) && put_objects(&sealing);
    if (good && result)
        *result = (struct reel_seal_result){
            .merge = *reel_merge_statistics(sealing.merge),
            .world = *reel_world_statistics(sealing.world),
            .objects = reel_identity_count(sealing.identity),
            .end_ns = sealing.end_ns,
        };
    reel_merge_free(sealing.merge); /* its statements would keep the chunks from being dropped */
    if (good)
        good =
            reel_rows_finish(sealing.rows, options->keep_chunks, sealing.error) && derive(&sealing);
    else
        reel_rows_abandon(sealing.rows);
    reel_world_free(sealing.world);
    reel_names_free(sealing.names);
    reel_keyframes_free(sealing.keyframes);
    reel_totals_free(sealing.totals);
    reel_identity_free(sealing.identity);
    reel_shared_places_free(sealing.places);
    reel_seal_facts_clear(&sealing.facts);
    return good;
}
