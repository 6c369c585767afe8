/* dining-philosophers-fixed: the same table, and everybody eats.
 *
 * Shows: forks have numbers, and everybody takes the lower one first. Only the last philosopher
 * does something else than before, and no cycle can close any more.
 * Look for: forks handed from neighbour to neighbour; who waits most; no finding. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/thread.h"
#include "kit/work.h"

#include <reel.h>

#define MOST 64

static pthread_mutex_t forks[MOST];
static long seats = 5, meals = 10;
static long eaten[MOST];

static void *dine(void *argument)
{
    long seat = *(long *)argument, neighbour = (seat + 1) % seats;
    pthread_mutex_t *first = &forks[seat < neighbour ? seat : neighbour];
    pthread_mutex_t *second = &forks[seat < neighbour ? neighbour : seat];
    for (long i = 0; i < meals; i++) {
        work_wait(1); /* think */
        pthread_mutex_lock(first);
        pthread_mutex_lock(second);
        work_wait(2); /* eat */
        eaten[seat]++;
        pthread_mutex_unlock(second);
        pthread_mutex_unlock(first);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    long numbers[MOST];
    arguments_read(argc, argv, "Philosophers take the lower fork first, and all of them eat.",
                   ARGUMENTS(NUMBER("philosophers", &seats, 2, MOST, "and as many forks"),
                             NUMBER("meals", &meals, 1, 1000, "of each")));
    for (long i = 0; i < seats; i++) {
        char name[32];
        snprintf(name, sizeof name, "fork %ld", i + 1);
        CHECK(pthread_mutex_init(&forks[i], NULL));
        REEL_NAME(&forks[i], name);
        numbers[i] = i;
    }
    thread_crew(seats, "philosopher", dine, numbers, sizeof numbers[0]);
    for (long i = 0; i < seats; i++) {
        printf("philosopher %ld ate %ld times\n", i + 1, eaten[i]);
        CHECK(pthread_mutex_destroy(&forks[i]));
    }
    return 0;
}
