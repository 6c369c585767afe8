/* What can happen, and to what: the vocabulary of a trace.
 *
 * An event is an *operation* on an object of a *class*: "acquire" of a "mutex", "wait" on a
 * "condition". This table is the only list of them. The probes use the enumerators; the store
 * writes the names into every trace; commands, exporters and the viewer look names up here.
 * What an operation does to the world is said in one place too: tracer/model/.
 *
 * Numbers are part of the file format: append, never renumber. */
#ifndef REEL_EVENT_KINDS_H
#define REEL_EVENT_KINDS_H

/* X(NAME, number, "name", "meaning; what `argument` and the extra words hold") */
#define REEL_OPERATIONS(X)                                                                         \
    X(NONE, 0, "none", "not an event")                                                             \
    X(EXTRA, 1, "extra", "continuation: 24 more bytes for the event before it")                    \
    X(PAD, 2, "pad", "unused record at the end of a block")                                        \
    X(STACK_NODE, 3, "stack-node", "defines stack `stack`: path `argument`, called from `object`") \
    X(ATTACH, 4, "attach", "a process image began to record; extra: pid, parent pid, image")       \
    X(FOLLOWED, 5, "followed",                                                                     \
      "accesses to memory are followed from here on; argument: events of the thread so far; "      \
      "extra: a function whose accesses are not seen, so that no race is predicted")               \
    X(CREATE, 10, "create", "a thread or process is being made; object: the child's identity")     \
    X(CREATED, 11, "created", "the creating call returned; argument: error or pid")                \
    X(START, 12, "start",                                                                          \
      "a thread began; argument: its kernel id; extra: handle, routine, parent")                   \
    X(EXIT, 13, "exit", "a thread or process ends; argument: why (enum reel_exit) or status")      \
    X(DETACH, 14, "detach", "pthread_detach; argument: error")                                     \
    X(CANCEL, 15, "cancel", "pthread_cancel sent; argument: error")                                \
    X(NAME, 16, "name",                                                                            \
      "the object got a name; extra: text; a process: argument 0 its file, 1 its command")         \
    X(EXEC, 17, "exec", "execve is about to be called; extra: path")                               \
    X(EXEC_FAILED, 18, "exec-failed", "execve returned; argument: errno")                          \
    X(KILL, 19, "kill", "a signal was sent; argument: signal; object: pid or thread")              \
    X(INIT, 20, "init", "the object was initialised; argument: attributes, value or capacity")     \
    X(DESTROY, 21, "destroy", "the object was destroyed; argument: error")                         \
    X(REQUEST, 22, "request", "will block to acquire; argument: enum reel_call")                   \
    X(ACQUIRE, 23, "acquire", "acquired; argument: 0 or EOWNERDEAD")                               \
    X(RELEASE, 24, "release", "about to release")                                                  \
    X(FAIL, 25, "fail", "a try, timed or forbidden acquire failed; argument: error")               \
    X(WAIT, 26, "wait", "began to wait; argument: enum reel_call")                                 \
    X(WAKE, 27, "wake", "the wait ended; argument: result")                                        \
    X(SIGNAL, 28, "signal", "wakes one waiter")                                                    \
    X(BROADCAST, 29, "broadcast", "wakes all waiters")                                             \
    X(POST, 30, "post", "adds one unit to a semaphore; argument: value before, when known")        \
    X(CONSISTENT, 31, "consistent", "a robust mutex was repaired")                                 \
    X(RELEASE_FAILED, 32, "release-failed", "an unlock returned an error; argument: error")        \
    X(ARRIVE, 33, "arrive", "came to a barrier; argument: enum reel_call")                         \
    X(LEAVE, 34, "leave", "left the barrier; argument: result")                                    \
    X(OPEN, 40, "open", "a descriptor was made; argument: descriptor; extra: peer or detail")      \
    X(CLOSE, 41, "close", "a descriptor was closed; argument: descriptor")                         \
    X(BEGIN, 42, "begin", "a call that may block began; argument: enum reel_call")                 \
    X(END, 43, "end", "that call ended; argument: bytes or count, or negative errno")              \
    X(READY, 44, "ready", "a descriptor the loop was woken for; argument: descriptor")             \
    X(WATCH, 45, "watch", "epoll_ctl; argument: descriptor")                                       \
    X(PUT, 46, "put", "an item entered a queue; argument: size; extra: item")                      \
    X(GET, 47, "get", "an item left a queue; argument: size; extra: item")                         \
    X(SPAN_BEGIN, 50, "span-begin", "an annotated span or task step began")                        \
    X(SPAN_END, 51, "span-end", "it ended")                                                        \
    X(READ, 52, "read", "an annotated read of memory; argument: size")                             \
    X(WRITE, 53, "write", "an annotated write of memory; argument: size")                          \
    X(BEFORE, 54, "happens-before", "release edge of an annotated order")                          \
    X(AFTER, 55, "happens-after", "acquire edge of an annotated order")                            \
    X(MARK, 56, "mark", "a user's mark; extra: text")                                              \
    X(RACED, 58, "raced",                                                                          \
      "an earlier access that nothing in the program ordered with the read or write told before; " \
      "argument: size; stack: of that access; extra: thread, position, flags, locks held then")    \
    X(ALLOCATED, 59, "allocated",                                                                  \
      "the heap block of the read or write told before; argument: size; stack: of the "            \
      "allocation; extra: size, text: what of it was accessed, where known")                       \
    X(SEEN, 62, "seen",                                                                            \
      "read what another thread wrote; argument: that thread; extra: how many of its events may "  \
      "have come before it wrote that")                                                            \
    X(STATE, 57, "state", "a task changed state; argument: enum reel_task_state")                  \
    X(LOAD, 60, "load", "dlopen; extra: path")                                                     \
    X(UNLOAD, 61, "unload", "dlclose")                                                             \
    X(SWITCH_OUT, 64, "switch-out", "left the processor; argument: 1 when preempted")              \
    X(SWITCH_IN, 65, "switch-in", "got a processor; argument: its number")                         \
    X(STALL, 70, "stall", "the recorder made the thread wait for room; argument: microseconds")    \
    X(GAP, 71, "gap", "events were lost; argument: how many (saturated); extra: exact count, since")

