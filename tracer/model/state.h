/* What a thread can be doing: the one table of states. Names go into the trace (interval.state);
 * the role is the colour the viewer gives them; `idle` states are waiting for work rather than for
 * somebody. */
#ifndef REEL_MODEL_STATE_H
#define REEL_MODEL_STATE_H

#include <stdbool.h>

#include "probes/event/kinds.h"

/* X(NAME, "name", ROLE, waits, "meaning"); `waits`: the thread waits for an object. */
#define REEL_STATES(X)                                                                             \
    X(RUNNING, "running", RUNNING, 0, "on a processor, as far as is known")                        \
    X(CALLBACK, "callback", CALLBACK, 0, "running between two waits of its event loop")            \
    X(RUNNABLE, "runnable", RUNNABLE, 0, "could run: preempted, or woken and not yet there")       \
    X(LOCK_WAIT, "lock-wait", LOCK, 1, "for a mutex, rwlock, spin lock, file lock or once")        \
    X(GIL_WAIT, "gil-wait", GIL, 1, "for an interpreter's global lock")                            \
    X(COND_WAIT, "cond-wait", ORDER, 1, "for a condition variable or futex")                       \
    X(SEM_WAIT, "sem-wait", ORDER, 1, "for a semaphore")                                           \
    X(BARRIER_WAIT, "barrier-wait", ORDER, 1, "for the others at a barrier")                       \
    X(JOIN_WAIT, "join-wait", ORDER, 1, "for a thread's end")                                      \
    X(PROCESS_WAIT, "process-wait", ORDER, 1, "for a process's end")                               \
    X(QUEUE_WAIT, "queue-wait", ORDER, 1, "for items or room in a queue, pipe or message queue")   \
    X(IO_WAIT, "io-wait", IO, 1, "in a call on a file, socket or other descriptor")                \
    X(LOOP_WAIT, "loop-wait", IDLE, 1, "an event loop with nothing to do")                         \
    X(SIGNAL_WAIT, "signal-wait", IDLE, 1, "for a signal")                                         \
    X(SLEEP, "sleep", IDLE, 1, "for time to pass")                                                 \
    X(BLOCKED, "blocked", IO, 0, "off the processor for a reason that was not recorded")           \
    X(STALLED, "stalled", GAP, 0, "the recorder made it wait for room")                            \
    X(GAP, "gap", GAP, 0, "events were lost: nothing is known")

/* X(NAME, "name"): the viewer's eight colours, and the one for holes. */
#define REEL_STATE_ROLES(X)                                                                        \
    X(RUNNING, "running")                                                                          \
    X(RUNNABLE, "runnable")                                                                        \
    X(LOCK, "lock-wait")                                                                           \
    X(ORDER, "order-wait")                                                                         \
    X(GIL, "gil-wait")                                                                             \
    X(IO, "io")                                                                                    \
    X(CALLBACK, "callback")                                                                        \
    X(IDLE, "idle")                                                                                \
    X(GAP, "gap")

#define REEL_STATE_ENUM(NAME, text, role, waits, meaning) REEL_STATE_##NAME,
enum reel_state { REEL_STATES(REEL_STATE_ENUM) REEL_STATE_COUNT };
#define REEL_STATE_ROLE_ENUM(NAME, text) REEL_STATE_ROLE_##NAME,
enum reel_state_role { REEL_STATE_ROLES(REEL_STATE_ROLE_ENUM) REEL_STATE_ROLE_COUNT };

const char *reel_state_name(enum reel_state state);
const char *reel_state_meaning(enum reel_state state);
enum reel_state_role reel_state_role(enum reel_state state);
const char *reel_state_role_name(enum reel_state_role role);
bool reel_state_waits(enum reel_state state);
/* False when no state has that name. */
bool reel_state_parse(const char *name, enum reel_state *state);

/* What a thread is in that blocks in `call` (enum reel_call) on an object of `class`. */
enum reel_state reel_state_of_wait(enum reel_class class, unsigned call);

/* "read", "lock" …; "?" for an unknown one. REEL_CALL_TIMED and _TRY are ignored. */
const char *reel_call_name(unsigned call);
const char *reel_operation_name(unsigned operation);
const char *reel_class_name(unsigned class);

#endif
