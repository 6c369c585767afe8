/* reel.h: tell Reel what only the program knows.
 *
 * Reel sees every lock, thread, socket and process by itself. It cannot see that a ring buffer is
 * a queue, that a struct is a task, or what you call a lock; these annotations say so. The header
 * stands alone: copy it into any C or C++ project (C99 or C++98 and later, gcc or clang), link
 * nothing. A program that is not being recorded pays one load and one predicted branch for each
 * annotation; compile with -DREEL_DISABLE and nothing is left of them.
 *
 *     REEL_NAME(&accounts_lock, "accounts");
 *     REEL_QUEUE_INIT(queue, 16, "orders");
 *     REEL_PUT(queue, order);
 *
 * How it works: the first annotation asks the dynamic linker once for `reel_annotate`, which the
 * preloaded libreel-probe.so defines, and keeps the answer. (A weak undefined symbol would not do:
 * in an executable that is not position independent the static linker settles it to null.)
 *
 * Every argument is evaluated exactly once, recorded or not. Every annotation is thread-safe and
 * changes no lock, no memory of yours and not errno. The first one of a module calls dlsym, which
 * is not async-signal-safe: before annotating in a signal handler, ask REEL_TRACED() in main.
 * Objects are named by address, which need not point to anything readable: an annotation never
 * follows it. Texts are copied; 1000 bytes of them are kept. See reel.h(3). */
#ifndef REEL_H
#define REEL_H

#include <stdint.h>

#ifndef REEL_DISABLE
#include <dlfcn.h>
#include <errno.h>
#endif

/* The numbers of an event, as the recorder knows them: a small part of its table of kinds, which
 * never renumbers. Not for use outside this header. */
enum {
    REEL_H_CREATE = 10,
    REEL_H_CANCEL = 15,
    REEL_H_NAME = 16,
    REEL_H_INIT = 20,
    REEL_H_DESTROY = 21,
    REEL_H_REQUEST = 22,
    REEL_H_ACQUIRE = 23,
    REEL_H_RELEASE = 24,
    REEL_H_FAIL = 25,
    REEL_H_WAIT = 26,
    REEL_H_WAKE = 27,
    REEL_H_READY = 44,
    REEL_H_PUT = 46,
    REEL_H_GET = 47,
    REEL_H_SPAN_BEGIN = 50,
    REEL_H_SPAN_END = 51,
    REEL_H_READ = 52,
    REEL_H_WRITE = 53,
    REEL_H_BEFORE = 54,
    REEL_H_AFTER = 55,
    REEL_H_MARK = 56,
    REEL_H_STATE = 57,

    REEL_H_CLASS_NONE = 0,
    REEL_H_CLASS_THREAD = 1,
    REEL_H_CLASS_MUTEX = 3,
    REEL_H_CLASS_LOOP = 18,
    REEL_H_CLASS_QUEUE = 22,
    REEL_H_CLASS_TASK = 23,
    REEL_H_CLASS_SPAN = 24,
    REEL_H_CLASS_MEMORY = 25,

    REEL_H_CALL_NONE = 0,
    REEL_H_CALL_LOCK = 1,
    REEL_H_CALL_QUEUE_PUT = 50,
    REEL_H_CALL_QUEUE_GET = 51,
    REEL_H_CALL_TASK_AWAIT = 52,

    REEL_H_TASK_READY = 1,
    REEL_H_TASK_RUNNING = 2,
    REEL_H_TASK_WAITING = 3,
    REEL_H_TASK_DONE = 4,
    REEL_H_TASK_CANCELLED = 5
};

