/* How a failure travels: filled in where it happens, printed by a command, shown by the viewer. No
 * library function prints. A message says what failed, on what, why; `hint` says what to do next.
 */
#ifndef REEL_TRACER_ERROR_H
#define REEL_TRACER_ERROR_H

#include <stdarg.h>
#include <stdbool.h>

enum reel_error_code {
    REEL_ERROR_NONE = 0,
    REEL_ERROR_SYSTEM,      /* a system call failed; `number` is errno */
    REEL_ERROR_STORE,       /* SQLite failed; `number` is its extended code */
    REEL_ERROR_NOT_A_TRACE, /* the file is not a Reel trace */
    REEL_ERROR_NEWER,       /* written by a newer Reel */
    REEL_ERROR_DAMAGED,     /* a trace, but its content contradicts itself */
    REEL_ERROR_USAGE,       /* the user's words are off */
    REEL_ERROR_LIMIT,       /* a limit the user set, or the disk, was reached */
};

struct reel_error {
    enum reel_error_code code;
    int number;
    char message[512];
    char hint[256];
};

/* Fills in `error` (which may be NULL) unless it already holds an error: the first cause is kept.
 * Always returns false, so that `return reel_error_set(…)` reads well. */
__attribute__((format(printf, 4, 5))) bool reel_error_set(struct reel_error *error,
                                                          enum reel_error_code code, int number,
                                                          const char *format, ...);
/* Sets what to do next. Returns false. */
__attribute__((format(printf, 2, 3))) bool reel_error_hint(struct reel_error *error,
                                                           const char *format, ...);
/* Puts "context: " before the message that is there. Returns false. */
__attribute__((format(printf, 2, 3))) bool reel_error_prefix(struct reel_error *error,
                                                             const char *format, ...);

#endif
