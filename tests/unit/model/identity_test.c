/* Identity: which object an address means, when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tracer/model/identity.h"
#include "tracer/model/text_form.h"

struct resolved {
    struct reel_text_form *form;
    struct reel_identity *identity;
    uint32_t object[64]; /* of each event */
    const struct reel_event *event;
    size_t count;
};

static void resolve(struct resolved *r, const char *text,
                    const struct reel_identity_resolver *resolver)
{
    struct reel_error error = {0};
    *r = (struct resolved){0};
    r->form = reel_text_form_parse(text, &error);
    if (!r->form)
        fail_msg("%s", error.message);
    r->identity = reel_identity_new(resolver);
    r->event = reel_text_form_events(r->form, &r->count);
    assert_true(r->count <= 64);
    for (size_t i = 0; i < r->count; i++)
        r->object[i] = reel_identity_resolve(r->identity, &r->event[i]);
}

static void done(struct resolved *r)
{
    reel_identity_free(r->identity);
    reel_text_form_free(r->form);
}

static const struct reel_object *object(const struct resolved *r, unsigned event)
{
    return reel_identity_object(r->identity, r->object[event]);
}

static void an_unknown_address_makes_an_object_at_its_first_use(void **state)
{
    struct resolved r;
    resolve(&r, "T1 lock A stack 7; T1 unlock A; T1 lock B; T2 lock C", NULL);
    assert_int_equal(r.object[0], r.object[1]);
    assert_int_not_equal(r.object[0], r.object[2]);
    assert_false(object(&r, 0)->initialised);
    assert_int_equal(object(&r, 0)->site, 7);
    assert_int_equal(object(&r, 0)->creator, 1);
    assert_int_equal(object(&r, 0)->ordinal, 1);
    assert_int_equal(object(&r, 2)->ordinal, 2);
    assert_int_equal(object(&r, 3)->ordinal, 1);
    assert_int_equal(object(&r, 0)->last_ns, 2000);
    done(&r);
}

static void init_makes_a_new_generation(void **state)
{
    struct resolved r;
    resolve(&r, "T1 init A; T1 lock A; T1 unlock A; T1 init A; T1 lock A", NULL);
    assert_int_equal(r.object[0], r.object[2]);
    assert_int_not_equal(r.object[0], r.object[3]);
    assert_int_equal(r.object[3], r.object[4]);
    assert_int_equal(object(&r, 3)->generation, 2);
    assert_true(object(&r, 3)->initialised);
    assert_false(object(&r, 3)->after_destroy);
    done(&r);
}

static void a_use_after_destroy_is_a_new_object_that_says_so(void **state)
{
    struct resolved r;
    resolve(&r, "T1 init A; T1 destroy A; T1 lock A; T1 destroy A; T1 init A", NULL);
    assert_true(object(&r, 0)->ended);
    assert_int_not_equal(r.object[2], r.object[0]);
    assert_true(object(&r, 2)->after_destroy);
    assert_false(object(&r, 4)->after_destroy);
    assert_int_equal(object(&r, 4)->generation, 3);
    done(&r);
}

static void a_destroy_that_failed_ends_nothing(void **state)
{
    struct resolved r;
    resolve(&r, "T1 lock A; T1 destroy A EBUSY; T1 unlock A", NULL);
    assert_int_equal(r.object[0], r.object[2]);
    assert_false(object(&r, 0)->ended);
    done(&r);
}

static void memory_reused_for_another_class_is_a_new_object(void **state)
{
    struct resolved r;
    resolve(&r, "T1 lock A; T1 unlock A; T1 post A:semaphore; T1 lock A:mutex", NULL);
    assert_int_not_equal(r.object[0], r.object[2]);
    assert_int_not_equal(r.object[0], r.object[3]);
    assert_int_equal(object(&r, 3)->generation, 3);
    done(&r);
}

static void a_queue_may_share_its_address_with_its_lock(void **state)
{
    struct resolved r;
    resolve(&r, "T1 lock A; T1 put A:queue; T1 unlock A:mutex; T1 get A:queue", NULL);
    assert_int_equal(r.object[0], r.object[2]);
    assert_int_equal(r.object[1], r.object[3]);
    assert_int_not_equal(r.object[0], r.object[1]);
    done(&r);
}

static void memory_is_private_to_a_process(void **state)
{
    struct resolved r;
    resolve(&r, "P1.T1 lock A; P2.T2 lock A", NULL);
    assert_int_not_equal(r.object[0], r.object[1]);
    assert_int_equal(object(&r, 0)->process, 1);
    assert_int_equal(object(&r, 1)->process, 2);
    done(&r);
}

