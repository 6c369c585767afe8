/* Sealing: both writers write the same rows, and no interruption costs a recording. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/store/random.h"
#include "tests/unit/store/recording.h"
#include "tests/unit/store/scratch.h"
#include "tracer/store/merge.h"
#include "tracer/store/rows.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char *copy_path(const char *directory, const char *name)
{
    return strdup(scratch_path(directory, name));
}

static struct reel_trace *open_to_write(const char *path)
{
    struct reel_error error = {0};
    struct reel_trace *trace = reel_trace_open(path, REEL_TRACE_WRITE, &error);
    if (!trace)
        fail_msg("%s", error.message);
    return trace;
}

static int64_t number(struct reel_trace *trace, const char *sql)
{
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(reel_trace_database(trace), sql, -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

static void expect_integrity(struct reel_trace *trace)
{
    sqlite3_stmt *statement;
    sqlite3_prepare_v2(reel_trace_database(trace), "PRAGMA integrity_check", -1, &statement, NULL);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_string_equal(sqlite3_column_text(statement, 0), "ok");
    sqlite3_finalize(statement);
}

static void run_sql(struct reel_trace *trace, const char *sql)
{
    char *message = NULL;
    if (sqlite3_exec(reel_trace_database(trace), sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
}

/* `count` rows of each kind, all values from `seed`: every size of integer, NULLs and texts. */
static bool put_random_rows(struct reel_rows *rows, unsigned count, uint64_t seed,
                            struct reel_error *error)
{
    static const char long_state[] =
        "a state with a name so long that its length takes two bytes in "
        "the header of a record";
    static const char *const states[] = {"running", "waiting", "runnable", "blocked", long_state};
    uint64_t time = 0;
    bool good = true;
    for (unsigned i = 0; good && i < count; i++) {
        time += 1 + (random_next(&seed) >> (34 + random_below(&seed, 29)));
        struct reel_event_row event = {
            .time_ns = time,
            .thread = random_below(&seed, 300),
            .operation = random_below(&seed, 80),
            .class = random_below(&seed, 30),
            .object = (uint32_t)(random_next(&seed) >> (32 + random_below(&seed, 32))),
            .argument = (int64_t)random_next(&seed) >> random_below(&seed, 64),
            .stack = (uint32_t)(random_next(&seed) >> (32 + random_below(&seed, 32))),
            .flags = random_below(&seed, 256)};
        struct reel_interval_row interval = {.thread = event.thread,
                                             .start_ns = time,
                                             .end_ns = time + random_below(&seed, 100000),
                                             .state = states[random_below(&seed, 5)],
                                             .object = event.object,
                                             .owner = random_below(&seed, 3),
                                             .ended_event = random_below(&seed, 2) ? time : 0,
                                             .call = random_below(&seed, 2) ? "cond_wait" : NULL};
        struct reel_hold_row hold = {.object = event.object,
                                     .thread = event.thread,
                                     .start_ns = time,
                                     .end_ns = time + 5,
                                     .shared = random_below(&seed, 2),
                                     .waited_ns = random_below(&seed, 1000),
                                     .stack = event.stack,
                                     .released = random_below(&seed, 2)};
        good = reel_rows_put_event(rows, &event, error) &&
               reel_rows_put_interval(rows, &interval, error) &&
               reel_rows_put_hold(rows, &hold, error);
        if (good && i % 100 == 0)
            good = reel_rows_put_extra(rows, time, 0, (int64_t)i, i % 200 ? NULL : "text", error);
    }
    return good;
}

static void seal_random(const char *path, enum reel_rows_writer writer, unsigned count)
{
    struct reel_error error = {0};
    struct reel_trace *trace = open_to_write(path);
    struct reel_rows *rows = reel_rows_new(trace, writer, &error);
    if (!rows)
        fail_msg("%s", error.message);
    if (!put_random_rows(rows, count, 42, &error))
        fail_msg("%s", error.message);
    assert_true(reel_rows_put_object(
        rows, &(struct reel_object_row){.id = 1, .class = 3, .capacity = -1, .name = "a"}, &error));
    assert_true(reel_rows_put_gap(
        rows, &(struct reel_gap_row){.thread = 1, .lost = -1, .reason = "full"}, &error));
    if (!reel_rows_finish(rows, false, &error))
        fail_msg("%s", error.message);
    assert_int_equal(reel_trace_state(trace), REEL_TRACE_SEALED);
    assert_true(reel_trace_close(trace, &error));
}

