/* Scanning pages tells the rows that SQLite tells, and survives pages that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/store/scratch.h"
#include "tracer/store/page_scan.h"

enum { ROWS = 30000 };

static uint64_t random_state = 88172645463325252ull;

static uint64_t draw(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % below;
}

static void must(sqlite3 *database, const char *sql)
{
    char *message = NULL;
    if (sqlite3_exec(database, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
}

/* A trace with rows of all sizes of numbers, with holes in the ids, out of write-ahead mode. */
static void make_trace(const char *path)
{
    struct reel_trace *trace = reel_trace_create(path, NULL);
    assert_non_null(trace);
    sqlite3 *database = reel_trace_database(trace);
    must(database, "CREATE TABLE thing(id INTEGER PRIMARY KEY, a INTEGER, b TEXT, c INTEGER)");
    must(database, "BEGIN");
    sqlite3_stmt *insert;
    assert_int_equal(
        sqlite3_prepare_v2(database, "INSERT INTO thing VALUES(?, ?, ?, ?)", -1, &insert, NULL),
        SQLITE_OK);
    for (int64_t i = 0, id = -50; i < ROWS; i++, id += 1 + (int64_t)draw(3)) {
        char text[64];
        int bytes = snprintf(text, sizeof text, "%.*s", (int)draw(40),
                             "the quick brown fox jumps over a lazy dog");
        sqlite3_bind_int64(insert, 1, id);
        sqlite3_bind_int64(insert, 2, (int64_t)(random_state >> draw(64)) - (1 << 20));
        if (draw(5))
            sqlite3_bind_text(insert, 3, text, bytes, SQLITE_TRANSIENT);
        else
            sqlite3_bind_null(insert, 3);
        sqlite3_bind_int64(insert, 4, (int64_t)draw(3));
        assert_int_equal(sqlite3_step(insert), SQLITE_DONE);
        sqlite3_reset(insert);
    }
    sqlite3_finalize(insert);
    must(database, "COMMIT");
    must(database, "PRAGMA journal_mode = DELETE");
    assert_true(reel_trace_close(trace, NULL));
}

struct comparison {
    sqlite3_stmt *expected;
    uint64_t rows;
};

static bool compare_row(void *data, const struct reel_scan_row *row)
{
    struct comparison *comparison = data;
    sqlite3_stmt *expected = comparison->expected;
    assert_int_equal(sqlite3_step(expected), SQLITE_ROW);
    comparison->rows++;
    assert_int_equal(row->columns, 4);
    assert_int_equal(row->id, sqlite3_column_int64(expected, 0));
    assert_int_equal(row->value[1].number, sqlite3_column_int64(expected, 1));
    assert_int_equal(row->value[2].is_null, sqlite3_column_type(expected, 2) == SQLITE_NULL);
    if (!row->value[2].is_null) {
        assert_int_equal(row->value[2].number, sqlite3_column_bytes(expected, 2));
        assert_memory_equal(row->value[2].text, sqlite3_column_text(expected, 2),
                            (size_t)row->value[2].number);
    }
    assert_int_equal(row->value[3].number, sqlite3_column_int64(expected, 3));
    assert_true(row->value[4].is_null);
    return true;
}

static void the_rows_are_those_that_sqlite_tells(void **state)
{
    char path[512];
    snprintf(path, sizeof path, "%s/scan.reel", (const char *)*state);
    make_trace(path);
    struct reel_trace *trace = reel_trace_open(path, REEL_TRACE_READ, NULL);
    struct reel_trace *other = reel_trace_open(path, REEL_TRACE_READ, NULL);
    const int64_t ranges[][2] = {{INT64_MIN, INT64_MAX}, {0, 100},           {-10, 1},
                                 {7777, 20001},          {50000, INT64_MAX}, {5, 5}};
    for (unsigned i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        struct comparison comparison = {0};
        sqlite3_prepare_v2(reel_trace_database(other),
                           "SELECT * FROM thing WHERE id >= ? AND id < ? ORDER BY id", -1,
                           &comparison.expected, NULL);
        sqlite3_bind_int64(comparison.expected, 1, ranges[i][0]);
        sqlite3_bind_int64(comparison.expected, 2, ranges[i][1]);
        assert_int_equal(
            reel_page_scan(trace, "thing", ranges[i][0], ranges[i][1], compare_row, &comparison),
            REEL_SCAN_DONE);
        assert_int_equal(sqlite3_step(comparison.expected), SQLITE_DONE);
        sqlite3_finalize(comparison.expected);
    }
    reel_trace_close(trace, NULL);
    reel_trace_close(other, NULL);
}

