/* Reader-writer locks. Readers hold together: their events bump the sequence atomically; a writer
 * holds alone but may follow readers whose release is still under way, so it does too. */
#include <errno.h>

#include "probes/preload/probe.h"
#include "probes/preload/stack.h"

static inline uint32_t rwlock_kind(const pthread_rwlock_t *lock, uint32_t operation, uint32_t flags)
{
    return REEL_KIND(operation, REEL_CLASS_RWLOCK,
                     flags | (lock->__data.__shared ? REEL_FLAG_SHARED_OBJECT : 0));
}

static inline uint32_t ordered(const pthread_rwlock_t *lock, uint32_t *kind)
{
    return reel_sequence_atomic(REEL_UNLIKELY(lock->__data.__shared) ? reel_object_key_shared(lock)
                                                                     : reel_object_key(lock),
                                kind);
}

static void request(struct reel_tls *tls, pthread_rwlock_t *lock, uint32_t flags, uint32_t call,
                    uint32_t stack)
{
    uint32_t kind = rwlock_kind(lock, REEL_OP_REQUEST, flags);
    reel_emit(tls, kind, (uintptr_t)lock, 0, call, stack);
    reel_wait_begin(tls, kind, (uintptr_t)lock, call, stack);
}

static inline void finish(struct reel_tls *tls, pthread_rwlock_t *lock, uint32_t flags, int result,
                          uint32_t stack)
{
    if (flags & REEL_FLAG_BLOCKED)
        reel_wait_end(tls);
    if (REEL_LIKELY(result == 0)) {
        uint32_t kind = rwlock_kind(lock, REEL_OP_ACQUIRE, flags);
        uint32_t sequence = ordered(lock, &kind);
        reel_emit(tls, kind, (uintptr_t)lock, sequence, 0, stack);
    } else {
        reel_emit(tls, rwlock_kind(lock, REEL_OP_FAIL, flags), (uintptr_t)lock, 0, (uint32_t)result,
                  stack);
    }
}

#define READ  REEL_FLAG_READ, REEL_CALL_RDLOCK
#define WRITE 0, REEL_CALL_WRLOCK

/* Tries first: EBUSY (and EAGAIN, too many readers) is asked again by the blocking call; every
 * other answer is the lock's own. */
static inline __attribute__((always_inline)) int
lock_blocking(struct reel_tls *tls, pthread_rwlock_t *lock, int (*try_lock)(pthread_rwlock_t *),
              int (*real_lock)(pthread_rwlock_t *), uint32_t flags, uint32_t call, uint32_t stack)
{
    int result = try_lock(lock);
    if (REEL_UNLIKELY(result == EBUSY || result == EAGAIN)) {
        flags |= REEL_FLAG_BLOCKED;
        request(tls, lock, flags & ~REEL_FLAG_BLOCKED, call, stack);
        result = real_lock(lock);
    }
    finish(tls, lock, flags, result, stack);
    return result;
}

REEL_INTERPOSE
int pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_RWLOCK);
    if (REEL_UNLIKELY(!tls))
        return reel_real.pthread_rwlock_rdlock(lock);
    return lock_blocking(tls, lock, reel_real.pthread_rwlock_tryrdlock,
                         reel_real.pthread_rwlock_rdlock, READ, reel_stack_here(tls));
}

REEL_INTERPOSE
int pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_RWLOCK);
    if (REEL_UNLIKELY(!tls))
        return reel_real.pthread_rwlock_wrlock(lock);
    return lock_blocking(tls, lock, reel_real.pthread_rwlock_trywrlock,
                         reel_real.pthread_rwlock_wrlock, WRITE, reel_stack_here(tls));
}

#define TRY(name, flags)                                                                           \
    struct reel_tls *tls = reel_enter(REEL_FAMILY_RWLOCK);                                         \
    int result = reel_real.name(lock);                                                             \
    if (tls)                                                                                       \
        finish(tls, lock, (flags) | REEL_FLAG_TRY, result, reel_stack_here(tls));                  \
    return result

REEL_INTERPOSE
int pthread_rwlock_tryrdlock(pthread_rwlock_t *lock)
{
    TRY(pthread_rwlock_tryrdlock, REEL_FLAG_READ);
}