static void expect_same_rows(const char *path, const char *other, const char *sql)
{
    struct reel_trace *traces[2] = {reel_trace_open(path, REEL_TRACE_READ, NULL),
                                    reel_trace_open(other, REEL_TRACE_READ, NULL)};
    sqlite3_stmt *statements[2];
    for (unsigned i = 0; i < 2; i++) {
        assert_non_null(traces[i]);
        expect_integrity(traces[i]);
        sqlite3_prepare_v2(reel_trace_database(traces[i]), sql, -1, &statements[i], NULL);
    }
    for (;;) {
        int code = sqlite3_step(statements[0]);
        assert_int_equal(sqlite3_step(statements[1]), code);
        if (code != SQLITE_ROW)
            break;
        for (int column = 0; column < sqlite3_column_count(statements[0]); column++) {
            assert_int_equal(sqlite3_column_type(statements[0], column),
                             sqlite3_column_type(statements[1], column));
            const unsigned char *text = sqlite3_column_text(statements[0], column);
            if (text)
                assert_string_equal(text, sqlite3_column_text(statements[1], column));
        }
    }
    for (unsigned i = 0; i < 2; i++) {
        sqlite3_finalize(statements[i]);
        reel_trace_close(traces[i], NULL);
    }
}

static void make_empty(const char *path)
{
    static struct recording recording;
    recording_begin(&recording, path, 100);
    recording_end(&recording);
}

/* Makes two traces with pages of `page_bytes` and seals them with either writer. */
static void expect_writers_agree(const char *directory, unsigned count, unsigned page_bytes)
{
    char *api = copy_path(directory, "api.reel"), *pages = copy_path(directory, "pages.reel");
    char sql[80];
    snprintf(sql, sizeof sql, "PRAGMA page_size=%u; VACUUM", page_bytes);
    make_empty(api);
    make_empty(pages);
    scratch_sql(api, sql);
    scratch_sql(pages, sql);
    seal_random(api, REEL_ROWS_API, count);
    seal_random(pages, REEL_ROWS_PAGES, count);
    static const char *const tables[] = {"event",       "interval", "hold",
                                         "event_extra", "object",   "gap"};
    for (unsigned i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        snprintf(sql, sizeof sql, "SELECT * FROM %s", tables[i]);
        expect_same_rows(api, pages, sql);
    }
    struct reel_trace *trace = reel_trace_open(pages, REEL_TRACE_READ, NULL);
    assert_int_equal(number(trace, "SELECT count(*) FROM event"), count);
    assert_int_equal(number(trace, "SELECT count(*) FROM hold"), count);
    reel_trace_close(trace, NULL);
    free(api);
    free(pages);
}

static void both_writers_write_the_same_rows(void **state)
{
    static const unsigned counts[] = {0, 1, 2, 31, 32, 33, 150, 400, 5000, 60000};
    for (unsigned i = 0; i < sizeof counts / sizeof counts[0]; i++)
        expect_writers_agree(*state, counts[i], 4096);
}

static void trees_of_every_height_are_whole(void **state)
{
    /* Small pages make tall trees: four levels. */
    expect_writers_agree(*state, 40, 512);
    expect_writers_agree(*state, 700, 512);
    expect_writers_agree(*state, 30000, 512);
    expect_writers_agree(*state, 2000, 65536);
}

static void the_lock_page_is_left_out(void **state)
{
    sqlite3_test_control(SQLITE_TESTCTRL_PENDING_BYTE, 0x80000u);
    expect_writers_agree(*state, 20000, 4096);
    expect_writers_agree(*state, 20000, 512);
    for (unsigned count = 4000; count < 4400; count += 7) /* also as the last page, or near it */
        expect_writers_agree(*state, count, 1024);
    sqlite3_test_control(SQLITE_TESTCTRL_PENDING_BYTE, 0x40000000u);
}

static void a_table_of_written_pages_is_an_ordinary_table(void **state)
{
    char *path = copy_path(*state, "ordinary.reel");
    make_empty(path);
    seal_random(path, REEL_ROWS_PAGES, 20000);
    struct reel_trace *trace = open_to_write(path);
    run_sql(trace, "INSERT INTO event SELECT max(time_ns) + 1, 1, 1, 1, NULL, NULL, NULL, 0"
                   " FROM event");
    run_sql(trace, "DELETE FROM event WHERE thread % 3 = 0");
    run_sql(trace, "UPDATE hold SET mode = 'exclusive, and more than before' WHERE id % 2");
    run_sql(trace, "CREATE INDEX event_object ON event(object, time_ns)");
    run_sql(trace, "CREATE INDEX interval_thread ON interval(thread, start_ns)");
    expect_integrity(trace);
    assert_true(number(trace, "SELECT count(*) FROM event WHERE thread % 3") > 13000);
    run_sql(trace, "DELETE FROM interval; VACUUM");
    expect_integrity(trace);
    reel_trace_close(trace, NULL);
    free(path);
}

