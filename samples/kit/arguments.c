/* The command line of a sample: see arguments.h. */
#include "arguments.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool times_wanted;

bool arguments_times(void)
{
    return times_wanted;
}

static _Noreturn void help(const char *program, const char *summary, const struct argument *table)
{
    printf("usage: %s [--times]", program);
    for (const struct argument *a = table; a->name != NULL; a++)
        printf(" [%s]", a->name);
    printf("\n%s\n\n", summary);
    for (const struct argument *a = table; a->name != NULL; a++) {
        printf("  %-12s %s (", a->name, a->meaning);
        if (a->choices == NULL) {
            printf("%ld to %ld; default %ld)\n", a->least, a->most, *a->value);
            continue;
        }
        for (const char *const *choice = a->choices; *choice != NULL; choice++)
            printf("%s%s", choice == a->choices ? "" : "|", *choice);
        printf("; default %s)\n", a->choices[*a->value]);
    }
    printf("  %-12s print measured times too\n", "--times");
    exit(0);
}

static _Noreturn void refuse(const char *program, const char *text, const struct argument *a)
{
    if (a->name == NULL)
        fprintf(stderr, "%s: '%s' is one argument too many; see %s --help\n", program, text,
                program);
    else
        fprintf(stderr, "%s: '%s' will not do for '%s'; see %s --help\n", program, text, a->name,
                program);
    exit(2);
}

static bool read_choice(const struct argument *a, const char *text)
{
    for (long i = 0; a->choices[i] != NULL; i++) {
        if (strcmp(a->choices[i], text) == 0) {
            *a->value = i;
            return true;
        }
    }
    return false;
}

static bool read_number(const struct argument *a, const char *text)
{
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || number < a->least || number > a->most)
        return false;
    *a->value = number;
    return true;
}

void arguments_read(int argc, char **argv, const char *summary, const struct argument *table)
{
    const char *slash = strrchr(argv[0], '/');
    const char *program = slash != NULL ? slash + 1 : argv[0];
    const struct argument *next = table;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0)
            help(program, summary, table);
        if (strcmp(argv[i], "--times") == 0) {
            times_wanted = true;
            continue;
        }
        if (next->name == NULL ||
            !(next->choices != NULL ? read_choice(next, argv[i]) : read_number(next, argv[i])))
            refuse(program, argv[i], next);
        next++;
    }
}
