/* What `reel record` promises besides the events: statuses, signals, streams, options, and what it
 * says of processes that it could not record.
 *
 *   record_test REEL TARGET STATIC */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/kit/recording.h"

static const char *reel, *target, *static_target;

/* Records a shell command; the recording is removed by the caller. */
static int record(struct recording *recording, const char *option, const char *value,
                  const char *command)
{
    char *options[] = {"--no-seal", (char *)option, (char *)value, NULL};
    if (!option)
        options[1] = NULL;
    char *words[] = {"/bin/sh", "-c", (char *)command, NULL};
    recording_start(recording, reel, NULL, options, words);
    return recording_wait(recording);
}

static int record_program(struct recording *recording, char *const words[])
{
    char *options[] = {"--no-seal", NULL};
    recording_start(recording, reel, NULL, options, words);
    return recording_wait(recording);
}

static void assert_says(const char *path, const char *words)
{
    g_autofree char *text = recording_text(path);
    if (!strstr(text, words))
        fail_msg("'%s' is not in: %s", words, text);
}

static void the_status_is_the_programs(void **state)
{
    (void)state;
    struct recording recording = {0};
    assert_int_equal(record(&recording, NULL, NULL, "exit 0"), 0);
    assert_int_equal(record(&recording, NULL, NULL, "exit 42"), 42);
    assert_int_equal(record(&recording, NULL, NULL, "kill -TERM $$"), 128 + SIGTERM);
    assert_int_equal(record(&recording, NULL, NULL, "kill -KILL $$"), 128 + SIGKILL);
    recording_remove(&recording);
}

static void a_program_that_cannot_start_leaves_no_trace(void **state)
{
    (void)state;
    struct recording recording = {0};
    assert_int_equal(record_program(&recording, (char *[]){"/no/such/program", NULL}), 127);
    assert_says(recording.errors, "/no/such/program");
    assert_int_equal(access(recording.trace, F_OK), -1);
    assert_int_equal(record_program(&recording, (char *[]){"no-such-program", NULL}), 127);
    assert_int_equal(record_program(&recording, (char *[]){"/etc/passwd", NULL}), 126);
    assert_int_equal(record_program(&recording, (char *[]){"/", NULL}), 126);
    recording_remove(&recording);
}

static void a_trace_that_cannot_be_made_is_an_error_of_reel(void **state)
{
    (void)state;
    struct recording recording = {0};
    strcpy(recording.folder, "/tmp/reel-test-XXXXXX");
    assert_non_null(mkdtemp(recording.folder));
    char *words[] = {"/bin/true", NULL}, *options[] = {"--no-seal", NULL};
    recording_start(&recording, reel, "/no/such/folder", options, words);
    assert_int_equal(recording_wait(&recording), 125);
    assert_says(recording.errors, "/no/such/folder");
    recording_remove(&recording);
}

static void unknown_words_are_an_error_of_reel(void **state)
{
    (void)state;
    struct recording recording = {0};
    assert_int_equal(record(&recording, "--only", "mutex,nonsense", "exit 0"), 125);
    assert_says(recording.errors, "nonsense");
    assert_int_equal(record(&recording, "--limit", "many", "exit 0"), 125);
    assert_says(recording.errors, "many");
    assert_int_equal(record(&recording, "--stacks", "deep", "exit 0"), 125);
    recording_remove(&recording);
}

static void streams_pass_through(void **state)
{
    (void)state;
    g_autofree char *folder = g_dir_make_tmp("reel-test-XXXXXX", NULL);
    g_autofree char *command =
        g_strdup_printf("printf 'one\\ntwo\\n' | %s record --quiet --no-seal -o %s/t.reel -- "
                        "sh -c 'cat; echo error >&2' 2>%s/errors | wc -l >%s/count",
                        reel, folder, folder, folder);
    assert_int_equal(system(command), 0);
    g_autofree char *errors = g_strdup_printf("%s/errors", folder);
    g_autofree char *count = g_strdup_printf("%s/count", folder);
    g_autofree char *error_text = recording_text(errors), *count_text = recording_text(count);
    assert_string_equal(error_text, "error\n");
    assert_int_equal(atoi(count_text), 2);
    g_autofree char *away = g_strdup_printf("rm -r %s", folder);
    assert_int_equal(system(away), 0);
}

