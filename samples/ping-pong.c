/* ping-pong: two threads hand the turn to each other.
 *
 * Shows: what a hand-over costs, by semaphores, by a condition variable, or by pipes. Only one of
 * the two ever runs; the rest is waking and going to sleep.
 * Look for: strict alternation of the two lanes; who wakes whom; how long each wake-up takes. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/process.h"
#include "kit/thread.h"
#include "kit/work.h"

#include <semaphore.h>
#include <unistd.h>

enum mode { SEMAPHORE, CONDITION, PIPE };

static long mode = SEMAPHORE, rounds = 2000;
static sem_t turn_of[2];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_changed = PTHREAD_COND_INITIALIZER;
static int turn;
static int pipes[2][2];

static void await_turn(int side)
{
    char ball;
    if (mode == SEMAPHORE) {
        while (sem_wait(&turn_of[side]) != 0)
            CHECK_TRUE(errno == EINTR);
    } else if (mode == CONDITION) {
        pthread_mutex_lock(&lock);
        while (turn != side)
            pthread_cond_wait(&turn_changed, &lock);
        pthread_mutex_unlock(&lock);
    } else {
        CHECK_TRUE(process_read(pipes[side][0], &ball, 1) == 1);
    }
}

static void give_turn(int side)
{
    if (mode == SEMAPHORE) {
        CHECK_SYSTEM(sem_post(&turn_of[side]));
    } else if (mode == CONDITION) {
        pthread_mutex_lock(&lock);
        turn = side;
        pthread_cond_signal(&turn_changed);
        pthread_mutex_unlock(&lock);
    } else {
        process_write(pipes[side][1], "", 1);
    }
}

static long hits; /* touched only by whoever has the turn */

static void *play(void *argument)
{
    int side = *(int *)argument;
    for (long i = 0; i < rounds; i++) {
        await_turn(side);
        hits++;
        give_turn(1 - side);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    static const char *const modes[] = {"semaphore", "condition", "pipe", NULL};
    arguments_read(argc, argv, "Two threads hand the turn to each other.",
                   ARGUMENTS(CHOICE("mode", &mode, modes, "by what"),
                             NUMBER("rounds", &rounds, 1, 1000000, "of each player")));
    int sides[] = {0, 1};
    for (int i = 0; i < 2; i++) {
        CHECK_SYSTEM(sem_init(&turn_of[i], 0, 0));
        CHECK_SYSTEM(pipe(pipes[i]));
    }
    double began = work_seconds();
    turn = 1;
    give_turn(0);
    thread_crew(2, "player", play, sides, sizeof sides[0]);
    printf("%ld hits by %s\n", hits, modes[mode]);
    if (arguments_times())
        printf("%.1f us each\n", (work_seconds() - began) * 1e6 / (double)hits);
    return 0;
}
