/* What a condition variable's wait does to its mutex. */
#ifndef REEL_PRELOAD_MUTEX_H
#define REEL_PRELOAD_MUTEX_H

#include "probes/preload/probe.h"

/* `stack`: of the wait; told only when the mutex itself says that the caller does not hold it. */
void reel_mutex_wait_releases(struct reel_tls *tls, pthread_mutex_t *mutex,
                              uint32_t stack) REEL_HIDDEN;
void reel_mutex_wait_reacquires(struct reel_tls *tls, pthread_mutex_t *mutex,
                                uint32_t stack) REEL_HIDDEN;

#endif
