/* Starting the target: with the probe in front, held at a gate until the collector is ready. */
#ifndef REEL_COLLECT_LAUNCH_H
#define REEL_COLLECT_LAUNCH_H

#include <stdbool.h>
#include <sys/types.h>

#include "tracer/error.h"

struct reel_launch {
    pid_t pid;
    int gate;   /* write end: closing it lets the child exec */
    int report; /* read end: errno of a failed exec */
};

/* What is preloaded. */
struct reel_launch_libraries {
    const char *probe;
    const char *memory; /* into programs that tell their accesses to memory; NULL: into none */
    bool always_memory; /* into all */
};

/* Forks the child; it waits at the gate. `region_path` NULL: run it without the probe. */
bool reel_launch_prepare(struct reel_launch *launch, char *const argv[],
                         const struct reel_launch_libraries *libraries, const char *region_path,
                         struct reel_error *error);
/* Opens the gate and waits until the exec succeeded (0) or failed (its errno). */
int reel_launch_go(struct reel_launch *launch);

#endif
