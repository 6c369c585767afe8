/* livelock: two threads so polite that neither gets anywhere. Wrong on purpose, but it ends.
 *
 * Shows: each takes its own lock, sees that the other is taken, lets go and tries again at once. In
 * step, they do so for ever: nobody waits, nothing moves. Barriers keep them in step here, and each
 * gives up after some rounds. Cure: pauses of random length, see timeout-backoff.
 * Look for: tries that fail, in pairs, round after round: busy lanes and no work done. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/thread.h"
#include "kit/work.h"

static pthread_mutex_t locks[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
static pthread_barrier_t step;
static long rounds = 200;

struct walker {
    int side;
    long passed, refused;
};

static void *walk(void *argument)
{
    struct walker *walker = argument;
    pthread_mutex_t *mine = &locks[walker->side], *theirs = &locks[1 - walker->side];
    for (long i = 0; i < rounds; i++) {
        pthread_mutex_lock(mine);
        pthread_barrier_wait(&step); /* both have their own */
        if (pthread_mutex_trylock(theirs) == 0) {
            walker->passed++;
            pthread_mutex_unlock(theirs);
        } else {
            walker->refused++;
        }
        pthread_barrier_wait(&step); /* both have tried */
        pthread_mutex_unlock(mine);
        work_wait(1);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    arguments_read(argc, argv, "Two threads give way to each other, again and again.",
                   ARGUMENTS(NUMBER("rounds", &rounds, 1, 100000, "until they give up")));
    struct walker walkers[] = {{0, 0, 0}, {1, 0, 0}};
    CHECK(pthread_barrier_init(&step, NULL, 2));
    thread_crew(2, "walker", walk, walkers, sizeof walkers[0]);
    CHECK(pthread_barrier_destroy(&step));
    for (int i = 0; i < 2; i++)
        printf("walker %d passed %ld times, gave way %ld times\n", i + 1, walkers[i].passed,
               walkers[i].refused);
    return 0;
}
