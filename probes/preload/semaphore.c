/* Semaphores: unnamed, named and process-shared. sem_wait is a cancellation point: what a cancelled
 * wait leaves behind is written by a cleanup. A POST is stamped before the call, an ACQUIRE after:
 * the unit taken was posted before. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>

#include "probes/preload/probe.h"
#include "probes/preload/stack.h"

/* glibc's struct new_sem (64-bit): value and waiters in 8 bytes, then `private`: 0 private, 128
 * shared. */
static inline bool is_shared(const sem_t *semaphore)
{
    return ((const int *)semaphore)[2] != 0;
}

static inline uint32_t semaphore_kind(const sem_t *semaphore, uint32_t operation)
{
    return REEL_KIND(operation, REEL_CLASS_SEMAPHORE,
                     is_shared(semaphore) ? REEL_FLAG_SHARED_OBJECT : 0);
}

static inline uint64_t semaphore_key(const sem_t *semaphore)
{
    return is_shared(semaphore) ? reel_object_key_shared(semaphore) : reel_object_key(semaphore);
}

static inline void taken(struct reel_tls *tls, sem_t *semaphore, uint32_t flags, uint32_t stack)
{
    uint32_t kind = semaphore_kind(semaphore, REEL_OP_ACQUIRE) | flags;
    uint32_t sequence = reel_sequence_atomic(semaphore_key(semaphore), &kind);
    reel_emit(tls, kind, (uintptr_t)semaphore, sequence, 0, stack);
}

struct wait {
    struct reel_tls *tls;
    sem_t *semaphore;
    uint32_t stack;
    int result; /* errno value */
};

static void wait_begin(struct wait *wait, uint32_t call)
{
    uint32_t kind = semaphore_kind(wait->semaphore, REEL_OP_REQUEST);
    reel_emit(wait->tls, kind, (uintptr_t)wait->semaphore, 0, call, wait->stack);
    reel_wait_begin(wait->tls, kind, (uintptr_t)wait->semaphore, call, wait->stack);
}

static void wait_end(struct wait *wait)
{
    if (!wait->tls)
        return;
    reel_wait_end(wait->tls);
    if (wait->result == 0)
        taken(wait->tls, wait->semaphore, REEL_FLAG_BLOCKED, wait->stack);
    else
        reel_emit(wait->tls, semaphore_kind(wait->semaphore, REEL_OP_FAIL) | REEL_FLAG_BLOCKED,
                  (uintptr_t)wait->semaphore, 0, (uint32_t)wait->result, wait->stack);
}

#define BLOCK(call, real_call)                                                                     \
    struct wait wait __attribute__((cleanup(wait_end))) = {                                        \
        .tls = tls, .semaphore = semaphore, .stack = stack, .result = ECANCELED};                  \
    wait_begin(&wait, call);                                                                       \
    int result = reel_real.real_call;                                                              \
    wait.result = result == 0 ? 0 : errno;                                                         \
    return result

/* Takes a unit at once if there is one, and then also answers as sem_wait does: it is a
 * cancellation point even when it need not block. */
REEL_INTERPOSE
int sem_wait(sem_t *semaphore)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_SEM);
    if (REEL_UNLIKELY(!tls))
        return reel_real.sem_wait(semaphore);
    uint32_t stack = reel_stack_here(tls);
    if (REEL_LIKELY(*(const volatile uint32_t *)semaphore != 0)) {
        int result = reel_real.sem_wait(semaphore);
        if (REEL_LIKELY(result == 0)) {
            taken(tls, semaphore, 0, stack);
            return 0;
        }
        int error = errno;
        reel_emit(tls, semaphore_kind(semaphore, REEL_OP_FAIL), (uintptr_t)semaphore, 0,
                  (uint32_t)error, stack);
        return result;
    }
    BLOCK(REEL_CALL_SEM_WAIT, sem_wait(semaphore));
}

REEL_INTERPOSE
int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict deadline)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_SEM);
    if (REEL_UNLIKELY(!tls))
        return reel_real.sem_timedwait(semaphore, deadline);
    uint32_t stack = reel_stack_here(tls);
    BLOCK(REEL_CALL_SEM_WAIT | REEL_CALL_TIMED, sem_timedwait(semaphore, deadline));
}

