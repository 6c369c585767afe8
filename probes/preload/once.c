/* pthread_once and call_once: who ran the routine, and who waited for it. The routine must be told
 * apart from the wait, so it runs through a trampoline of ours; both live in thread-local state. */
#include <errno.h>

#include "probes/preload/probe.h"
#include "probes/preload/stack.h"

/* glibc: 2 means done, in every version that has pthread_once in libc. */
#define ONCE_DONE 2

struct once_call {
    void (*routine)(void);
    void *control;
    struct once_call *outer;
    bool ran, done;
};
static __thread struct once_call *current __attribute__((tls_model("initial-exec")));

#define ONCE(op) REEL_KIND(REEL_OP_##op, REEL_CLASS_ONCE, 0)

static void finished(const struct once_call *call, uint32_t argument)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_ONCE);
    if (!tls)
        return;
    uint32_t kind = ONCE(RELEASE);
    uint32_t sequence = reel_sequence_atomic(reel_object_key(call->control), &kind);
    reel_emit(tls, kind, (uintptr_t)call->control, sequence, argument, 0);
}

static void run_routine(void)
{
    struct once_call *call = current;
    struct reel_tls *tls = reel_enter(REEL_FAMILY_ONCE);
    call->ran = true;
    if (tls) {
        uint32_t kind = ONCE(ACQUIRE);
        uint32_t sequence = reel_sequence_atomic(reel_object_key(call->control), &kind);
        reel_wait_end(tls);
        reel_emit(tls, kind, (uintptr_t)call->control, sequence, 0, 0);
    }
    call->routine();
    /* A routine may call once() on another control: `current` is this call again by now. */
    call->done = true;
    finished(call, 0);
}

static void leave(struct once_call *call)
{
    current = call->outer;
    /* Left by an exception or by cancellation: the next caller runs it again. */
    if (call->ran && !call->done)
        finished(call, ECANCELED);
}

static int once(struct reel_tls *tls, pthread_once_t *control, void (*routine)(void),
                uint32_t stack)
{
    struct once_call call __attribute__((cleanup(leave))) = {
        .routine = routine, .control = control, .outer = current};
    current = &call;
    reel_emit(tls, ONCE(REQUEST), (uintptr_t)control, 0, REEL_CALL_ONCE, stack);
    reel_wait_begin(tls, ONCE(REQUEST), (uintptr_t)control, REEL_CALL_ONCE, stack);
    int result = reel_real.pthread_once(control, run_routine);
    if (!call.ran) {
        /* Somebody else ran it meanwhile: we waited for that. */
        reel_wait_end(tls);
        uint32_t kind = ONCE(WAKE);
        uint32_t sequence = reel_sequence_atomic(reel_object_key(control), &kind);
        reel_emit(tls, kind, (uintptr_t)control, sequence, (uint32_t)result, 0);
    }
    return result;
}

/* The common case, an initialisation long done, is no event, unless who follows accesses to memory
 * makes it one. */
static bool is_done(pthread_once_t *control)
{
    if (REEL_UNLIKELY(__atomic_load_n(control, __ATOMIC_ACQUIRE) != ONCE_DONE))
        return false;
    if (REEL_UNLIKELY(reel_probe.follow)) {
        struct reel_tls *tls = reel_enter(REEL_FAMILY_ONCE);
        if (tls)
            reel_probe.follow(tls, ONCE(AFTER), (uintptr_t)control, 0);
    }
    return true;
}

REEL_INTERPOSE
int pthread_once(pthread_once_t *control, void (*routine)(void))
{
    if (REEL_LIKELY(is_done(control)))
        return 0;
    struct reel_tls *tls = reel_enter(REEL_FAMILY_ONCE);
    if (!tls) {
        if (!reel_real.pthread_once)
            reel_initialise();
        return reel_real.pthread_once(control, routine);
    }
    return once(tls, control, routine, reel_stack_here(tls));
}

REEL_INTERPOSE
void call_once(once_flag *flag, void (*routine)(void))
{
    pthread_once_t *control = (pthread_once_t *)flag; /* the same int in glibc */
    if (REEL_LIKELY(is_done(control)))
        return;
    struct reel_tls *tls = reel_enter(REEL_FAMILY_ONCE);
    if (tls)
        once(tls, control, routine, reel_stack_here(tls));
    else
        reel_real.call_once(flag, routine);
}