#ifdef __cplusplus
extern "C" {
#endif

typedef void (*reel_h_function)(uint32_t operation, uint32_t object_class,
                                const volatile void *object, uint64_t value, const char *text);

#ifndef REEL_DISABLE

/* 0: not asked yet; 1: not recorded; else the address of reel_annotate. Weak and hidden, so that
 * the files of one executable or library share it and libraries do not. */
extern __attribute__((weak, visibility("hidden"))) uintptr_t reel_h_entry;
__attribute__((weak, visibility("hidden"))) uintptr_t reel_h_entry = 0;

/* Threads that come here together find the same answer, so a relaxed store is enough. */
static __attribute__((noinline, cold, unused)) uintptr_t reel_h_ask(void)
{
    int saved = errno;
    /* The null handle is RTLD_DEFAULT, whose name <dlfcn.h> keeps behind _GNU_SOURCE. */
    uintptr_t found = (uintptr_t)dlsym((void *)0, "reel_annotate");
    if (found == 0)
        found = 1;
    __atomic_store_n(&reel_h_entry, found, __ATOMIC_RELAXED);
    errno = saved;
    return found;
}

static __inline__ __attribute__((unused)) void reel_h_tell(uint32_t operation,
                                                           uint32_t object_class,
                                                           const volatile void *object,
                                                           uint64_t value, const char *text)
{
    uintptr_t entry = __atomic_load_n(&reel_h_entry, __ATOMIC_RELAXED);
    if (__builtin_expect(entry == 1, 1))
        return;
    if (entry == 0)
        entry = reel_h_ask();
    if (entry != 1)
        ((reel_h_function)entry)(operation, object_class, object, value, text);
}

static __inline__ __attribute__((unused)) int reel_h_traced(void)
{
    uintptr_t entry = __atomic_load_n(&reel_h_entry, __ATOMIC_RELAXED);
    return (entry == 0 ? reel_h_ask() : entry) != 1;
}

#else

static __inline__ __attribute__((unused)) void reel_h_tell(uint32_t operation,
                                                           uint32_t object_class,
                                                           const volatile void *object,
                                                           uint64_t value, const char *text)
{
    (void)operation, (void)object_class, (void)object, (void)value, (void)text;
}

static __inline__ __attribute__((unused)) int reel_h_traced(void)
{
    return 0;
}

#endif

#ifdef __cplusplus
}
#endif

