/* reel.h: its numbers are those of the recorder, and each annotation says what it should. This
 * program exports a reel_annotate of its own, as the probe would, and keeps the last call. */
#include "probes/event/kinds.h"
#include "probes/reel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SAME(name)       _Static_assert((int)REEL_H_##name == (int)REEL_OP_##name, #name)
#define SAME_CLASS(name) _Static_assert((int)REEL_H_CLASS_##name == (int)REEL_CLASS_##name, #name)
#define SAME_CALL(name)  _Static_assert((int)REEL_H_CALL_##name == (int)REEL_CALL_##name, #name)
#define SAME_STATE(name) _Static_assert((int)REEL_H_TASK_##name == (int)REEL_TASK_##name, #name)

SAME(CREATE);
SAME(CANCEL);
SAME(NAME);
SAME(INIT);
SAME(DESTROY);
SAME(REQUEST);
SAME(ACQUIRE);
SAME(RELEASE);
SAME(FAIL);
SAME(WAIT);
SAME(WAKE);
SAME(READY);
SAME(PUT);
SAME(GET);
SAME(SPAN_BEGIN);
SAME(SPAN_END);
SAME(READ);
SAME(WRITE);
SAME(BEFORE);
SAME(AFTER);
SAME(MARK);
SAME(STATE);
SAME_CLASS(NONE);
SAME_CLASS(THREAD);
SAME_CLASS(MUTEX);
SAME_CLASS(LOOP);
SAME_CLASS(QUEUE);
SAME_CLASS(TASK);
SAME_CLASS(SPAN);
SAME_CLASS(MEMORY);
SAME_CALL(NONE);
SAME_CALL(LOCK);
SAME_CALL(QUEUE_PUT);
SAME_CALL(QUEUE_GET);
SAME_CALL(TASK_AWAIT);
SAME_STATE(READY);
SAME_STATE(RUNNING);
SAME_STATE(WAITING);
SAME_STATE(DONE);
SAME_STATE(CANCELLED);

static struct {
    uint32_t operation, object_class;
    const volatile void *object;
    uint64_t value;
    const char *text;
    int calls;
} told;

void reel_annotate(uint32_t operation, uint32_t object_class, const volatile void *object,
                   uint64_t value, const char *text);
void reel_annotate(uint32_t operation, uint32_t object_class, const volatile void *object,
                   uint64_t value, const char *text)
{
    int calls = told.calls + 1;
    memset(&told, 0, sizeof told);
    told.operation = operation;
    told.object_class = object_class;
    told.object = object;
    told.value = value;
    told.text = text;
    told.calls = calls;
}

static long thing;

static void expect(int operation, int object_class, const volatile void *object, uint64_t value,
                   const char *text)
{
    assert_int_equal(told.operation, operation);
    assert_int_equal(told.object_class, object_class);
    assert_ptr_equal(told.object, object);
    assert_int_equal(told.value, value);
    if (text == NULL)
        assert_null(told.text);
    else
        assert_string_equal(told.text, text);
}

