/* The guide to the samples tells all that the catalogue knows, and the manual page of reel.h names
 * every annotation. Called with the folder of the whole source tree. */
#include "catalogue.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *tree;

static char *text_of(const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", tree, name);
    char *text = catalogue_text(path);
    if (text == NULL)
        fail_msg("cannot read %s", path);
    return text;
}

static void the_guide_tells_topic_command_and_what_to_see_of_every_sample(void **state)
{
    (void)state;
    struct catalogue catalogue;
    char path[4096], reason[256], row[1024];
    snprintf(path, sizeof path, "%s/samples/catalogue.tsv", tree);
    if (!catalogue_read(&catalogue, path, reason))
        fail_msg("%s", reason);
    char *guide = text_of("samples/README.md");
    for (size_t i = 0; i < catalogue.count; i++) {
        const struct sample *sample = &catalogue.samples[i];
        snprintf(row, sizeof row, "\n| %s | [`%s`](%s.c) | `samples/run %s` | %s", sample->topic,
                 sample->name, sample->program, sample->name, sample->see);
        if (strstr(guide, row) == NULL)
            fail_msg("samples/README.md has no row that begins:%s", row);
    }
    free(guide);
    catalogue_free(&catalogue);
}

/* Calls `check` with the name of every macro that users of reel.h may use. */
static void for_each_annotation(void (*check)(const char *name, const char *text), const char *text)
{
    char *header = text_of("probes/reel.h");
    int count = 0;
    for (char *at = header; (at = strstr(at, "\n#define REEL_")) != NULL; at++) {
        char name[64];
        const char *from = at + strlen("\n#define ");
        size_t length = 0;
        while (isalnum((unsigned char)from[length]) || from[length] == '_')
            length++;
        snprintf(name, sizeof name, "%.*s", (int)length, from);
        if (strncmp(name, "REEL_H", 6) == 0 && strncmp(name, "REEL_HAPPENS", 12) != 0)
            continue;
        check(name, text);
        count++;
    }
    assert_true(count >= 40);
    free(header);
}

static void is_named(const char *name, const char *text)
{
    char call[80];
    snprintf(call, sizeof call, "%s(", name);
    if (strstr(text, call) == NULL)
        fail_msg("%s(…) does not occur in what should name it", name);
}

static void the_manual_names_every_annotation(void **state)
{
    (void)state;
    char *manual = text_of("data/man/reel.h.3");
    for_each_annotation(is_named, manual);
    free(manual);
}

static void the_test_of_untraced_programs_uses_every_annotation(void **state)
{
    (void)state;
    char *program = text_of("tests/samples/annotations_untraced.h");
    for_each_annotation(is_named, program);
    free(program);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s TREE\n", argv[0]);
        return 2;
    }
    tree = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_guide_tells_topic_command_and_what_to_see_of_every_sample),
        cmocka_unit_test(the_manual_names_every_annotation),
        cmocka_unit_test(the_test_of_untraced_programs_uses_every_annotation),
    };
    return cmocka_run_group_tests_name("documents", tests, NULL, NULL);
}