static void a_forked_child_has_copies_of_its_parents_objects(void **state)
{
    struct resolved r;
    resolve(&r,
            "T1 init A stack 9; T1 fork P2; P2.T2 attach by P1; T2 lock A; T1 lock A; T2 lock B; "
            "T2 fork P3; P3.T3 attach by P2; T3 lock A; T3 init A; T3 lock A",
            NULL);
    assert_int_not_equal(r.object[4], r.object[0]);
    assert_int_equal(object(&r, 4)->inherited_from, r.object[0]);
    assert_int_equal(object(&r, 4)->process, 2);
    assert_int_equal(object(&r, 4)->site, 9);
    assert_int_equal(r.object[5], r.object[0]);
    assert_int_equal(object(&r, 6)->inherited_from, 0);
    assert_int_equal(object(&r, 10)->inherited_from, r.object[4]);
    assert_int_equal(object(&r, 11)->inherited_from, 0);
    assert_int_equal(object(&r, 11)->generation, 2);
    done(&r);
}

static void a_grandchild_finds_what_its_parent_never_touched(void **state)
{
    struct resolved r;
    resolve(&r, "T1 lock A; P2.T2 attach by P1; P3.T3 attach by P2; T3 lock A", NULL);
    assert_int_equal(object(&r, 3)->inherited_from, r.object[0]);
    done(&r);
}

static void an_exec_image_inherits_nothing(void **state)
{
    struct resolved r;
    resolve(&r, "T1 lock A; P2.T2 attach; T2 lock A", NULL);
    assert_int_equal(object(&r, 2)->inherited_from, 0);
    done(&r);
}

static void a_shared_object_is_one_in_all_processes(void **state)
{
    struct resolved r;
    resolve(&r, "P1.T1 init A shared; P2.T2 lock A shared; T2 unlock-failed A; T1 lock A", NULL);
    assert_int_equal(r.object[0], r.object[1]);
    assert_int_equal(r.object[0], r.object[2]);
    assert_int_equal(r.object[0], r.object[3]);
    assert_int_equal(object(&r, 0)->process, 0);
    assert_true(object(&r, 0)->shared);
    done(&r);
}

/* Process 2 maps the file 0x40 lower than process 1. */
static bool mapped_lower(void *data, uint32_t process, uint64_t address, uint64_t time_ns,
                         struct reel_shared_place *place)
{
    *place = (struct reel_shared_place){8, 1234, address + (process == 2 ? 0x40 : 0)};
    return true;
}

static void shared_objects_are_told_by_file_and_offset(void **state)
{
    struct resolved r;
    resolve(&r, "P1.T1 lock A shared; T1 lock B shared; P2.T2 lock A shared",
            &(struct reel_identity_resolver){mapped_lower, NULL});
    assert_int_equal(r.object[1], r.object[2]);
    assert_int_not_equal(r.object[0], r.object[2]);
    done(&r);
}

static void a_shared_object_destroyed_in_one_process_is_over_in_all(void **state)
{
    struct resolved r;
    resolve(&r, "P1.T1 lock A shared; P2.T2 destroy A shared; T1 lock A shared", NULL);
    assert_int_not_equal(r.object[0], r.object[2]);
    assert_true(object(&r, 2)->after_destroy);
    assert_int_equal(object(&r, 2)->generation, 2);
    done(&r);
}

static void descriptors_and_pids_are_the_recordings(void **state)
{
    struct resolved r;
    resolve(&r,
            "P1.T1 read pipe P 1; P2.T2 write pipe P 1; T1 waitpid P2; T2 exit process; "
            "T2 attach",
            NULL);
    assert_int_equal(r.object[0], r.object[2]);
    assert_int_equal(object(&r, 0)->process, 0);
    assert_int_equal(object(&r, 4)->address, 1002);
    assert_int_equal(r.object[7], r.object[4]);
    done(&r);
}

static void waiting_for_any_child_is_about_no_object(void **state)
{
    struct reel_identity *identity = reel_identity_new(NULL);
    struct reel_event event = {.time_ns = 1,
                               .thread = 1,
                               .process = 1,
                               .operation = REEL_OP_WAIT,
                               .class = REEL_CLASS_PROCESS,
                               .object = (uint64_t)-1,
                               .argument = REEL_CALL_WAITPID};
    assert_int_equal(reel_identity_resolve(identity, &event), 0);
    reel_identity_free(identity);
}