/* --- interruptions ------------------------------------------------------------------------ */

enum { recorded_events = 20000 };

static void make_recording(const char *path)
{
    static struct recording recording;
    recording_begin(&recording, path, 1000);
    for (uint32_t i = 0; i < recorded_events; i++)
        recording_add(&recording, &(struct reel_event){.thread = 1 + i % 4,
                                                       .process = 1,
                                                       .time_ns = 10 + 20 * i,
                                                       .object = 7,
                                                       .sequence = i + 1,
                                                       .argument = i,
                                                       .operation = REEL_OP_ACQUIRE,
                                                       .class = REEL_CLASS_MUTEX});
    recording_end(&recording);
}

/* What a command does to seal, in short. */
static bool seal(struct reel_trace *trace, enum reel_rows_writer writer, bool keep_chunks,
                 struct reel_error *error)
{
    struct reel_rows *rows = reel_rows_new(trace, writer, error);
    if (!rows)
        return false;
    struct reel_merge *merge = reel_merge_new(trace, error);
    bool good = merge != NULL;
    for (const struct reel_event *event; good && (event = reel_merge_next(merge, error));)
        good = reel_rows_put_event(rows,
                                   &(struct reel_event_row){.time_ns = event->time_ns,
                                                            .thread = event->thread,
                                                            .operation = event->operation,
                                                            .class = event->class,
                                                            .argument = event->argument},
                                   error) &&
               reel_rows_put_hold(rows,
                                  &(struct reel_hold_row){.object = 1,
                                                          .thread = event->thread,
                                                          .start_ns = event->time_ns,
                                                          .end_ns = event->time_ns + 1},
                                  error);
    reel_merge_free(merge);
    if (good)
        return reel_rows_finish(rows, keep_chunks, error);
    reel_rows_abandon(rows);
    return false;
}

static void expect_sealed(const char *path)
{
    struct reel_error error = {0};
    struct reel_trace *trace = reel_trace_open(path, REEL_TRACE_READ, &error);
    if (!trace)
        fail_msg("%s", error.message);
    expect_integrity(trace);
    assert_int_equal(reel_trace_state(trace), REEL_TRACE_SEALED);
    assert_int_equal(number(trace, "SELECT count(*) FROM event"), recorded_events);
    assert_int_equal(number(trace, "SELECT sum(argument) FROM event"),
                     (int64_t)recorded_events * (recorded_events - 1) / 2);
    assert_int_equal(number(trace, "SELECT count(*) FROM hold"), recorded_events);
    reel_trace_close(trace, NULL);
    assert_false(scratch_exists(path, "-wal"));
    assert_false(scratch_exists(path, "-journal"));
}

/* Unsealed: every chunk is whole. Either way, sealing again gives all rows. */
static void expect_recoverable(const char *path)
{
    struct reel_error error = {0};
    struct reel_trace *trace = reel_trace_open(path, REEL_TRACE_READ, &error);
    if (!trace)
        fail_msg("%s", error.message);
    expect_integrity(trace);
    bool is_sealed = reel_trace_state(trace) == REEL_TRACE_SEALED;
    if (!is_sealed)
        assert_int_equal(number(trace, "SELECT sum(count) FROM chunk"), recorded_events);
    reel_trace_close(trace, NULL);
    if (!is_sealed) {
        trace = open_to_write(path);
        if (!seal(trace, REEL_ROWS_PAGES, false, &error))
            fail_msg("%s", error.message);
        reel_trace_close(trace, NULL);
    }
    expect_sealed(path);
}

static void copy_file(const char *from, const char *to)
{
    char buffer[65536];
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    for (ssize_t got; (got = read(in, buffer, sizeof buffer)) > 0;)
        assert_int_equal(write(out, buffer, (size_t)got), got);
    close(in);
    close(out);
}

