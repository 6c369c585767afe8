#include "tracer/model/seal_facts.h"

#include <errno.h>
#include <stdlib.h>

#define STACK_LIMIT (1u << 30) /* a larger number is none the recorder gives out */

static bool fail(struct reel_trace *trace, struct reel_error *error)
{
    sqlite3 *database = reel_trace_database(trace);
    return reel_error_set(error, REEL_ERROR_STORE, sqlite3_extended_errcode(database),
                          "%s: reading what was recorded: %s", reel_trace_path(trace),
                          sqlite3_errmsg(database));
}

static bool out_of_memory(struct reel_trace *trace, struct reel_error *error)
{
    return reel_error_set(error, REEL_ERROR_SYSTEM, ENOMEM, "%s: out of memory",
                          reel_trace_path(trace));
}

static sqlite3_stmt *query(struct reel_trace *trace, const char *sql, struct reel_error *error)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(reel_trace_database(trace), sql, -1, &statement, NULL) != SQLITE_OK)
        fail(trace, error);
    return statement;
}

static bool finish(sqlite3_stmt *statement, int code, struct reel_trace *trace,
                   struct reel_error *error)
{
    bool good = code == SQLITE_DONE || fail(trace, error);
    sqlite3_finalize(statement);
    return good;
}

static bool load_threads(struct reel_seal_facts *facts, struct reel_trace *trace,
                         struct reel_error *error)
{
    sqlite3_stmt *statement =
        query(trace,
              "SELECT id, process, handle, start_routine, start_ns, end_ns, lost,"
              " id = (SELECT min(id) FROM thread AS sibling WHERE sibling.process = thread.process)"
              " FROM thread WHERE id > 0 AND id < 4294967296 ORDER BY id",
              error);
    if (!statement)
        return false;
    size_t capacity = 0;
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        if (facts->thread_count == capacity) {
            capacity = capacity ? capacity * 2 : 64;
            void *larger = realloc(facts->thread, capacity * sizeof *facts->thread);
            if (!larger) {
                sqlite3_finalize(statement);
                return out_of_memory(trace, error);
            }
            facts->thread = larger;
        }
        struct reel_seal_thread *thread = &facts->thread[facts->thread_count++];
        *thread = (struct reel_seal_thread){
            .id = (uint32_t)sqlite3_column_int64(statement, 0),
            .process = (uint32_t)sqlite3_column_int64(statement, 1),
            .handle = (uint64_t)sqlite3_column_int64(statement, 2),
            .routine = (uint64_t)sqlite3_column_int64(statement, 3),
            .start_ns = (uint64_t)sqlite3_column_int64(statement, 4),
            .end_ns = (uint64_t)sqlite3_column_int64(statement, 5),
            .lost = (uint64_t)sqlite3_column_int64(statement, 6),
            .is_first = sqlite3_column_int(statement, 7),
        };
    }
    return finish(statement, code, trace, error);
}

static bool load_stacks(struct reel_seal_facts *facts, struct reel_trace *trace,
                        struct reel_error *error)
{
    sqlite3_stmt *statement = query(trace, "SELECT max(id) FROM stack", error);
    if (!statement)
        return false;
    int code = sqlite3_step(statement);
    int64_t largest = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_finalize(statement);
    if (code != SQLITE_ROW)
        return fail(trace, error);
    facts->stack_limit = largest < 0             ? 0
                         : largest < STACK_LIMIT ? (uint64_t)largest + 1
                                                 : STACK_LIMIT;
    facts->stack = calloc(facts->stack_limit / 8 + 1, 1);
    if (!facts->stack)
        return out_of_memory(trace, error);
    statement = query(trace, "SELECT id FROM stack", error);
    if (!statement)
        return false;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        int64_t id = sqlite3_column_int64(statement, 0);
        if (id > 0 && (uint64_t)id < facts->stack_limit)
            facts->stack[id / 8] |= (uint8_t)(1u << id % 8);
    }
    return finish(statement, code, trace, error);
}

