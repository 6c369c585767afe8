/* dining-philosophers: five philosophers, five forks, two needed by each. Hangs on purpose.
 *
 * Shows: everybody takes the left fork and waits for the right one, which the neighbour holds. A
 * barrier makes sure that all have their left fork first.
 * Look for: a cycle through all philosophers: each holds one fork and waits for the next. Cure:
 * dining-philosophers-fixed. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/thread.h"

#include <reel.h>

#define MOST 64

static pthread_mutex_t forks[MOST];
static pthread_barrier_t all_hold_one;
static long seats = 5;

static void *dine(void *argument)
{
    long seat = *(long *)argument;
    pthread_mutex_t *left = &forks[seat], *right = &forks[(seat + 1) % seats];
    pthread_mutex_lock(left);
    pthread_barrier_wait(&all_hold_one);
    pthread_mutex_lock(right);
    printf("philosopher %ld eats\n", seat + 1); /* never */
    pthread_mutex_unlock(right);
    pthread_mutex_unlock(left);
    return NULL;
}

int main(int argc, char **argv)
{
    long numbers[MOST];
    arguments_read(argc, argv, "Philosophers take their left fork first, all of them, and starve.",
                   ARGUMENTS(NUMBER("philosophers", &seats, 2, MOST, "and as many forks")));
    CHECK(pthread_barrier_init(&all_hold_one, NULL, (unsigned)seats));
    for (long i = 0; i < seats; i++) {
        char name[32];
        snprintf(name, sizeof name, "fork %ld", i + 1);
        CHECK(pthread_mutex_init(&forks[i], NULL));
        REEL_NAME(&forks[i], name);
        numbers[i] = i;
    }
    thread_crew(seats, "philosopher", dine, numbers, sizeof numbers[0]);
    return 0;
}
