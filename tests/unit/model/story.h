/* A trace in the text form, told back: what each thread did and who held what, one line each, in
 * microseconds. Tests compare it with the lines they expect.
 *
 *     T2 lock-wait A 3..6 owner T1 by T1
 *     hold A T1 1..5
 */
#ifndef REEL_TESTS_STORY_H
#define REEL_TESTS_STORY_H

#include "tracer/model/text_form.h"
#include "tracer/model/world.h"

struct story {
    struct reel_text_form *form;
    struct reel_identity *identity;
    struct reel_world *world;
    struct reel_interval *interval;
    size_t interval_count;
    struct reel_hold *hold;
    size_t hold_count;
    struct reel_gap *gap;
    size_t gap_count;
    char *text;
};

/* Applies the whole text; `finish` also ends the trace, one microsecond after its last event. */
void story_tell(struct story *story, const char *text, bool finish);
void story_end(struct story *story);

/* Lines about one thread's states ("T2"), or all holds ("hold"), joined by newlines. Valid until
 * the next call. */
const char *story_of(struct story *story, const char *whom);

/* Asserts that the text's threads' or holds' lines are those. */
void assert_story(const char *text, const char *whom, const char *expected);

/* The object at a name now. */
uint32_t story_object(struct story *story, const char *name);

/* Asserts that each thread's intervals tile its life and that exclusive holds are disjoint. */
void assert_invariants(const struct story *story);

#endif
