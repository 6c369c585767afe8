/* barrier-phases: nobody begins a phase before all have ended the one before.
 *
 * Shows: threads smooth a row of numbers, each its own part, from one buffer into another; a
 * barrier between the phases makes sure that everybody reads finished numbers.
 * Look for: phases as columns; in each the slowest thread makes the others wait: uneven work is
 * time lost, times the number of threads. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/thread.h"
#include "kit/work.h"

#define MOST  32
#define CELLS 1024

static long buffers[2][CELLS];
static pthread_barrier_t phase_ended;
static long threads = 4, phases = 10;

static void *smooth(void *argument)
{
    long number = *(long *)argument;
    long from = CELLS * number / threads, to = CELLS * (number + 1) / threads;
    for (long phase = 0; phase < phases; phase++) {
        const long *old = buffers[phase % 2];
        long *new = buffers[(phase + 1) % 2];
        for (long i = from; i < to; i++)
            new[i] = (old[(i + CELLS - 1) % CELLS] + 2 * old[i] + old[(i + 1) % CELLS]) / 4;
        work_wait(2 + 3 * number); /* the later the part, the more there is to do */
        pthread_barrier_wait(&phase_ended);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    long numbers[MOST];
    arguments_read(argc, argv, "Threads work in phases, with a barrier between them.",
                   ARGUMENTS(NUMBER("threads", &threads, 1, MOST, "how many"),
                             NUMBER("phases", &phases, 1, 1000, "how many")));
    for (long i = 0; i < CELLS; i++)
        buffers[0][i] = i * 7919 % 1000;
    for (long i = 0; i < threads; i++)
        numbers[i] = i;
    CHECK(pthread_barrier_init(&phase_ended, NULL, (unsigned)threads));
    thread_crew(threads, "smoother", smooth, numbers, sizeof numbers[0]);
    CHECK(pthread_barrier_destroy(&phase_ended));

    long least = 1000, most = 0;
    for (long i = 0; i < CELLS; i++) {
        long cell = buffers[phases % 2][i];
        least = cell < least ? cell : least;
        most = cell > most ? cell : most;
    }
    printf("after %ld phases all cells are between %ld and %ld\n", phases, least, most);
    return 0;
}
