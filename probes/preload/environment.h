/* The variables that carry a recording across exec: LD_PRELOAD, REEL_REGION (where the region is)
 * and REEL_FDS (what the descriptors are that the next image inherits). */
#ifndef REEL_PRELOAD_ENVIRONMENT_H
#define REEL_PRELOAD_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

#define REEL_ENVIRONMENT_HIDDEN __attribute__((visibility("hidden")))

/* Takes our variables out of `environ`, in place: REEL_REGION goes, LD_PRELOAD becomes what it was
 * before Reel was put in front of it, or goes. Copies of both, ready for exec, land in
 * `environment[0]` and `[1]` ("NAME=value"). Returns the region's path, or NULL: not recorded. */
const char *reel_environment_take(char environment[3][4352],
                                  char original[4096]) REEL_ENVIRONMENT_HIDDEN;

/* How many entries reel_environment_with() needs room for, its final NULL included. */
size_t reel_environment_room(char *const *environment) REEL_ENVIRONMENT_HIDDEN;

/* Writes `environment` with our variables added into `out`. `preload` (4352 bytes) holds the
 * combined LD_PRELOAD when the program set one of its own. */
void reel_environment_with(char *const *environment, char **out,
                           char *preload) REEL_ENVIRONMENT_HIDDEN;

#endif
