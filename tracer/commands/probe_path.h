/* Where Reel's other parts are: beside a build directory's reel, or installed. */
#ifndef REEL_COMMANDS_PROBE_PATH_H
#define REEL_COMMANDS_PROBE_PATH_H

#include "tracer/error.h"

/* Absolute; caller frees with g_free. NULL and an error when there is none. */
char *reel_probe_path(struct reel_error *error);
/* Of the runtime for instrumented programs, and of what these are linked with. */
char *reel_memory_path(struct reel_error *error);
/* Of what announces a heap block to be watched. */
char *reel_block_path(struct reel_error *error);
char *reel_stub_path(struct reel_error *error);
/* The same for the viewer. */
char *reel_viewer_path(struct reel_error *error);

#endif
