/* A thread pool with futures: see pool.h. Work waits in a list under the lock of the pool; each
 * future has its own lock and condition, so that a result wakes only who waits for it. */
#include "pool.h"

#include "check.h"
#include "thread.h"

#include <reel.h>

struct future {
    pthread_mutex_t lock;
    pthread_cond_t ready;
    bool done;
    long result;
    long (*routine)(void *argument);
    void *argument;
    struct future *next; /* in the list of the pool, until a worker takes it */
};

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t work; /* there is work, or no more will come */
    struct future *first, **last;
    bool closing;
    long workers;
    pthread_t threads[];
};

/* The next piece of work; NULL when there is none and none will come. */
static struct future *take_work(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    while (pool->first == NULL && !pool->closing)
        pthread_cond_wait(&pool->work, &pool->lock);
    struct future *future = pool->first;
    if (future != NULL) {
        pool->first = future->next;
        if (pool->first == NULL)
            pool->last = &pool->first;
        REEL_GET(pool, future);
    }
    pthread_mutex_unlock(&pool->lock);
    return future;
}

static void *worker(void *argument)
{
    struct future *future;
    while ((future = take_work(argument)) != NULL) {
        REEL_TASK_RUN(future);
        long result = future->routine(future->argument);
        REEL_TASK_DONE(future);
        pthread_mutex_lock(&future->lock);
        future->result = result;
        future->done = true;
        pthread_cond_signal(&future->ready);
        pthread_mutex_unlock(&future->lock);
    }
    return NULL;
}

struct pool *pool_new(long workers, const char *name)
{
    struct pool *pool = calloc(1, sizeof *pool + (size_t)workers * sizeof pool->threads[0]);
    CHECK_TRUE(pool != NULL);
    CHECK(pthread_mutex_init(&pool->lock, NULL));
    CHECK(pthread_cond_init(&pool->work, NULL));
    pool->last = &pool->first;
    pool->workers = workers;
    REEL_QUEUE_INIT(pool, 0, name);
    for (long i = 0; i < workers; i++)
        pool->threads[i] = thread_start(worker, pool, "%s %ld", name, i + 1);
    return pool;
}

void pool_free(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->closing = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (long i = 0; i < pool->workers; i++)
        thread_join(pool->threads[i]);
    REEL_QUEUE_DESTROY(pool);
    CHECK(pthread_cond_destroy(&pool->work));
    CHECK(pthread_mutex_destroy(&pool->lock));
    free(pool);
}

struct future *pool_submit(struct pool *pool, const char *name, long (*routine)(void *argument),
                           void *argument)
{
    struct future *future = calloc(1, sizeof *future);
    CHECK_TRUE(future != NULL);
    CHECK(pthread_mutex_init(&future->lock, NULL));
    CHECK(pthread_cond_init(&future->ready, NULL));
    future->routine = routine;
    future->argument = argument;
    REEL_TASK_CREATE(future, name);

    pthread_mutex_lock(&pool->lock);
    *pool->last = future;
    pool->last = &future->next;
    REEL_PUT(pool, future);
    pthread_cond_signal(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    return future;
}

bool future_done(struct future *future)
{
    pthread_mutex_lock(&future->lock);
    bool done = future->done;
    pthread_mutex_unlock(&future->lock);
    return done;
}

long future_take(struct future *future)
{
    REEL_TASK_AWAIT(future);
    pthread_mutex_lock(&future->lock);
    while (!future->done)
        pthread_cond_wait(&future->ready, &future->lock);
    long result = future->result;
    pthread_mutex_unlock(&future->lock);
    REEL_TASK_AWAITED(future);
    CHECK(pthread_cond_destroy(&future->ready));
    CHECK(pthread_mutex_destroy(&future->lock));
    free(future);
    return result;
}

void pool_map(struct pool *pool, const char *name, long (*routine)(void *argument), void *first,
              unsigned long size, long count, long *results)
{
    struct future **futures = calloc((size_t)count, sizeof(struct future *));
    CHECK_TRUE(futures != NULL);
    for (long i = 0; i < count; i++)
        futures[i] = pool_submit(pool, name, routine, (char *)first + (unsigned long)i * size);
    for (long i = 0; i < count; i++)
        results[i] = future_take(futures[i]);
    free(futures);
}