REEL_INTERPOSE
int sem_clockwait(sem_t *restrict semaphore, clockid_t clock,
                  const struct timespec *restrict deadline)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_SEM);
    if (REEL_UNLIKELY(!tls))
        return reel_real.sem_clockwait(semaphore, clock, deadline);
    uint32_t stack = reel_stack_here(tls);
    BLOCK(REEL_CALL_SEM_WAIT | REEL_CALL_TIMED, sem_clockwait(semaphore, clock, deadline));
}

REEL_INTERPOSE
int sem_trywait(sem_t *semaphore)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_SEM);
    int result = reel_real.sem_trywait(semaphore);
    if (!tls)
        return result;
    uint32_t stack = reel_stack_here(tls);
    if (result == 0)
        taken(tls, semaphore, REEL_FLAG_TRY, stack);
    else
        reel_emit(tls, semaphore_kind(semaphore, REEL_OP_FAIL) | REEL_FLAG_TRY,
                  (uintptr_t)semaphore, 0, (uint32_t)errno, stack);
    return result;
}

REEL_INTERPOSE
int sem_post(sem_t *semaphore)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_SEM);
    if (REEL_UNLIKELY(!tls))
        return reel_real.sem_post(semaphore);
    uint32_t kind = semaphore_kind(semaphore, REEL_OP_POST);
    uint32_t value = *(const volatile uint32_t *)semaphore;
    uint32_t stack = reel_stack_here(tls);
    uint32_t sequence = reel_sequence_atomic(semaphore_key(semaphore), &kind);
    reel_emit(tls, kind, (uintptr_t)semaphore, sequence, value, stack);
    int result = reel_real.sem_post(semaphore);
    if (REEL_UNLIKELY(result))
        reel_emit(tls, REEL_KIND(REEL_OP_RELEASE_FAILED, REEL_CLASS_SEMAPHORE, 0),
                  (uintptr_t)semaphore, 0, (uint32_t)errno, 0);
    return result;
}

REEL_INTERPOSE
int sem_init(sem_t *semaphore, int shared, unsigned value)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_SEM);
    int result = reel_real.sem_init(semaphore, shared, value);
    if (tls && result == 0)
        reel_emit(tls, semaphore_kind(semaphore, REEL_OP_INIT), (uintptr_t)semaphore, 0, value,
                  reel_stack_here(tls));
    return result;
}

REEL_INTERPOSE
int sem_destroy(sem_t *semaphore)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_SEM);
    if (!tls)
        return reel_real.sem_destroy(semaphore);
    uint32_t kind = semaphore_kind(semaphore, REEL_OP_DESTROY), stack = reel_stack_here(tls);
    int result = reel_real.sem_destroy(semaphore);
    reel_emit(tls, kind, (uintptr_t)semaphore, 0, (uint32_t)(result ? errno : 0), stack);
    return result;
}

REEL_INTERPOSE
sem_t *sem_open(const char *name, int flags, ...)
{
    mode_t mode = 0;
    unsigned value = 0;
    if (flags & O_CREAT) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        value = va_arg(arguments, unsigned);
        va_end(arguments);
    }
    struct reel_tls *tls = reel_enter(REEL_FAMILY_SEM);
    sem_t *semaphore = reel_real.sem_open(name, flags, mode, value);
    if (tls && semaphore != SEM_FAILED) {
        int saved = errno;
        /* Opened, not made: its value is what it is. The name is how people know it. */
        reel_emit_text(tls, semaphore_kind(semaphore, REEL_OP_NAME), (uintptr_t)semaphore,
                       *(const volatile uint32_t *)semaphore, reel_stack_here(tls), name);
        errno = saved;
    }
    return semaphore;
}

REEL_INTERPOSE
int sem_close(sem_t *semaphore)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_SEM);
    if (tls)
        reel_emit(tls, semaphore_kind(semaphore, REEL_OP_CLOSE), (uintptr_t)semaphore, 0, 0, 0);
    return reel_real.sem_close(semaphore);
}
