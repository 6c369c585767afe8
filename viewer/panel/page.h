/* What all pages of the bottom panel have in common: the session they show, a worker to ask, and
 * laziness: a page asks nothing before it is first seen, and what changes while it is hidden is
 * caught up with when it is seen again. */
#ifndef REEL_VIEWER_PANEL_PAGE_H
#define REEL_VIEWER_PANEL_PAGE_H

#include <gtk/gtk.h>

#include "viewer/panel/row.h"
#include "viewer/query_service.h"
#include "viewer/session.h"

G_BEGIN_DECLS

#define REEL_TYPE_PANEL_PAGE (reel_panel_page_get_type())
G_DECLARE_DERIVABLE_TYPE(ReelPanelPage, reel_panel_page, REEL, PANEL_PAGE, GtkWidget)

enum reel_panel_page_follows {
    REEL_FOLLOWS_RANGE = 1, /* the selected range, else the visible one */
    REEL_FOLLOWS_CURSOR = 2,
    REEL_FOLLOWS_STACK = 4,
    REEL_FOLLOWS_FILTER = 8,
};

struct _ReelPanelPageClass {
    GtkWidgetClass parent_class;
    /* The session is there, to connect to more than `follows` says. May be NULL. */
    void (*bound)(ReelPanelPage *self, ReelSession *session);
    /* Another trace: what is shown is no more. Not called when the same one was read anew, as it
     * grows: then only `refresh` is. May be NULL. */
    void (*clear)(ReelPanelPage *self);
    /* The page is seen, a document is there, and what the page shows is out of date. */
    void (*refresh)(ReelPanelPage *self);
    /* Whether the range matters now, for pages that follow it only when asked to. May be NULL. */
    gboolean (*is_ranged)(ReelPanelPage *self);
    guint follows; /* enum reel_panel_page_follows: what makes it out of date */
};

void reel_panel_page_set_session(ReelPanelPage *self, ReelSession *session);
/* The page's one child. */
void reel_panel_page_set_child(ReelPanelPage *self, GtkWidget *child);
/* Which of the widgets below takes the keys when the page is shown by one. Not counted: it lives as
 * long as the page. */
void reel_panel_page_set_primary(ReelPanelPage *self, GtkWidget *widget);
/* Gives the keys to it, or to the first widget that takes them. */
void reel_panel_page_focus(ReelPanelPage *self);
ReelSession *reel_panel_page_session(ReelPanelPage *self);
/* NULL until one is loaded. */
ReelDocument *reel_panel_page_document(ReelPanelPage *self);

/* What it shows is out of date: refreshed at once when seen, else when it is seen next. */
void reel_panel_page_outdate(ReelPanelPage *self);
/* The range that the page is about: the selected one, else the visible one. True when it is the
 * whole trace. */
gboolean reel_panel_page_range(ReelPanelPage *self, uint64_t *from_ns, uint64_t *to_ns);
/* "2.013–2.054 s (41.2 ms)", or "The whole trace (12.4 s)". g_free. */
char *reel_panel_range_text(uint64_t from_ns, uint64_t to_ns, gboolean is_whole);
/* Asks the page's own worker: see reel_query_service_ask. The owner is the page. */
void reel_panel_page_ask(ReelPanelPage *self, guint slot, const struct reel_query_job *job);
void reel_panel_page_drop(ReelPanelPage *self, guint slot);

/* Moves the session to what a row is about: its time, its thread's or lock's lane, its stack. */
void reel_panel_page_go(ReelPanelPage *self, const ReelRow *row);
/* The same for a place; REEL_ROW_NO_TIME and 0 leave as it is. */
void reel_panel_page_go_to(ReelPanelPage *self, uint64_t time_ns, uint32_t thread, uint32_t object,
                           uint32_t stack);

/* A label that says in words what went wrong, with what to do. g_free. */
char *reel_panel_error_text(const struct reel_error *error);

G_END_DECLS

#endif
