#include "tests/unit/model/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void on_interval(void *data, const struct reel_interval *interval)
{
    struct story *story = data;
    story->interval =
        realloc(story->interval, (story->interval_count + 1) * sizeof *story->interval);
    story->interval[story->interval_count++] = *interval;
}

static void on_hold(void *data, const struct reel_hold *hold)
{
    struct story *story = data;
    story->hold = realloc(story->hold, (story->hold_count + 1) * sizeof *story->hold);
    story->hold[story->hold_count++] = *hold;
}

static void on_gap(void *data, const struct reel_gap *gap)
{
    struct story *story = data;
    story->gap = realloc(story->gap, (story->gap_count + 1) * sizeof *story->gap);
    story->gap[story->gap_count++] = *gap;
}

void story_tell(struct story *story, const char *text, bool finish)
{
    struct reel_error error = {0};
    *story = (struct story){0};
    story->form = reel_text_form_parse(text, &error);
    if (!story->form)
        fail_msg("%s", error.message);
    story->identity = reel_identity_new(NULL);
    story->world = reel_world_new(
        story->identity, &(struct reel_world_listener){story, on_interval, on_hold, on_gap});
    size_t count;
    const struct reel_event *event = reel_text_form_events(story->form, &count);
    for (size_t i = 0; i < count; i++)
        reel_world_apply(story->world, &event[i]);
    if (finish)
        reel_world_finish(story->world, count ? event[count - 1].time_ns + 1000 : 0);
}

void story_end(struct story *story)
{
    reel_world_free(story->world);
    reel_identity_free(story->identity);
    reel_text_form_free(story->form);
    free(story->interval);
    free(story->hold);
    free(story->gap);
    free(story->text);
}

uint32_t story_object(struct story *story, const char *name)
{
    uint64_t address = reel_text_form_address(story->form, name);
    for (uint32_t id = (uint32_t)reel_identity_count(story->identity); id; id--)
        if (reel_identity_object(story->identity, id)->address == address)
            return id;
    return 0;
}

/* The name behind an object: the text's, or what its class makes of its number. */
static void print_object(FILE *out, const struct story *story, uint32_t id)
{
    const struct reel_object *object = reel_identity_object(story->identity, id);
    if (!object)
        return;
    if (object->class == REEL_CLASS_THREAD) {
        fprintf(out, " T%u", (unsigned)object->address);
        return;
    }
    if (object->class == REEL_CLASS_PROCESS) {
        fprintf(out, " pid %u", (unsigned)object->address);
        return;
    }
    for (char name[2] = "A"; *name <= 'Z'; ++*name)
        if (reel_text_form_address(story->form, name) == object->address) {
            fprintf(out, " %s", name);
            if (object->generation > 1)
                fprintf(out, "#%u", object->generation);
            if (object->inherited_from)
                fprintf(out, "'");
        }
}

static double us(uint64_t ns)
{
    return (double)ns / 1000;
}

static int by_start(const void *a, const void *b)
{
    const struct reel_hold *x = a, *y = b;
    return x->start_ns < y->start_ns ? -1 : x->start_ns > y->start_ns;
}

const char *story_of(struct story *story, const char *whom)
{
    size_t size;
    free(story->text);
    FILE *out = open_memstream(&story->text, &size);
    unsigned thread = whom[0] == 'T' ? (unsigned)atoi(whom + 1) : 0;
    for (size_t i = 0; thread && i < story->interval_count; i++) {
        const struct reel_interval *interval = &story->interval[i];
        if (interval->thread != thread)
            continue;
        fprintf(out, "%s%s", ftell(out) ? "\n" : "", reel_state_name(interval->state));
        print_object(out, story, interval->object);
        fprintf(out, " %g..%g", us(interval->start_ns), us(interval->end_ns));
        if (interval->owner)
            fprintf(out, " owner T%u", interval->owner);
        if (interval->ended_by)
            fprintf(out, " by T%u", interval->ended_by);
        if (reel_state_waits(interval->state) && !interval->ended_event)
            fprintf(out, " endless");
    }
    if (story->hold_count)
        qsort(story->hold, story->hold_count, sizeof *story->hold, by_start);
    for (size_t i = 0; !thread && i < story->hold_count; i++) {
        const struct reel_hold *hold = &story->hold[i];
        fprintf(out, "%s%s", ftell(out) ? "\n" : "", hold->shared ? "share" : "hold");
        print_object(out, story, hold->object);
        fprintf(out, " T%u %g..%g", hold->thread, us(hold->start_ns), us(hold->end_ns));
        if (hold->waited_ns)
            fprintf(out, " waited %g", us(hold->waited_ns));
        if (!hold->released)
            fprintf(out, " kept");
    }
    fclose(out);
    return story->text;
}

void assert_story(const char *text, const char *whom, const char *expected)
{
    struct story story;
    story_tell(&story, text, true);
    assert_string_equal(story_of(&story, whom), expected);
    assert_invariants(&story);
    story_end(&story);
}

static int by_object_then_start(const void *a, const void *b)
{
    const struct reel_hold *x = a, *y = b;
    if (x->object != y->object)
        return x->object < y->object ? -1 : 1;
    return x->start_ns < y->start_ns ? -1 : x->start_ns > y->start_ns;
}

void assert_invariants(const struct story *story)
{
    for (uint32_t t = 0; t < reel_world_thread_limit(story->world); t++) {
        const struct reel_world_thread *thread = reel_world_thread(story->world, t);
        if (!thread || !thread->begun)
            continue;
        uint64_t at = thread->start_ns;
        for (size_t i = 0; i < story->interval_count; i++) {
            if (story->interval[i].thread != t)
                continue;
            assert_int_equal(story->interval[i].start_ns, at);
            assert_true(story->interval[i].end_ns > at);
            at = story->interval[i].end_ns;
        }
        assert_true(thread->ended);
        assert_int_equal(at, thread->end_ns);
    }
    struct reel_hold *hold = calloc(story->hold_count + 1, sizeof *hold);
    if (story->hold_count)
        memcpy(hold, story->hold, story->hold_count * sizeof *hold);
    qsort(hold, story->hold_count, sizeof *hold, by_object_then_start);
    uint64_t exclusive_end = 0, any_end = 0;
    for (size_t i = 0; i < story->hold_count; i++) {
        if (!i || hold[i].object != hold[i - 1].object)
            exclusive_end = any_end = 0;
        assert_true(hold[i].end_ns > hold[i].start_ns);
        assert_true(hold[i].start_ns >= (hold[i].shared ? exclusive_end : any_end));
        if (!hold[i].shared && hold[i].end_ns > exclusive_end)
            exclusive_end = hold[i].end_ns;
        if (hold[i].end_ns > any_end)
            any_end = hold[i].end_ns;
    }
    free(hold);
}
