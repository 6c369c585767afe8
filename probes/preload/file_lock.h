/* fcntl's record locks, from the wrapper of fcntl. */
#ifndef REEL_PRELOAD_FILE_LOCK_H
#define REEL_PRELOAD_FILE_LOCK_H

#include "probes/preload/probe.h"

int reel_file_lock_fcntl(int fd, int command, void *argument, void *frame) REEL_HIDDEN;

#endif
