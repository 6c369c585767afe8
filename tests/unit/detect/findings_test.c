/* Findings: ids, order, kept in a trace and read back; races; what performance detectors say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/detect/claims.h"
#include "tests/unit/model/sealed.h"
#include "tests/unit/store/scratch.h"
#include "tracer/detect/advice.h"

#define TWO "T1 create T2; T1 create T3; T2 start by T1; T3 start by T1; "

static struct reel_finding *finding(enum reel_severity severity, const char *key, uint64_t time_ns)
{
    struct reel_finding *made =
        reel_finding_new(REEL_FINDING_MISUSE, REEL_CONFIDENCE_OBSERVED, severity);
    reel_finding_key(made, "%s", key);
    reel_finding_title(made, "%s", key);
    made->time_ns = time_ns;
    return made;
}

static void the_gravest_come_first_and_each_key_once(void **state)
{
    struct reel_finding_set *set = reel_finding_set_new();
    reel_finding_set_add(set, finding(REEL_SEVERITY_INFO, "a", 1));
    reel_finding_set_add(set, finding(REEL_SEVERITY_ERROR, "c", 9));
    reel_finding_set_add(set, finding(REEL_SEVERITY_ERROR, "b", 3));
    reel_finding_set_add(set, finding(REEL_SEVERITY_ERROR, "c", 10));
    assert_int_equal(reel_finding_set_count(set), 3);
    assert_string_equal(reel_finding_set_at(set, 0)->key, "b");
    assert_string_equal(reel_finding_set_at(set, 1)->key, "c");
    assert_int_equal(reel_finding_set_at(set, 1)->occurrences, 2);
    assert_int_equal(reel_finding_set_at(set, 1)->time_ns, 9);
    assert_string_equal(reel_finding_set_at(set, 2)->key, "a");
    assert_null(reel_finding_set_at(set, 3));
    reel_finding_set_free(set);
}

static void the_graver_of_two_with_one_key_stays(void **state)
{
    struct reel_finding_set *set = reel_finding_set_new();
    reel_finding_set_add(set, finding(REEL_SEVERITY_WARNING, "a", 1));
    reel_finding_set_add(set, finding(REEL_SEVERITY_ERROR, "a", 2));
    reel_finding_set_add(set, finding(REEL_SEVERITY_INFO, "a", 3));
    assert_int_equal(reel_finding_set_count(set), 1);
    assert_int_equal(reel_finding_set_at(set, 0)->severity, REEL_SEVERITY_ERROR);
    assert_int_equal(reel_finding_set_at(set, 0)->occurrences, 3);
    reel_finding_set_free(set);
}

static void an_id_is_made_of_the_key_alone(void **state)
{
    struct reel_finding_set *set = reel_finding_set_new();
    reel_finding_set_add(set, finding(REEL_SEVERITY_ERROR, "misuse|lock", 1));
    const char *id = reel_finding_set_at(set, 0)->id;
    assert_int_equal(strlen(id), 12);
    assert_memory_equal(id, "F-", 2);
    /* Baselines and suppressions rest on this value: it must never change. */
    assert_string_equal(id, "F-005160bd6e");
    reel_finding_set_free(set);
}

static void names_go_both_ways(void **state)
{
    for (unsigned i = 0; i < REEL_FINDING_KIND_COUNT; i++) {
        enum reel_finding_kind kind;
        assert_true(reel_finding_kind_parse(reel_finding_kind_name(i), &kind));
        assert_int_equal(kind, i);
    }
    enum reel_finding_kind kind;
    assert_false(reel_finding_kind_parse("nonsense", &kind));
}

