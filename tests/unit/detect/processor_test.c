/* Who is kept from a processor is not slow, nor is the lock that it holds: guilty and innocent
 * twins that differ only in what the kernel's switches say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/detect/claims.h"
#include "tests/unit/store/scratch.h"

#define ROUNDS 100

/* Each round of 10 ms T2 holds A for 7 ms, and T3 waits for it. `off`, `on`: what T2 says soon
 * after it took A and just before it unlocks; `late_us`: how long the free lock waits for T3. */
static char *rounds(const char *off, const char *on, int late_us)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    fputs("T1 name A:mutex A; T1 create T2; T1 create T3; T2 start by T1; T3 start by T1; "
          "T1 begin join T2; ",
          out);
    for (int i = 0; i < ROUNDS; i++) {
        int us = 10000 * (i + 1);
        fprintf(out, "@%dus T2 lock A; @%dus T3 want A; ", us, us + 50);
        if (*off)
            fprintf(out, "@%dus T2 %s; @%dus T2 %s; ", us + 100, off,
                    us + 6900 - (late_us ? 6700 : 0), on);
        fprintf(out, "@%dus T2 unlock A; @%dus T3 lock A; T3 unlock A; ", us + 7000 - late_us,
                us + 7010);
    }
    fprintf(out, "@%dus T2 exit; T3 exit; ", 10000 * (ROUNDS + 2));
    fclose(out);
    return text;
}

static void contention_is_what_holders_do(void **state)
{
    const char *guilty = "warning contention observed A";
    char *text = rounds("", "", 0);
    assert_claims(state, text, guilty);
    free(text);
    /* It gave the processor up by itself, and kept the lock. */
    text = rounds("switch out", "switch in", 0);
    assert_claims(state, text, guilty);
    free(text);
    /* It would have gone on, and was not let. */
    text = rounds("switch out preempted", "switch in", 0);
    assert_claims(state, text, "");
    free(text);
}

static void a_free_lock_keeps_nobody_waiting(void **state)
{
    char *text = rounds("", "", 6700);
    assert_claims(state, text, "");
    free(text);
}

static void what_is_not_counted_is_told(void **state)
{
    char *text = rounds("", "", 2000);
    struct reel_finding_set *findings = findings_of(state, text);
    assert_int_equal(reel_finding_set_count(findings), 1);
    assert_non_null(strstr(reel_finding_set_at(findings, 0)->explanation,
                           "201 ms of the waiting is not counted against it"));
    reel_finding_set_free(findings);
    free(text);
}

/* Each of three holds A for 1 ms of its 10, and is stopped with it for 40 ms each time. */
static char *stopped_holders(const char *off, const char *on)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    fputs("T1 name A:mutex A; ", out);
    for (int i = 2; i <= 4; i++)
        fprintf(out, "T1 create T%d; T%d start by T1; ", i, i);
    fputs("T1 begin join T2; ", out);
    for (int i = 0; i < 40; i++) {
        int ms = 50 * (i + 1), holder = 2 + i % 3;
        fprintf(out, "@%dms T%d lock A; ", ms, holder);
        if (*off)
            fprintf(out, "T%d %s; ", holder, off);
        for (int other = 2; other <= 4; other++)
            if (other != holder)
                fprintf(out, "T%d want A; ", other);
        if (*on)
            fprintf(out, "@%dms T%d %s; ", ms + 40, holder, on);
        fprintf(out, "@%dms T%d unlock A; ", ms + 41, holder);
        for (int other = 2; other <= 4; other++)
            if (other != holder)
                fprintf(out, "T%d lock A; T%d unlock A; ", other, other);
    }
    fclose(out);
    return text;
}

static void a_convoy_is_not_a_holder_without_a_processor(void **state)
{
    char *text = stopped_holders("", "");
    assert_claims(state, text, "warning convoy observed A");
    free(text);
    text = stopped_holders("switch out preempted", "switch in");
    assert_claims(state, text, "");
    free(text);
}

static void a_step_is_as_long_as_it_ran(void **state)
{
    const char *step = "T1 name L:loop L; @1ms T1 loop L wait; @2ms T1 loop L wake 1; "
                       "@3ms T1 loop L wait; @4ms T1 loop L wake 1; @10ms T1 switch out %s; "
                       "@190ms T1 switch in; @204ms T1 loop L wait; T1 loop L wake 3; "
                       "T1 loop L wait";
    char text[512];
    snprintf(text, sizeof text, step, "");
    assert_claims(state, text, "warning loop-blocked observed L");
    snprintf(text, sizeof text, step, "preempted");
    assert_claims(state, text, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(contention_is_what_holders_do), TEST(a_free_lock_keeps_nobody_waiting),
        TEST(what_is_not_counted_is_told),   TEST(a_convoy_is_not_a_holder_without_a_processor),
        TEST(a_step_is_as_long_as_it_ran),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