#define REEL_H_TELL(operation, kind, object, value, text)                                          \
    reel_h_tell(REEL_H_##operation, REEL_H_CLASS_##kind, (object), (uint64_t)(value), (text))
#define REEL_H_NOTHING ((const volatile void *)0)
#define REEL_H_SILENT  ((const char *)0)

/* Is this program being recorded? Guards the making of a costly name. */
#define REEL_TRACED() reel_h_traced()

/* ---- Names and marks ---- */

/* Names the calling thread. pthread_setname_np works too, but keeps only 15 bytes. */
#define REEL_NAME_THREAD(name) REEL_H_TELL(NAME, THREAD, REEL_H_NOTHING, 0, name)
/* Names whatever lives at that address: a lock of any kind, a condition, a queue, data. */
#define REEL_NAME(object, name) REEL_H_TELL(NAME, NONE, object, 0, name)
/* A moment worth finding again: a flag on the time line of the calling thread. */
#define REEL_MARK(text) REEL_H_TELL(MARK, NONE, REEL_H_NOTHING, 0, text)

/* ---- Spans: a stretch of work of the calling thread, by name; spans nest ---- */

#define REEL_SPAN_BEGIN(name) REEL_H_TELL(SPAN_BEGIN, SPAN, REEL_H_NOTHING, 0, name)
#define REEL_SPAN_END(name)   REEL_H_TELL(SPAN_END, SPAN, REEL_H_NOTHING, 0, name)

/* ---- Queues of your own making ---- */

/* Makes the queue known; capacity in items, 0 when it has no bound. */
#define REEL_QUEUE_INIT(queue, capacity, name) REEL_H_TELL(INIT, QUEUE, queue, capacity, name)
#define REEL_QUEUE_DESTROY(queue)              REEL_H_TELL(DESTROY, QUEUE, queue, 0, REEL_H_SILENT)
/* An item, a pointer or an integer that identifies it, enters or leaves. Say it while the lock of
 * the queue is held: then the order of the trace is the order of the queue. */
#define REEL_PUT(queue, item) REEL_H_TELL(PUT, QUEUE, queue, (uintptr_t)(item), REEL_H_SILENT)
#define REEL_GET(queue, item) REEL_H_TELL(GET, QUEUE, queue, (uintptr_t)(item), REEL_H_SILENT)
/* The calling thread begins to wait for room or for an item, and has ended to wait: in pairs. */
#define REEL_PUT_WAIT(queue)   REEL_H_TELL(WAIT, QUEUE, queue, REEL_H_CALL_QUEUE_PUT, REEL_H_SILENT)
#define REEL_GET_WAIT(queue)   REEL_H_TELL(WAIT, QUEUE, queue, REEL_H_CALL_QUEUE_GET, REEL_H_SILENT)
#define REEL_QUEUE_WAKE(queue) REEL_H_TELL(WAKE, QUEUE, queue, 0, REEL_H_SILENT)

/* ---- Tasks: coroutines, fibres, jobs of a pool, requests; by address or number ---- */

/* The calling thread, or the task that runs on it, makes a task. */
#define REEL_TASK_CREATE(task, name)                                                               \
    REEL_H_TELL(CREATE, TASK, (const volatile void *)(uintptr_t)(task), 0, name)
#define REEL_TASK_NAME(task, name)                                                                 \
    REEL_H_TELL(NAME, TASK, (const volatile void *)(uintptr_t)(task), 0, name)
#define REEL_H_TASK_STATE(task, state, text)                                                       \
    REEL_H_TELL(STATE, TASK, (const volatile void *)(uintptr_t)(task), state, text)
/* It could run again, and waits its turn. */
#define REEL_TASK_READY(task) REEL_H_TASK_STATE(task, REEL_H_TASK_READY, REEL_H_SILENT)
/* A step begins: from here to the next state the calling thread works for this task. */
#define REEL_TASK_RUN(task) REEL_H_TASK_STATE(task, REEL_H_TASK_RUNNING, REEL_H_SILENT)
/* The step ends; the task waits for what the text says ("sleep", "reply"; may be null). */
#define REEL_TASK_WAIT(task, text) REEL_H_TASK_STATE(task, REEL_H_TASK_WAITING, text)
/* The task ended, by itself or because it was cancelled. */
#define REEL_TASK_DONE(task)      REEL_H_TASK_STATE(task, REEL_H_TASK_DONE, REEL_H_SILENT)
#define REEL_TASK_CANCELLED(task) REEL_H_TASK_STATE(task, REEL_H_TASK_CANCELLED, REEL_H_SILENT)
/* Somebody asks the task to stop; whether it does, its next states show. */
#define REEL_TASK_CANCEL(task)                                                                     \
    REEL_H_TELL(CANCEL, TASK, (const volatile void *)(uintptr_t)(task), 0, REEL_H_SILENT)
/* The calling *thread* begins to wait for the result of a task, and has it: in pairs. */
#define REEL_TASK_AWAIT(task)                                                                      \
    REEL_H_TELL(WAIT, TASK, (const volatile void *)(uintptr_t)(task), REEL_H_CALL_TASK_AWAIT,      \
                REEL_H_SILENT)
#define REEL_TASK_AWAITED(task)                                                                    \
    REEL_H_TELL(WAKE, TASK, (const volatile void *)(uintptr_t)(task), 0, REEL_H_SILENT)

/* ---- Event loops that do not wait in epoll, poll or select (those are seen by themselves) ---- */

#define REEL_LOOP_NAME(loop, name) REEL_H_TELL(NAME, LOOP, loop, 0, name)
/* The loop has nothing to do and begins to wait; it woke with so many things to do. */
#define REEL_LOOP_WAIT(loop)        REEL_H_TELL(WAIT, LOOP, loop, REEL_H_CALL_NONE, REEL_H_SILENT)
#define REEL_LOOP_WAKE(loop, ready) REEL_H_TELL(WAKE, LOOP, loop, ready, REEL_H_SILENT)
/* One of the things it woke for: a descriptor or a number of your own. */
#define REEL_LOOP_READY(loop, what) REEL_H_TELL(READY, LOOP, loop, what, REEL_H_SILENT)
/* The loop calls one of its handlers, and is back from it. */
#define REEL_LOOP_CALLBACK_BEGIN(loop, name) REEL_H_TELL(SPAN_BEGIN, LOOP, loop, 0, name)
#define REEL_LOOP_CALLBACK_END(loop, name)   REEL_H_TELL(SPAN_END, LOOP, loop, 0, name)

/* ---- Locks of your own making: exclusive, shown and checked like a mutex ----
 * REQUEST before the call waits (leave it out when the lock was free), ACQUIRE when the lock is
 * yours, RELEASE while it still is, FAILED with an errno when a try or a timeout gave up. */

#define REEL_LOCK_INIT(lock, name) REEL_H_TELL(INIT, MUTEX, lock, 0, name)
#define REEL_LOCK_DESTROY(lock)    REEL_H_TELL(DESTROY, MUTEX, lock, 0, REEL_H_SILENT)

#define REEL_LOCK_REQUEST(lock) REEL_H_TELL(REQUEST, MUTEX, lock, REEL_H_CALL_LOCK, REEL_H_SILENT)
#define REEL_LOCK_ACQUIRE(lock) REEL_H_TELL(ACQUIRE, MUTEX, lock, 0, REEL_H_SILENT)
#define REEL_LOCK_RELEASE(lock) REEL_H_TELL(RELEASE, MUTEX, lock, 0, REEL_H_SILENT)

#define REEL_LOCK_FAILED(lock, error) REEL_H_TELL(FAIL, MUTEX, lock, error, REEL_H_SILENT)

/* ---- Memory and order ---- */

/* A read or a write of a variable that threads share: `REEL_WRITE(counter); counter = 1;`. */
#define REEL_READ(variable)  REEL_READ_RANGE(&(variable), sizeof(variable))
#define REEL_WRITE(variable) REEL_WRITE_RANGE(&(variable), sizeof(variable))
#define REEL_READ_RANGE(address, bytes)                                                            \
    REEL_H_TELL(READ, MEMORY, (const volatile void *)(address), bytes, REEL_H_SILENT)
#define REEL_WRITE_RANGE(address, bytes)                                                           \
    REEL_H_TELL(WRITE, MEMORY, (const volatile void *)(address), bytes, REEL_H_SILENT)
/* What a thread did before HAPPENS_BEFORE is ordered before what a thread does after a later
 * HAPPENS_AFTER of the same address: for orders made by atomics, which Reel does not see. */
#define REEL_HAPPENS_BEFORE(address)                                                               \
    REEL_H_TELL(BEFORE, MEMORY, (const volatile void *)(address), 0, REEL_H_SILENT)
#define REEL_HAPPENS_AFTER(address)                                                                \
    REEL_H_TELL(AFTER, MEMORY, (const volatile void *)(address), 0, REEL_H_SILENT)

/* ---- REEL_SPAN(name): a span from here to the end of the block, however it is left ---- */

#define REEL_H_PASTE2(a, b) a##b
#define REEL_H_PASTE(a, b)  REEL_H_PASTE2(a, b)

#ifdef __cplusplus
namespace reel
{
class span
{
  public:
    explicit span(const char *name) : name_(name)
    {
        REEL_SPAN_BEGIN(name_);
    }
    ~span()
    {
        REEL_SPAN_END(name_);
    }

  private:
    span(const span &);
    span &operator=(const span &);
    const char *name_;
};
} // namespace reel
#define REEL_SPAN(name) ::reel::span REEL_H_PASTE(reel_h_span_, __LINE__)(name)
#else
static __inline__ __attribute__((unused)) const char *reel_h_span_enter(const char *name)
{
    REEL_SPAN_BEGIN(name);
    return name;
}
static __inline__ __attribute__((unused)) void reel_h_span_leave(const char **name)
{
    REEL_SPAN_END(*name);
}
#define REEL_SPAN(name)                                                                            \
    __attribute__((cleanup(reel_h_span_leave), unused)) const char *REEL_H_PASTE(                  \
        reel_h_span_, __LINE__) = reel_h_span_enter(name)
#endif

#endif