static void findings_are_kept_in_the_trace(void **state)
{
    struct reel_error error = {0};
    struct reel_trace *trace =
        record_text(*state, "a.reel",
                    "T1 name A:mutex A; T1 name B:mutex B; " TWO
                    "T2 lock A stack 3; T3 lock B stack 3; T2 want B stack 4; T3 want A stack 4");
    seal(trace);
    struct reel_finding_set *made = reel_detect_trace_with(trace, 0, &error);
    assert_non_null(made);
    for (int again = 0; again < 2; again++)
        if (!reel_findings_write(made, trace, &error))
            fail_msg("%s", error.message);
    assert_string_equal(rows_of(trace, "SELECT kind, confidence, severity FROM finding"),
                        "deadlock observed error");
    assert_string_equal(rows_of(trace, "SELECT name FROM finding_object JOIN object"
                                       " ON object.id = object ORDER BY position"),
                        "A\nB");
    assert_string_equal(rows_of(trace, "SELECT position, thread, stack, role FROM finding_event"),
                        "0 2 3 holds A, taken here\n1 2 4 waits for B, here\n"
                        "2 3 3 holds B, taken here\n3 3 4 waits for A, here");
    assert_string_equal(rows_of(trace, "PRAGMA foreign_key_check"), "");
    struct reel_finding_set *read = reel_findings_read(trace, &error);
    assert_int_equal(reel_finding_set_count(read), 1);
    const struct reel_finding *a = reel_finding_set_at(made, 0), *b = reel_finding_set_at(read, 0);
    assert_string_equal(a->id, b->id);
    assert_string_equal(a->explanation, b->explanation);
    assert_int_equal(a->evidence_count, b->evidence_count);
    assert_int_equal(a->thread_count, b->thread_count);
    assert_int_equal(a->time_ns, b->time_ns);
    reel_finding_set_free(made);
    reel_finding_set_free(read);
    reel_trace_close(trace, NULL);
}

static void an_unsealed_trace_is_refused_with_a_hint(void **state)
{
    struct reel_error error = {0};
    struct reel_trace *trace = record_text(*state, "a.reel", "T1 mark x");
    assert_null(reel_detect_trace(trace, &error));
    assert_non_null(strstr(error.message, "not sealed"));
    assert_non_null(strstr(error.hint, "reel recover"));
    reel_trace_close(trace, NULL);
}

static void accesses_without_order_are_a_race(void **state)
{
    assert_claims(state, "T1 name X:memory X; " TWO "T2 write X; T3 write X",
                  "error race observed X");
    assert_claims(state, "T1 name X:memory X; " TWO "T2 write X; T3 read X",
                  "error race observed X");
    assert_claims(state, TWO "T2 read X; T3 read X", "");
    assert_claims(state,
                  "T1 write X; " TWO "T2 read X; T3 read X; T2 exit; T3 exit; T1 join T2; "
                  "T1 join T3; T1 write X",
                  "");
}

static void locks_and_hand_overs_order_accesses(void **state)
{
    assert_claims(state,
                  TWO "T2 lock A; T2 write X; T2 unlock A; T3 lock A; T3 write X; T3 unlock A", "");
    assert_claims(state,
                  "T1 name X:memory X; " TWO
                  "T2 lock A; T2 write X; T2 unlock A; T3 lock B; T3 write X; T3 unlock B",
                  "error race observed X");
    assert_claims(state, TWO "T2 write X; T2 put Q; T3 get Q; T3 write X", "");
    assert_claims(state,
                  "T1 init S:semaphore 1; " TWO
                  "T2 take S; T2 write X; T2 post S; T3 take S; T3 write X; T3 post S",
                  "");
    /* Read locks keep readers and a writer apart, not two writers under read locks. */
    assert_claims(state,
                  TWO "T2 rdlock R; T2 read X; T2 unlock R read; T3 wrlock R; T3 write X; "
                      "T3 unlock R",
                  "");
    assert_claims(state,
                  "T1 name X:memory X; " TWO
                  "T2 rdlock R; T2 write X; T2 unlock R read; T3 rdlock R; T3 write X; "
                  "T3 unlock R read",
                  "error race observed X");
}

static void a_loop_step_that_made_others_late(void **state)
{
    const char *late = "T1 name L:loop L; @1ms T1 loop L wait; @2ms T1 loop L wake 1; "
                       "@3ms T1 loop L wait; @4ms T1 loop L wake 1; @204ms T1 loop L wait; ";
    char text[512];
    snprintf(text, sizeof text, "%s T1 loop L wake 3; T1 loop L wait", late);
    assert_claims(state, text, "warning loop-blocked observed L");
    snprintf(text, sizeof text, "%s @300ms T1 loop L wake 1; T1 loop L wait", late);
    assert_claims(state, text, "");
}

static void a_queue_that_only_grows(void **state)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    fputs("T1 name Q:queue Q; " TWO, out);
    for (int i = 0; i < 1500; i++)
        fprintf(out, "T2 put Q; %s", i % 10 ? "" : "T3 get Q; ");
    fclose(out);
    assert_claims(state, text, "warning queue observed Q");
    free(text);
}

