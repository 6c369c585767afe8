/* When a wait is for good: what the watch over a running program and the detectors on its trace
 * must agree on.
 *
 * Signals that a program handles itself may end a wait: the handler posts, writes, or jumps away. A
 * program that only handles what a person sends it to make it stop (SIGINT from the keyboard,
 * SIGTERM, SIGHUP, SIGQUIT) and waits in no more than locks, joins and barriers is still hung: none
 * of these calls comes back for a signal, and no handler may unlock, arrive or end a thread. A wait
 * for a condition, a semaphore or a descriptor may be for just that signal. */
#ifndef REEL_MODEL_STILLNESS_H
#define REEL_MODEL_STILLNESS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "probes/event/kinds.h"

#define REEL_SIGNAL_BIT(number) (1ull << ((number)-1))

/* Those of the C library, those for faults, and those that tell of nothing. */
#define REEL_SIGNALS_HARMLESS                                                                      \
    (REEL_SIGNAL_BIT(SIGSEGV) | REEL_SIGNAL_BIT(SIGBUS) | REEL_SIGNAL_BIT(SIGILL) |                \
     REEL_SIGNAL_BIT(SIGFPE) | REEL_SIGNAL_BIT(SIGTRAP) | REEL_SIGNAL_BIT(SIGABRT) |               \
     REEL_SIGNAL_BIT(SIGSYS) | REEL_SIGNAL_BIT(SIGPIPE) | REEL_SIGNAL_BIT(SIGPROF) |               \
     REEL_SIGNAL_BIT(SIGWINCH) | REEL_SIGNAL_BIT(32) | REEL_SIGNAL_BIT(33))

#define REEL_SIGNALS_TO_STOP                                                                       \
    (REEL_SIGNAL_BIT(SIGINT) | REEL_SIGNAL_BIT(SIGTERM) | REEL_SIGNAL_BIT(SIGHUP) |                \
     REEL_SIGNAL_BIT(SIGQUIT))

/* Can no handler of these signals (bits as in SigCgt of proc(5)) end a wait of that class? */
static inline bool reel_outlasts_signals(unsigned class, uint64_t handled)
{
    handled &= ~REEL_SIGNALS_HARMLESS;
    if (!handled)
        return true;
    if (handled & ~REEL_SIGNALS_TO_STOP)
        return false;
    switch (class) {
    case REEL_CLASS_MUTEX:
    case REEL_CLASS_RWLOCK:
    case REEL_CLASS_SPINLOCK:
    case REEL_CLASS_ONCE:
    case REEL_CLASS_BARRIER:
    case REEL_CLASS_THREAD:
        return true;
    default:
        return false;
    }
}

#endif
