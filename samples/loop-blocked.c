/* loop-blocked: one slow step on an event loop keeps everybody else waiting.
 *
 * Shows: a heartbeat wants to tick every 20 ms. In the mode `blocked` another task computes for
 * long without waiting, and the loop cannot run anything else; in the mode `sliced` it gives way
 * after every slice; in the mode `thread` it leaves the work to a thread and waits for a pipe.
 * Look for: `blocked`: one step far longer than all others, and the ticks that were due meanwhile
 * come late, all at once; in the other modes they come in time. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/loop.h"
#include "kit/process.h"
#include "kit/thread.h"
#include "kit/work.h"

#include <fcntl.h>
#include <unistd.h>

static long slices = 20, slice_ms = 15, ticks = 15;
static double worst; /* seconds a tick came late */

static long tick(void *unused)
{
    (void)unused;
    double due = work_seconds();
    for (long i = 0; i < ticks; i++) {
        task_sleep(20);
        due += 0.020;
        double late = work_seconds() - due;
        worst = late > worst ? late : worst;
    }
    return ticks;
}

enum mode { BLOCKED, SLICED, THREAD };

static void *compute_in_thread(void *argument)
{
    int *done = argument;
    work_compute(slices * slice_ms);
    process_write(done[1], "", 1);
    return NULL;
}

static long compute(void *argument)
{
    long mode = *(long *)argument;
    task_sleep(30);
    if (mode == THREAD) {
        int done[2];
        CHECK_SYSTEM(pipe2(done, O_CLOEXEC));
        pthread_t helper = thread_start(compute_in_thread, done, "helper");
        task_readable(done[0]);
        thread_join(helper); /* ends at once: it has said that it is done */
        close(done[0]);
        close(done[1]);
        return slices;
    }
    for (long i = 0; i < slices; i++) {
        work_compute(slice_ms);
        if (mode == SLICED)
            task_yield();
    }
    return slices;
}

static long start(void *mode)
{
    struct task *tasks[] = {task_create("heartbeat", tick, NULL),
                            task_create("compute", compute, mode)};
    long results[2];
    task_gather(tasks, 2, results);
    printf("%ld ticks, %ld slices computed\n", results[0], results[1]);
    if (arguments_times())
        printf("the latest tick was %.0f ms late\n", worst * 1e3);
    return 0;
}

int main(int argc, char **argv)
{
    static const char *const modes[] = {"blocked", "sliced", "thread", NULL};
    long mode = BLOCKED;
    arguments_read(argc, argv, "A heartbeat and a long computation on one event loop.",
                   ARGUMENTS(CHOICE("mode", &mode, modes, "how the computation behaves"),
                             NUMBER("slices", &slices, 1, 1000, "of the computation"),
                             NUMBER("ms", &slice_ms, 1, 1000, "each slice"),
                             NUMBER("ticks", &ticks, 1, 1000, "of the heartbeat")));
    return (int)loop_run(start, &mode);
}