static void kill_at_random_moments(const char *directory, enum reel_rows_writer writer)
{
    char *original = copy_path(directory, "original.reel"),
         *path = copy_path(directory, "cut.reel");
    const char *wanted = getenv("REEL_TEST_KILLS");
    unsigned kills = wanted ? (unsigned)atoi(wanted) : 40;
    uint64_t seed = (uint64_t)getpid() * 0x9e3779b97f4a7c15u + 1;
    make_recording(original);
    struct timespec begin, end;
    long whole = 0; /* microseconds a sealing takes: the first is not killed */
    for (unsigned i = 0; i <= kills; i++) {
        copy_file(original, path);
        clock_gettime(CLOCK_MONOTONIC, &begin);
        pid_t child = fork();
        if (child == 0) {
            struct reel_trace *trace = reel_trace_open(path, REEL_TRACE_WRITE, NULL);
            _exit(trace && seal(trace, writer, false, NULL) && reel_trace_close(trace, NULL) ? 0
                                                                                             : 1);
        }
        if (i > 0) {
            usleep(random_below(&seed, (uint64_t)whole + 1));
            kill(child, SIGKILL);
        }
        int status;
        waitpid(child, &status, 0);
        assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
        clock_gettime(CLOCK_MONOTONIC, &end);
        if (i == 0)
            whole = (end.tv_sec - begin.tv_sec) * 1000000 + (end.tv_nsec - begin.tv_nsec) / 1000;
        expect_recoverable(path);
        char name[600];
        snprintf(name, sizeof name, "%s-journal", path);
        unlink(name);
    }
    free(original);
    free(path);
}

static void killing_the_page_writer_loses_nothing(void **state)
{
    kill_at_random_moments(*state, REEL_ROWS_PAGES);
}

static void killing_the_statement_writer_loses_nothing(void **state)
{
    kill_at_random_moments(*state, REEL_ROWS_API);
}

static void running_out_of_room_loses_nothing(void **state)
{
    char *original = copy_path(*state, "original.reel"), *path = copy_path(*state, "cut.reel");
    make_recording(original);
    int64_t bytes = 0;
    for (rlim_t limit = 8192; limit < 2000000; limit += 60000) {
        copy_file(original, path);
        pid_t child = fork();
        if (child == 0) {
            signal(SIGXFSZ, SIG_IGN);
            struct reel_error error = {0};
            struct reel_trace *trace = reel_trace_open(path, REEL_TRACE_WRITE, NULL);
            setrlimit(RLIMIT_FSIZE, &(struct rlimit){limit, limit});
            bool good = seal(trace, limit % 120000 == 8192 ? REEL_ROWS_PAGES : REEL_ROWS_API, false,
                             &error);
            _exit(good ? 0 : error.message[0] ? 1 : 2);
        }
        int status;
        waitpid(child, &status, 0);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
        bytes += WEXITSTATUS(status);
        expect_recoverable(path);
    }
    assert_true(bytes > 2); /* the limit was met */
    free(original);
    free(path);
}

static void sealing_while_someone_reads_leaves_the_reader_alone(void **state)
{
    enum { many = 300000 }; /* more than one transaction in WAL mode */
    char *path = copy_path(*state, "read.reel");
    static struct recording recording;
    struct reel_error error = {0};
    recording_begin(&recording, path, REEL_CHUNK_EVENTS);
    for (uint32_t i = 0; i < many; i++)
        recording_add(&recording,
                      &(struct reel_event){
                          .thread = 1, .process = 1, .time_ns = i, .operation = REEL_OP_MARK});
    recording_flush(&recording);
    struct reel_trace *reader = reel_trace_open(path, REEL_TRACE_READ, &error);
    assert_int_equal(number(reader, "SELECT count(*) FROM chunk"),
                     (many + REEL_CHUNK_EVENTS - 1) / REEL_CHUNK_EVENTS);
    assert_true(reel_trace_close(recording.trace, &error));
    struct reel_trace *trace = open_to_write(path);
    assert_true(seal(trace, REEL_ROWS_PAGES, false, &error));
    assert_int_equal(number(reader, "SELECT count(*) FROM event"), many);
    assert_int_equal(reel_trace_state(reader), REEL_TRACE_SEALED);
    assert_true(reel_trace_close(reader, &error));
    assert_true(reel_trace_close(trace, &error));
    assert_false(scratch_exists(path, "-wal"));
    free(path);
}

static void an_indexed_table_goes_through_statements(void **state)
{
    char *path = copy_path(*state, "indexed.reel");
    make_recording(path);
    scratch_sql(path, "CREATE INDEX mine ON event(thread)");
    struct reel_trace *trace = open_to_write(path);
    struct reel_error error = {0};
    assert_true(seal(trace, REEL_ROWS_PAGES, false, &error));
    assert_int_equal(number(trace, "SELECT count(*) FROM event INDEXED BY mine WHERE thread = 2"),
                     recorded_events / 4);
    reel_trace_close(trace, NULL);
    expect_sealed(path);
    free(path);
}

