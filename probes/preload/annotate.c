/* The annotations of reel.h arrive here, and the AnnotateHappensBefore family that many programs
 * already carry (dynamic annotations, as understood by race detectors). */
#include <string.h>

#include "probes/preload/probe.h"
#include "probes/preload/stack.h"

REEL_INTERPOSE
void reel_annotate(uint32_t operation, uint32_t object_class, const volatile void *object,
                   uint64_t value, const char *text)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_ANNOTATION);
    if (!tls || operation >= REEL_OP_LIMIT || object_class >= REEL_CLASS_LIMIT)
        return;
    /* A home-made lock often begins with the mutex it is made of: same address, same class, two
     * locks. The odd address is the annotated one; the model knows. */
    if (object_class == REEL_CLASS_MUTEX)
        object = (const volatile char *)object + 1;
    uint32_t kind = REEL_KIND(operation, object_class, 0), stack = 0, sequence = 0;
    uint32_t argument = value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
    switch (operation) {
    case REEL_OP_NAME:
    case REEL_OP_MARK:
    case REEL_OP_SPAN_BEGIN:
    case REEL_OP_SPAN_END:
        reel_emit_text(tls, kind, (uintptr_t)object, argument, 0, text);
        return;
    case REEL_OP_ACQUIRE: /* while held: after the acquire, before the release */
    case REEL_OP_RELEASE:
        sequence = reel_sequence_exclusive(reel_object_key(object), &kind);
        break;
    case REEL_OP_PUT:
    case REEL_OP_GET:
    case REEL_OP_BEFORE:
    case REEL_OP_AFTER:
        sequence = reel_sequence_atomic(reel_object_key(object), &kind);
        break;
    default:
        break;
    }
    if (operation != REEL_OP_RELEASE)
        stack = reel_stack_here(tls);
    if (text && *text) {
        reel_emit_text(tls, kind, (uintptr_t)object, argument, stack, text);
        return;
    }
    if (operation == REEL_OP_PUT || operation == REEL_OP_GET)
        reel_emit_words(tls, kind, (uintptr_t)object, sequence, 1, stack, &value, 1);
    else
        reel_emit(tls, kind, (uintptr_t)object, sequence, argument, stack);
}

static void edge(uint32_t operation, const volatile void *object, void *frame)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_ANNOTATION);
    if (!tls)
        return;
    uint32_t kind = REEL_KIND(operation, REEL_CLASS_MEMORY, 0);
    uint32_t stack = reel_stack_from(tls, frame);
    uint32_t sequence = reel_sequence_atomic(reel_object_key(object), &kind);
    reel_emit(tls, kind, (uintptr_t)object, sequence, 0, stack);
}

REEL_INTERPOSE
void AnnotateHappensBefore(const char *file, int line, const volatile void *object)
{
    (void)file;
    (void)line;
    edge(REEL_OP_BEFORE, object, __builtin_frame_address(0));
}

REEL_INTERPOSE
void AnnotateHappensAfter(const char *file, int line, const volatile void *object)
{
    (void)file;
    (void)line;
    edge(REEL_OP_AFTER, object, __builtin_frame_address(0));
}

REEL_INTERPOSE
void AnnotateRWLockCreate(const char *file, int line, const volatile void *lock)
{
    (void)file;
    (void)line;
    reel_annotate(REEL_OP_INIT, REEL_CLASS_MUTEX, lock, 0, NULL);
}

REEL_INTERPOSE
void AnnotateRWLockDestroy(const char *file, int line, const volatile void *lock)
{
    (void)file;
    (void)line;
    reel_annotate(REEL_OP_DESTROY, REEL_CLASS_MUTEX, lock, 0, NULL);
}

REEL_INTERPOSE
void AnnotateRWLockAcquired(const char *file, int line, const volatile void *lock, long writing)
{
    (void)file;
    (void)line;
    if (writing)
        reel_annotate(REEL_OP_ACQUIRE, REEL_CLASS_MUTEX, lock, 0, NULL);
}

REEL_INTERPOSE
void AnnotateRWLockReleased(const char *file, int line, const volatile void *lock, long writing)
{
    (void)file;
    (void)line;
    if (writing)
        reel_annotate(REEL_OP_RELEASE, REEL_CLASS_MUTEX, lock, 0, NULL);
}

REEL_INTERPOSE
void AnnotateThreadName(const char *file, int line, const char *name)
{
    (void)file;
    (void)line;
    reel_annotate(REEL_OP_NAME, REEL_CLASS_THREAD, (const void *)pthread_self(), 0, name);
}
