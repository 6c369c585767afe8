#ifndef REEL_PRELOAD_INSTRUMENTED_H
#define REEL_PRELOAD_INSTRUMENTED_H

#include <stdbool.h>

/* `file` is a path, or a name to be looked for in PATH; NULL: not known, so it is not. */
bool reel_is_instrumented(const char *file) __attribute__((visibility("hidden")));

#endif
