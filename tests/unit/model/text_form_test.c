/* The text form: sentences become the events a probe would have written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>

#include <cmocka.h>

#include "tracer/model/state.h"
#include "tracer/model/text_form.h"

/* Parses and prints "T1 acquire mutex; …", so that expectations read like the input. */
static char *told(const char *text)
{
    struct reel_error error = {0};
    struct reel_text_form *form = reel_text_form_parse(text, &error);
    if (!form)
        fail_msg("%s", error.message);
    size_t count, size;
    char *out;
    const struct reel_event *event = reel_text_form_events(form, &count);
    FILE *stream = open_memstream(&out, &size);
    for (size_t i = 0; i < count; i++) {
        fprintf(stream, "%sT%u %s %s", i ? "; " : "", event[i].thread,
                reel_operation_name(event[i].operation), reel_class_name(event[i].class));
        if (event[i].argument)
            fprintf(stream, " %d", (int32_t)event[i].argument);
        if (event[i].flags)
            fprintf(stream, " /%x", event[i].flags);
    }
    fclose(stream);
    reel_text_form_free(form);
    return out;
}

static void assert_told(const char *text, const char *expected)
{
    char *out = told(text);
    assert_string_equal(out, expected);
    free(out);
}

static void assert_refused(const char *text, const char *message)
{
    struct reel_error error = {0};
    assert_null(reel_text_form_parse(text, &error));
    assert_int_equal(error.code, REEL_ERROR_USAGE);
    assert_string_equal(error.message, message);
    assert_true(error.hint[0]);
}

static void the_sentence_of_the_brief_is_understood(void **state)
{
    assert_told("T1 create T2; T1 lock A; T2 wait A; T1 unlock A; T2 lock A; T2 unlock A; T2 exit; "
                "T1 join T2",
                "T1 create thread; T1 acquire mutex; T2 request mutex 1; T1 release mutex; "
                "T2 acquire mutex /80; T2 release mutex; T2 exit thread; T1 wait thread 8; "
                "T1 wake thread");
}

static void a_condition_wait_gives_up_its_mutex_and_takes_it_again(void **state)
{
    assert_told("T1 lock A; T1 wait C with A; T2 signal C; T1 wake C",
                "T1 acquire mutex; T1 release mutex /10; T1 wait condition 4; T2 signal condition; "
                "T1 wake condition; T1 acquire mutex /10");
}

static void every_operation_has_a_word(void **state)
{
    assert_told("T1 trylock A; T1 fail A; T1 timeout A; T1 unlock-failed A EPERM; T1 consistent A",
                "T1 acquire mutex /20; T1 fail mutex 16; T1 fail mutex 110; "
                "T1 release-failed mutex 1; T1 consistent mutex");
    assert_told("T1 rdlock R; T1 want R read; T1 wrlock R",
                "T1 acquire rwlock /2; T1 request rwlock 2 /2; T1 acquire rwlock /80");
    assert_told("T1 init S:semaphore 3; T1 post S; T1 want S; T1 take S; T1 destroy S EBUSY",
                "T1 init semaphore 3; T1 post semaphore; T1 request semaphore 5; "
                "T1 acquire semaphore /80; T1 destroy semaphore 16");
    assert_told("T1 arrive B; T1 leave B; T1 once O",
                "T1 arrive barrier 6; T1 leave barrier; T1 request once 7; T1 acquire once; "
                "T1 release once");
    assert_told("T1 put Q 8 77; T1 get Q; T1 begin queue-put Q; T1 end queue-put Q",
                "T1 put queue 8; T1 get queue; T1 begin queue 50; T1 end queue");
    assert_told("T1 read pipe P 100; T2 begin write P; T2 end write P -32",
                "T1 begin pipe 20 /2; T1 end pipe 100 /2; T2 begin pipe 21; T2 end pipe -32");
    assert_told("T1 fork P2; P2.T2 attach by P1; T2 exec /bin/true; T2 exec-failed; "
                "T2 exit process 3; T1 waitpid P2; T1 kill P2 9",
                "T1 create process 43; T1 created process; T2 attach process 1; "
                "T2 exec process; T2 exec-failed process 2; T2 exit process 3; T1 wait process 40; "
                "T1 wake process; T1 kill process 9");
    assert_told("T1 loop L wait; T1 loop L ready 5; T1 loop L wake 1; T1 watch L 5",
                "T1 wait loop 30; T1 ready loop 5; T1 wake loop 1; T1 watch loop 5");
    assert_told("T1 read X 4; T1 write X; T1 before X; T1 after X; T1 mark hello you",
                "T1 read memory 4; T1 write memory 8; T1 happens-before memory; "
                "T1 happens-after memory; T1 mark none");
    assert_told(
        "T1 span-begin S; T1 span-end S; T1 task K running; T1 open socket N 4; T1 close N 4",
        "T1 span-begin span; T1 span-end span; T1 state task 2; T1 open socket 4; "
        "T1 close socket 4");
    assert_told(
        "T1 switch out preempted; T1 switch in 1; T1 stall 50; T1 gap 7 since 2us; T1 yield",
        "T1 switch-out cpu 1; T1 switch-in cpu 1; T1 stall recorder 50; T1 gap recorder 7; "
        "T1 wait clock 10; T1 wake clock");
    assert_told("T1 detach T2; T1 cancel T2; T1 created T2 11; T2 start handle 0x7f00 by T1",
                "T1 detach thread; T1 cancel thread; T1 created thread 11; T2 start thread 10002");
    assert_told("T1 load M libx.so; T1 unload M; T1 name A it; T1 begin sigwait; T1 end sigwait",
                "T1 load module; T1 unload module; T1 name mutex; T1 wait signal 41; "
                "T1 wake signal");
}

