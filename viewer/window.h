/* The main window: header, overview, ruler, lanes, state panel, findings, playback. One session. */
#ifndef REEL_VIEWER_WINDOW_H
#define REEL_VIEWER_WINDOW_H

#include <gtk/gtk.h>

#include "viewer/session.h"
#include "viewer/timeline.h"

G_BEGIN_DECLS

#define REEL_TYPE_WINDOW (reel_window_get_type())
G_DECLARE_FINAL_TYPE(ReelWindow, reel_window, REEL, WINDOW, GtkApplicationWindow)

/* What can be done in it is added when the application learns of it: viewer/actions.h. */
ReelWindow *reel_window_new(GtkApplication *application);
/* `place`: where to begin: "2.03s", "F-0001…" or NULL. */
void reel_window_open(ReelWindow *self, const char *path, const char *place);
/* Records a program, and shows its trace while it grows. */
void reel_window_record(ReelWindow *self, const char *command);
ReelSession *reel_window_session(ReelWindow *self);
/* Tells the person, in the window. */
void reel_window_say(ReelWindow *self, const char *text);
/* The page to record a program, to open a recent trace. */
void reel_window_show_start(ReelWindow *self);
void reel_window_toggle_follow(ReelWindow *self);
void reel_window_focus_filter(ReelWindow *self);
void reel_window_focus_graph(ReelWindow *self);
ReelTimeline *reel_window_timeline(ReelWindow *self);
/* "2.03s", "41%", "+5ms", "F-…": says what is wrong with it. */
gboolean reel_window_go_to(ReelWindow *self, const char *place);
/* The selected lane at the cursor, in words. */
void reel_window_describe(ReelWindow *self);

/* A page of the panel below: findings, events, … */
void reel_window_show_page(ReelWindow *self, const char *name);
/* The source at the selected stack or the cursor, in the user's editor. */
void reel_window_edit_source(ReelWindow *self);

G_END_DECLS

#endif
