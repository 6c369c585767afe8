/* Cases with known verdicts: each a guilty program and its innocent twin, one function with a flag.
 * `matrix NAME guilty|innocent` runs one; `matrix --list` prints the table that the runner reads.
 */
#ifndef REEL_MATRIX_CASES_H
#define REEL_MATRIX_CASES_H

#include <pthread.h>
#include <stdbool.h>

struct matrix_case {
    const char *name;
    const char *kinds; /* findings of severity error that the guilty one must have, by kind; one is
                          enough */
    const char *how;   /* observed, predicted, possible (a warning), misuse */
    void (*run)(bool guilty);
};

extern const struct matrix_case observed_cases[], predicted_cases[], misuse_cases[];

/* Runs both at once and waits for both. The second begins about 20 ms after the first: what the two
 * could do to each other does not happen. */
void run_apart(void *(*first)(void *), void *(*second)(void *), void *argument);
/* The same without the delay. */
void run_together(void *(*first)(void *), void *(*second)(void *), void *argument);
void pause_ms(int milliseconds);
pthread_t start(void *(*routine)(void *), void *argument);
/* Takes `first`, then `second`, lets go of both. */
void take_both(pthread_mutex_t *first, pthread_mutex_t *second);

#endif
