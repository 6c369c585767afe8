/* The samples, the catalogue and their sources agree; what should end ends, alike each time; what
 * should hang hangs. Called with the folder of the sources and that of the programs. */
#include "catalogue.h"
#include "run.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *sources, *programs;
static struct catalogue catalogue;

#define EACH(entry)                                                                                \
    for (const struct sample *entry = catalogue.samples;                                           \
         entry < catalogue.samples + catalogue.count; entry++)

static void start(struct run *run, const char *program, const char *arguments)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", programs, program);
    run_start(run, path, arguments);
}

/* Runs it to its end, which must be its own and as the status says. */
static void run_well(struct run *run, const char *program, const char *arguments, int status)
{
    start(run, program, arguments);
    run_finish(run);
    if (run->overdue || run->status != status)
        fail_msg("%s %s: %s, status %d instead of %d:\n%s", program, arguments,
                 run->overdue ? "did not end" : "ended", run->status, status, run->text);
}

static void the_catalogue_follows_its_own_rules(void **state)
{
    (void)state;
    assert_true(catalogue.count >= 40);
    EACH(sample)
    {
        EACH(other)
        {
            if (other != sample && strcmp(other->name, sample->name) == 0)
                fail_msg("two samples are called %s", sample->name);
        }
    }
}

static void every_source_is_in_the_catalogue_and_every_entry_has_a_source(void **state)
{
    (void)state;
    DIR *folder = opendir(sources);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char *dot = strrchr(entry->d_name, '.');
        if (dot == NULL || strcmp(dot, ".c") != 0)
            continue;
        *dot = '\0';
        if (!catalogue_has_program(&catalogue, entry->d_name))
            fail_msg("%s.c is not in the catalogue", entry->d_name);
    }
    closedir(folder);
    EACH(sample)
    {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s.c", sources, sample->program);
        if (access(path, R_OK) != 0)
            fail_msg("sample %s has no %s", sample->name, path);
        snprintf(path, sizeof path, "%s/%s", programs, sample->program);
        if (access(path, X_OK) != 0)
            fail_msg("sample %s has no program %s", sample->name, path);
    }
}

static void every_source_is_short_and_says_what_it_shows_and_what_to_look_for(void **state)
{
    (void)state;
    EACH(sample)
    {
        char path[4096], head[16384] = "", start_of_head[128];
        snprintf(path, sizeof path, "%s/%s.c", sources, sample->program);
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        size_t bytes = fread(head, 1, sizeof head - 1, file);
        fclose(file);
        int lines = 0;
        for (size_t i = 0; i < bytes; i++)
            lines += head[i] == '\n';
        if (lines >= 120)
            fail_msg("%s has %d lines; a sample has fewer than 120", path, lines);
        snprintf(start_of_head, sizeof start_of_head, "/* %s: ", sample->program);
        if (strncmp(head, start_of_head, strlen(start_of_head)) != 0)
            fail_msg("%s does not begin with \"%s\"", path, start_of_head);
        if (strstr(head, "\n * Shows: ") == NULL || strstr(head, "\n * Look for: ") == NULL)
            fail_msg("%s does not say what it shows or what to look for", path);
    }
}

static void every_sample_explains_itself_and_refuses_nonsense(void **state)
{
    (void)state;
    struct run run;
    EACH(sample)
    {
        run_well(&run, sample->program, "--help", 0);
        if (strncmp(run.text, "usage: ", 7) != 0)
            fail_msg("%s --help printed:\n%s", sample->program, run.text);
        run_well(&run, sample->program, "-1x", 2);
        if (strstr(run.text, "--help") == NULL)
            fail_msg("%s -1x does not say what to do:\n%s", sample->program, run.text);
    }
}

static void samples_that_end_print_the_same_in_every_run(void **state)
{
    (void)state;
    struct run first, second;
    EACH(sample)
    {
        if (sample->hangs)
            continue;
        run_well(&first, sample->program, sample->quick, 0);
        run_well(&second, sample->program, sample->quick, 0);
        if (!sample->output_varies && strcmp(first.text, second.text) != 0)
            fail_msg("%s printed first\n%sand then\n%s", sample->name, first.text, second.text);
    }
}

static void samples_that_hang_are_alive_until_they_are_killed(void **state)
{
    (void)state;
    struct run *runs = calloc(catalogue.count, sizeof *runs), *ended = NULL;
    assert_non_null(runs);
    for (size_t i = 0; i < catalogue.count; i++) {
        if (catalogue.samples[i].hangs)
            start(&runs[i], catalogue.samples[i].program, catalogue.samples[i].quick);
    }
    sleep(1);
    for (size_t i = 0; i < catalogue.count; i++) {
        if (!catalogue.samples[i].hangs)
            continue;
        if (!run_is_alive(&runs[i]))
            ended = &runs[i];
        run_kill(&runs[i]);
        run_finish(&runs[i]);
    }
    if (ended != NULL)
        fail_msg("%s ended with %d:\n%s", catalogue.samples[ended - runs].name, ended->status,
                 ended->text);
    free(runs);
}

static void every_cure_that_is_named_fixed_has_its_fault_and_ends(void **state)
{
    (void)state;
    EACH(cure)
    {
        char *suffix = strstr(cure->name, "-fixed");
        if (suffix == NULL)
            continue;
        assert_false(cure->hangs);
        bool found = false;
        EACH(fault)
        {
            found |= fault->hangs && strlen(fault->name) == (size_t)(suffix - cure->name) &&
                     strncmp(fault->name, cure->name, (size_t)(suffix - cure->name)) == 0;
        }
        if (!found)
            fail_msg("%s cures a fault that is not in the catalogue", cure->name);
    }
}

static void the_counter_without_a_lock_loses_counts(void **state)
{
    (void)state;
    struct run run;
    long lost = 0;
    for (int tries = 0; lost == 0 && tries < 20; tries++) {
        run_well(&run, "counter-race", "4 20000", 0);
        assert_int_equal(sscanf(run.text, "expected %*d, counted %*d, lost %ld", &lost), 1);
    }
    assert_true(lost > 0);
}

int main(int argc, char **argv)
{
    char path[4096], reason[256];
    if (argc != 3) {
        fprintf(stderr, "usage: %s SOURCES PROGRAMS\n", argv[0]);
        return 2;
    }
    sources = argv[1];
    programs = argv[2];
    snprintf(path, sizeof path, "%s/catalogue.tsv", sources);
    if (!catalogue_read(&catalogue, path, reason)) {
        fprintf(stderr, "%s\n", reason);
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_catalogue_follows_its_own_rules),
        cmocka_unit_test(every_source_is_in_the_catalogue_and_every_entry_has_a_source),
        cmocka_unit_test(every_source_is_short_and_says_what_it_shows_and_what_to_look_for),
        cmocka_unit_test(every_sample_explains_itself_and_refuses_nonsense),
        cmocka_unit_test(samples_that_end_print_the_same_in_every_run),
        cmocka_unit_test(samples_that_hang_are_alive_until_they_are_killed),
        cmocka_unit_test(every_cure_that_is_named_fixed_has_its_fault_and_ends),
        cmocka_unit_test(the_counter_without_a_lock_loses_counts),
    };
    int failed = cmocka_run_group_tests_name("samples", tests, NULL, NULL);
    catalogue_free(&catalogue);
    return failed;
}
