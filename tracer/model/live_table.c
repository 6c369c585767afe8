#include "tracer/model/live_table.h"

#include <errno.h>
#include <stdlib.h>

#include "tracer/model/event_row.h"
#include "tracer/model/identity.h"
#include "tracer/model/seal_facts.h"
#include "tracer/model/shared_places.h"
#include "tracer/store/merge.h"

#define MODULE "reel_live_event"

struct live_table {
    sqlite3_vtab base; /* first: SQLite's view of it */
    struct reel_trace *trace;
};

struct cursor {
    sqlite3_vtab_cursor base; /* first */
    struct reel_merge *merge;
    struct reel_identity *identity;
    struct reel_shared_places *places;
    struct reel_event_row row;
    uint64_t from_ns, to_ns;
    bool ended;
};

/* Bits of the plan: which bounds on time_ns come as arguments, in this order. */
enum { PLAN_FROM = 1, PLAN_AFTER = 2, PLAN_TO = 4, PLAN_BEFORE = 8 };

static int connect(sqlite3 *database, void *data, int argument_count, const char *const *arguments,
                   sqlite3_vtab **table, char **message)
{
    int code =
        sqlite3_declare_vtab(database, "CREATE TABLE event(time_ns INTEGER PRIMARY KEY, thread"
                                       " INTEGER, operation INTEGER, class INTEGER, object INTEGER,"
                                       " argument INTEGER, stack INTEGER, flags INTEGER)");
    if (code != SQLITE_OK)
        return code;
    struct live_table *live = sqlite3_malloc(sizeof *live);
    if (!live)
        return SQLITE_NOMEM;
    *live = (struct live_table){.trace = data};
    *table = &live->base;
    return SQLITE_OK;
}

static int disconnect(sqlite3_vtab *table)
{
    sqlite3_free(table);
    return SQLITE_OK;
}

static int plan_operator(int bit)
{
    switch (bit) {
    case PLAN_FROM:
        return SQLITE_INDEX_CONSTRAINT_GE;
    case PLAN_AFTER:
        return SQLITE_INDEX_CONSTRAINT_GT;
    case PLAN_TO:
        return SQLITE_INDEX_CONSTRAINT_LE;
    default:
        return SQLITE_INDEX_CONSTRAINT_LT;
    }
}

static int best_index(sqlite3_vtab *table, sqlite3_index_info *info)
{
    int plan = 0, arguments = 0;
    /* Bounds are passed in the order of the plan's bits. */
    for (int bit = PLAN_FROM; bit <= PLAN_BEFORE; bit *= 2)
        for (int i = 0; i < info->nConstraint; i++) {
            if (!info->aConstraint[i].usable || info->aConstraint[i].iColumn > 0 || plan & bit)
                continue;
            if (info->aConstraint[i].op != plan_operator(bit))
                continue;
            plan |= bit;
            info->aConstraintUsage[i].argvIndex = ++arguments; /* SQLite checks it again */
        }
    info->idxNum = plan;
    info->estimatedCost = plan & (PLAN_TO | PLAN_BEFORE) ? 5e6 : 1e7;
    info->estimatedRows = 10000000;
    if (info->nOrderBy == 1 && info->aOrderBy[0].iColumn <= 0 && !info->aOrderBy[0].desc)
        info->orderByConsumed = 1;
    return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *table, sqlite3_vtab_cursor **cursor)
{
    struct cursor *made = sqlite3_malloc(sizeof *made);
    if (!made)
        return SQLITE_NOMEM;
    *made = (struct cursor){.ended = true};
    *cursor = &made->base;
    return SQLITE_OK;
}

static void stop(struct cursor *cursor)
{
    reel_merge_free(cursor->merge);
    reel_identity_free(cursor->identity);
    reel_shared_places_free(cursor->places);
    cursor->merge = NULL;
    cursor->identity = NULL;
    cursor->places = NULL;
    cursor->ended = true;
}

static int close_cursor(sqlite3_vtab_cursor *base)
{
    stop((struct cursor *)base);
    sqlite3_free(base);
    return SQLITE_OK;
}

/* Hands an error of ours to SQLite. */
static int refuse(sqlite3_vtab_cursor *base, const struct reel_error *error)
{
    sqlite3_free(base->pVtab->zErrMsg);
    base->pVtab->zErrMsg = sqlite3_mprintf("%s", error->message);
    stop((struct cursor *)base);
    return SQLITE_ERROR;
}

static int next(sqlite3_vtab_cursor *base)
{
    struct cursor *cursor = (struct cursor *)base;
    struct reel_error error = {0};
    const struct reel_event *event;
    while ((event = reel_merge_next(cursor->merge, &error))) {
        uint32_t object = reel_identity_resolve(cursor->identity, event);
        if (event->operation == REEL_OP_WAIT && event->class == REEL_CLASS_CONDITION &&
            event->extra_words) /* as sealing does, so that objects get the same numbers */
            reel_identity_at(cursor->identity, event, REEL_CLASS_MUTEX, event->extra[0]);
        if (event->time_ns < cursor->from_ns)
            continue;
        if (event->time_ns > cursor->to_ns)
            break;
        cursor->row = reel_event_row(event, object);
        return SQLITE_OK;
    }
    if (error.code != REEL_ERROR_NONE)
        return refuse(base, &error);
    cursor->ended = true;
    return SQLITE_OK;
}

