/* What was gathered from a large trace, kept in the user's cache folder, so that the trace opens at
 * once the next time. Losing such a file loses nothing; one that does not fit its trace, or makes
 * no sense, is as good as none. */
#ifndef REEL_VIEWER_GATHERING_FILE_H
#define REEL_VIEWER_GATHERING_FILE_H

#include "viewer/core/gathering.h"

/* Keeps it, for the trace as it is now (path, size, time of change). Old files make room. */
void reel_gathering_keep(const struct reel_gathering *gathering, const char *trace_path);
/* NULL: there is none that fits. */
struct reel_gathering *reel_gathering_recall(const char *trace_path);

#endif