static void closed_streams_stay_closed(void **state)
{
    (void)state;
    g_autofree char *folder = g_dir_make_tmp("reel-test-XXXXXX", NULL);
    g_autofree char *recorder =
        g_strdup_printf("%s record --no-seal -o %s/t.reel --", reel, folder);
    char *text[2];
    for (int i = 0; i < 2; i++) {
        g_autofree char *command = g_strdup_printf(
            "%s sh -c 'ls /proc/self/fd >%s/list%d' 0<&- 1>&- 2>&-", i ? recorder : "", folder, i);
        assert_int_equal(system(command), 0);
        g_autofree char *list = g_strdup_printf("%s/list%d", folder, i);
        text[i] = recording_text(list);
    }
    assert_string_equal(text[1], text[0]);
    assert_true(text[0][0] != '\0');
    g_free(text[0]);
    g_free(text[1]);
    g_autofree char *away = g_strdup_printf("rm -r %s", folder);
    assert_int_equal(system(away), 0);
}

static void children_have_names_and_statuses(void **state)
{
    (void)state;
    struct recording recording = {0};
    assert_int_equal(record(&recording, NULL, NULL,
                            "sh -c 'exit 3'; sh -c 'kill -9 $$'; /bin/sleep 0; (exit 4); exit 0"),
                     0);
    assert_int_equal(
        recording_ask(&recording, "SELECT count(*) FROM process WHERE exit_status = 3"), 1);
    assert_int_equal(recording_ask(&recording, "SELECT count(*) FROM process WHERE signal = 9"), 1);
    assert_int_equal(
        recording_ask(&recording, "SELECT count(*) FROM process WHERE exit_status = 4"), 1);
    assert_int_equal(recording_ask(&recording, "SELECT count(*) FROM process WHERE command LIKE "
                                               "'/bin/sleep 0' AND exit_status = 0 AND traced"),
                     1);
    assert_int_equal(recording_ask(&recording, "SELECT count(*) FROM process WHERE traced = 0"), 0);
    recording_remove(&recording);
}

static void a_static_child_has_a_row_with_a_note(void **state)
{
    (void)state;
    struct recording recording = {0};
    g_autofree char *command = g_strdup_printf("%s count; exit 9", static_target);
    assert_int_equal(record(&recording, NULL, NULL, command), 9);
    assert_int_equal(recording_ask(&recording,
                                   "SELECT count(*) FROM process WHERE traced = 0 AND "
                                   "note LIKE '%statically linked%' AND exit_status = 5"),
                     1);
    assert_int_equal(recording_ask(&recording, "SELECT exit_status FROM process WHERE id = 1"), 9);
    recording_remove(&recording);
}

static void a_static_program_runs_and_is_told(void **state)
{
    (void)state;
    struct recording recording = {0};
    char *words[] = {(char *)static_target, "count", NULL};
    assert_int_equal(record_program(&recording, words), 5);
    assert_says(recording.output, "sum 20000");
    assert_says(recording.errors, "statically linked");
    assert_int_equal(recording_ask(&recording,
                                   "SELECT count(*) FROM process WHERE traced = 0 AND "
                                   "note LIKE '%statically linked%' AND exit_status = 5"),
                     1);
    recording_remove(&recording);
}

static void a_set_user_id_child_is_told(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    struct recording recording = {0};
    strcpy(recording.folder, "/tmp/reel-test-XXXXXX");
    assert_non_null(mkdtemp(recording.folder));
    g_autofree char *copy = g_strdup_printf("%s/copy", recording.folder);
    g_autofree char *make =
        g_strdup_printf("cp %s %s && chown nobody %s && chmod 4755 %s", target, copy, copy, copy);
    assert_int_equal(system(make), 0);
    g_autofree char *command = g_strdup_printf("%s count; true", copy);
    assert_int_equal(record(&recording, NULL, NULL, command), 0);
    assert_int_equal(recording_ask(&recording, "SELECT count(*) FROM process WHERE traced = 0 AND "
                                               "note LIKE '%set-user-id%' AND exit_status = 5"),
                     1);
    recording_remove(&recording);
}

