/* Drawing a picture of a trace into a file and leaving, without a display: what `reel export` runs.
 */
#ifndef REEL_VIEWER_EXPORT_COMMAND_H
#define REEL_VIEWER_EXPORT_COMMAND_H

#include <glib.h>

struct reel_export_wishes {
    const char *file;                     /* its suffix says what kind of picture */
    const char *from, *to, *at, *finding; /* NULL: not said */
    const char *theme;                    /* light, dark, contrast; NULL: light */
    int width;                            /* 0: 1400 */
};

/* The process's exit status: 0, 1 when it could not be done, 2 for wishes that make no sense, 3
 * when `trace` is none. Says why on standard error. */
int reel_export_command(const char *trace, const struct reel_export_wishes *wishes);

#endif
