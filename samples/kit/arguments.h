/* The command line of a sample: numbers and choices by position, each with a default.
 *
 *     long threads = 4, rounds = 1000;
 *     arguments_read(argc, argv, "Threads count under a lock.",
 *                    ARGUMENTS(NUMBER("threads", &threads, 1, 64, "how many count"),
 *                              NUMBER("rounds", &rounds, 1, 1000000, "how often each")));
 *
 * Then `counter 8` runs eight threads, `counter --help` explains, and `counter zero` is refused. */
#ifndef KIT_ARGUMENTS_H
#define KIT_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

/* One number, or (with `choices`, a null-ended list) one word, stored as its index. The last row of
 * a table has no name. */
struct argument {
    const char *name;
    long *value; /* its default before the call, its value after */
    long least, most;
    const char *meaning;
    const char *const *choices;
};

#define ARGUMENTS(...) ((struct argument[]){__VA_ARGS__, {0}})
#define NUMBER(name, value, least, most, meaning)                                                  \
    {                                                                                              \
        name, value, least, most, meaning, NULL                                                    \
    }
#define CHOICE(name, value, choices, meaning)                                                      \
    {                                                                                              \
        name, value, 0, 0, meaning, choices                                                        \
    }

/* Reads the command line into the table. Prints help and ends with 0 on --help; says what is wrong
 * and ends with 2 on anything that does not fit. */
void arguments_read(int argc, char **argv, const char *summary, const struct argument *table);

/* Was `--times` given? Only then may a sample print measured times, so that what it prints is
 * otherwise the same in every run. */
bool arguments_times(void);

#endif
