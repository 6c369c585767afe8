/* What the user made of a trace, kept in a small file beside it ("my.reel-view"), or, where that
 * cannot be written, in the user's data directory: arrangement of lanes, bookmarks. Losing it loses
 * nothing of the trace. Main thread only. */
#ifndef REEL_VIEWER_VIEW_FILE_H
#define REEL_VIEWER_VIEW_FILE_H

#include <glib-object.h>
#include <stdint.h>

G_BEGIN_DECLS

struct reel_bookmark {
    uint64_t time_ns;
    char *note; /* "" without one */
};

#define REEL_TYPE_VIEW_FILE (reel_view_file_get_type())
G_DECLARE_FINAL_TYPE(ReelViewFile, reel_view_file, REEL, VIEW_FILE, GObject)

/* Reads what is there. A file that makes no sense is as good as none. Emits `bookmarks-changed`. */
ReelViewFile *reel_view_file_new(const char *trace_path);

/* Lanes by a key that survives ("thread:3"): numbers 0 are not kept. */
int reel_view_file_lane(ReelViewFile *self, const char *lane, const char *what);
void reel_view_file_set_lane(ReelViewFile *self, const char *lane, const char *what, int value);

/* In the order of time. */
guint reel_view_file_bookmark_count(ReelViewFile *self);
const struct reel_bookmark *reel_view_file_bookmark(ReelViewFile *self, guint index);
/* Sets the note of the one there is at that time, or makes one. */
void reel_view_file_add_bookmark(ReelViewFile *self, uint64_t time_ns, const char *note);
void reel_view_file_remove_bookmark(ReelViewFile *self, guint index);

G_END_DECLS

#endif