static void times_are_given_or_a_microsecond_apart(void **state)
{
    struct reel_text_form *form =
        reel_text_form_parse("T1 lock A; @1.5ms T1 unlock A; T1 sleep 2s; T1 mark x", NULL);
    size_t count;
    const struct reel_event *event = reel_text_form_events(form, &count);
    assert_int_equal(count, 5);
    assert_int_equal(event[0].time_ns, 1000);
    assert_int_equal(event[1].time_ns, 1500000);
    assert_int_equal(event[2].time_ns, 1501000);
    assert_int_equal(event[3].time_ns, 2001501000);
    assert_int_equal(event[4].time_ns, 2001502000);
    reel_text_form_free(form);
}

static void threads_keep_their_process_and_objects_their_address(void **state)
{
    struct reel_text_form *form =
        reel_text_form_parse("P2.T3 lock A # a comment; T9 nonsense\nT1 lock B; T3 unlock A", NULL);
    size_t count;
    const struct reel_event *event = reel_text_form_events(form, &count);
    assert_int_equal(count, 3);
    assert_int_equal(event[0].process, 2);
    assert_int_equal(event[1].process, 1);
    assert_int_equal(event[2].process, 2);
    assert_int_equal(event[0].object, event[2].object);
    assert_int_not_equal(event[0].object, event[1].object);
    assert_int_equal(event[0].sequence, 1);
    assert_int_equal(event[2].sequence, 2);
    assert_int_equal(reel_text_form_address(form, "A"), event[0].object);
    assert_int_equal(reel_text_form_address(form, "Z"), 0);
    reel_text_form_free(form);
}

static void texts_travel_in_the_extra_words(void **state)
{
    struct reel_text_form *form = reel_text_form_parse("T1 name A accounts lock", NULL);
    size_t count;
    const struct reel_event *event = reel_text_form_events(form, &count);
    assert_int_equal(event->extra_words, 2);
    assert_string_equal((const char *)event->extra, "accounts lock");
    reel_text_form_free(form);
}

static void mistakes_are_named_with_their_statement(void **state)
{
    assert_refused("T1 lock A; T1 lokc B", "statement 2 \"T1 lokc B\": unknown operation \"lokc\"");
    assert_refused("lock A", "statement 1 \"lock A\": \"lock\" is no thread; say T1");
    assert_refused("T1", "statement 1 \"T1\": an operation is missing");
    assert_refused("T1 lock", "statement 1 \"T1 lock\": an object's name is missing");
    assert_refused("T1 lock 5", "statement 1 \"T1 lock 5\": \"5\" is no object's name");
    assert_refused("T1 lock A:lamp", "statement 1 \"T1 lock A:lamp\": unknown class \"lamp\"");
    assert_refused("T1 lock A B", "statement 1 \"T1 lock A B\": \"B\" is no number");
    assert_refused("@5 T1 lock A", "statement 1 \"@5 T1 lock A\": \"@5\" is no time; say @1.5ms");
    assert_refused("T1 lock A; @1us T1 unlock A",
                   "statement 2 \"@1us T1 unlock A\": time goes backwards");
    assert_refused("T1 join X", "statement 1 \"T1 join X\": \"X\" is no thread; say T2");
    assert_refused("P2.T1 mark a; P3.T1 mark b",
                   "statement 2 \"P3.T1 mark b\": T1 is in process P2");
    assert_refused("Q2.T1 mark a",
                   "statement 1 \"Q2.T1 mark a\": \"Q2.T1\" does not begin with a process");
    assert_refused("T99999999999 mark a",
                   "statement 1 \"T99999999999 mark a\": \"T99999999999\" is no thread; say T1");
    assert_refused("T1 task K tired",
                   "statement 1 \"T1 task K tired\": \"tired\" is no state of a task");
    assert_refused("T1 lock A stack", "statement 1 \"T1 lock A stack\": \"stack\" wants a number");
    assert_refused("T1 begin dancing", "statement 1 \"T1 begin dancing\": \"dancing\" is no call");
}

static void nothing_is_a_trace_too(void **state)
{
    struct reel_text_form *form = reel_text_form_parse(" ;\n# only a comment", NULL);
    size_t count = 1;
    reel_text_form_events(form, &count);
    assert_int_equal(count, 0);
    reel_text_form_free(form);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sentence_of_the_brief_is_understood),
        cmocka_unit_test(a_condition_wait_gives_up_its_mutex_and_takes_it_again),
        cmocka_unit_test(every_operation_has_a_word),
        cmocka_unit_test(times_are_given_or_a_microsecond_apart),
        cmocka_unit_test(threads_keep_their_process_and_objects_their_address),
        cmocka_unit_test(texts_travel_in_the_extra_words),
        cmocka_unit_test(mistakes_are_named_with_their_statement),
        cmocka_unit_test(nothing_is_a_trace_too),
    };
    return cmocka_run_group_tests_name("text form", tests, NULL, NULL);
}