static void a_handle_is_the_thread_that_had_it_last(void **state)
{
    struct resolved r;
    resolve(&r,
            "T1 create T2; T2 start handle 0x7f12345678c0; T1 join 0x7f12345678c0; T1 create T3; "
            "T3 start handle 0x7f12345678c0; T1 begin join 0x7f12345678c0; T1 create T4; T4 start "
            "handle 0x7f12345678c0; "
            "T1 end join 0x7f12345678c0; P2.T5 begin join 0x7f12345678c0",
            NULL);
    assert_int_equal(reel_identity_thread_of(r.identity, r.object[2]), 2);
    assert_int_equal(r.object[2], r.object[0]);
    assert_int_equal(r.object[3], r.object[0]);
    assert_int_equal(reel_identity_thread_of(r.identity, r.object[6]), 3);
    assert_int_equal(reel_identity_thread_of(r.identity, r.object[9]), 3);
    assert_int_equal(reel_identity_thread_of(r.identity, r.object[10]), 0);
    done(&r);
}

static void a_declared_handle_counts_from_the_creation(void **state)
{
    struct reel_identity *identity = reel_identity_new(NULL);
    reel_identity_declare_thread(identity, 1, 2, 0x7f12345678c0);
    struct reel_text_form *form = reel_text_form_parse(
        "T1 create T2; T1 begin join 0x7f12345678c0; T2 start handle 0x7f12345678c0", NULL);
    size_t count;
    const struct reel_event *event = reel_text_form_events(form, &count);
    uint32_t child = reel_identity_resolve(identity, &event[0]);
    assert_int_equal(reel_identity_resolve(identity, &event[1]), child);
    assert_int_equal(reel_identity_thread_of(identity, child), 2);
    reel_text_form_free(form);
    reel_identity_free(identity);
}

static bool mapped_nowhere(void *data, uint32_t process, uint64_t address, uint64_t time_ns,
                           struct reel_shared_place *place)
{
    return false;
}

static void a_futex_in_private_memory_is_private_whatever_its_call_says(void **state)
{
    struct resolved r;
    const struct reel_identity_resolver resolver = {mapped_nowhere, NULL};
    resolve(&r, "P1.T1 signal F:futex shared; P2.T2 signal F shared", &resolver);
    assert_int_not_equal(r.object[0], r.object[1]);
    done(&r);
    resolve(&r, "P1.T1 lock A shared; P2.T2 lock A shared", &resolver);
    assert_int_equal(r.object[0], r.object[1]);
    done(&r);
}

static void naming_an_address_names_what_lives_there(void **state)
{
    struct resolved r;
    resolve(&r, "T1 lock A; T1 put A:queue", NULL);
    struct reel_event name = {.time_ns = 9000,
                              .thread = 1,
                              .process = 1,
                              .operation = REEL_OP_NAME,
                              .object = r.event[0].object};
    assert_int_equal(reel_identity_resolve(r.identity, &name), r.object[0]);
    uint32_t ids[4];
    assert_int_equal(reel_identity_known_at(r.identity, 1, name.object, ids, 4), 2);
    assert_int_equal(ids[0], r.object[0]);
    assert_int_equal(ids[1], r.object[1]);
    assert_int_equal(reel_identity_known_at(r.identity, 2, name.object, ids, 4), 0);
    name.object = 0x5;
    assert_int_equal(reel_identity_resolve(r.identity, &name), 0);
    assert_int_equal(reel_identity_count(r.identity), 2);
    done(&r);
}

static void the_first_threads_declared_handle_counts_from_the_attach(void **state)
{
    struct reel_identity *identity = reel_identity_new(NULL);
    reel_identity_declare_thread(identity, 1, 1, 0x7f12345678c0);
    struct reel_text_form *form = reel_text_form_parse(
        "T1 attach; T1 create T2; T2 start; T2 begin join 0x7f12345678c0", NULL);
    size_t count;
    const struct reel_event *event = reel_text_form_events(form, &count);
    uint32_t joined = 0;
    for (size_t i = 0; i < count; i++)
        joined = reel_identity_resolve(identity, &event[i]);
    assert_int_equal(reel_identity_object(identity, joined)->address, 1);
    reel_text_form_free(form);
    reel_identity_free(identity);
}

static void a_thread_that_names_itself_needs_no_handle(void **state)
{
    struct resolved r;
    resolve(&r, "T1 create T2; T2 start", NULL);
    struct reel_event name = {.time_ns = 9000,
                              .thread = 2,
                              .process = 1,
                              .operation = REEL_OP_NAME,
                              .class = REEL_CLASS_THREAD};
    assert_int_equal(reel_identity_resolve(r.identity, &name), r.object[0]);
    done(&r);
}

static void spans_of_one_name_are_one_object(void **state)
{
    struct reel_identity *identity = reel_identity_new(NULL);
    const uint64_t one[] = {1}, two[] = {2};
    struct reel_event span = {.time_ns = 1,
                              .thread = 1,
                              .process = 1,
                              .class = REEL_CLASS_SPAN,
                              .operation = REEL_OP_SPAN_BEGIN,
                              .extra = one,
                              .extra_words = 1};
    uint32_t first = reel_identity_resolve(identity, &span);
    assert_int_not_equal(first, 0);
    span.operation = REEL_OP_SPAN_END;
    assert_int_equal(reel_identity_resolve(identity, &span), first);
    span.extra = two;
    assert_int_not_equal(reel_identity_resolve(identity, &span), first);
    reel_identity_free(identity);
}