static bool load_totals(struct reel_seal_facts *facts, struct reel_trace *trace,
                        struct reel_error *error)
{
    sqlite3_stmt *statement =
        query(trace,
              "SELECT coalesce((SELECT sum(count) FROM chunk), 0), max("
              " coalesce((SELECT max(end_ns) FROM thread), 0),"
              " coalesce((SELECT max(end_ns) FROM process), 0),"
              " coalesce((SELECT cast(value AS INTEGER) FROM meta WHERE key = 'duration_ns'), 0))",
              error);
    if (!statement)
        return false;
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        int64_t events = sqlite3_column_int64(statement, 0);
        int64_t end_ns = sqlite3_column_int64(statement, 1);
        facts->events = events > 0 ? (uint64_t)events : 0;
        facts->end_ns = end_ns > 0 ? (uint64_t)end_ns : 0;
        code = SQLITE_DONE;
    }
    return finish(statement, code, trace, error);
}

bool reel_seal_facts_peek(struct reel_seal_facts *facts, struct reel_trace *trace,
                          struct reel_error *error)
{
    *facts = (struct reel_seal_facts){0};
    return load_threads(facts, trace, error) && load_stacks(facts, trace, error) &&
           load_totals(facts, trace, error);
}

bool reel_seal_facts_load(struct reel_seal_facts *facts, struct reel_trace *trace,
                          struct reel_error *error)
{
    *facts = (struct reel_seal_facts){0};
    /* A recorder that died may have written a thread's chunk and not its row. */
    static const char complete[] =
        "INSERT INTO process(id, pid, start_ns, note)"
        " SELECT process, 0, min(first_ns), 'known by its events only' FROM chunk"
        " WHERE process NOT IN (SELECT id FROM process) GROUP BY process;"
        "INSERT INTO thread(id, process, tid, start_ns)"
        " SELECT thread, process, 0, min(first_ns) FROM chunk"
        " WHERE thread NOT IN (SELECT id FROM thread) GROUP BY thread";
    if (sqlite3_exec(reel_trace_database(trace), complete, NULL, NULL, NULL) != SQLITE_OK)
        return fail(trace, error);
    return reel_seal_facts_peek(facts, trace, error);
}

void reel_seal_facts_clear(struct reel_seal_facts *facts)
{
    free(facts->thread);
    free(facts->stack);
    *facts = (struct reel_seal_facts){0};
}

bool reel_seal_facts_declare(const struct reel_seal_facts *facts, struct reel_trace *trace,
                             struct reel_identity *identity, struct reel_error *error)
{
    for (size_t i = 0; i < facts->thread_count; i++)
        reel_identity_declare_thread(identity, facts->thread[i].process, facts->thread[i].id,
                                     facts->thread[i].handle);
    sqlite3_stmt *statement = query(trace,
                                    "SELECT id, coalesce(parent, 0), pid FROM process"
                                    " WHERE id > 0 AND id < 4294967296 ORDER BY id",
                                    error);
    if (!statement)
        return false;
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW)
        reel_identity_declare_process(identity, (uint32_t)sqlite3_column_int64(statement, 0),
                                      (uint32_t)sqlite3_column_int64(statement, 1),
                                      sqlite3_column_int(statement, 2));
    return finish(statement, code, trace, error);
}

static int compare(const void *key, const void *element)
{
    uint32_t id = *(const uint32_t *)key;
    const struct reel_seal_thread *thread = element;
    return id < thread->id ? -1 : id > thread->id;
}

struct reel_seal_thread *reel_seal_facts_thread(const struct reel_seal_facts *facts, uint32_t id)
{
    /* Usually threads are numbered without holes. */
    if (id - 1 < facts->thread_count && facts->thread[id - 1].id == id)
        return &facts->thread[id - 1];
    return facts->thread_count
               ? bsearch(&id, facts->thread, facts->thread_count, sizeof *facts->thread, compare)
               : NULL;
}

uint32_t reel_seal_facts_stack(const struct reel_seal_facts *facts, uint32_t stack)
{
    return stack < facts->stack_limit && facts->stack[stack / 8] >> stack % 8 & 1 ? stack : 0;
}
