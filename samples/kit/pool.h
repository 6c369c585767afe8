/* A thread pool with futures: hand in work, go on, ask for the result when it is needed. */
#ifndef KIT_POOL_H
#define KIT_POOL_H

#include <stdbool.h>

struct pool;
struct future;

/* Starts `workers` threads "name 1", "name 2", …; the name must outlive the pool. */
struct pool *pool_new(long workers, const char *name);

/* Lets the workers finish everything handed in, and ends them. */
void pool_free(struct pool *pool);

/* Hands in `routine(argument)`. The caller owns the future and gives it to future_take. The name
 * is what Reel shows for the task. */
struct future *pool_submit(struct pool *pool, const char *name, long (*routine)(void *argument),
                           void *argument);

/* Is the result there? Never waits. */
bool future_done(struct future *future);

/* Waits for the result, frees the future, returns the result. */
long future_take(struct future *future);

/* results[i] = routine(first + i * size) for all i below count, by all workers together. */
void pool_map(struct pool *pool, const char *name, long (*routine)(void *argument), void *first,
              unsigned long size, long count, long *results);

#endif
