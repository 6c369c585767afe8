#include "tracer/collect/flight.h"

static bool failed(sqlite3 *database, struct reel_error *error)
{
    int code = sqlite3_extended_errcode(database);
    return reel_error_set(error, (code & 0xff) == SQLITE_FULL ? REEL_ERROR_LIMIT : REEL_ERROR_STORE,
                          code, "cannot drop old events from the trace: %s",
                          sqlite3_errmsg(database));
}

bool reel_flight_drop(struct reel_trace *trace, uint64_t before_ns, uint64_t *dropped,
                      struct reel_error *error)
{
    sqlite3 *database = reel_trace_database(trace);
    static const char *const statements[] = {
        "SELECT coalesce(sum(count), 0) FROM chunk WHERE last_ns < ?",
        "DELETE FROM chunk WHERE last_ns < ?",
    };
    *dropped = 0;
    for (int i = 0; i < 2; i++) {
        sqlite3_stmt *statement;
        if (sqlite3_prepare_v2(database, statements[i], -1, &statement, NULL) != SQLITE_OK)
            return failed(database, error);
        sqlite3_bind_int64(statement, 1, (sqlite3_int64)before_ns);
        int code = sqlite3_step(statement);
        if (code == SQLITE_ROW) {
            *dropped = (uint64_t)sqlite3_column_int64(statement, 0);
            code = sqlite3_step(statement);
        }
        sqlite3_finalize(statement);
        if (code != SQLITE_DONE)
            return failed(database, error);
        if (*dropped == 0)
            break;
    }
    return true;
}
