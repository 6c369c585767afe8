/* A small event loop with coroutine-like tasks: one thread, many things under way.
 *
 * A task is a function with a stack of its own. It runs until it waits (for time, a descriptor,
 * another task, an item), and then the loop runs another; nothing ever runs in parallel, so tasks
 * need no locks. Where a task waits it can be *cancelled*: the waiting function then returns false,
 * and the task should tidy up and return.
 *
 *     static long hello(void *name) { task_sleep(10); printf("hello %s\n", (char *)name); return 0;
 * } static long start(void *unused)
 *     {
 *         struct task *a = task_create("a", hello, "A"), *b = task_create("b", hello, "B");
 *         return task_gather((struct task *[]){a, b}, 2, NULL);
 *     }
 *     int main(void) { return loop_run(start, NULL); }
 *
 * The time of the loop goes from deadline to deadline: two sleepers wake in the order of their
 * deadlines even when the machine is late, so what a sample prints is the same in every run. */
#ifndef KIT_LOOP_H
#define KIT_LOOP_H

#include <stdbool.h>
#include <stddef.h>

struct task;

/* Runs `routine(argument)` as the task "main" and everything it creates, until "main" has
 * returned; returns its result. Tasks still under way then are cancelled and run to their end. */
long loop_run(long (*routine)(void *argument), void *argument);

/* Makes a task, which runs when the caller next waits. The loop owns it: it stays valid until
 * loop_run returns. Only inside of loop_run, like all below. The name must outlive the loop. */
struct task *task_create(const char *name, long (*routine)(void *argument), void *argument);

/* Waits until the task has ended; true, and its result, unless it or the caller was cancelled. */
bool task_await(struct task *task, long *result);

/* Waits for all of them; the sum of those results, which are also stored unless results is NULL
 * (0 for a task that was cancelled). */
long task_gather(struct task *const *tasks, size_t count, long *results);

/* Waits so many milliseconds at most; then cancels the task, waits for its end, returns false. */
bool task_wait_for(struct task *task, long milliseconds, long *result);

/* Asks the task to end: what it waits for, now or next, returns false. */
void task_cancel(struct task *task);

bool task_sleep(long milliseconds);

/* Lets all others that are ready run first. */
bool task_yield(void);

/* Wait until the (non-blocking) descriptor can be read, or written. One task at a time each. */
bool task_readable(int descriptor);
bool task_writable(int descriptor);

/* A bounded queue between tasks. */
struct task_queue;
struct task_queue *task_queue_new(unsigned capacity, const char *name);
void task_queue_free(struct task_queue *queue);
bool task_queue_put(struct task_queue *queue, void *item);
bool task_queue_get(struct task_queue *queue, void **item);

#endif