static void a_convoy_of_four(void **state)
{
    /* Each in turn computes for 5 ms with the lock; the others wait. */
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    fputs("T1 name A:mutex A; ", out);
    for (int i = 2; i <= 5; i++)
        fprintf(out, "T1 create T%d; T%d start by T1; ", i, i);
    fputs("T1 begin join T2; T2 lock A; T3 want A; T4 want A; T5 want A; ", out);
    for (int i = 0; i < 40; i++)
        fprintf(out, "@%dms T%d unlock A; T%d want A; T%d lock A; ", 5 * (i + 1), 2 + i % 4,
                2 + i % 4, 2 + (i + 1) % 4);
    fclose(out);
    assert_claims(state, text, "warning convoy observed A");
    free(text);
}

/* A mutex is not fair: T2 takes it again and again while three wait, then T3 does. */
static void a_convoy_that_is_passed_over(void **state)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    fputs("T1 name A:mutex A; ", out);
    for (int i = 2; i <= 5; i++)
        fprintf(out, "T1 create T%d; T%d start by T1; ", i, i);
    fputs("T1 begin join T2; T2 lock A; T3 want A; T4 want A; T5 want A; ", out);
    int ms = 0;
    for (int thread = 2; thread <= 5; thread++) {
        for (int i = 0; i < 20; i++)
            fprintf(out, "@%dms T%d unlock A; T%d lock A; ", ms += 5, thread, thread);
        fprintf(out, "@%dms T%d unlock A; T%d exit; ", ms += 5, thread, thread);
        if (thread < 5)
            fprintf(out, "T%d lock A; ", thread + 1);
    }
    fclose(out);
    assert_claims(state, text, "warning convoy observed A");
    free(text);
    /* Once, behind one long hold, nobody queues. */
    out = open_memstream(&text, &size);
    fputs("T1 name A:mutex A; ", out);
    for (int i = 2; i <= 5; i++)
        fprintf(out, "T1 create T%d; T%d start by T1; ", i, i);
    fputs("T1 begin join T2; T2 lock A; T3 want A; T4 want A; T5 want A; ", out);
    fputs("@400ms T2 unlock A; T3 lock A; @405ms T3 unlock A; T4 lock A; @410ms T4 unlock A; "
          "T5 lock A; @415ms T5 unlock A; ",
          out);
    fclose(out);
    assert_claims(state, text, "");
    free(text);
}

static void waits_in_a_row(void **state)
{
    assert_claims(state,
                  "T1 name X:socket X; T1 name Y:socket Y; T1 name Z:socket Z; "
                  "@1ms T1 begin recv socket X; @100ms T1 end recv X 5; T1 begin recv socket Y; "
                  "@200ms T1 end recv Y 5; T1 begin recv socket Z; @300ms T1 end recv Z 5",
                  "warning serial observed X Y Z");
    assert_claims(state,
                  "@1ms T1 begin recv socket X; @100ms T1 end recv X 5; T1 begin recv socket X; "
                  "@200ms T1 end recv X 5; T1 begin recv socket X; @300ms T1 end recv X 5",
                  "");
}

static void advice_is_drawn_from_the_numbers(void **state)
{
    struct reel_error error = {0};
    struct reel_trace *trace =
        record_text(*state, "a.reel", "@1ms T1 mark x; T1 sleep 80ms; T1 mark x");
    seal(trace);
    char *advice = reel_advice(trace, &error);
    assert_non_null(advice);
    assert_non_null(strstr(advice, "1 thread worked"));
    assert_non_null(strstr(advice, "independent waits can overlap"));
    reel_advice_free(advice);
    reel_trace_close(trace, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_gravest_come_first_and_each_key_once),
        cmocka_unit_test(the_graver_of_two_with_one_key_stays),
        cmocka_unit_test(an_id_is_made_of_the_key_alone),
        cmocka_unit_test(names_go_both_ways),
        TEST(findings_are_kept_in_the_trace),
        TEST(an_unsealed_trace_is_refused_with_a_hint),
        TEST(accesses_without_order_are_a_race),
        TEST(locks_and_hand_overs_order_accesses),
        TEST(a_loop_step_that_made_others_late),
        TEST(a_queue_that_only_grows),
        TEST(a_convoy_of_four),
        TEST(a_convoy_that_is_passed_over),
        TEST(waits_in_a_row),
        TEST(advice_is_drawn_from_the_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
