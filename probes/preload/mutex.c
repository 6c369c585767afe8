/* Mutexes of every type and protocol, pthread and C11 (an mtx_t is a pthread_mutex_t in glibc).
 *
 * A normal lock is tried first: taken at once, it is one record. A lock that will block publishes a
 * REQUEST before. Trying must not change what the lock answers: robust, priority-inheriting and
 * priority-protected mutexes go straight to the call. The sequence number is bumped while the lock
 * is held: after the acquire returned, before the release is made. */
#include <errno.h>
#include <linux/futex.h>

#include "probes/preload/mutex.h"
#include "probes/preload/probe.h"
#include "probes/preload/stack.h"

/* glibc's mutex kind: type in the low bits, then robust 16, inherit 32, protect 64, shared 128. */
#define KIND_TYPE(kind)   ((kind)&3)
#define KIND_PLAIN(kind)  (((kind) & (16 | 32 | 64)) == 0)
#define KIND_ROBUST(kind) ((kind)&16)
#define KIND_SHARED(kind) ((kind)&128)
#define TYPE_RECURSIVE    1

static inline uint32_t mutex_kind(const pthread_mutex_t *mutex, uint32_t operation)
{
    return REEL_KIND(operation, REEL_CLASS_MUTEX,
                     KIND_SHARED(mutex->__data.__kind) ? REEL_FLAG_SHARED_OBJECT : 0);
}

static inline uint64_t mutex_key(const pthread_mutex_t *mutex)
{
    return REEL_UNLIKELY(KIND_SHARED(mutex->__data.__kind)) ? reel_object_key_shared(mutex)
                                                            : reel_object_key(mutex);
}

static inline void acquired(struct reel_tls *tls, pthread_mutex_t *mutex, uint32_t flags,
                            int result, uint32_t stack)
{
    uint32_t kind = mutex_kind(mutex, REEL_OP_ACQUIRE) | flags;
    if (REEL_UNLIKELY(KIND_TYPE(mutex->__data.__kind) == TYPE_RECURSIVE &&
                      mutex->__data.__count > 1))
        kind |= REEL_FLAG_RECURSIVE;
    uint32_t sequence = reel_sequence_exclusive(mutex_key(mutex), &kind);
    reel_emit(tls, kind, (uintptr_t)mutex, sequence, (uint32_t)result, stack);
}

static void failed(struct reel_tls *tls, pthread_mutex_t *mutex, uint32_t flags, int error,
                   uint32_t stack)
{
    reel_emit(tls, mutex_kind(mutex, REEL_OP_FAIL) | flags, (uintptr_t)mutex, 0, (uint32_t)error,
              stack);
}

static void request(struct reel_tls *tls, pthread_mutex_t *mutex, uint32_t call, uint32_t stack)
{
    uint32_t kind = mutex_kind(mutex, REEL_OP_REQUEST);
    reel_emit(tls, kind, (uintptr_t)mutex, 0, call, stack);
    reel_wait_begin(tls, kind, (uintptr_t)mutex, call, stack);
}

/* What follows a blocking call. C11 codes have been translated to errno values. */
static inline void finish(struct reel_tls *tls, pthread_mutex_t *mutex, bool blocked, int result,
                          uint32_t stack)
{
    uint32_t flags = 0;
    if (blocked) {
        reel_wait_end(tls);
        flags = REEL_FLAG_BLOCKED;
    }
    if (REEL_LIKELY(result == 0 || result == EOWNERDEAD))
        acquired(tls, mutex, flags, result, stack);
    else
        failed(tls, mutex, flags, result, stack);
}

REEL_INTERPOSE
int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_MUTEX);
    if (REEL_UNLIKELY(!tls))
        return reel_real.pthread_mutex_lock(mutex);
    uint32_t stack = reel_stack_here(tls);
    int result = EBUSY;
    if (REEL_LIKELY(KIND_PLAIN(mutex->__data.__kind)))
        result = reel_real.pthread_mutex_trylock(mutex);
    if (REEL_LIKELY(result == 0)) {
        acquired(tls, mutex, 0, 0, stack);
        return 0;
    }
    request(tls, mutex, REEL_CALL_LOCK, stack);
    result = reel_real.pthread_mutex_lock(mutex);
    finish(tls, mutex, true, result, stack);
    return result;
}

REEL_INTERPOSE
int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_MUTEX);
    if (REEL_UNLIKELY(!tls))
        return reel_real.pthread_mutex_trylock(mutex);
    uint32_t stack = reel_stack_here(tls);
    int result = reel_real.pthread_mutex_trylock(mutex);
    if (result == 0 || result == EOWNERDEAD)
        acquired(tls, mutex, REEL_FLAG_TRY, result, stack);
    else
        failed(tls, mutex, REEL_FLAG_TRY, result, stack);
    return result;
}

