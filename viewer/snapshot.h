/* A trace that is not finished, as one that can be looked at: a sealed copy in a temporary file.
 * The trace itself, and whoever records into it, are left alone. */
#ifndef REEL_VIEWER_SNAPSHOT_H
#define REEL_VIEWER_SNAPSHOT_H

#include <gio/gio.h>

#include "tracer/detect/finding.h"
#include "tracer/store/trace.h"

/* Whether the file is a trace, and in what state. FALSE and an error when it cannot be opened. */
gboolean reel_snapshot_state(const char *path, enum reel_trace_state *state, GError **error);

/* Copies and seals what has been recorded so far. The path of the copy, to be removed with
 * reel_snapshot_remove; NULL and an error on failure. `recording`: whether somebody still records
 * into it. Any thread. */
char *reel_snapshot_take(const char *path, gboolean *recording, GError **error);
void reel_snapshot_remove(char *copy);

/* Whether no detector has looked at it, and it has no more than so many events. Any thread. */
gboolean reel_snapshot_wants_check(const char *path, guint64 most_events);
/* What the detectors find in a sealed trace, but for what `reel check` does not tell either unless
 * asked to: the faults that come with well-known libraries. To be freed with reel_finding_set_free;
 * NULL on failure. Any thread. */
struct reel_finding_set *reel_snapshot_detect(struct reel_trace *trace, struct reel_error *error);
/* Keeps them in the trace. Does nothing to a file that may not be written. Any thread. */
gboolean reel_snapshot_check(const char *path, GError **error);

#endif
