/* Every annotation once, as in a program that nobody records: it must compile under the strictest
 * and oldest settings, evaluate its arguments once, leave errno alone and do nothing. Included by
 * annotations_c99.c (and with REEL_DISABLE) and annotations_cxx98.cc. */
#include <errno.h>
#include <reel.h>
#include <stdio.h>

static int evaluated;

static void annotate_everything(void)
{
    static long thing;
    errno = 12345;
    REEL_SPAN("whole");
    REEL_NAME_THREAD("main");
    REEL_NAME(&thing, "thing");
    REEL_MARK("mark");
    REEL_SPAN_BEGIN("span");
    REEL_SPAN_END("span");
    REEL_QUEUE_INIT(&thing, 4, "queue");
    REEL_PUT_WAIT(&thing);
    REEL_QUEUE_WAKE(&thing);
    REEL_PUT(&thing, evaluated++);
    REEL_GET_WAIT(&thing);
    REEL_GET(&thing, &thing);
    REEL_QUEUE_DESTROY(&thing);
    REEL_TASK_CREATE(&thing, "task");
    REEL_TASK_NAME(7, "task");
    REEL_TASK_READY(7);
    REEL_TASK_RUN(7);
    REEL_TASK_WAIT(7, "sleep");
    REEL_TASK_CANCEL(7);
    REEL_TASK_DONE(7);
    REEL_TASK_CANCELLED(7);
    REEL_TASK_AWAIT(7);
    REEL_TASK_AWAITED(7);
    REEL_LOOP_NAME(&thing, "loop");
    REEL_LOOP_WAIT(&thing);
    REEL_LOOP_WAKE(&thing, 1);
    REEL_LOOP_READY(&thing, 5);
    REEL_LOOP_CALLBACK_BEGIN(&thing, "callback");
    REEL_LOOP_CALLBACK_END(&thing, "callback");
    REEL_LOCK_INIT(&thing, "lock");
    REEL_LOCK_REQUEST(&thing);
    REEL_LOCK_ACQUIRE(&thing);
    REEL_LOCK_RELEASE(&thing);
    REEL_LOCK_FAILED(&thing, 1);
    REEL_LOCK_DESTROY(&thing);
    REEL_READ(thing);
    REEL_WRITE(thing);
    REEL_READ_RANGE(&thing, 2);
    REEL_WRITE_RANGE(&thing, 2);
    REEL_HAPPENS_BEFORE(&thing);
    REEL_HAPPENS_AFTER(&thing);
}

int main(void)
{
    annotate_everything();
    if (errno != 12345 || evaluated != 1 || REEL_TRACED()) {
        fprintf(stderr, "errno %d, evaluated %d times, traced %d\n", errno, evaluated,
                REEL_TRACED());
        return 1;
    }
    return 0;
}
