/* Names: what a program says comes first, then its symbols, its source, and numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tracer/model/event_row.h"
#include "tracer/model/names.h"

struct told {
    struct reel_identity *identity;
    struct reel_names *names;
    uint64_t now;
};

static void begin(struct told *told)
{
    *told = (struct told){.identity = reel_identity_new(NULL), .names = reel_names_new(NULL)};
}

static void end(struct told *told)
{
    reel_names_free(told->names);
    reel_identity_free(told->identity);
}

/* One event of thread 1, with a text behind it. */
static uint32_t tell(struct told *told, enum reel_operation operation, enum reel_class class,
                     uint64_t object, const char *text)
{
    uint64_t words[8] = {0};
    strncpy((char *)words, text ? text : "", sizeof words - 1);
    struct reel_event event = {
        .time_ns = told->now += 1000,
        .object = object,
        .thread = 1,
        .process = 1,
        .operation = (uint8_t)operation,
        .class = (uint8_t) class,
        .extra = words,
        .extra_words = text ? 8 : 0,
    };
    uint32_t id = reel_identity_resolve(told->identity, &event);
    reel_names_see(told->names, told->identity, &event, id);
    return id;
}

static const char *name(struct told *told, uint32_t id)
{
    return reel_names_object(told->names, told->identity, id);
}

static void a_named_address_names_all_that_lives_there(void **state)
{
    struct told told;
    begin(&told);
    uint32_t lock = tell(&told, REEL_OP_ACQUIRE, REEL_CLASS_MUTEX, 0x40, NULL);
    uint32_t queue = tell(&told, REEL_OP_PUT, REEL_CLASS_QUEUE, 0x40, NULL);
    uint32_t other = tell(&told, REEL_OP_ACQUIRE, REEL_CLASS_MUTEX, 0x80, NULL);
    tell(&told, REEL_OP_NAME, REEL_CLASS_NONE, 0x40, "jobs");
    assert_string_equal(name(&told, lock), "jobs");
    assert_string_equal(name(&told, queue), "jobs");
    assert_string_equal(name(&told, other), "mutex #1");
    end(&told);
}

static void an_annotated_lock_may_stand_beside_its_first_member(void **state)
{
    struct told told;
    begin(&told);
    uint32_t mutex = tell(&told, REEL_OP_ACQUIRE, REEL_CLASS_MUTEX, 0x40, NULL);
    uint32_t lock = tell(&told, REEL_OP_ACQUIRE, REEL_CLASS_MUTEX, 0x41, NULL);
    tell(&told, REEL_OP_NAME, REEL_CLASS_NONE, 0x40, "gate");
    assert_int_not_equal(mutex, lock);
    assert_string_equal(name(&told, mutex), "gate");
    assert_string_equal(name(&told, lock), "gate");
    end(&told);
}

static void a_name_may_come_before_its_object_and_does_not_outlive_it(void **state)
{
    struct told told;
    begin(&told);
    tell(&told, REEL_OP_NAME, REEL_CLASS_NONE, 0x40, "accounts");
    uint32_t first = tell(&told, REEL_OP_ACQUIRE, REEL_CLASS_MUTEX, 0x40, NULL);
    tell(&told, REEL_OP_DESTROY, REEL_CLASS_MUTEX, 0x40, NULL);
    uint32_t second = tell(&told, REEL_OP_INIT, REEL_CLASS_MUTEX, 0x40, NULL);
    assert_int_not_equal(first, second);
    assert_string_equal(name(&told, first), "accounts");
    assert_string_equal(name(&told, second), "mutex #1");
    end(&told);
}

static void an_annotated_init_brings_its_name(void **state)
{
    struct told told;
    begin(&told);
    uint32_t queue = tell(&told, REEL_OP_INIT, REEL_CLASS_QUEUE, 0x40, "jobs");
    uint32_t task = tell(&told, REEL_OP_CREATE, REEL_CLASS_TASK, 7, "fetch");
    tell(&told, REEL_OP_STATE, REEL_CLASS_TASK, 7, "reply");
    uint32_t span = tell(&told, REEL_OP_SPAN_BEGIN, REEL_CLASS_SPAN, 0, "parse");
    uint32_t module = tell(&told, REEL_OP_LOAD, REEL_CLASS_MODULE, 0x1000, "/usr/lib/libx.so");
    assert_string_equal(name(&told, queue), "jobs");
    assert_string_equal(name(&told, task), "fetch");
    assert_string_equal(name(&told, span), "parse");
    assert_string_equal(name(&told, module), "libx.so");
    end(&told);
}

static void the_last_name_counts(void **state)
{
    struct told told;
    begin(&told);
    uint32_t lock = tell(&told, REEL_OP_ACQUIRE, REEL_CLASS_MUTEX, 0x40, NULL);
    tell(&told, REEL_OP_NAME, REEL_CLASS_MUTEX, 0x40, "one");
    tell(&told, REEL_OP_NAME, REEL_CLASS_MUTEX, 0x40, "two");
    tell(&told, REEL_OP_NAME, REEL_CLASS_THREAD, 0, "reader");
    assert_string_equal(name(&told, lock), "two");
    assert_string_equal(reel_names_thread(told.names, 1, 1, 0, true), "reader");
    assert_string_equal(reel_names_thread(told.names, 1, 2, 0, true), "main");
    assert_string_equal(reel_names_thread(told.names, 1, 3, 0, false), "thread 3");
    end(&told);
}

static void a_process_is_known_by_its_pid(void **state)
{
    struct told told;
    begin(&told);
    reel_identity_declare_process(told.identity, 1, 0, 4711);
    uint32_t process = tell(&told, REEL_OP_NAME, REEL_CLASS_PROCESS, 1, "/bin/true");
    assert_string_equal(name(&told, process), "process 4711");
    assert_null(name(&told, 99));
    end(&told);
}

static void asking_twice_gives_the_same_number(void **state)
{
    struct told told;
    begin(&told);
    uint32_t a = tell(&told, REEL_OP_ACQUIRE, REEL_CLASS_MUTEX, 0x40, NULL);
    uint32_t b = tell(&told, REEL_OP_ACQUIRE, REEL_CLASS_MUTEX, 0x80, NULL);
    assert_string_equal(name(&told, a), "mutex #1");
    assert_string_equal(name(&told, b), "mutex #2");
    assert_string_equal(name(&told, a), "mutex #1");
    end(&told);
}

static void texts_end_where_their_words_end(void **state)
{
    char buffer[64];
    uint64_t words[2];
    memset(words, 'x', sizeof words); /* no terminator */
    struct reel_event event = {.operation = REEL_OP_MARK, .extra = words, .extra_words = 2};
    assert_string_equal(reel_event_text(&event, buffer, sizeof buffer), "xxxxxxxxxxxxxxxx");
    assert_string_equal(reel_event_text(&event, buffer, 5), "xxxx");
    event.operation = REEL_OP_ACQUIRE;
    assert_string_equal(reel_event_text(&event, buffer, sizeof buffer), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_named_address_names_all_that_lives_there),
        cmocka_unit_test(an_annotated_lock_may_stand_beside_its_first_member),
        cmocka_unit_test(a_name_may_come_before_its_object_and_does_not_outlive_it),
        cmocka_unit_test(an_annotated_init_brings_its_name),
        cmocka_unit_test(the_last_name_counts),
        cmocka_unit_test(a_process_is_known_by_its_pid),
        cmocka_unit_test(asking_twice_gives_the_same_number),
        cmocka_unit_test(texts_end_where_their_words_end),
    };
    return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
