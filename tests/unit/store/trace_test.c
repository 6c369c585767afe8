/* Making, opening and closing trace files, and every way of being handed a wrong one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/store/scratch.h"
#include "tracer/store/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *trace_text(struct reel_trace *trace, const char *sql)
{
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(reel_trace_database(trace), sql, -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    char *text = sqlite3_mprintf("%s", sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return text;
}

static void expect_text(struct reel_trace *trace, const char *sql, const char *expected)
{
    char *text = trace_text(trace, sql);
    assert_string_equal(text, expected);
    sqlite3_free(text);
}

static void make_trace(const char *path)
{
    struct reel_error error = {0};
    struct reel_trace *trace = reel_trace_create(path, &error);
    assert_non_null(trace);
    assert_true(reel_trace_close(trace, &error));
}

static void expect_open_fails(const char *path, enum reel_error_code code, const char *words)
{
    struct reel_error error = {0};
    struct reel_trace *trace = reel_trace_open(path, REEL_TRACE_READ, &error);
    assert_null(trace);
    assert_int_equal(error.code, code);
    assert_non_null(strstr(error.message, path));
    if (!strstr(error.message, words))
        fail_msg("\"%s\" does not say \"%s\"", error.message, words);
}

static void a_new_trace_names_its_vocabulary(void **state)
{
    const char *path = scratch_path(*state, "new.reel");
    struct reel_error error = {0};
    struct reel_trace *trace = reel_trace_create(path, &error);
    assert_non_null(trace);
    assert_int_equal(reel_trace_state(trace), REEL_TRACE_RECORDING);
    expect_text(trace, "SELECT name FROM operation WHERE id = 23", "acquire");
    expect_text(trace, "SELECT name FROM class WHERE id = 3", "mutex");
    expect_text(trace, "PRAGMA journal_mode", "wal");
    expect_text(trace, "PRAGMA integrity_check", "ok");
    assert_true(reel_trace_close(trace, &error));
}

static void closing_leaves_one_plain_file(void **state)
{
    const char *path = scratch_path(*state, "plain.reel");
    make_trace(path);
    assert_false(scratch_exists(path, "-wal"));
    assert_false(scratch_exists(path, "-shm"));
    struct reel_error error = {0};
    struct reel_trace *trace = reel_trace_open(path, REEL_TRACE_READ, &error);
    assert_non_null(trace);
    assert_int_equal(reel_trace_state(trace), REEL_TRACE_CLOSED);
    expect_text(trace, "PRAGMA journal_mode", "delete");
    assert_true(reel_trace_close(trace, &error));
}

static void rows_of_a_recording_come_back(void **state)
{
    const char *path = scratch_path(*state, "rows.reel");
    struct reel_error error = {0};
    struct reel_trace *trace = reel_trace_create(path, &error);
    assert_true(reel_trace_begin(trace, &error));
    assert_true(reel_trace_put_process(trace,
                                       &(struct reel_process_row){.id = 1,
                                                                  .pid = 77,
                                                                  .parent_pid = 1,
                                                                  .start_ns = 5,
                                                                  .exit_status = -1,
                                                                  .signal = 9,
                                                                  .traced = true,
                                                                  .command = "a b"},
                                       &error));
    assert_true(reel_trace_put_thread(trace,
                                      &(struct reel_thread_row){.id = 1,
                                                                .process = 1,
                                                                .tid = 77,
                                                                .handle = 0xffff800000000000,
                                                                .end_reason = REEL_EXIT_KILLED,
                                                                .lost = 3,
                                                                .cpu_ns = -1},
                                      &error));
    assert_true(reel_trace_put_stack(trace, 1, 0, 1, 0x1000, &error));
    assert_true(reel_trace_put_stack(trace, 2, 1, 1, 0x2000, &error));
    assert_true(reel_trace_put_stack(trace, 3, 2, 1, 0x1000, &error));
    assert_true(reel_trace_put_mapping(
        trace,
        &(struct reel_mapping_row){
            .process = 1, .start = 1, .end = 9, .path = "/bin/x", .inode = 12, .executable = true},
        &error));
    assert_true(reel_trace_commit(trace, &error));
    expect_text(trace,
                "SELECT pid||'|'||command||'|'||signal||'|'||ifnull(exit_status,'null') "
                "FROM process",
                "77|a b|9|null");
    expect_text(trace,
                "SELECT end_reason||'|'||lost||'|'||(cpu_ns IS NULL)||'|'||handle "
                "FROM thread",
                "killed|3|1|-140737488355328");
    expect_text(trace, "SELECT count(*) FROM frame", "2");
    expect_text(trace,
                "SELECT group_concat(address) FROM (SELECT address FROM stack_frame "
                "WHERE stack = 3 ORDER BY depth)",
                "4096,8192,4096");
    expect_text(trace, "SELECT path||'|'||inode||'|'||shared||'|'||executable FROM mapping",
                "/bin/x|12|0|1");
    expect_text(trace, "SELECT count(*) FROM pragma_foreign_key_check", "0");
    assert_true(reel_trace_close(trace, &error));
}

static void a_process_put_twice_is_one_row(void **state)
{
    const char *path = scratch_path(*state, "twice.reel");
    struct reel_error error = {0};
    struct reel_trace *trace = reel_trace_create(path, &error);
    struct reel_process_row row = {.id = 4, .pid = 7};
    assert_true(reel_trace_put_process(trace, &row, &error));
    row.end_ns = 99;
    assert_true(reel_trace_put_process(trace, &row, &error));
    expect_text(trace, "SELECT group_concat(id||':'||end_ns) FROM process", "4:99");
    reel_trace_close(trace, NULL);
}

static void meta_is_text_in_text_out(void **state)
{
    const char *path = scratch_path(*state, "meta.reel");
    struct reel_error error = {0};
    struct reel_trace *trace = reel_trace_create(path, &error);
    assert_true(reel_trace_set_meta(trace, "host", "one", &error));
    assert_true(reel_trace_set_meta(trace, "host", "two", &error));
    char *value = reel_trace_meta(trace, "host");
    assert_string_equal(value, "two");
    sqlite3_free(value);
    assert_null(reel_trace_meta(trace, "absent"));
    reel_trace_close(trace, NULL);
}

static void a_new_trace_replaces_an_old_trace_and_an_empty_file_only(void **state)
{
    const char *path = scratch_path(*state, "replace.reel");
    struct reel_error error = {0};
    make_trace(path);
    make_trace(path);
    scratch_write(path, "", 0);
    make_trace(path);
    scratch_write(path, "precious", 8);
    assert_null(reel_trace_create(path, &error));
    assert_int_equal(error.code, REEL_ERROR_USAGE);
    char content[9] = {0};
    int file = open(path, O_RDONLY);
    assert_int_equal(read(file, content, 8), 8);
    close(file);
    assert_string_equal(content, "precious");
}

static void wrong_files_are_refused_in_their_own_words(void **state)
{
    const char *path = scratch_path(*state, "wrong.reel");
    expect_open_fails(path, REEL_ERROR_SYSTEM, "No such file");
    scratch_write(path, "", 0);
    expect_open_fails(path, REEL_ERROR_NOT_A_TRACE, "empty");
    scratch_write(path, "#!/bin/sh\n", 10);
    expect_open_fails(path, REEL_ERROR_NOT_A_TRACE, "not a Reel trace");
    expect_open_fails(*state, REEL_ERROR_SYSTEM, "directory");
    expect_open_fails("/dev/null", REEL_ERROR_NOT_A_TRACE, "not a regular file");
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_open_fails(path, REEL_ERROR_NOT_A_TRACE, "not a regular file");
}

static void another_database_is_not_a_trace(void **state)
{
    const char *path = scratch_path(*state, "other.reel");
    sqlite3 *database;
    sqlite3_open(path, &database);
    sqlite3_exec(database, "CREATE TABLE a(b)", NULL, NULL, NULL);
    sqlite3_close(database);
    expect_open_fails(path, REEL_ERROR_NOT_A_TRACE, "an SQLite database, but not");
}

static void a_newer_trace_says_so(void **state)
{
    const char *path = scratch_path(*state, "newer.reel");
    make_trace(path);
    scratch_sql(path, "PRAGMA user_version=99");
    expect_open_fails(path, REEL_ERROR_NEWER, "newer Reel (trace version 99");
}

static void a_truncated_trace_says_how_much_is_there(void **state)
{
    const char *path = scratch_path(*state, "short.reel");
    make_trace(path);
    assert_int_equal(truncate(path, 8192), 0);
    expect_open_fails(path, REEL_ERROR_DAMAGED, "truncated: 8192 of");
}

static void a_trace_without_a_table_is_damaged(void **state)
{
    const char *path = scratch_path(*state, "table.reel");
    make_trace(path);
    scratch_sql(path, "DROP TABLE hold");
    expect_open_fails(path, REEL_ERROR_DAMAGED, "no table hold");
}

static void a_scribbled_trace_is_damaged(void **state)
{
    const char *path = scratch_path(*state, "scribbled.reel");
    make_trace(path);
    int file = open(path, O_WRONLY);
    unsigned char noise[3900];
    memset(noise, 0xa5, sizeof noise);
    assert_int_equal(pwrite(file, noise, sizeof noise, 100), sizeof noise);
    close(file);
    expect_open_fails(path, REEL_ERROR_DAMAGED, "damaged");
}

static void a_trace_without_permission_says_so(void **state)
{
    const char *path = scratch_path(*state, "secret.reel");
    make_trace(path);
    chmod(path, 0);
    if (geteuid() == 0)
        assert_int_equal(seteuid(65534), 0);
    expect_open_fails(path, REEL_ERROR_SYSTEM, "Permission denied");
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
}

static void a_read_only_directory_is_enough_to_read(void **state)
{
    const char *path = scratch_path(*state, "frozen.reel");
    make_trace(path);
    /* In WAL mode without a log: what a copy of a trace that was being read looks like. */
    scratch_sql(path, "PRAGMA journal_mode=WAL");
    chmod(path, 0444);
    chmod(*state, 0555);
    if (geteuid() == 0)
        assert_int_equal(seteuid(65534), 0);
    struct reel_error error = {0};
    struct reel_trace *trace = reel_trace_open(path, REEL_TRACE_READ, &error);
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
    chmod(*state, 0755);
    if (!trace)
        fail_msg("%s", error.message);
    assert_int_equal(reel_trace_state(trace), REEL_TRACE_CLOSED);
    reel_trace_close(trace, NULL);
    assert_false(scratch_exists(path, "-wal"));
}

