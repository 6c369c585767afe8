/* Child processes, and memory they share with their parent. */
#ifndef KIT_PROCESS_H
#define KIT_PROCESS_H

#include <pthread.h>
#include <stddef.h>
#include <sys/types.h>

/* Forks a child that runs `routine(argument)` and ends with what it returns (0 to 255) as status.
 * The name is that of the child's main thread. What stdio holds is written before, so that no line
 * comes twice. The child dies with the thread that made it. */
pid_t process_start(int (*routine)(void *argument), void *argument, const char *name);

/* Waits for the child; returns its exit status, or 128 + the signal that killed it. */
int process_wait(pid_t child);

/* Zeroed memory that children made later share. Lives until the end of the program. */
void *process_shared_new(size_t bytes);

/* Makes a mutex in shared memory that works across processes. */
void process_shared_mutex(pthread_mutex_t *mutex);

/* Writes all of it, or reads until `bytes` are there: pipes and sockets may give less at once.
 * process_read returns what it got: less than `bytes` only when the other side has closed. */
void process_write(int descriptor, const void *data, size_t bytes);
size_t process_read(int descriptor, void *data, size_t bytes);

#endif