/* X(NAME, number, "name", "what `object` identifies") */
#define REEL_CLASSES(X)                                                                            \
    X(NONE, 0, "none", "nothing")                                                                  \
    X(THREAD, 1, "thread", "a thread: its number in the recording, or its pthread_t")              \
    X(PROCESS, 2, "process", "a process: its pid")                                                 \
    X(MUTEX, 3, "mutex", "address of a pthread_mutex_t or mtx_t")                                  \
    X(RWLOCK, 4, "rwlock", "address of a pthread_rwlock_t")                                        \
    X(SPINLOCK, 5, "spinlock", "address of a pthread_spinlock_t")                                  \
    X(CONDITION, 6, "condition", "address of a pthread_cond_t or cnd_t")                           \
    X(SEMAPHORE, 7, "semaphore", "address of a sem_t")                                             \
    X(BARRIER, 8, "barrier", "address of a pthread_barrier_t")                                     \
    X(ONCE, 9, "once", "address of a pthread_once_t or once_flag")                                 \
    X(FUTEX, 10, "futex", "address of a futex word used by syscall()")                             \
    X(FILE_LOCK, 11, "file-lock", "a descriptor's file, locked by flock, lockf or fcntl")          \
    X(FILE, 12, "file", "a descriptor of a file or of unknown type")                               \
    X(PIPE, 13, "pipe", "a pipe or FIFO, both ends")                                               \
    X(SOCKET, 14, "socket", "a socket")                                                            \
    X(EVENTFD, 15, "eventfd", "an eventfd")                                                        \
    X(TIMERFD, 16, "timerfd", "a timerfd")                                                         \
    X(SIGNALFD, 17, "signalfd", "a signalfd")                                                      \
    X(LOOP, 18, "loop", "an epoll set, or a thread's poll/select loop")                            \
    X(MESSAGE_QUEUE, 19, "message-queue", "a POSIX or System V message queue")                     \
    X(CLOCK, 20, "clock", "time: sleeps")                                                          \
    X(SIGNAL, 21, "signal", "waiting for a signal")                                                \
    X(QUEUE, 22, "queue", "an annotated or library queue, by address")                             \
    X(TASK, 23, "task", "an annotated task, by address or number")                                 \
    X(SPAN, 24, "span", "an annotated span, by name")                                              \
    X(MEMORY, 25, "memory", "annotated data, by address")                                          \
    X(MODULE, 26, "module", "a loaded object")                                                     \
    X(CPU, 27, "cpu", "the processor")                                                             \
    X(RECORDER, 28, "recorder", "Reel's own buffers")

