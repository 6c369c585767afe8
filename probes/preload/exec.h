/* What the next image needs to go on recording, put into an environment. */
#ifndef REEL_PRELOAD_EXEC_H
#define REEL_PRELOAD_EXEC_H

#include <alloca.h>

#include "probes/preload/environment.h"
#include "probes/preload/probe.h"

#define REEL_EXEC_TEXT                                                                             \
    8192 /* LD_PRELOAD and REEL_FDS, written on the stack: exec may not allocate */

/* May the next image record? Also true in a vforked child, whose wrappers are otherwise blind. */
static inline bool reel_exec_follows(void)
{
    return reel_probe.region && reel_probe.region->follow && reel_probe.environment[0][0];
}

/* Declares `with`: the environment to exec with; `envp` itself when nothing is to be added. */
#define REEL_EXEC_ENVIRONMENT(with, envp)                                                          \
    char *const *with = (envp);                                                                    \
    if (reel_exec_follows()) {                                                                     \
        char **room = alloca(reel_environment_room(envp) * sizeof *room);                          \
        reel_environment_with(envp, room, alloca(REEL_EXEC_TEXT));                                 \
        with = room;                                                                               \
    }                                                                                              \
    _Static_assert(1, "takes a semicolon")

#endif
