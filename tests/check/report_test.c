/* Findings made by hand through every renderer, and what sets them aside. The texts are as hostile
 * as a program's names can be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include <glib/gstdio.h>

#include "tracer/export/baseline.h"
#include "tracer/export/finding_report.h"
#include "tracer/export/kind_help.h"
#include "tracer/export/suppression.h"

static const char *thread_name(void *data, uint32_t thread)
{
    (void)data;
    return thread == 1 ? "main" : "work\"er <&> \033[31m";
}

static const char *object_name(void *data, uint32_t object)
{
    (void)data;
    return object == 1 ? "alice.lock" : "bob.lock";
}

static const char *object_class(void *data, uint32_t object)
{
    (void)data, (void)object;
    return "mutex";
}

static int number_of(void *data, uint32_t thread)
{
    (void)data;
    return 100 + (int)thread;
}

/* Stack 1 begins in the C library and ends in the program; stack 2 has no names at all. */
static unsigned stack_of(void *data, uint32_t stack, struct reel_export_frame *frames,
                         unsigned limit)
{
    (void)data;
    assert_true(limit >= 3);
    if (stack == 1) {
        frames[0] = (struct reel_export_frame){"__lll_lock_wait", "../lowlevellock.c",
                                               "/lib/libc.so.6", 49};
        frames[1] =
            (struct reel_export_frame){"pay<x,y>", "/home/me/bank dir/pay.c", "/home/me/bank", 30};
        frames[2] =
            (struct reel_export_frame){"main", "/home/me/bank dir/main.c", "/home/me/bank", 7};
        return 3;
    }
    frames[0] = (struct reel_export_frame){NULL, NULL, "/opt/lib/libthird.so.2", 0};
    return stack == 2 ? 1 : 0;
}

static const struct reel_export_names names = {.thread = thread_name,
                                               .object = object_name,
                                               .object_class = object_class,
                                               .tid = number_of,
                                               .pid = number_of,
                                               .stack = stack_of};

static struct reel_finding *make_finding(void)
{
    struct reel_finding *finding =
        reel_finding_new(REEL_FINDING_DEADLOCK, REEL_CONFIDENCE_OBSERVED, REEL_SEVERITY_ERROR);
    reel_finding_key(finding, "deadlock pay main");
    reel_finding_title(finding, "a | b, 100%% `sure`: <two>\nlines ]]>");
    reel_finding_explain(finding, "main & worker wait\033[0m for each other");
    reel_finding_fix(finding, "take them in one order");
    reel_finding_thread(finding, 1);
    reel_finding_thread(finding, 2);
    reel_finding_object(finding, 1);
    reel_finding_evidence(finding, 20, 1, 1, 2, "holds alice.lock");
    reel_finding_evidence(finding, 30, 1, 2, 1, "waits for bob.lock");
    reel_finding_evidence(finding, 10, 2, 2, 1, "holds bob.lock");
    return finding;
}

struct fixture {
    struct reel_finding_set *set;
    struct reel_report_item item[1];
    struct reel_finding_report report;
    GString *out;
};

static int setup(void **state)
{
    struct fixture *fixture = g_new0(struct fixture, 1);
    fixture->set = reel_finding_set_new();
    reel_finding_set_add(fixture->set, make_finding());
    fixture->item[0].finding = reel_finding_set_at(fixture->set, 0);
    fixture->report = (struct reel_finding_report){
        .version = "1.2.3",
        .command = "./bank <1>",
        .folder = "/home/me",
        .names = &names,
        .item = fixture->item,
        .count = 1,
    };
    fixture->out = g_string_new(NULL);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    reel_finding_set_free(fixture->set);
    g_string_free(fixture->out, TRUE);
    g_free(fixture);
    return 0;
}

#define HAS(text)   assert_non_null(strstr(fixture->out->str, text))
#define LACKS(text) assert_null(strstr(fixture->out->str, text))

static void a_finding_is_shown_at_the_programs_own_line(void **state)
{
    struct fixture *fixture = *state;
    reel_findings_text(fixture->out, &fixture->report, &(struct reel_text_look){.utf8 = true});
    assert_int_equal(strncmp(fixture->out->str, "bank dir/pay.c:30:", 18), 0);
    HAS("error: deadlock (observed): ");
    HAS("1 error, 0 warnings, 0 notes");
}

static void text_passes_no_control_characters_on(void **state)
{
    struct fixture *fixture = *state;
    reel_findings_text(fixture->out, &fixture->report, &(struct reel_text_look){.utf8 = true});
    LACKS("\033");
}