REEL_INTERPOSE
int pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *deadline)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_MUTEX);
    if (REEL_UNLIKELY(!tls))
        return reel_real.pthread_mutex_timedlock(mutex, deadline);
    uint32_t stack = reel_stack_here(tls);
    request(tls, mutex, REEL_CALL_LOCK | REEL_CALL_TIMED, stack);
    int result = reel_real.pthread_mutex_timedlock(mutex, deadline);
    finish(tls, mutex, true, result, stack);
    return result;
}

REEL_INTERPOSE
int pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock,
                            const struct timespec *deadline)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_MUTEX);
    if (REEL_UNLIKELY(!tls))
        return reel_real.pthread_mutex_clocklock(mutex, clock, deadline);
    uint32_t stack = reel_stack_here(tls);
    request(tls, mutex, REEL_CALL_LOCK | REEL_CALL_TIMED, stack);
    int result = reel_real.pthread_mutex_clocklock(mutex, clock, deadline);
    finish(tls, mutex, true, result, stack);
    return result;
}

/* Says that the lock is about to be released. Without owning it nobody may bump its sequence: such
 * a release goes unordered, with a stack, for it is a finding. */
static inline bool is_owner(const struct reel_tls *tls, const pthread_mutex_t *mutex)
{
    if (REEL_LIKELY(mutex->__data.__owner == tls->tid))
        return true;
    /* A robust mutex whose last owner died names no owner until it is made consistent; its lock
     * word does. A forked child unlocks what its parent's thread had locked. */
    return (KIND_ROBUST(mutex->__data.__kind) &&
            (mutex->__data.__lock & FUTEX_TID_MASK) == tls->tid) ||
           (tls->forked_from && mutex->__data.__owner == tls->forked_from);
}

static inline void releasing(struct reel_tls *tls, pthread_mutex_t *mutex, void *frame)
{
    uint32_t kind = mutex_kind(mutex, REEL_OP_RELEASE), sequence = 0, stack = 0;
    if (REEL_LIKELY(is_owner(tls, mutex))) {
        if (REEL_UNLIKELY(KIND_TYPE(mutex->__data.__kind) == TYPE_RECURSIVE &&
                          mutex->__data.__count > 1))
            kind |= REEL_FLAG_RECURSIVE;
        sequence = reel_sequence_exclusive(mutex_key(mutex), &kind);
    } else {
        stack = reel_stack_from(tls, frame);
    }
    reel_emit(tls, kind, (uintptr_t)mutex, sequence, 0, stack);
}

static inline void unlocked(struct reel_tls *tls, pthread_mutex_t *mutex, int result)
{
    if (REEL_UNLIKELY(result))
        reel_emit(tls, REEL_KIND(REEL_OP_RELEASE_FAILED, REEL_CLASS_MUTEX, 0), (uintptr_t)mutex, 0,
                  (uint32_t)result, 0);
}

REEL_INTERPOSE
int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_MUTEX);
    if (REEL_UNLIKELY(!tls))
        return reel_real.pthread_mutex_unlock(mutex);
    releasing(tls, mutex, __builtin_frame_address(0));
    int result = reel_real.pthread_mutex_unlock(mutex);
    unlocked(tls, mutex, result);
    return result;
}

REEL_INTERPOSE
int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_MUTEX);
    int result = reel_real.pthread_mutex_init(mutex, attributes);
    if (tls && result == 0)
        reel_emit(tls, mutex_kind(mutex, REEL_OP_INIT), (uintptr_t)mutex, 0,
                  (uint32_t)mutex->__data.__kind, reel_stack_here(tls));
    return result;
}

REEL_INTERPOSE
int pthread_mutex_destroy(pthread_mutex_t *mutex)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_MUTEX);
    if (!tls)
        return reel_real.pthread_mutex_destroy(mutex);
    uint32_t kind = mutex_kind(mutex, REEL_OP_DESTROY);
    uint32_t stack = reel_stack_here(tls);
    int result = reel_real.pthread_mutex_destroy(mutex);
    reel_emit(tls, kind, (uintptr_t)mutex, 0, (uint32_t)result, stack);
    return result;
}

REEL_INTERPOSE
int pthread_mutex_consistent(pthread_mutex_t *mutex)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_MUTEX);
    int result = reel_real.pthread_mutex_consistent(mutex);
    if (tls)
        reel_emit(tls, mutex_kind(mutex, REEL_OP_CONSISTENT), (uintptr_t)mutex, 0, (uint32_t)result,
                  0);
    return result;
}

