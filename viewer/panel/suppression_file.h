/* Adding a suppression (tracer/export/suppression.h) to a file of them. */
#ifndef REEL_VIEWER_PANEL_SUPPRESSION_FILE_H
#define REEL_VIEWER_PANEL_SUPPRESSION_FILE_H

#include "tracer/error.h"

/* Puts another reason behind " -- ", in place of what is there; NULL or blank: as it is. g_free. */
char *reel_suppress_line(const char *line, const char *reason);
/* Appends to the file, which is made if there is none. A last line without an end gets one. */
bool reel_suppress_append(const char *path, const char *line, struct reel_error *error);

#endif
