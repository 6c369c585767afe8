/* A bounded queue: see queue.h. The annotations show what Reel cannot know by itself: that these
 * locks and this array are a queue, and how full it is. */
#include "queue.h"

#include "check.h"

#include <pthread.h>
#include <reel.h>

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t room, items; /* "no longer full" and "no longer empty" */
    unsigned capacity, count, first;
    void *slots[];
};

struct queue *queue_new(unsigned capacity, const char *name)
{
    struct queue *queue = calloc(1, sizeof *queue + capacity * sizeof queue->slots[0]);
    CHECK_TRUE(queue != NULL);
    queue->capacity = capacity;
    CHECK(pthread_mutex_init(&queue->lock, NULL));
    CHECK(pthread_cond_init(&queue->room, NULL));
    CHECK(pthread_cond_init(&queue->items, NULL));
    REEL_QUEUE_INIT(queue->slots, capacity, name);
    return queue;
}

void queue_free(struct queue *queue)
{
    REEL_QUEUE_DESTROY(queue->slots);
    CHECK(pthread_cond_destroy(&queue->items));
    CHECK(pthread_cond_destroy(&queue->room));
    CHECK(pthread_mutex_destroy(&queue->lock));
    free(queue);
}

void queue_put(struct queue *queue, void *item)
{
    pthread_mutex_lock(&queue->lock);
    if (queue->count == queue->capacity) {
        REEL_PUT_WAIT(queue->slots);
        while (queue->count == queue->capacity)
            pthread_cond_wait(&queue->room, &queue->lock);
        REEL_QUEUE_WAKE(queue->slots);
    }
    queue->slots[(queue->first + queue->count++) % queue->capacity] = item;
    REEL_PUT(queue->slots, item);
    pthread_cond_signal(&queue->items);
    pthread_mutex_unlock(&queue->lock);
}

void *queue_get(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    if (queue->count == 0) {
        REEL_GET_WAIT(queue->slots);
        while (queue->count == 0)
            pthread_cond_wait(&queue->items, &queue->lock);
        REEL_QUEUE_WAKE(queue->slots);
    }
    void *item = queue->slots[queue->first];
    queue->first = (queue->first + 1) % queue->capacity;
    queue->count--;
    REEL_GET(queue->slots, item);
    pthread_cond_signal(&queue->room);
    pthread_mutex_unlock(&queue->lock);
    return item;
}
