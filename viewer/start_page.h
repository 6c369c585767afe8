/* What the window shows without a trace: record a program, open a recent trace, run a sample. */
#ifndef REEL_VIEWER_START_PAGE_H
#define REEL_VIEWER_START_PAGE_H

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define REEL_TYPE_START_PAGE (reel_start_page_get_type())
/* Emits `record` with a command line, `open` with a path. */
G_DECLARE_FINAL_TYPE(ReelStartPage, reel_start_page, REEL, START_PAGE, GtkWidget)

/* Fills in the recent traces anew. */
void reel_start_page_refresh(ReelStartPage *self);

G_END_DECLS

#endif