static bool stop_at_ten(void *data, const struct reel_scan_row *row)
{
    (void)row;
    return ++*(int *)data < 10;
}

static void a_scan_ends_when_it_is_told_to(void **state)
{
    char path[512];
    int rows = 0;
    snprintf(path, sizeof path, "%s/scan.reel", (const char *)*state);
    struct reel_trace *trace = reel_trace_open(path, REEL_TRACE_READ, NULL);
    assert_int_equal(reel_page_scan(trace, "thing", INT64_MIN, INT64_MAX, stop_at_ten, &rows),
                     REEL_SCAN_STOPPED);
    assert_int_equal(rows, 10);
    assert_int_equal(reel_page_scan(trace, "nothing", 0, 1, stop_at_ten, &rows), REEL_SCAN_CANNOT);
    reel_trace_close(trace, NULL);
}

static bool look_at_all(void *data, const struct reel_scan_row *row)
{
    uint64_t *sum = data;
    for (unsigned i = 0; i < row->columns; i++) {
        *sum += (uint64_t)row->value[i].number;
        for (int64_t k = 0; row->value[i].text && k < row->value[i].number; k++)
            *sum += (uint8_t)row->value[i].text[k];
    }
    return true;
}

/* Bytes anywhere behind the schema are changed; sanitizers watch. */
static void pages_that_lie_do_no_harm(void **state)
{
    char path[512], bad[512];
    snprintf(path, sizeof path, "%s/scan.reel", (const char *)*state);
    snprintf(bad, sizeof bad, "%s/bad.reel", (const char *)*state);
    FILE *file = fopen(path, "rb");
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    uint8_t *good = malloc(size), *changed = malloc(size);
    rewind(file);
    assert_int_equal(fread(good, 1, size, file), size);
    fclose(file);
    struct reel_trace *trace = reel_trace_open(path, REEL_TRACE_READ, NULL);
    sqlite3_stmt *statement;
    sqlite3_prepare_v2(reel_trace_database(trace),
                       "SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM "
                       "sqlite_master WHERE name = 'thing'",
                       -1, &statement, NULL);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    size_t root = (size_t)sqlite3_column_int64(statement, 0) - 1;
    size_t page = (size_t)sqlite3_column_int64(statement, 1);
    sqlite3_finalize(statement);
    reel_trace_close(trace, NULL);
    uint64_t sum = 0;
    for (unsigned round = 0; round < 150; round++) {
        memcpy(changed, good, size);
        for (unsigned i = 0; i <= draw(40); i++) {
            /* Often the root page, or the head of another: that is where pointers are. */
            size_t at = draw(2) ? (draw(3) ? root : draw(size / page - root) + root) * page +
                                      draw(draw(2) ? 64 : page)
                                : root * page + draw(size - root * page);
            changed[at] = (uint8_t)draw(256);
        }
        file = fopen(bad, "wb");
        assert_int_equal(fwrite(changed, 1, size, file), size);
        fclose(file);
        trace = reel_trace_open(bad, REEL_TRACE_READ, NULL);
        if (trace)
            reel_page_scan(trace, "thing", INT64_MIN, INT64_MAX, look_at_all, &sum);
        reel_trace_close(trace, NULL);
    }
    assert_true(sum != 0);
    unlink(bad);
    free(good);
    free(changed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rows_are_those_that_sqlite_tells),
        cmocka_unit_test(a_scan_ends_when_it_is_told_to),
        cmocka_unit_test(pages_that_lie_do_no_harm),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