/* Which call blocked, or may block: the argument of REQUEST, WAIT and BEGIN. A call with a timeout
 * has REEL_CALL_TIMED added. X(NAME, number, "name") */
#define REEL_CALLS(X)                                                                              \
    X(NONE, 0, "?")                                                                                \
    X(LOCK, 1, "lock")                                                                             \
    X(RDLOCK, 2, "rdlock")                                                                         \
    X(WRLOCK, 3, "wrlock")                                                                         \
    X(COND_WAIT, 4, "cond_wait")                                                                   \
    X(SEM_WAIT, 5, "sem_wait")                                                                     \
    X(BARRIER_WAIT, 6, "barrier_wait")                                                             \
    X(ONCE, 7, "once")                                                                             \
    X(JOIN, 8, "join")                                                                             \
    X(SLEEP, 9, "sleep")                                                                           \
    X(YIELD, 10, "yield")                                                                          \
    X(FUTEX_WAIT, 11, "futex_wait")                                                                \
    X(FLOCK, 12, "flock")                                                                          \
    X(LOCKF, 13, "lockf")                                                                          \
    X(FCNTL, 14, "fcntl")                                                                          \
    X(READ, 20, "read")                                                                            \
    X(WRITE, 21, "write")                                                                          \
    X(SEND, 22, "send")                                                                            \
    X(RECV, 23, "recv")                                                                            \
    X(ACCEPT, 24, "accept")                                                                        \
    X(CONNECT, 25, "connect")                                                                      \
    X(FSYNC, 26, "fsync")                                                                          \
    X(SENDFILE, 27, "sendfile")                                                                    \
    X(MQ_SEND, 28, "mq_send")                                                                      \
    X(MQ_RECEIVE, 29, "mq_receive")                                                                \
    X(EPOLL_WAIT, 30, "epoll_wait")                                                                \
    X(POLL, 31, "poll")                                                                            \
    X(SELECT, 32, "select")                                                                        \
    X(WAITPID, 40, "waitpid")                                                                      \
    X(SIGWAIT, 41, "sigwait")                                                                      \
    X(PAUSE, 42, "pause")                                                                          \
    X(FORK, 43, "fork")                                                                            \
    X(VFORK, 44, "vfork")                                                                          \
    X(SPAWN, 45, "posix_spawn")                                                                    \
    X(SYSTEM, 46, "system")                                                                        \
    X(POPEN, 47, "popen")                                                                          \
    X(CLONE, 48, "clone")                                                                          \
    X(QUEUE_PUT, 50, "queue put")                                                                  \
    X(QUEUE_GET, 51, "queue get")                                                                  \
    X(TASK_AWAIT, 52, "await")

#define REEL_CALL_TIMED  0x100u /* the wait has a deadline */
#define REEL_CALL_TRY    0x200u /* the call never blocks */
#define REEL_CALL_NUMBER 0x0ffu