static void without_following_only_the_first_is_recorded(void **state)
{
    (void)state;
    struct recording recording = {0};
    assert_int_equal(record(&recording, "--no-follow", NULL, "/bin/sleep 0; (exit 3)"), 3);
    assert_int_equal(recording_ask(&recording, "SELECT count(*) FROM process WHERE traced"), 1);
    recording_remove(&recording);
}

static void count_classes(void *data, const struct reel_event *event)
{
    ((uint64_t *)data)[event->class]++;
}

static void families_are_chosen(void **state)
{
    (void)state;
    struct recording recording = {0};
    g_autofree char *command = g_strdup_printf("exec %s count", target);
    uint64_t classes[256] = {0};
    assert_int_equal(record(&recording, "--only", "mutex", command), 5);
    recording_read(&recording, count_classes, classes);
    assert_int_equal(classes[REEL_CLASS_FILE] + classes[REEL_CLASS_CONDITION], 0);
    assert_true(classes[REEL_CLASS_MUTEX] >= 50000);
    memset(classes, 0, sizeof classes);
    assert_int_equal(record(&recording, "--without", "mutex", command), 5);
    recording_read(&recording, count_classes, classes);
    assert_int_equal(classes[REEL_CLASS_MUTEX], 0);
    assert_true(classes[REEL_CLASS_THREAD] > 8);
    recording_remove(&recording);
}

static void lingering_has_an_end(void **state)
{
    (void)state;
    struct recording recording = {0};
    time_t begin = time(NULL);
    assert_int_equal(record(&recording, "--linger", "0.1", "sleep 30 >/dev/null 2>&1 & exit 6"), 6);
    assert_true(time(NULL) - begin < 25);
    recording_remove(&recording);
}

static void what_outlives_the_program_is_recorded(void **state)
{
    (void)state;
    struct recording recording = {0};
    assert_int_equal(record(&recording, NULL, NULL, "(sleep 0.2; sh -c 'exit 8') & exit 6"), 6);
    assert_int_equal(
        recording_ask(&recording, "SELECT count(*) FROM process WHERE command = 'sleep 0.2'"), 1);
    recording_remove(&recording);
}

static bool wait_for(const char *path, const char *words)
{
    for (int i = 0; i < 2000; i++) {
        g_autofree char *text = recording_text(path);
        if (strstr(text, words))
            return true;
        usleep(5000);
    }
    return false;
}

static void ctrl_c_leaves_a_whole_trace(void **state)
{
    (void)state;
    struct recording recording = {0};
    char *options[] = {"--no-seal", NULL};
    char *words[] = {"/bin/sh", "-c", "echo ready; exec sleep 100", NULL};
    recording_start(&recording, reel, NULL, options, words);
    assert_true(wait_for(recording.output, "ready"));
    kill(-recording.reel, SIGINT);
    assert_int_equal(recording_wait(&recording), 128 + SIGINT);
    assert_true(recording_read(&recording, NULL, NULL).events > 0);
    assert_int_equal(recording_ask(&recording, "SELECT count(*) FROM meta WHERE key = 'state' AND "
                                               "value = 'closed'"),
                     1);
    recording_remove(&recording);
}

static void a_program_may_survive_ctrl_c(void **state)
{
    (void)state;
    struct recording recording = {0};
    char *options[] = {"--no-seal", NULL};
    char *words[] = {"/bin/sh", "-c", "trap 'echo caught' INT; echo ready; sleep 0.5; exit 7",
                     NULL};
    recording_start(&recording, reel, NULL, options, words);
    assert_true(wait_for(recording.output, "ready"));
    kill(-recording.reel, SIGINT);
    assert_int_equal(recording_wait(&recording), 7);
    assert_says(recording.output, "caught");
    recording_remove(&recording);
}

static void a_signal_to_reel_reaches_the_program(void **state)
{
    (void)state;
    struct recording recording = {0};
    char *options[] = {"--no-seal", NULL};
    char *words[] = {"/bin/sh", "-c",
                     "trap 'echo told to stop; exit 11' TERM; echo ready; "
                     "while :; do sleep 0.05; done",
                     NULL};
    recording_start(&recording, reel, NULL, options, words);
    assert_true(wait_for(recording.output, "ready"));
    kill(recording.reel, SIGTERM);
    assert_int_equal(recording_wait(&recording), 11);
    assert_says(recording.output, "told to stop");
    recording_remove(&recording);
}