static void poll_loops_belong_to_their_thread(void **state)
{
    struct reel_identity *identity = reel_identity_new(NULL);
    struct reel_event event = {.time_ns = 1,
                               .thread = 1,
                               .process = 1,
                               .operation = REEL_OP_WAIT,
                               .class = REEL_CLASS_LOOP,
                               .argument = REEL_CALL_POLL};
    uint32_t one = reel_identity_resolve(identity, &event);
    event.thread = 2;
    uint32_t two = reel_identity_resolve(identity, &event);
    assert_int_not_equal(one, 0);
    assert_int_not_equal(one, two);
    reel_identity_free(identity);
}

static void capacities_come_from_the_init(void **state)
{
    struct resolved r;
    resolve(&r, "T1 init B:barrier 3; T1 init Q:queue 8; T1 init A 2; T1 init S:semaphore 0", NULL);
    assert_int_equal(object(&r, 0)->capacity, 3);
    assert_int_equal(object(&r, 1)->capacity, 8);
    assert_int_equal(object(&r, 2)->capacity, -1);
    assert_int_equal(object(&r, 3)->capacity, 0);
    done(&r);
}

static void impossible_numbers_are_no_objects_and_no_crash(void **state)
{
    struct reel_identity *identity = reel_identity_new(NULL);
    for (unsigned class = 0; class < 256; class ++)
        for (unsigned operation = 0; operation < 128; operation++) {
            struct reel_event event = {.time_ns = operation,
                                       .thread = UINT32_MAX - class,
                                       .process = operation & 1 ? UINT32_MAX : class,
                                       .operation = (uint8_t)operation,
                                       .class = (uint8_t) class,
                                       .object = UINT64_MAX / (class + 1),
                                       .flags = (uint8_t)(operation * 7)};
            uint32_t id = reel_identity_resolve(identity, &event);
            assert_true(id <= reel_identity_count(identity));
        }
    assert_null(reel_identity_object(identity, UINT32_MAX));
    /* a cycle of forks, which only a damaged file can have */
    reel_identity_declare_process(identity, 5, 6, 0);
    reel_identity_declare_process(identity, 6, 5, 0);
    struct reel_event event = {.process = 5,
                               .thread = 1,
                               .operation = REEL_OP_ACQUIRE,
                               .class = REEL_CLASS_MUTEX,
                               .object = 0x77};
    assert_int_not_equal(reel_identity_resolve(identity, &event), 0);
    reel_identity_free(identity);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_address_makes_an_object_at_its_first_use),
        cmocka_unit_test(init_makes_a_new_generation),
        cmocka_unit_test(a_use_after_destroy_is_a_new_object_that_says_so),
        cmocka_unit_test(a_destroy_that_failed_ends_nothing),
        cmocka_unit_test(memory_reused_for_another_class_is_a_new_object),
        cmocka_unit_test(a_queue_may_share_its_address_with_its_lock),
        cmocka_unit_test(memory_is_private_to_a_process),
        cmocka_unit_test(a_forked_child_has_copies_of_its_parents_objects),
        cmocka_unit_test(a_grandchild_finds_what_its_parent_never_touched),
        cmocka_unit_test(an_exec_image_inherits_nothing),
        cmocka_unit_test(a_shared_object_is_one_in_all_processes),
        cmocka_unit_test(shared_objects_are_told_by_file_and_offset),
        cmocka_unit_test(a_shared_object_destroyed_in_one_process_is_over_in_all),
        cmocka_unit_test(descriptors_and_pids_are_the_recordings),
        cmocka_unit_test(waiting_for_any_child_is_about_no_object),
        cmocka_unit_test(a_handle_is_the_thread_that_had_it_last),
        cmocka_unit_test(a_declared_handle_counts_from_the_creation),
        cmocka_unit_test(the_first_threads_declared_handle_counts_from_the_attach),
        cmocka_unit_test(a_futex_in_private_memory_is_private_whatever_its_call_says),
        cmocka_unit_test(naming_an_address_names_what_lives_there),
        cmocka_unit_test(a_thread_that_names_itself_needs_no_handle),
        cmocka_unit_test(spans_of_one_name_are_one_object),
        cmocka_unit_test(poll_loops_belong_to_their_thread),
        cmocka_unit_test(capacities_come_from_the_init),
        cmocka_unit_test(impossible_numbers_are_no_objects_and_no_crash),
    };
    return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