REEL_INTERPOSE
int pthread_rwlock_trywrlock(pthread_rwlock_t *lock)
{
    TRY(pthread_rwlock_trywrlock, 0);
}

#define TIMED(real_call, flags, call)                                                              \
    struct reel_tls *tls = reel_enter(REEL_FAMILY_RWLOCK);                                         \
    if (REEL_UNLIKELY(!tls))                                                                       \
        return reel_real.real_call;                                                                \
    uint32_t stack = reel_stack_here(tls);                                                         \
    request(tls, lock, flags, (call) | REEL_CALL_TIMED, stack);                                    \
    int result = reel_real.real_call;                                                              \
    finish(tls, lock, (flags) | REEL_FLAG_BLOCKED, result, stack);                                 \
    return result

REEL_INTERPOSE
int pthread_rwlock_timedrdlock(pthread_rwlock_t *lock, const struct timespec *deadline)
{
    TIMED(pthread_rwlock_timedrdlock(lock, deadline), REEL_FLAG_READ, REEL_CALL_RDLOCK);
}

REEL_INTERPOSE
int pthread_rwlock_timedwrlock(pthread_rwlock_t *lock, const struct timespec *deadline)
{
    TIMED(pthread_rwlock_timedwrlock(lock, deadline), 0, REEL_CALL_WRLOCK);
}

REEL_INTERPOSE
int pthread_rwlock_clockrdlock(pthread_rwlock_t *lock, clockid_t clock,
                               const struct timespec *deadline)
{
    TIMED(pthread_rwlock_clockrdlock(lock, clock, deadline), REEL_FLAG_READ, REEL_CALL_RDLOCK);
}

REEL_INTERPOSE
int pthread_rwlock_clockwrlock(pthread_rwlock_t *lock, clockid_t clock,
                               const struct timespec *deadline)
{
    TIMED(pthread_rwlock_clockwrlock(lock, clock, deadline), 0, REEL_CALL_WRLOCK);
}

REEL_INTERPOSE
int pthread_rwlock_unlock(pthread_rwlock_t *lock)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_RWLOCK);
    if (REEL_UNLIKELY(!tls))
        return reel_real.pthread_rwlock_unlock(lock);
    /* Held for writing by somebody: then it can only be a writer's unlock. */
    bool writing = lock->__data.__cur_writer != 0;
    bool foreign =
        writing ? lock->__data.__cur_writer != tls->tid : lock->__data.__readers >> 3 == 0;
    uint32_t kind = rwlock_kind(lock, REEL_OP_RELEASE, writing ? 0 : REEL_FLAG_READ);
    uint32_t stack = REEL_UNLIKELY(foreign) ? reel_stack_here(tls) : 0;
    uint32_t sequence = foreign ? 0 : ordered(lock, &kind);
    reel_emit(tls, kind, (uintptr_t)lock, sequence, 0, stack);
    int result = reel_real.pthread_rwlock_unlock(lock);
    if (REEL_UNLIKELY(result))
        reel_emit(tls, rwlock_kind(lock, REEL_OP_RELEASE_FAILED, 0), (uintptr_t)lock, 0,
                  (uint32_t)result, 0);
    return result;
}

REEL_INTERPOSE
int pthread_rwlock_init(pthread_rwlock_t *lock, const pthread_rwlockattr_t *attributes)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_RWLOCK);
    int result = reel_real.pthread_rwlock_init(lock, attributes);
    if (tls && result == 0)
        reel_emit(tls, rwlock_kind(lock, REEL_OP_INIT, 0), (uintptr_t)lock, 0, lock->__data.__flags,
                  reel_stack_here(tls));
    return result;
}

REEL_INTERPOSE
int pthread_rwlock_destroy(pthread_rwlock_t *lock)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_RWLOCK);
    if (!tls)
        return reel_real.pthread_rwlock_destroy(lock);
    uint32_t kind = rwlock_kind(lock, REEL_OP_DESTROY, 0), stack = reel_stack_here(tls);
    int result = reel_real.pthread_rwlock_destroy(lock);
    reel_emit(tls, kind, (uintptr_t)lock, 0, (uint32_t)result, stack);
    return result;
}