static void a_reader_sees_what_a_live_recorder_has_committed(void **state)
{
    const char *path = scratch_path(*state, "live.reel");
    struct reel_error error = {0};
    struct reel_trace *recorder = reel_trace_create(path, &error);
    struct reel_trace *reader = reel_trace_open(path, REEL_TRACE_READ, &error);
    assert_non_null(reader);
    assert_true(reel_trace_put_process(recorder, &(struct reel_process_row){.id = 1}, &error));
    expect_text(reader, "SELECT count(*) FROM process", "1");
    assert_false(reel_trace_set_meta(reader, "a", "b", &error));
    assert_int_equal(error.code, REEL_ERROR_SYSTEM);
    assert_true(reel_trace_close(recorder, NULL));
    expect_text(reader, "SELECT count(*) FROM process", "1");
    reel_trace_close(reader, NULL);
}

static void what_a_killed_recorder_committed_is_there(void **state)
{
    const char *path = scratch_path(*state, "killed.reel");
    pid_t child = fork();
    if (child == 0) {
        struct reel_trace *trace = reel_trace_create(path, NULL);
        reel_trace_put_process(trace, &(struct reel_process_row){.id = 1, .pid = 5}, NULL);
        reel_trace_begin(trace, NULL);
        reel_trace_put_process(trace, &(struct reel_process_row){.id = 2, .pid = 6}, NULL);
        raise(SIGKILL);
    }
    int status;
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status));
    struct reel_error error = {0};
    struct reel_trace *trace = reel_trace_open(path, REEL_TRACE_READ, &error);
    assert_non_null(trace);
    assert_int_equal(reel_trace_state(trace), REEL_TRACE_RECORDING);
    expect_text(trace, "SELECT group_concat(pid) FROM process", "5");
    reel_trace_close(trace, NULL);
}

