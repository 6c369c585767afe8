/* The event loop: see loop.h.
 *
 * The loop is one function (loop_run) on the stack of its thread; each task has a ucontext and
 * 128 KiB of its own. A task that waits leaves a note in itself (a deadline, a descriptor) or in
 * what it waits for, and switches to the loop; who fulfils the wait puts it back into the list of
 * ready tasks. Only one loop can run in a program: a sample has no more. */
#include "loop.h"

#include "check.h"
#include "work.h"

#include <reel.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define STACK_BYTES (128u * 1024u)

struct task {
    const char *name;
    long (*routine)(void *argument);
    void *argument;
    long result;
    bool done, was_cancelled; /* at the end */
    bool ready, cancelling;   /* on its way */
    bool in_wait_for;         /* its own deadline ends a wait for another task */
    bool timed_out;
    double deadline; /* of its sleep, in seconds of the loop; 0 when it has none */
    long turn;       /* orders equal deadlines */
    struct task *awaiter;
    ucontext_t context;
    void *stack;
    struct task *next_ready, *next;
};

static struct {
    struct task *all, *current, *first_ready, **last_ready;
    double now; /* seconds; the deadline of what runs, or the clock after a descriptor was ready */
    long turns, watched;
    int epoll;
    ucontext_t context;
} loop;

static void make_ready(struct task *task)
{
    if (task->ready || task->done)
        return;
    REEL_TASK_READY(task);
    task->ready = true;
    task->deadline = 0;
    task->next_ready = NULL;
    *loop.last_ready = task;
    loop.last_ready = &task->next_ready;
}

/* Leaves the current task for the loop until somebody makes it ready; false when cancelled. */
static bool wait_here(const char *for_what)
{
    struct task *task = loop.current;
    if (task->cancelling) {
        task->cancelling = false;
        task->was_cancelled = true;
        task->deadline = 0;
        return false;
    }
    REEL_TASK_WAIT(task, for_what);
    CHECK_SYSTEM(swapcontext(&task->context, &loop.context));
    if (!task->cancelling)
        return true;
    task->cancelling = false;
    task->was_cancelled = true;
    return false;
}

static void run_task(void)
{
    struct task *task = loop.current;
    task->result = task->routine(task->argument);
    task->done = true;
    if (task->was_cancelled)
        REEL_TASK_CANCELLED(task);
    else
        REEL_TASK_DONE(task);
    if (task->awaiter != NULL)
        make_ready(task->awaiter);
}

struct task *task_create(const char *name, long (*routine)(void *argument), void *argument)
{
    struct task *task = calloc(1, sizeof *task);
    CHECK_TRUE(task != NULL);
    task->stack =
        mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK_TRUE(task->stack != MAP_FAILED);
    task->name = name;
    task->routine = routine;
    task->argument = argument;
    CHECK_SYSTEM(getcontext(&task->context));
    task->context.uc_stack.ss_sp = task->stack;
    task->context.uc_stack.ss_size = STACK_BYTES;
    task->context.uc_link = &loop.context;
    makecontext(&task->context, run_task, 0);
    task->next = loop.all;
    loop.all = task;
    REEL_TASK_CREATE(task, name);
    make_ready(task);
    return task;
}

/* ---- Waiting ---- */

static void set_deadline(struct task *task, long milliseconds)
{
    task->deadline = loop.now + (double)milliseconds / 1e3;
    task->turn = loop.turns++;
}

bool task_sleep(long milliseconds)
{
    set_deadline(loop.current, milliseconds);
    return wait_here("sleep");
}

/* Its deadline is the present, not that of the step that yields: who was due meanwhile is first. */
bool task_yield(void)
{
    loop.now = work_seconds();
    return task_sleep(0);
}

static bool wait_descriptor(int descriptor, unsigned events, const char *what)
{
    struct epoll_event event = {.events = events, .data.ptr = loop.current};
    CHECK_SYSTEM(epoll_ctl(loop.epoll, EPOLL_CTL_ADD, descriptor, &event));
    loop.watched++;
    bool fine = wait_here(what);
    loop.watched--;
    CHECK_SYSTEM(epoll_ctl(loop.epoll, EPOLL_CTL_DEL, descriptor, NULL));
    return fine;
}

bool task_readable(int descriptor)
{
    return wait_descriptor(descriptor, EPOLLIN, "readable");
}

bool task_writable(int descriptor)
{
    return wait_descriptor(descriptor, EPOLLOUT, "writable");
}

void task_cancel(struct task *task)
{
    if (task->done)
        return;
    REEL_TASK_CANCEL(task);
    task->cancelling = true;
    if (task != loop.current)
        make_ready(task);
}

bool task_await(struct task *task, long *result)
{
    while (!task->done) {
        task->awaiter = loop.current;
        bool fine = wait_here(task->name);
        task->awaiter = NULL;
        if (!fine) {
            task_cancel(task); /* who is cancelled cancels what it waits for */
            return false;
        }
    }
    if (result != NULL)
        *result = task->result;
    return !task->was_cancelled;
}

