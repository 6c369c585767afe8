/* POSIX and System V message queues, and GLib's asynchronous queues when the program uses GLib. */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdarg.h>
#include <sys/msg.h>

#include "probes/preload/io.h"

/* POSIX: a descriptor. */
#define MQ_IO(type, queue, call, flags, real_call)                                                 \
    REEL_IO(type, (int)(queue), call, flags, REEL_CLASS_MESSAGE_QUEUE, real_call)

REEL_INTERPOSE
mqd_t mq_open(const char *name, int flags, ...)
{
    mode_t mode = 0;
    struct mq_attr *attributes = NULL;
    if (flags & O_CREAT) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        attributes = va_arg(arguments, struct mq_attr *);
        va_end(arguments);
    }
    struct reel_tls *tls = reel_enter(REEL_FAMILY_QUEUE);
    mqd_t queue = reel_real.mq_open(name, flags, mode, attributes);
    if (tls && queue >= 0) {
        int saved = errno;
        uint64_t entry = reel_descriptor_new(REEL_CLASS_MESSAGE_QUEUE);
        reel_descriptor_opened(tls, (int)queue, entry, -1, reel_stack_here(tls));
        reel_emit_text(tls, REEL_KIND(REEL_OP_NAME, REEL_CLASS_MESSAGE_QUEUE, 0),
                       REEL_DESCRIPTOR_IDENTITY(entry),
                       attributes ? (uint32_t)attributes->mq_maxmsg : 0, 0, name);
        errno = saved;
    }
    return queue;
}

REEL_INTERPOSE
int mq_close(mqd_t queue)
{
    if (reel_enter(REEL_FAMILY_QUEUE))
        reel_descriptor_set((int)queue, 0);
    return reel_real.mq_close(queue);
}

REEL_INTERPOSE
int mq_send(mqd_t queue, const char *message, size_t size, unsigned priority)
{
    MQ_IO(int, queue, REEL_CALL_MQ_SEND, 0, mq_send(queue, message, size, priority));
}

REEL_INTERPOSE
int mq_timedsend(mqd_t queue, const char *message, size_t size, unsigned priority,
                 const struct timespec *deadline)
{
    MQ_IO(int, queue, REEL_CALL_MQ_SEND | REEL_CALL_TIMED, 0,
          mq_timedsend(queue, message, size, priority, deadline));
}

REEL_INTERPOSE
ssize_t mq_receive(mqd_t queue, char *message, size_t size, unsigned *priority)
{
    MQ_IO(ssize_t, queue, REEL_CALL_MQ_RECEIVE, REEL_FLAG_READ,
          mq_receive(queue, message, size, priority));
}

REEL_INTERPOSE
ssize_t mq_timedreceive(mqd_t queue, char *restrict message, size_t size,
                        unsigned *restrict priority, const struct timespec *restrict deadline)
{
    MQ_IO(ssize_t, queue, REEL_CALL_MQ_RECEIVE | REEL_CALL_TIMED, REEL_FLAG_READ,
          mq_timedreceive(queue, message, size, priority, deadline));
}