static void a_link_finds_the_log_beside_the_file(void **state)
{
    char *path = strdup(scratch_path(*state, "real.reel"));
    const char *link = scratch_path(*state, "link.reel");
    struct reel_error error = {0};
    struct reel_trace *recorder = reel_trace_create(path, &error);
    assert_true(reel_trace_put_process(recorder, &(struct reel_process_row){.id = 1}, &error));
    assert_int_equal(symlink(path, link), 0);
    struct reel_trace *reader = reel_trace_open(link, REEL_TRACE_READ, &error);
    if (!reader)
        fail_msg("%s", error.message);
    expect_text(reader, "SELECT count(*) FROM process", "1");
    reel_trace_close(reader, NULL);
    reel_trace_close(recorder, NULL);
    free(path);
}

static void a_full_disk_is_a_limit(void **state)
{
    const char *path = scratch_path(*state, "full.reel");
    struct reel_error error = {0};
    struct reel_trace *trace = reel_trace_create(path, &error);
    sqlite3_exec(reel_trace_database(trace), "PRAGMA max_page_count=60", NULL, NULL, NULL);
    static const unsigned char bytes[50000];
    struct reel_chunk chunk = {.count = 1, .data = bytes, .bytes = sizeof bytes};
    bool good = true;
    for (int i = 0; good && i < 20; i++)
        good = reel_trace_put_chunk(trace, 1, 1, 0, &chunk, &error);
    assert_false(good);
    assert_int_equal(error.code, REEL_ERROR_LIMIT);
    assert_true(error.hint[0] != '\0');
    reel_trace_close(trace, NULL);
}

int main(void)
{
#define SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        SCRATCH(a_new_trace_names_its_vocabulary),
        SCRATCH(closing_leaves_one_plain_file),
        SCRATCH(rows_of_a_recording_come_back),
        SCRATCH(a_process_put_twice_is_one_row),
        SCRATCH(meta_is_text_in_text_out),
        SCRATCH(a_new_trace_replaces_an_old_trace_and_an_empty_file_only),
        SCRATCH(wrong_files_are_refused_in_their_own_words),
        SCRATCH(another_database_is_not_a_trace),
        SCRATCH(a_newer_trace_says_so),
        SCRATCH(a_truncated_trace_says_how_much_is_there),
        SCRATCH(a_trace_without_a_table_is_damaged),
        SCRATCH(a_scribbled_trace_is_damaged),
        SCRATCH(a_trace_without_permission_says_so),
        SCRATCH(a_read_only_directory_is_enough_to_read),
        SCRATCH(a_reader_sees_what_a_live_recorder_has_committed),
        SCRATCH(what_a_killed_recorder_committed_is_there),
        SCRATCH(a_link_finds_the_log_beside_the_file),
        SCRATCH(a_full_disk_is_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
