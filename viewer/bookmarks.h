/* Bookmarks: making one with a note, and the list of them. They are kept beside the trace. */
#ifndef REEL_VIEWER_BOOKMARKS_H
#define REEL_VIEWER_BOOKMARKS_H

#include "viewer/window.h"

/* Asks for a note, for the moment of the cursor. */
void reel_bookmarks_ask(ReelWindow *window);
/* A window with all of them: go, change, remove. */
void reel_bookmarks_show(ReelWindow *window);

#endif
