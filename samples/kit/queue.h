/* A bounded queue between threads: one lock, two conditions. Putting into a full queue waits, and
 * so does getting from an empty one. NULL is a good sentinel: it passes like any item. */
#ifndef KIT_QUEUE_H
#define KIT_QUEUE_H

struct queue;

/* Capacity in items, at least 1. The name is what Reel shows; it must outlive the queue. */
struct queue *queue_new(unsigned capacity, const char *name);
void queue_free(struct queue *queue);

void queue_put(struct queue *queue, void *item);
void *queue_get(struct queue *queue);

#endif
