/* Measuring the viewer on a trace: what it costs to open it, to draw frames at several zooms, to
 * answer the state at the cursor. Prints and quits. */
#ifndef REEL_VIEWER_BENCH_H
#define REEL_VIEWER_BENCH_H

#include "viewer/window.h"

/* Begins when the window has loaded its trace. `started_us`: g_get_monotonic_time at main. */
void reel_bench_run(ReelWindow *window, gint64 started_us);

#endif