/* System V: an id, the same in all processes. */
#define SYSV(op, flags)                                                                            \
    REEL_KIND(REEL_OP_##op, REEL_CLASS_MESSAGE_QUEUE, REEL_FLAG_SHARED_OBJECT | (flags))
#define SYSV_OBJECT(queue) (1ull << 53 | (uint32_t)(queue))

struct sysv_call {
    struct reel_tls *tls;
    uint64_t object;
    uint32_t flags;
    int64_t result;
};

static void sysv_begin(struct sysv_call *call, uint32_t number, uint32_t stack)
{
    call->result = -ECANCELED;
    reel_emit(call->tls, SYSV(BEGIN, call->flags), call->object, 0, number, stack);
    reel_wait_begin(call->tls, SYSV(BEGIN, call->flags), call->object, number, stack);
}

static void sysv_end(struct sysv_call *call)
{
    if (!call->tls)
        return;
    int saved = errno;
    reel_wait_end(call->tls);
    reel_emit(call->tls, SYSV(END, call->flags), call->object, 0, (uint32_t)(int32_t)call->result,
              0);
    errno = saved;
}

#define SYSV_CALL(type, number, the_flags, real_call)                                              \
    struct sysv_call call __attribute__((cleanup(sysv_end))) = {                                   \
        .tls = reel_enter(REEL_FAMILY_QUEUE), .object = SYSV_OBJECT(queue), .flags = the_flags};   \
    if (!call.tls)                                                                                 \
        return reel_real.real_call;                                                                \
    sysv_begin(&call, number, reel_stack_here(call.tls));                                          \
    type result = reel_real.real_call;                                                             \
    call.result = result >= 0 ? (int64_t)result : -(int64_t)errno;                                 \
    return result

REEL_INTERPOSE
int msgsnd(int queue, const void *message, size_t size, int flags)
{
    SYSV_CALL(int, REEL_CALL_MQ_SEND, 0, msgsnd(queue, message, size, flags));
}

REEL_INTERPOSE
ssize_t msgrcv(int queue, void *message, size_t size, long type, int flags)
{
    SYSV_CALL(ssize_t, REEL_CALL_MQ_RECEIVE, REEL_FLAG_READ,
              msgrcv(queue, message, size, type, flags));
}

/* GLib: resolved when first called, for GLib may be loaded late. Nothing of it is linked. */
#define QUEUE(op) REEL_KIND(REEL_OP_##op, REEL_CLASS_QUEUE, 0)

static void queue_event(struct reel_tls *tls, uint32_t kind, void *queue, void *item,
                        uint32_t stack)
{
    uint64_t word = (uintptr_t)item;
    uint32_t sequence = reel_sequence_atomic(reel_object_key(queue), &kind);
    reel_emit_words(tls, kind, (uintptr_t)queue, sequence, 1, stack, &word, 1);
}

#define GLIB_REAL(type, name, ...)                                                                 \
    static type (*real)(__VA_ARGS__);                                                              \
    if (REEL_UNLIKELY(!real))                                                                      \
    real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

/* PUT before the call, GET after: an item is put before it is got. */
REEL_INTERPOSE
void g_async_queue_push(void *queue, void *item)
{
    GLIB_REAL(void, "g_async_queue_push", void *, void *);
    struct reel_tls *tls = reel_enter(REEL_FAMILY_QUEUE);
    if (tls)
        queue_event(tls, QUEUE(PUT), queue, item, reel_stack_here(tls));
    real(queue, item);
}

REEL_INTERPOSE
void *g_async_queue_pop(void *queue)
{
    GLIB_REAL(void *, "g_async_queue_pop", void *);
    struct reel_tls *tls = reel_enter(REEL_FAMILY_QUEUE);
    if (!tls)
        return real(queue);
    uint32_t stack = reel_stack_here(tls);
    reel_emit(tls, QUEUE(WAIT), (uintptr_t)queue, 0, REEL_CALL_QUEUE_GET, stack);
    void *item = real(queue);
    queue_event(tls, QUEUE(GET), queue, item, stack);
    return item;
}

REEL_INTERPOSE
void *g_async_queue_try_pop(void *queue)
{
    GLIB_REAL(void *, "g_async_queue_try_pop", void *);
    struct reel_tls *tls = reel_enter(REEL_FAMILY_QUEUE);
    void *item = real(queue);
    if (tls && item)
        queue_event(tls, QUEUE(GET), queue, item, reel_stack_here(tls));
    return item;
}

REEL_INTERPOSE
void *g_async_queue_timeout_pop(void *queue, uint64_t microseconds)
{
    GLIB_REAL(void *, "g_async_queue_timeout_pop", void *, uint64_t);
    struct reel_tls *tls = reel_enter(REEL_FAMILY_QUEUE);
    if (!tls)
        return real(queue, microseconds);
    uint32_t stack = reel_stack_here(tls);
    reel_emit(tls, QUEUE(WAIT), (uintptr_t)queue, 0, REEL_CALL_QUEUE_GET | REEL_CALL_TIMED, stack);
    void *item = real(queue, microseconds);
    if (item)
        queue_event(tls, QUEUE(GET), queue, item, stack);
    else
        reel_emit(tls, QUEUE(WAKE), (uintptr_t)queue, 0, ETIMEDOUT, 0);
    return item;
}

REEL_INTERPOSE
int g_thread_pool_push(void *pool, void *item, void **error)
{
    GLIB_REAL(int, "g_thread_pool_push", void *, void *, void **);
    struct reel_tls *tls = reel_enter(REEL_FAMILY_QUEUE);
    if (tls)
        queue_event(tls, QUEUE(PUT), pool, item, reel_stack_here(tls));
    return real(pool, item, error);
}