static void kept_chunks_can_be_sealed_again(void **state)
{
    char *path = copy_path(*state, "again.reel");
    make_recording(path);
    struct reel_error error = {0};
    for (unsigned i = 0; i < 4; i++) {
        struct reel_trace *trace = open_to_write(path);
        assert_true(seal(trace, i % 2 ? REEL_ROWS_API : REEL_ROWS_PAGES, true, &error));
        reel_trace_close(trace, NULL);
        expect_sealed(path);
    }
    free(path);
}

static void a_sealed_trace_without_chunks_is_not_emptied(void **state)
{
    char *path = copy_path(*state, "done.reel");
    make_recording(path);
    struct reel_error error = {0};
    struct reel_trace *trace = open_to_write(path);
    assert_true(seal(trace, REEL_ROWS_PAGES, false, &error));
    assert_false(seal(trace, REEL_ROWS_PAGES, false, &error));
    assert_int_equal(error.code, REEL_ERROR_USAGE);
    reel_trace_close(trace, NULL);
    expect_sealed(path);
    free(path);
}

static void giving_up_leaves_the_trace_as_it_was(void **state)
{
    char *path = copy_path(*state, "abandoned.reel");
    make_recording(path);
    for (unsigned writer = REEL_ROWS_API; writer <= REEL_ROWS_PAGES; writer++) {
        struct reel_error error = {0};
        struct reel_trace *trace = open_to_write(path);
        struct reel_rows *rows = reel_rows_new(trace, writer, &error);
        assert_true(put_random_rows(rows, 5000, 1, &error));
        reel_rows_abandon(rows);
        assert_int_equal(reel_trace_state(trace), REEL_TRACE_CLOSED);
        assert_int_equal(number(trace, "SELECT count(*) FROM event"), 0);
        reel_trace_close(trace, NULL);
    }
    expect_recoverable(path);
    free(path);
}

static void events_must_come_in_order(void **state)
{
    char *path = copy_path(*state, "order.reel");
    make_empty(path);
    struct reel_trace *trace = open_to_write(path);
    struct reel_error error = {0};
    struct reel_rows *rows = reel_rows_new(trace, REEL_ROWS_PAGES, &error);
    assert_true(reel_rows_put_event(rows, &(struct reel_event_row){.time_ns = 0}, &error));
    assert_true(reel_rows_put_event(rows, &(struct reel_event_row){.time_ns = 5}, &error));
    assert_false(reel_rows_put_event(rows, &(struct reel_event_row){.time_ns = 5}, &error));
    assert_int_equal(error.code, REEL_ERROR_DAMAGED);
    reel_rows_abandon(rows);
    reel_trace_close(trace, NULL);
    free(path);
}

static void a_small_trace_gives_the_room_of_its_chunks_back(void **state)
{
    char *path = copy_path(*state, "room.reel");
    make_recording(path);
    struct reel_error error = {0};
    struct reel_trace *trace = open_to_write(path);
    run_sql(trace, "INSERT INTO meta VALUES ('ballast', 1); UPDATE chunk SET data = data ||"
                   " zeroblob(200000)");
    struct reel_rows *rows = reel_rows_new(trace, REEL_ROWS_PAGES, &error);
    assert_true(reel_rows_finish(rows, false, &error));
    assert_int_equal(number(trace, "PRAGMA freelist_count"), 0);
    assert_true(number(trace, "PRAGMA page_count") < 100);
    reel_trace_close(trace, NULL);
    free(path);
}

int main(void)
{
#define SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        SCRATCH(both_writers_write_the_same_rows),
        SCRATCH(trees_of_every_height_are_whole),
        SCRATCH(the_lock_page_is_left_out),
        SCRATCH(a_table_of_written_pages_is_an_ordinary_table),
        SCRATCH(killing_the_page_writer_loses_nothing),
        SCRATCH(killing_the_statement_writer_loses_nothing),
        SCRATCH(running_out_of_room_loses_nothing),
        SCRATCH(sealing_while_someone_reads_leaves_the_reader_alone),
        SCRATCH(an_indexed_table_goes_through_statements),
        SCRATCH(kept_chunks_can_be_sealed_again),
        SCRATCH(a_sealed_trace_without_chunks_is_not_emptied),
        SCRATCH(giving_up_leaves_the_trace_as_it_was),
        SCRATCH(events_must_come_in_order),
        SCRATCH(a_small_trace_gives_the_room_of_its_chunks_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
