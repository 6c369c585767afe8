/* Recording a program from the window: `reel record` as a child, its trace looked at while it
 * grows. Main thread only. */
#ifndef REEL_VIEWER_RECORDER_H
#define REEL_VIEWER_RECORDER_H

#include <gio/gio.h>

G_BEGIN_DECLS

#define REEL_TYPE_RECORDER (reel_recorder_get_type())
G_DECLARE_FINAL_TYPE(ReelRecorder, reel_recorder, REEL, RECORDER, GObject)

/* Emits `ended` with what it printed, when the recording is complete. NULL and an error when it
 * cannot begin. `command`: as a shell would split it, without its expansions. */
ReelRecorder *reel_recorder_new(const char *command, GError **error);
/* The trace; it appears shortly after the beginning. */
const char *reel_recorder_trace(ReelRecorder *self);
gboolean reel_recorder_is_running(ReelRecorder *self);
/* Ends the program (SIGINT, so that the trace is completed). */
void reel_recorder_stop(ReelRecorder *self);

/* Where `reel` is: beside this program, in the build tree, or on the path. NULL: nowhere. g_free.
 */
char *reel_recorder_find(void);
/* Where the samples' programs are; NULL: nowhere. g_free. */
char *reel_recorder_samples(void);

G_END_DECLS

#endif
