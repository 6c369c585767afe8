/* What the source page asks the trace and the disk, in the worker: the frames of a stack, and the
 * text of a file. */
#ifndef REEL_VIEWER_PANEL_SOURCE_QUERY_H
#define REEL_VIEWER_PANEL_SOURCE_QUERY_H

#include "viewer/query_service.h"

struct reel_source_request {
    uint32_t stack;   /* or, when 0: */
    uint32_t thread;  /* what this thread was last seen at, */
    uint64_t time_ns; /* up to this moment */
};

struct reel_source_frame {
    char *function, *file, *module; /* NULL: not known */
    int line;
    uint64_t address;
};

struct reel_source_frames {
    GArray *frame; /* struct reel_source_frame, innermost first */
    guint own;     /* index of the first frame of the program's own code, else 0 */
    uint32_t stack;
};
void reel_source_frames_free(gpointer frames);
gpointer reel_source_frames_read(struct reel_query *query, gpointer request);

#define REEL_SOURCE_BYTES_MOST (8u << 20)

struct reel_source_file {
    char *asked, *found; /* where the compiler saw it; where it is, NULL: nowhere */
    char *text;          /* UTF-8; NULL: not to be shown */
    char *problem;       /* why, and what to do; NULL: none */
};
void reel_source_file_free(gpointer file);
/* `request`: the path, a string. Looks where the compiler saw the file, then for ever shorter ends
 * of that path beside the trace and in the folder that the viewer was started in. */
gpointer reel_source_file_read(struct reel_query *query, gpointer request);
/* The same without a trace. `beside`: folders to look in, NULL-terminated. */
struct reel_source_file *reel_source_file_find(const char *path, const char *const *beside);

#endif