/* C11. The results are other numbers: thrd_busy, thrd_timedout, thrd_error. */
static int errno_of(int result)
{
    switch (result) {
    case thrd_success:
        return 0;
    case thrd_busy:
        return EBUSY;
    case thrd_timedout:
        return ETIMEDOUT;
    case thrd_nomem:
        return ENOMEM;
    default:
        return EINVAL;
    }
}

REEL_INTERPOSE
int mtx_lock(mtx_t *mtx)
{
    pthread_mutex_t *mutex = (pthread_mutex_t *)mtx;
    struct reel_tls *tls = reel_enter(REEL_FAMILY_MUTEX);
    if (REEL_UNLIKELY(!tls))
        return reel_real.mtx_lock(mtx);
    uint32_t stack = reel_stack_here(tls);
    int result = reel_real.mtx_trylock(mtx);
    bool blocked = result != thrd_success;
    if (blocked) {
        request(tls, mutex, REEL_CALL_LOCK, stack);
        result = reel_real.mtx_lock(mtx);
    }
    finish(tls, mutex, blocked, errno_of(result), stack);
    return result;
}

REEL_INTERPOSE
int mtx_trylock(mtx_t *mtx)
{
    pthread_mutex_t *mutex = (pthread_mutex_t *)mtx;
    struct reel_tls *tls = reel_enter(REEL_FAMILY_MUTEX);
    if (REEL_UNLIKELY(!tls))
        return reel_real.mtx_trylock(mtx);
    uint32_t stack = reel_stack_here(tls);
    int result = reel_real.mtx_trylock(mtx);
    if (result == thrd_success)
        acquired(tls, mutex, REEL_FLAG_TRY, 0, stack);
    else
        failed(tls, mutex, REEL_FLAG_TRY, errno_of(result), stack);
    return result;
}

REEL_INTERPOSE
int mtx_timedlock(mtx_t *restrict mtx, const struct timespec *restrict deadline)
{
    pthread_mutex_t *mutex = (pthread_mutex_t *)mtx;
    struct reel_tls *tls = reel_enter(REEL_FAMILY_MUTEX);
    if (REEL_UNLIKELY(!tls))
        return reel_real.mtx_timedlock(mtx, deadline);
    uint32_t stack = reel_stack_here(tls);
    request(tls, mutex, REEL_CALL_LOCK | REEL_CALL_TIMED, stack);
    int result = reel_real.mtx_timedlock(mtx, deadline);
    finish(tls, mutex, true, errno_of(result), stack);
    return result;
}

REEL_INTERPOSE
int mtx_unlock(mtx_t *mtx)
{
    pthread_mutex_t *mutex = (pthread_mutex_t *)mtx;
    struct reel_tls *tls = reel_enter(REEL_FAMILY_MUTEX);
    if (REEL_UNLIKELY(!tls))
        return reel_real.mtx_unlock(mtx);
    releasing(tls, mutex, __builtin_frame_address(0));
    int result = reel_real.mtx_unlock(mtx);
    unlocked(tls, mutex, errno_of(result));
    return result;
}

REEL_INTERPOSE
int mtx_init(mtx_t *mtx, int type)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_MUTEX);
    int result = reel_real.mtx_init(mtx, type);
    if (tls && result == thrd_success)
        reel_emit(tls, mutex_kind((pthread_mutex_t *)mtx, REEL_OP_INIT), (uintptr_t)mtx, 0,
                  (uint32_t)((pthread_mutex_t *)mtx)->__data.__kind, reel_stack_here(tls));
    return result;
}

REEL_INTERPOSE
void mtx_destroy(mtx_t *mtx)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_MUTEX);
    if (tls)
        reel_emit(tls, mutex_kind((pthread_mutex_t *)mtx, REEL_OP_DESTROY), (uintptr_t)mtx, 0, 0,
                  reel_stack_here(tls));
    reel_real.mtx_destroy(mtx);
}

/* The wait of a condition variable lets go of its mutex and takes it again: see condition.c. */
void reel_mutex_wait_releases(struct reel_tls *tls, pthread_mutex_t *mutex, uint32_t stack)
{
    uint32_t kind = mutex_kind(mutex, REEL_OP_RELEASE) | REEL_FLAG_IN_WAIT, sequence = 0;
    if (REEL_LIKELY(is_owner(tls, mutex)))
        sequence = reel_sequence_exclusive(mutex_key(mutex), &kind);
    reel_emit(tls, kind, (uintptr_t)mutex, sequence, 0, sequence ? 0 : stack);
}

void reel_mutex_wait_reacquires(struct reel_tls *tls, pthread_mutex_t *mutex, uint32_t stack)
{
    if (is_owner(tls, mutex))
        acquired(tls, mutex, REEL_FLAG_IN_WAIT, 0, stack);
}