static void colour_is_used_only_when_asked_for(void **state)
{
    struct fixture *fixture = *state;
    reel_findings_text(fixture->out, &fixture->report, &(struct reel_text_look){.color = true});
    HAS("\033[31;1m");
}

static void a_suppressed_finding_is_not_in_the_text_but_counted(void **state)
{
    struct fixture *fixture = *state;
    fixture->item[0].suppressed = true;
    fixture->item[0].reason = "known";
    reel_findings_text(fixture->out, &fixture->report, &(struct reel_text_look){0});
    LACKS("deadlock");
    HAS("1 suppressed");
}

static void junit_escapes_what_xml_cannot_hold(void **state)
{
    struct fixture *fixture = *state;
    reel_findings_junit(fixture->out, &fixture->report);
    HAS("tests=\"1\" failures=\"1\"");
    HAS("&lt;two&gt;");
    HAS("./bank &lt;1&gt;");
    LACKS("\033");
    LACKS("]]>");
}

static void junit_without_findings_is_a_passed_test(void **state)
{
    struct fixture *fixture = *state;
    fixture->report.count = 0;
    reel_findings_junit(fixture->out, &fixture->report);
    HAS("tests=\"1\" failures=\"0\"");
    HAS("no findings");
}

static void an_annotation_is_one_line(void **state)
{
    struct fixture *fixture = *state;
    reel_findings_github(fixture->out, &fixture->report);
    HAS("::error file=bank dir/pay.c,line=30,title=deadlock (observed)::a | b, 100%25 `sure`");
    HAS("%0Alines");
    assert_ptr_equal(strchr(fixture->out->str, '\n'), fixture->out->str + fixture->out->len - 1);
}

static void markdown_keeps_the_table_whole(void **state)
{
    struct fixture *fixture = *state;
    reel_findings_markdown(fixture->out, &fixture->report);
    HAS("| error | deadlock (observed) | `bank dir/pay.c:30` | a \\| b, 100% \\`sure\\`: \\<two\\> "
        "lines");
    HAS("<summary><b>deadlock (observed)</b> a | b, 100% `sure`: &lt;two&gt;");
}

static void sarif_orders_steps_by_time_and_escapes_paths(void **state)
{
    struct fixture *fixture = *state;
    reel_findings_sarif(fixture->out, &fixture->report);
    HAS("\"uri\" : \"bank%20dir/pay.c\"");
    HAS("\"executionOrder\" : 3");
    HAS("%SRCROOT%");
}

static void json_names_the_schema_and_all_parties(void **state)
{
    struct fixture *fixture = *state;
    reel_findings_json(fixture->out, &fixture->report);
    HAS("\"schema\" : \"reel.findings/1\"");
    HAS("\"trace\" : null");
    HAS("\"tid\" : 102");
    HAS("\"function\" : \"pay<x,y>\"");
}

/* Does a suppression of that line match the finding? */
static bool is_suppressed(const struct fixture *fixture, const char *line)
{
    struct reel_suppressions *suppressions = reel_suppressions_new();
    struct reel_error error = {0};
    if (!reel_suppressions_parse(suppressions, line, "file", false, &error))
        fail_msg("%s", error.message);
    bool matches = reel_suppressions_match(suppressions, fixture->item[0].finding, &names) != NULL;
    reel_suppressions_free(suppressions);
    return matches;
}

static void a_suppression_matches_by_all_its_conditions(void **state)
{
    const struct fixture *fixture = *state;
    assert_true(is_suppressed(fixture, "deadlock -- why"));
    assert_true(is_suppressed(fixture, "* -- why"));
    assert_false(is_suppressed(fixture, "race -- why"));
    assert_true(is_suppressed(fixture, "deadlock function=pay* -- why"));
    assert_true(is_suppressed(fixture, "deadlock file=pay.c -- why"));
    assert_true(is_suppressed(fixture, "deadlock 'file=bank dir/pay.c' -- why"));
    assert_false(is_suppressed(fixture, "deadlock file=ay.c -- why"));
    assert_true(is_suppressed(fixture, "deadlock module=libthird.so* -- why"));
    assert_true(is_suppressed(fixture, "deadlock object=alice.lock thread=main -- why"));
    assert_false(is_suppressed(fixture, "deadlock object=carol.lock thread=main -- why"));
}

static void conditions_on_frames_are_about_one_frame(void **state)
{
    const struct fixture *fixture = *state;
    assert_true(is_suppressed(fixture, "deadlock function=main file=main.c -- why"));
    assert_false(is_suppressed(fixture, "deadlock function=main file=pay.c -- why"));
}

