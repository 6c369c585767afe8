/* What the panel does with files: suppressions, editors, sources. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glib/gstdio.h>

#include "tests/unit/store/scratch.h"
#include "tests/unit/viewer/panel_trace.h"
#include "tracer/export/suppression.h"
#include "viewer/panel/editor.h"
#include "viewer/panel/source_query.h"
#include "viewer/panel/suppression_file.h"

static char *joined(char **words)
{
    char *text = words ? g_strjoinv("|", words) : g_strdup("nothing");
    g_strfreev(words);
    return text;
}

static void expect_command(const char *editor, const char *terminal, const char *expected)
{
    g_autofree char *text = joined(reel_editor_command(editor, terminal, "/s/a b.c", 12));
    assert_string_equal(text, expected);
}

static void editors_get_the_line_in_their_own_way(void **state)
{
    (void)state;
    expect_command("vim", "xterm", "xterm|-e|vim|+12|/s/a b.c");
    expect_command("/usr/bin/nano -w", "xterm", "xterm|-e|/usr/bin/nano|-w|+12|/s/a b.c");
    expect_command("code --wait", NULL, "code|--wait|--goto|/s/a b.c:12");
    expect_command("emacs", NULL, "emacs|+12|/s/a b.c");
    expect_command("emacs -nw", "foot", "foot|-e|emacs|-nw|+12|/s/a b.c");
    expect_command("my-editor", NULL, "my-editor|/s/a b.c");
}

static void without_an_editor_the_desktop_decides(void **state)
{
    (void)state;
    expect_command(NULL, "xterm", "xdg-open|/s/a b.c");
    expect_command("", NULL, "xdg-open|/s/a b.c");
    expect_command("vim", NULL, "xdg-open|/s/a b.c");
    expect_command("vim 'unclosed", "xterm", "nothing");
}

static struct reel_finding *deadlock(void)
{
    struct reel_finding *finding =
        reel_finding_new(REEL_FINDING_DEADLOCK, REEL_CONFIDENCE_OBSERVED, REEL_SEVERITY_ERROR);
    reel_finding_key(finding, "deadlock|a");
    reel_finding_title(finding, "a and b wait\nfor each other");
    g_strlcpy(finding->id, "F-0123456789", sizeof finding->id);
    return finding;
}

static void a_suppression_is_read_again_as_it_was_written(void **state)
{
    const char *path = scratch_path(*state, "reel.supp");
    scratch_write(path, "# mine", 6); /* without an end of line */
    struct reel_finding *finding = deadlock();
    g_autoptr(GString) own = g_string_new(NULL);
    reel_suppression_write(own, finding);
    g_autofree char *line = reel_suppress_line(own->str, "  both are\ntest threads ");
    struct reel_error error = {0};
    assert_true(reel_suppress_append(path, line, &error));
    assert_true(reel_suppress_append(path, line, &error));
    struct reel_suppressions *suppressions = reel_suppressions_new();
    assert_true(reel_suppressions_read(suppressions, path, &error));
    const struct reel_export_names names = {0};
    assert_string_equal(reel_suppressions_match(suppressions, finding, &names),
                        "both are test threads");
    reel_suppressions_free(suppressions);
    reel_finding_free(finding);
}

static void a_blank_reason_leaves_the_one_that_is_there(void **state)
{
    (void)state;
    g_autofree char *line = reel_suppress_line("race id=F-1 -- title\n", "   ");
    assert_string_equal(line, "race id=F-1 -- title\n");
}

static void a_file_that_cannot_be_written_is_told(void **state)
{
    struct reel_error error = {0};
    assert_false(reel_suppress_append(scratch_path(*state, "no/such/folder"), "x\n", &error));
    assert_non_null(strstr(error.message, "no/such/folder"));
}

static void sources_are_found_by_the_end_of_their_path(void **state)
{
    const char *path = scratch_path(*state, "bank.c");
    scratch_write(path, "int a;\nint b;\n", 14);
    const char *const beside[] = {*state, NULL};
    struct reel_source_file *file = reel_source_file_find(path, (const char *const[]){NULL});
    assert_string_equal(file->text, "int a;\nint b;\n");
    reel_source_file_free(file);
    file = reel_source_file_find("/build/elsewhere/src/bank.c", beside);
    assert_string_equal(file->found, path);
    assert_null(file->problem);
    reel_source_file_free(file);
    file = reel_source_file_find("/build/elsewhere/src/nowhere.c", beside);
    assert_null(file->text);
    assert_non_null(strstr(file->problem, "/build/elsewhere/src/nowhere.c"));
    reel_source_file_free(file);
}

static void sources_never_lead_out_of_the_folder(void **state)
{
    g_autofree char *inner = g_build_filename(*state, "inner", NULL);
    assert_int_equal(g_mkdir(inner, 0700), 0);
    scratch_write(scratch_path(*state, "secret"), "x", 1);
    struct reel_source_file *file =
        reel_source_file_find("../secret", (const char *const[]){inner, NULL});
    assert_null(file->found);
    reel_source_file_free(file);
    assert_int_equal(g_rmdir(inner), 0);
}

static void a_source_that_is_no_text_is_shown_as_far_as_it_is(void **state)
{
    const char *path = scratch_path(*state, "odd.c");
    scratch_write(path, "ok\xff\xfe", 4);
    struct reel_source_file *file = reel_source_file_find(path, (const char *const[]){NULL});
    assert_true(g_utf8_validate(file->text, -1, NULL));
    assert_memory_equal(file->text, "ok", 2);
    reel_source_file_free(file);
}

static void a_stack_s_frames_are_those_of_the_trace(void **state)
{
    const char *path = panel_trace(*state, "T1 lock A stack 3; T1 unlock A");
    struct reel_source_request request = {.thread = 1, .time_ns = 5000};
    struct reel_source_frames *frames = panel_ask(path, reel_source_frames_read, &request);
    assert_int_equal(frames->stack, 3);
    assert_true(frames->frame->len > 0);
    reel_source_frames_free(frames);
    request = (struct reel_source_request){.stack = 999};
    frames = panel_ask(path, reel_source_frames_read, &request);
    assert_int_equal(frames->frame->len, 0);
    reel_source_frames_free(frames);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(editors_get_the_line_in_their_own_way),
        cmocka_unit_test(without_an_editor_the_desktop_decides),
        TEST(a_suppression_is_read_again_as_it_was_written),
        cmocka_unit_test(a_blank_reason_leaves_the_one_that_is_there),
        TEST(a_file_that_cannot_be_written_is_told),
        TEST(sources_are_found_by_the_end_of_their_path),
        TEST(sources_never_lead_out_of_the_folder),
        TEST(a_source_that_is_no_text_is_shown_as_far_as_it_is),
        TEST(a_stack_s_frames_are_those_of_the_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
