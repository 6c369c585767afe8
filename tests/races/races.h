/* Races with known verdicts: each a guilty program and its innocent twin, one function with a flag.
 * `races NAME guilty|innocent` runs one; `races --list` prints the table that the runner reads. All
 * of it is compiled by `reel cc`. */
#ifndef REEL_RACES_H
#define REEL_RACES_H

#include <pthread.h>
#include <stdbool.h>

/* Data that the compiler must not think away, written or read as it may never be again. */
#define KEPT static __attribute__((used))

#ifdef __cplusplus
extern "C" {
#endif

struct race_case {
    const char *name;
    const char *about; /* what the finding of the guilty one must name; "" anything */
    void (*run)(bool guilty);
};

/* Each ends with a case without a name. */
extern const struct race_case plain_cases[], atomic_cases[], lock_cases[], memory_cases[],
    process_cases[], hidden_cases[], call_cases[], word_cases[], cxx_cases[];

pthread_t start(void *(*routine)(void *), void *argument);
void pause_ms(int milliseconds);
/* Both at once; the second begins some ms later, but nothing orders them. */
void run_apart(void *(*first)(void *), void *(*second)(void *), void *argument);

/* The second begins when the first is over, which it is not told: what makes it wait is not seen.
 */
void run_after(void *(*first)(void *), void *(*second)(void *));

int run_cases(int argc, char **argv, const struct race_case *const *tables);

#ifdef __cplusplus
}
#endif

#endif