#define TELLS(annotation, operation, object_class, object, value, text)                            \
    do {                                                                                           \
        int before = told.calls;                                                                   \
        annotation;                                                                                \
        assert_int_equal(told.calls, before + 1);                                                  \
        expect(REEL_OP_##operation, REEL_CLASS_##object_class, object, value, text);               \
    } while (0)

static void a_program_with_a_probe_knows_that_it_is_traced(void **state)
{
    (void)state;
    assert_true(REEL_TRACED());
}

static void names_and_marks_carry_their_text(void **state)
{
    (void)state;
    TELLS(REEL_NAME_THREAD("worker"), NAME, THREAD, NULL, 0, "worker");
    TELLS(REEL_NAME(&thing, "accounts"), NAME, NONE, &thing, 0, "accounts");
    TELLS(REEL_MARK("here"), MARK, NONE, NULL, 0, "here");
    TELLS(REEL_LOOP_NAME(&thing, "main loop"), NAME, LOOP, &thing, 0, "main loop");
}

static void queues_tell_capacity_items_and_waits(void **state)
{
    (void)state;
    TELLS(REEL_QUEUE_INIT(&thing, 16, "orders"), INIT, QUEUE, &thing, 16, "orders");
    TELLS(REEL_PUT(&thing, 42), PUT, QUEUE, &thing, 42, NULL);
    TELLS(REEL_PUT(&thing, &thing), PUT, QUEUE, &thing, (uintptr_t)&thing, NULL);
    TELLS(REEL_GET(&thing, 42), GET, QUEUE, &thing, 42, NULL);
    TELLS(REEL_PUT_WAIT(&thing), WAIT, QUEUE, &thing, REEL_CALL_QUEUE_PUT, NULL);
    TELLS(REEL_GET_WAIT(&thing), WAIT, QUEUE, &thing, REEL_CALL_QUEUE_GET, NULL);
    TELLS(REEL_QUEUE_WAKE(&thing), WAKE, QUEUE, &thing, 0, NULL);
    TELLS(REEL_QUEUE_DESTROY(&thing), DESTROY, QUEUE, &thing, 0, NULL);
}

static void tasks_are_known_by_address_or_by_number(void **state)
{
    (void)state;
    const void *seven = (const void *)(uintptr_t)7;
    TELLS(REEL_TASK_CREATE(&thing, "fetch"), CREATE, TASK, &thing, 0, "fetch");
    TELLS(REEL_TASK_CREATE(7, "fetch"), CREATE, TASK, seven, 0, "fetch");
    TELLS(REEL_TASK_NAME(7, "parse"), NAME, TASK, seven, 0, "parse");
    TELLS(REEL_TASK_READY(7), STATE, TASK, seven, REEL_TASK_READY, NULL);
    TELLS(REEL_TASK_RUN(7), STATE, TASK, seven, REEL_TASK_RUNNING, NULL);
    TELLS(REEL_TASK_WAIT(7, "reply"), STATE, TASK, seven, REEL_TASK_WAITING, "reply");
    TELLS(REEL_TASK_DONE(7), STATE, TASK, seven, REEL_TASK_DONE, NULL);
    TELLS(REEL_TASK_CANCEL(7), CANCEL, TASK, seven, 0, NULL);
    TELLS(REEL_TASK_CANCELLED(7), STATE, TASK, seven, REEL_TASK_CANCELLED, NULL);
    TELLS(REEL_TASK_AWAIT(7), WAIT, TASK, seven, REEL_CALL_TASK_AWAIT, NULL);
    TELLS(REEL_TASK_AWAITED(7), WAKE, TASK, seven, 0, NULL);
}

static void a_span_ends_where_its_block_is_left(void **state)
{
    (void)state;
    TELLS(REEL_SPAN_BEGIN("load"), SPAN_BEGIN, SPAN, NULL, 0, "load");
    TELLS(REEL_SPAN_END("load"), SPAN_END, SPAN, NULL, 0, "load");
    for (int i = 0; i < 1; i++) {
        REEL_SPAN("inner");
        expect(REEL_OP_SPAN_BEGIN, REEL_CLASS_SPAN, NULL, 0, "inner");
        if (i == 0)
            break;
    }
    expect(REEL_OP_SPAN_END, REEL_CLASS_SPAN, NULL, 0, "inner");
}

static void loops_tell_waits_wakes_and_callbacks(void **state)
{
    (void)state;
    TELLS(REEL_LOOP_WAIT(&thing), WAIT, LOOP, &thing, 0, NULL);
    TELLS(REEL_LOOP_WAKE(&thing, 3), WAKE, LOOP, &thing, 3, NULL);
    TELLS(REEL_LOOP_READY(&thing, 9), READY, LOOP, &thing, 9, NULL);
    TELLS(REEL_LOOP_CALLBACK_BEGIN(&thing, "paint"), SPAN_BEGIN, LOOP, &thing, 0, "paint");
    TELLS(REEL_LOOP_CALLBACK_END(&thing, "paint"), SPAN_END, LOOP, &thing, 0, "paint");
}

static void home_made_locks_look_like_mutexes(void **state)
{
    (void)state;
    TELLS(REEL_LOCK_INIT(&thing, "GIL"), INIT, MUTEX, &thing, 0, "GIL");
    TELLS(REEL_LOCK_REQUEST(&thing), REQUEST, MUTEX, &thing, REEL_CALL_LOCK, NULL);
    TELLS(REEL_LOCK_ACQUIRE(&thing), ACQUIRE, MUTEX, &thing, 0, NULL);
    TELLS(REEL_LOCK_RELEASE(&thing), RELEASE, MUTEX, &thing, 0, NULL);
    TELLS(REEL_LOCK_FAILED(&thing, 110), FAIL, MUTEX, &thing, 110, NULL);
    TELLS(REEL_LOCK_DESTROY(&thing), DESTROY, MUTEX, &thing, 0, NULL);
}

static void memory_tells_address_and_size(void **state)
{
    (void)state;
    TELLS(REEL_READ(thing), READ, MEMORY, &thing, sizeof thing, NULL);
    TELLS(REEL_WRITE(thing), WRITE, MEMORY, &thing, sizeof thing, NULL);
    TELLS(REEL_READ_RANGE(&thing, 3), READ, MEMORY, &thing, 3, NULL);
    TELLS(REEL_WRITE_RANGE(&thing, 3), WRITE, MEMORY, &thing, 3, NULL);
    TELLS(REEL_HAPPENS_BEFORE(&thing), BEFORE, MEMORY, &thing, 0, NULL);
    TELLS(REEL_HAPPENS_AFTER(&thing), AFTER, MEMORY, &thing, 0, NULL);
}

static void arguments_are_evaluated_once(void **state)
{
    (void)state;
    int count = 0;
    REEL_PUT(&thing, count++);
    assert_int_equal(count, 1);
    assert_int_equal(told.value, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_with_a_probe_knows_that_it_is_traced),
        cmocka_unit_test(names_and_marks_carry_their_text),
        cmocka_unit_test(queues_tell_capacity_items_and_waits),
        cmocka_unit_test(tasks_are_known_by_address_or_by_number),
        cmocka_unit_test(a_span_ends_where_its_block_is_left),
        cmocka_unit_test(loops_tell_waits_wakes_and_callbacks),
        cmocka_unit_test(home_made_locks_look_like_mutexes),
        cmocka_unit_test(memory_tells_address_and_size),
        cmocka_unit_test(arguments_are_evaluated_once),
    };
    return cmocka_run_group_tests_name("annotations", tests, NULL, NULL);
}