/* Families: what `reel record --only/--without` switches. X(NAME, bit, "name", "what it covers") */
#define REEL_FAMILIES(X)                                                                           \
    X(THREAD, 0, "thread", "thread creation, join, detach, cancel, names")                         \
    X(MUTEX, 1, "mutex", "pthread and C11 mutexes")                                                \
    X(RWLOCK, 2, "rwlock", "reader-writer locks")                                                  \
    X(SPIN, 3, "spin", "spin locks")                                                               \
    X(COND, 4, "cond", "condition variables")                                                      \
    X(SEM, 5, "sem", "semaphores")                                                                 \
    X(BARRIER, 6, "barrier", "barriers")                                                           \
    X(ONCE, 7, "once", "one-time initialisation")                                                  \
    X(FUTEX, 8, "futex", "raw futexes by syscall()")                                               \
    X(FILELOCK, 9, "filelock", "flock, lockf and fcntl locks")                                     \
    X(PROCESS, 10, "process", "fork, spawn, exec, wait, kill")                                     \
    X(IO, 11, "io", "pipes, sockets, files: reads, writes, accept, connect, fsync")                \
    X(QUEUE, 12, "queue", "message queues and library queues")                                     \
    X(LOOP, 13, "loop", "epoll, poll, select, timerfd, signalfd")                                  \
    X(SLEEP, 14, "sleep", "sleeps and yields")                                                     \
    X(MODULE, 15, "module", "dlopen and dlclose")                                                  \
    X(ANNOTATION, 16, "annotation", "the annotations of reel.h")                                   \
    X(MEMORY, 17, "memory", "accesses to memory by instrumented code")

#define REEL_KIND_ENUM_OPERATION(NAME, number, text, meaning) REEL_OP_##NAME = number,
enum reel_operation { REEL_OPERATIONS(REEL_KIND_ENUM_OPERATION) REEL_OP_LIMIT = 128 };
#define REEL_KIND_ENUM_CLASS(NAME, number, text, meaning) REEL_CLASS_##NAME = number,
enum reel_class { REEL_CLASSES(REEL_KIND_ENUM_CLASS) REEL_CLASS_LIMIT = 64 };
#define REEL_KIND_ENUM_CALL(NAME, number, text) REEL_CALL_##NAME = number,
enum reel_call { REEL_CALLS(REEL_KIND_ENUM_CALL) REEL_CALL_LIMIT = 256 };
#define REEL_KIND_ENUM_FAMILY(NAME, bit, text, meaning) REEL_FAMILY_##NAME = bit,
enum reel_family { REEL_FAMILIES(REEL_KIND_ENUM_FAMILY) REEL_FAMILY_LIMIT = 32 };

/* How a thread ended: the argument of EXIT on a thread. */
enum reel_exit {
    REEL_EXIT_RETURNED = 0,  /* its start routine returned */
    REEL_EXIT_CALLED = 1,    /* pthread_exit, thrd_exit */
    REEL_EXIT_CANCELLED = 2, /* pthread_cancel took effect */
    REEL_EXIT_PROCESS = 3,   /* the process ended or was replaced by exec */
    REEL_EXIT_KILLED = 4,    /* the process died of a signal */
    REEL_EXIT_UNKNOWN = 5,   /* it was seen alive, then it was gone */
};

/* What kind of access a compiler told: the first extra word of READ, WRITE and RACED. The second of
 * READ and WRITE is what the memory held just before; then the addresses of the locks held. */
#define REEL_ACCESS_INSTRUMENTED 1u
#define REEL_ACCESS_WRITE        2u
#define REEL_ACCESS_ATOMIC       4u
#define REEL_ACCESS_ORDERED      8u  /* with the RACED one, by locks: another time it may not be */
#define REEL_ACCESS_SINGLE       16u /* one load or store: an atomic one would look the same */
#define REEL_ACCESS_VALUE        32u /* the second word is what was read, or written */
#define REEL_ACCESS_BYTES        8   /* shift: which bytes of the word; of memory that is shared */

/* The argument of BEFORE, when an atomic store tells it: nobody hears what others left there. */
#define REEL_EDGE_REPLACES 1u

enum reel_task_state {
    REEL_TASK_CREATED = 0,
    REEL_TASK_READY = 1,
    REEL_TASK_RUNNING = 2,
    REEL_TASK_WAITING = 3,
    REEL_TASK_DONE = 4,
    REEL_TASK_CANCELLED = 5,
};

#endif
