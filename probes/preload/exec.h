/* What the next image needs to go on recording, put into an environment. */
#ifndef REEL_PRELOAD_EXEC_H
#define REEL_PRELOAD_EXEC_H

#include <alloca.h>

#include "probes/preload/environment.h"
#include "probes/preload/probe.h"

/* Declares `with`: the environment to exec with; `envp` itself when nothing is to be added. On the
 * stack, for exec may not allocate, and no more of it than needed. Also in a vforked child, whose
 * wrappers are otherwise blind. */
#define REEL_EXEC_ENVIRONMENT(with, envp, file)                                                    \
    char *const *with = (envp);                                                                    \
    if (reel_environment_follows(envp)) {                                                          \
        struct reel_environment_size size = reel_environment_measure(envp, file);                  \
        char **room = alloca(size.entries * sizeof *room);                                         \
        reel_environment_with(envp, &size, room,                                                   \
                              alloca(size.preload + size.descriptors + size.sanitizer));           \
        with = room;                                                                               \
    }                                                                                              \
    _Static_assert(1, "takes a semicolon")

#endif