static void a_written_suppression_matches_its_finding(void **state)
{
    struct fixture *fixture = *state;
    reel_suppression_write(fixture->out, fixture->item[0].finding);
    assert_true(is_suppressed(fixture, fixture->out->str));
}

static void a_line_that_is_no_suppression_is_refused_with_its_number(void **state)
{
    (void)state;
    static const char *const wrong[] = {"deadlock",
                                        "deadlock --",
                                        "deadlock -- ",
                                        "cat -- why",
                                        "deadlock id -- why",
                                        "deadlock id=a id=b -- why",
                                        "deadlock 'id=a -- why"};
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        struct reel_suppressions *suppressions = reel_suppressions_new();
        struct reel_error error = {0};
        g_autofree char *text = g_strdup_printf("# comment\n\n%s\n", wrong[i]);
        assert_false(reel_suppressions_parse(suppressions, text, "file", false, &error));
        assert_non_null(strstr(error.message, "file:3"));
        reel_suppressions_free(suppressions);
    }
}

static void count_unused(void *data, const char *file, unsigned line, const char *text)
{
    (void)file, (void)text;
    *(unsigned *)data = *(unsigned *)data * 10 + line;
}

static void unused_suppressions_are_told(void **state)
{
    const struct fixture *fixture = *state;
    struct reel_suppressions *suppressions = reel_suppressions_new();
    assert_true(reel_suppressions_parse(suppressions, "race -- a\ndeadlock -- b\nhang -- c\n",
                                        "mine", false, NULL));
    assert_true(reel_suppressions_parse(suppressions, "leak -- a\n", "standard", true, NULL));
    reel_suppressions_match(suppressions, fixture->item[0].finding, &names);
    unsigned lines = 0;
    reel_suppressions_unused(suppressions, count_unused, &lines);
    assert_int_equal(lines, 13);
    reel_suppressions_free(suppressions);
}

static void a_report_is_a_baseline(void **state)
{
    struct fixture *fixture = *state;
    reel_findings_json(fixture->out, &fixture->report);
    g_autofree char *path = NULL;
    int file = g_file_open_tmp("reel-baseline-XXXXXX", &path, NULL);
    assert_true(file >= 0);
    g_close(file, NULL);
    assert_true(g_file_set_contents(path, fixture->out->str, -1, NULL));
    struct reel_baseline *baseline = reel_baseline_read(path, NULL);
    assert_non_null(baseline);
    assert_true(reel_baseline_knows(baseline, fixture->item[0].finding->id));
    assert_false(reel_baseline_knows(baseline, "F-0000000000"));
    reel_baseline_free(baseline);
    assert_true(
        g_file_set_contents(path, "{\"schema\":\"reel.findings/1\",\"findings\":[{}]}", -1, NULL));
    struct reel_error error = {0};
    assert_null(reel_baseline_read(path, &error));
    assert_non_null(strstr(error.message, "has no id"));
    assert_int_equal(g_unlink(path), 0);
}

static void every_kind_is_explained(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < REEL_FINDING_KIND_COUNT; kind++) {
        const struct reel_kind_help *help = reel_kind_help((enum reel_finding_kind)kind);
        assert_non_null(help->name);
        assert_true(strlen(help->meaning) > 80);
        assert_true(strlen(help->fix) > 40);
        assert_non_null(strchr(help->example, '\n'));
        assert_true(*reel_kind_summary((enum reel_finding_kind)kind) != '\0');
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_finding_is_shown_at_the_programs_own_line),
        TEST(text_passes_no_control_characters_on),
        TEST(colour_is_used_only_when_asked_for),
        TEST(a_suppressed_finding_is_not_in_the_text_but_counted),
        TEST(junit_escapes_what_xml_cannot_hold),
        TEST(junit_without_findings_is_a_passed_test),
        TEST(an_annotation_is_one_line),
        TEST(markdown_keeps_the_table_whole),
        TEST(sarif_orders_steps_by_time_and_escapes_paths),
        TEST(json_names_the_schema_and_all_parties),
        TEST(a_suppression_matches_by_all_its_conditions),
        TEST(conditions_on_frames_are_about_one_frame),
        TEST(a_written_suppression_matches_its_finding),
        TEST(a_line_that_is_no_suppression_is_refused_with_its_number),
        TEST(unused_suppressions_are_told),
        TEST(a_report_is_a_baseline),
        TEST(every_kind_is_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