long task_gather(struct task *const *tasks, size_t count, long *results)
{
    long sum = 0;
    for (size_t i = 0; i < count; i++) {
        long result = 0;
        if (!task_await(tasks[i], &result))
            result = 0;
        if (results != NULL)
            results[i] = result;
        sum += result;
    }
    return sum;
}

bool task_wait_for(struct task *task, long milliseconds, long *result)
{
    struct task *self = loop.current;
    set_deadline(self, milliseconds);
    self->in_wait_for = true;
    self->timed_out = false;
    bool fine = task_await(task, result);
    self->in_wait_for = false;
    self->deadline = 0;
    return fine && !self->timed_out;
}

/* ---- The loop ---- */

/* The sleeper that is due first; NULL when nobody sleeps. */
static struct task *first_sleeper(void)
{
    struct task *first = NULL;
    for (struct task *task = loop.all; task != NULL; task = task->next) {
        if (task->deadline != 0 &&
            (first == NULL || task->deadline < first->deadline ||
             (task->deadline == first->deadline && task->turn < first->turn)))
            first = task;
    }
    return first;
}

static void wake_sleeper(struct task *sleeper)
{
    loop.now = sleeper->deadline;
    if (!sleeper->in_wait_for) {
        make_ready(sleeper);
        return;
    }
    sleeper->deadline = 0;
    sleeper->timed_out = true;
    for (struct task *task = loop.all; task != NULL; task = task->next) {
        if (task->awaiter == sleeper)
            task_cancel(task);
    }
}

/* Nothing is ready: waits for the first sleeper or descriptor. */
static void wait_for_something(void)
{
    struct task *sleeper = first_sleeper();
    double left = sleeper == NULL ? 0 : sleeper->deadline - work_seconds();
    if (sleeper != NULL && left <= 0) {
        wake_sleeper(sleeper);
        return;
    }
    if (sleeper == NULL && loop.watched == 0) {
        fprintf(stderr, "loop: every task waits for another, none can ever run\n");
        exit(1);
    }
    struct epoll_event events[16];
    int timeout = sleeper == NULL ? -1 : (int)(left * 1e3) + 1;
    int ready = epoll_wait(loop.epoll, events, 16, timeout);
    if (ready > 0)
        loop.now = work_seconds();
    for (int i = 0; i < ready; i++)
        make_ready(events[i].data.ptr);
}

static void run_until_done(struct task *task)
{
    while (!task->done) {
        struct task *next = loop.first_ready;
        if (next == NULL) {
            wait_for_something();
            continue;
        }
        loop.first_ready = next->next_ready;
        if (loop.first_ready == NULL)
            loop.last_ready = &loop.first_ready;
        next->ready = false;
        loop.current = next;
        REEL_TASK_RUN(next);
        CHECK_SYSTEM(swapcontext(&loop.context, &next->context));
        loop.current = NULL;
    }
}

long loop_run(long (*routine)(void *argument), void *argument)
{
    loop.last_ready = &loop.first_ready;
    loop.now = work_seconds();
    loop.epoll = (int)CHECK_SYSTEM(epoll_create1(EPOLL_CLOEXEC));
    struct task *start = task_create("main", routine, argument);
    run_until_done(start);
    long result = start->result;
    for (struct task *task = loop.all; task != NULL; task = task->next)
        task_cancel(task);
    for (struct task *task = loop.all; task != NULL; task = task->next)
        run_until_done(task);
    while (loop.all != NULL) {
        struct task *task = loop.all;
        loop.all = task->next;
        munmap(task->stack, STACK_BYTES);
        free(task);
    }
    close(loop.epoll);
    return result;
}

/* ---- Queues between tasks ---- */

struct task_queue {
    unsigned capacity, count, first;
    struct task *putter, *getter; /* one of each may wait */
    void *slots[];
};

struct task_queue *task_queue_new(unsigned capacity, const char *name)
{
    struct task_queue *queue = calloc(1, sizeof *queue + capacity * sizeof queue->slots[0]);
    CHECK_TRUE(queue != NULL);
    queue->capacity = capacity;
    REEL_QUEUE_INIT(queue, capacity, name);
    return queue;
}

void task_queue_free(struct task_queue *queue)
{
    REEL_QUEUE_DESTROY(queue);
    free(queue);
}

bool task_queue_put(struct task_queue *queue, void *item)
{
    while (queue->count == queue->capacity) {
        queue->putter = loop.current;
        bool fine = wait_here("queue put");
        queue->putter = NULL;
        if (!fine)
            return false;
    }
    queue->slots[(queue->first + queue->count++) % queue->capacity] = item;
    REEL_PUT(queue, item);
    if (queue->getter != NULL)
        make_ready(queue->getter);
    return true;
}

bool task_queue_get(struct task_queue *queue, void **item)
{
    while (queue->count == 0) {
        queue->getter = loop.current;
        bool fine = wait_here("queue get");
        queue->getter = NULL;
        if (!fine)
            return false;
    }
    *item = queue->slots[queue->first];
    queue->first = (queue->first + 1) % queue->capacity;
    queue->count--;
    REEL_GET(queue, *item);
    if (queue->putter != NULL)
        make_ready(queue->putter);
    return true;
}
