/* Threads with a name, and a crew of them. */
#ifndef KIT_THREAD_H
#define KIT_THREAD_H

#include <pthread.h>

/* Starts a thread whose name is made as by printf (15 bytes are kept). */
__attribute__((format(printf, 3, 4))) pthread_t thread_start(void *(*routine)(void *argument),
                                                             void *argument, const char *name, ...);

/* Waits for the thread; returns what its routine returned. */
void *thread_join(pthread_t thread);

/* Starts `count` threads "name 1", "name 2", …, the i-th with argument `first + i * size`, and
 * waits for all of them. */
void thread_crew(long count, const char *name, void *(*routine)(void *argument), void *first,
                 unsigned long size);

#endif
