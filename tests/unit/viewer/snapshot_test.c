/* What the viewer finds in a trace nobody has checked: what `reel check` would tell of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <gio/gio.h>

#include "tests/unit/model/sealed.h"
#include "tests/unit/store/scratch.h"
#include "viewer/snapshot.h"

/* Many threads that nobody joined, made in that function. */
static const char *leaking_trace(const char *directory, const char *function)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (int i = 2; i < 80; i++)
        g_string_append_printf(text, "T1 create T%d stack 1; T%d start; T%d exit;", i, i, i);
    struct reel_trace *trace = record_text(directory, "leak.reel", text->str);
    seal(trace);
    g_autofree char *sql = g_strdup_printf(
        "INSERT OR REPLACE INTO frame(id, process, address, module, function) VALUES "
        "(1, 1, 4096, '/usr/bin/app', '%s');"
        "INSERT OR REPLACE INTO stack(id, frame) VALUES (1, 1)",
        function);
    assert_int_equal(sqlite3_exec(reel_trace_database(trace), sql, NULL, NULL, NULL), SQLITE_OK);
    reel_trace_close(trace, NULL);
    return scratch_path(directory, "leak.reel");
}

static unsigned leaks_after_check(const char *path)
{
    g_autoptr(GError) error = NULL;
    assert_true(reel_snapshot_wants_check(path, 1000));
    if (!reel_snapshot_check(path, &error))
        fail_msg("%s", error->message);
    assert_false(reel_snapshot_wants_check(path, 1000));
    struct reel_trace *trace = reel_trace_open(path, REEL_TRACE_READ, NULL);
    unsigned count = (unsigned)g_ascii_strtoull(
        rows_of(trace, "SELECT count(*) FROM finding WHERE kind = 'leak'"), NULL, 10);
    reel_trace_close(trace, NULL);
    return count;
}

static void test_a_fault_of_the_program_s_own_is_found(void **state)
{
    assert_int_equal(leaks_after_check(leaking_trace(*state, "start_worker")), 1);
}

static void test_what_comes_with_a_well_known_library_is_not(void **state)
{
    assert_int_equal(leaks_after_check(leaking_trace(*state, "g_thread_pool_push")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_fault_of_the_program_s_own_is_found, scratch_setup,
                                        scratch_teardown),
        cmocka_unit_test_setup_teardown(test_what_comes_with_a_well_known_library_is_not,
                                        scratch_setup, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
