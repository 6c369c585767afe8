/* Where libreel-probe.so is: beside a build directory's reel, or installed. */
#ifndef REEL_COMMANDS_PROBE_PATH_H
#define REEL_COMMANDS_PROBE_PATH_H

#include "tracer/error.h"

/* Absolute; caller frees with g_free. NULL and an error when there is none. */
char *reel_probe_path(struct reel_error *error);

#endif