static void ignored_signals_stay_ignored(void **state)
{
    (void)state;
    struct recording recording = {0};
    void (*before)(int) = signal(SIGHUP, SIG_IGN);
    int status = record(&recording, NULL, NULL, "kill -HUP $$; exit 3");
    signal(SIGHUP, before);
    assert_int_equal(status, 3);
    recording_remove(&recording);
}

static void earliest(void *data, const struct reel_event *event)
{
    uint64_t *first = data;
    if (!*first && event->class == REEL_CLASS_CLOCK)
        *first = event->time_ns;
}

static void a_flight_recorder_keeps_the_end(void **state)
{
    (void)state;
    struct recording recording = {0};
    g_autofree char *command = g_strdup_printf("exec %s flight", target);
    assert_int_equal(record(&recording, "--flight", "0.5", command), 0);
    uint64_t first = 0, duration = recording_meta(&recording, "duration_ns");
    struct reel_merge_statistics statistics = recording_read(&recording, earliest, &first);
    /* 2 s of 1 ms naps: what is left begins within a chunk or two of half a second before the end,
     * and what was let go is counted. */
    assert_true(duration > 1900000000u);
    assert_true(first > duration - 1300000000u);
    assert_true(statistics.events > 100);
    uint64_t dropped = recording_meta(&recording, "flight_dropped");
    assert_true(dropped > 500);
    g_autofree char *errors = recording_text(recording.errors);
    const char *told = strstr(errors, "trace.reel: ");
    assert_non_null(told);
    assert_int_equal(strtoull(told + strlen("trace.reel: "), NULL, 10),
                     statistics.events + dropped);
    recording_remove(&recording);
}

static void a_recorder_in_a_recording_has_its_own_program(void **state)
{
    (void)state;
    struct recording recording = {0};
    strcpy(recording.folder, "/tmp/reel-test-XXXXXX");
    assert_non_null(mkdtemp(recording.folder));
    g_autofree char *inner = g_strdup_printf("%s/inner.reel", recording.folder);
    char *words[] = {(char *)reel, "record", "--no-seal",    "--quiet", "-o",
                     inner,        "--",     (char *)target, "count",   NULL};
    assert_int_equal(record_program(&recording, words), 5);
    struct recording second = recording;
    strcpy(second.trace, inner);
    uint64_t classes[256] = {0};
    recording_read(&second, count_classes, classes);
    assert_true(classes[REEL_CLASS_MUTEX] >= 50000);
    recording_remove(&recording);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 99;
    reel = realpath(argv[1], NULL);
    target = realpath(argv[2], NULL);
    static_target = realpath(argv[3], NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_status_is_the_programs),
        cmocka_unit_test(a_program_that_cannot_start_leaves_no_trace),
        cmocka_unit_test(a_trace_that_cannot_be_made_is_an_error_of_reel),
        cmocka_unit_test(unknown_words_are_an_error_of_reel),
        cmocka_unit_test(streams_pass_through),
        cmocka_unit_test(closed_streams_stay_closed),
        cmocka_unit_test(children_have_names_and_statuses),
        cmocka_unit_test(a_static_child_has_a_row_with_a_note),
        cmocka_unit_test(a_static_program_runs_and_is_told),
        cmocka_unit_test(a_set_user_id_child_is_told),
        cmocka_unit_test(without_following_only_the_first_is_recorded),
        cmocka_unit_test(families_are_chosen),
        cmocka_unit_test(lingering_has_an_end),
        cmocka_unit_test(what_outlives_the_program_is_recorded),
        cmocka_unit_test(ctrl_c_leaves_a_whole_trace),
        cmocka_unit_test(a_program_may_survive_ctrl_c),
        cmocka_unit_test(a_signal_to_reel_reaches_the_program),
        cmocka_unit_test(ignored_signals_stay_ignored),
        cmocka_unit_test(a_flight_recorder_keeps_the_end),
        cmocka_unit_test(a_recorder_in_a_recording_has_its_own_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