static void take_bounds(struct cursor *cursor, int plan, sqlite3_value **values)
{
    cursor->from_ns = 0;
    cursor->to_ns = INT64_MAX;
    for (int bit = PLAN_FROM; bit <= PLAN_BEFORE; bit *= 2) {
        if (!(plan & bit))
            continue;
        /* Anything but an integer is left to SQLite's own check. */
        sqlite3_value *value = *values++;
        if (sqlite3_value_type(value) != SQLITE_INTEGER)
            continue;
        int64_t bound = sqlite3_value_int64(value);
        uint64_t at = bound > 0 ? (uint64_t)bound : 0;
        if (bit & (PLAN_FROM | PLAN_AFTER) && at > cursor->from_ns)
            cursor->from_ns = at;
        else if (bit & (PLAN_TO | PLAN_BEFORE) && at < cursor->to_ns)
            cursor->to_ns = at;
    }
}

static bool declare(struct cursor *cursor, struct reel_trace *trace, struct reel_error *error)
{
    struct reel_seal_facts facts;
    bool good = reel_seal_facts_peek(&facts, trace, error) &&
                reel_seal_facts_declare(&facts, trace, cursor->identity, error);
    reel_seal_facts_clear(&facts);
    return good;
}

static int filter(sqlite3_vtab_cursor *base, int plan, const char *plan_text, int value_count,
                  sqlite3_value **values)
{
    struct cursor *cursor = (struct cursor *)base;
    struct reel_trace *trace = ((struct live_table *)base->pVtab)->trace;
    struct reel_error error = {0};
    stop(cursor);
    take_bounds(cursor, plan, values);
    cursor->places = reel_shared_places_new(trace, &error);
    if (!cursor->places)
        return refuse(base, &error);
    struct reel_identity_resolver resolver = reel_shared_places_resolver(cursor->places);
    cursor->identity = reel_identity_new(&resolver);
    if (!cursor->identity)
        return SQLITE_NOMEM;
    cursor->merge = declare(cursor, trace, &error) ? reel_merge_new(trace, &error) : NULL;
    if (!cursor->merge)
        return refuse(base, &error);
    cursor->ended = false;
    return next(base);
}

static int eof(sqlite3_vtab_cursor *base)
{
    return ((struct cursor *)base)->ended;
}

static void or_null(sqlite3_context *context, int64_t value)
{
    if (value)
        sqlite3_result_int64(context, value);
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *context, int index)
{
    const struct reel_event_row *row = &((struct cursor *)base)->row;
    switch (index) {
    case 0:
        sqlite3_result_int64(context, (int64_t)row->time_ns);
        break;
    case 1:
        sqlite3_result_int64(context, row->thread);
        break;
    case 2:
        sqlite3_result_int64(context, row->operation);
        break;
    case 3:
        sqlite3_result_int64(context, row->class);
        break;
    case 4:
        or_null(context, row->object);
        break;
    case 5:
        sqlite3_result_int64(context, row->argument);
        break;
    case 6:
        or_null(context, row->stack);
        break;
    default:
        sqlite3_result_int64(context, row->flags);
    }
    return SQLITE_OK;
}

static int row_id(sqlite3_vtab_cursor *base, sqlite3_int64 *id)
{
    *id = (sqlite3_int64)((struct cursor *)base)->row.time_ns;
    return SQLITE_OK;
}

static const sqlite3_module module = {
    .iVersion = 1,
    .xCreate = connect,
    .xConnect = connect,
    .xBestIndex = best_index,
    .xDisconnect = disconnect,
    .xDestroy = disconnect,
    .xOpen = open_cursor,
    .xClose = close_cursor,
    .xFilter = filter,
    .xNext = next,
    .xEof = eof,
    .xColumn = column,
    .xRowid = row_id,
};

static bool run(struct reel_trace *trace, const char *sql, struct reel_error *error)
{
    sqlite3 *database = reel_trace_database(trace);
    return sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK ||
           reel_error_set(error, REEL_ERROR_STORE, sqlite3_extended_errcode(database),
                          "%s: making the live event table: %s", reel_trace_path(trace),
                          sqlite3_errmsg(database));
}

bool reel_live_table_register(struct reel_trace *trace, struct reel_error *error)
{
    if (reel_trace_state(trace) == REEL_TRACE_SEALED)
        return true;
    int code = sqlite3_create_module_v2(reel_trace_database(trace), MODULE, &module, trace, NULL);
    if (code != SQLITE_OK)
        return reel_error_set(error, REEL_ERROR_STORE, code, "%s: making the live event table: %s",
                              reel_trace_path(trace), sqlite3_errstr(code));
    return run(trace, "CREATE VIRTUAL TABLE IF NOT EXISTS temp.event USING " MODULE, error);
}

bool reel_live_table_remove(struct reel_trace *trace, struct reel_error *error)
{
    return run(trace, "DROP TABLE IF EXISTS temp.event", error);
}
