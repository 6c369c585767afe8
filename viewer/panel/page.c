#include "viewer/panel/page.h"

#include "tracer/model/time_text.h"

#define SETTLE_MS         120u    /* a range that is being dragged is asked for when it rests */
#define FOCUS_PATIENCE_US 1500000 /* how long after showing a page the keys may still go to it */

typedef struct {
    ReelSession *session;
    struct reel_query_service *service;
    GtkWidget *child, *primary;
    GtkWidget *focus_before; /* only compared: who has the keys until `primary` can */
    gint64 focus_until;
    guint focusing; /* a tick callback */
    char *origin;   /* of the document that is shown; NULL: none */
    gboolean is_outdated;
    guint settling;
} ReelPanelPagePrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE(ReelPanelPage, reel_panel_page, GTK_TYPE_WIDGET)

static ReelPanelPagePrivate *private_of(ReelPanelPage *self)
{
    return reel_panel_page_get_instance_private(self);
}

ReelSession *reel_panel_page_session(ReelPanelPage *self)
{
    return private_of(self)->session;
}

ReelDocument *reel_panel_page_document(ReelPanelPage *self)
{
    ReelSession *session = private_of(self)->session;
    ReelDocument *document = session ? reel_session_document(session) : NULL;
    gboolean is_whole =
        document && reel_document_is_loaded(document) && !reel_document_is_outline(document);
    return is_whole ? document : NULL;
}

static void refresh(ReelPanelPage *self)
{
    ReelPanelPagePrivate *private = private_of(self);
    if (!private->is_outdated || !gtk_widget_get_mapped(GTK_WIDGET(self)) ||
        !reel_panel_page_document(self))
        return;
    private->is_outdated = FALSE;
    REEL_PANEL_PAGE_GET_CLASS(self)->refresh(self);
}

void reel_panel_page_outdate(ReelPanelPage *self)
{
    private_of(self)->is_outdated = TRUE;
    refresh(self);
}

static void document_changed(ReelPanelPage *self)
{
    ReelPanelPagePrivate *private = private_of(self);
    ReelDocument *document = reel_panel_page_document(self);
    const char *origin = document ? reel_document_origin(document) : NULL;
    gboolean is_other = !origin || g_strcmp0(origin, private->origin) != 0;
    g_clear_pointer(&private->service, reel_query_service_free);
    g_free(private->origin);
    private->origin = g_strdup(origin);
    if (is_other && REEL_PANEL_PAGE_GET_CLASS(self)->clear)
        REEL_PANEL_PAGE_GET_CLASS(self)->clear(self);
    reel_panel_page_outdate(self);
}

static gboolean settled(gpointer data)
{
    private_of(data)->settling = 0;
    reel_panel_page_outdate(data);
    return G_SOURCE_REMOVE;
}

static void moved(ReelPanelPage *self)
{
    ReelPanelPagePrivate *private = private_of(self);
    if (!private->settling)
    private->settling = g_timeout_add(SETTLE_MS, settled, self);
}

static void range_moved(ReelPanelPage *self)
{
    const ReelPanelPageClass *class = REEL_PANEL_PAGE_GET_CLASS(self);
    if (!class->is_ranged || class->is_ranged(self))
        moved(self);
}

void reel_panel_page_set_session(ReelPanelPage *self, ReelSession *session)
{
    static const struct {
        guint follows;
        const char *signal;
    } signals[] = {
        {REEL_FOLLOWS_RANGE, "notify::from"},
        {REEL_FOLLOWS_RANGE, "notify::to"},
        {REEL_FOLLOWS_RANGE, "notify::selection-from"},
        {REEL_FOLLOWS_RANGE, "notify::selection-to"},
        {REEL_FOLLOWS_CURSOR, "notify::cursor"},
        {REEL_FOLLOWS_CURSOR, "notify::lane"},
        {REEL_FOLLOWS_STACK, "notify::stack"},
        {REEL_FOLLOWS_FILTER, "notify::filter"},
    };
    ReelPanelPagePrivate *private = private_of(self);
    g_return_if_fail(!private->session);
    private->session = g_object_ref(session);
    g_signal_connect_object(session, "notify::document", G_CALLBACK(document_changed), self,
                            G_CONNECT_SWAPPED);
    if (REEL_PANEL_PAGE_GET_CLASS(self)->bound)
        REEL_PANEL_PAGE_GET_CLASS(self)->bound(self, session);
    for (unsigned i = 0; i < G_N_ELEMENTS(signals); i++)
        if (REEL_PANEL_PAGE_GET_CLASS(self)->follows & signals[i].follows)
            g_signal_connect_object(session, signals[i].signal,
                                    signals[i].follows == REEL_FOLLOWS_RANGE
                                        ? G_CALLBACK(range_moved)
                                        : G_CALLBACK(moved),
                                    self, G_CONNECT_SWAPPED);
    document_changed(self);
}

void reel_panel_page_set_child(ReelPanelPage *self, GtkWidget *child)
{
    ReelPanelPagePrivate *private = private_of(self);
    g_return_if_fail(!private->child);
    private->child = child;
    gtk_widget_set_parent(child, GTK_WIDGET(self));
}

void reel_panel_page_set_primary(ReelPanelPage *self, GtkWidget *widget)
{
    private_of(self)->primary = widget;
}

static gboolean focus_primary(ReelPanelPage *self)
{
    GtkWidget *primary = private_of(self)->primary;
    return primary && gtk_widget_get_mapped(primary) && gtk_widget_grab_focus(primary);
}

/* Rows come when the worker has them: until then there is nothing that could take the keys. */
static gboolean focus_when_it_can(GtkWidget *widget, GdkFrameClock *clock, gpointer data)
{
    (void)clock;
    (void)data;
    ReelPanelPage *self = REEL_PANEL_PAGE(widget);
    ReelPanelPagePrivate *private = private_of(self);
    GtkRoot *root = gtk_widget_get_root(widget);
    /* The user went elsewhere, or it takes too long to be welcome. */
    gboolean is_over = !gtk_widget_get_mapped(widget) || !root ||
                       gtk_root_get_focus(root) != private->focus_before ||
                       g_get_monotonic_time() > private->focus_until;
    if (!is_over && !focus_primary(self))
        return G_SOURCE_CONTINUE;
    private->focusing = 0;
    return G_SOURCE_REMOVE;
}

void reel_panel_page_focus(ReelPanelPage *self)
{
    ReelPanelPagePrivate *private = private_of(self);
    GtkWidget *widget = GTK_WIDGET(self);
    if (!gtk_widget_get_mapped(widget) || focus_primary(self))
        return;
    gtk_widget_child_focus(widget, GTK_DIR_TAB_FORWARD);
    private->focus_before = gtk_root_get_focus(gtk_widget_get_root(widget));
    private->focus_until = g_get_monotonic_time() + FOCUS_PATIENCE_US;
    if (!private->focusing)
    private->focusing = gtk_widget_add_tick_callback(widget, focus_when_it_can, NULL, NULL);
}

gboolean reel_panel_page_range(ReelPanelPage *self, uint64_t *from_ns, uint64_t *to_ns)
{
    ReelSession *session = private_of(self)->session;
    ReelDocument *document = reel_panel_page_document(self);
    reel_session_selection(session, from_ns, to_ns);
    if (*from_ns >= *to_ns) {
        *from_ns = reel_session_from(session);
        *to_ns = reel_session_to(session);
    }
    return document && *from_ns <= reel_document_start_ns(document) &&
           *to_ns >= reel_document_end_ns(document);
}

char *reel_panel_range_text(uint64_t from_ns, uint64_t to_ns, gboolean is_whole)
{
    char from[REEL_TIME_TEXT], to[REEL_TIME_TEXT], width[REEL_TIME_TEXT];
    uint64_t resolution = MAX((to_ns - from_ns) / 1000, 1);
    reel_duration_text(to_ns - from_ns, false, width);
    if (is_whole)
        return g_strdup_printf("The whole trace (%s)", width);
    return g_strdup_printf("%s – %s (%s)", reel_moment_text(from_ns, resolution, from),
                           reel_moment_text(to_ns, resolution, to), width);
}

void reel_panel_page_ask(ReelPanelPage *self, guint slot, const struct reel_query_job *job)
{
    ReelPanelPagePrivate *private = private_of(self);
    ReelDocument *document = reel_panel_page_document(self);
    g_return_if_fail(document);
    if (!private->service)
    private->service = reel_query_service_new(reel_document_path(document));
    struct reel_query_job own = *job;
    own.owner = self;
    reel_query_service_ask(private->service, slot, &own);
}

void reel_panel_page_drop(ReelPanelPage *self, guint slot)
{
    if (private_of(self)->service)
        reel_query_service_drop(private_of(self)->service, slot);
}

void reel_panel_page_go_to(ReelPanelPage *self, uint64_t time_ns, uint32_t thread, uint32_t object,
                           uint32_t stack)
{
    ReelSession *session = private_of(self)->session;
    ReelDocument *document = reel_panel_page_document(self);
    if (!document)
        return;
    if (!thread || !reel_session_select_thread(session, thread))
        if (object)
            reel_session_select_object(session, object);
    if (time_ns != REEL_ROW_NO_TIME)
        reel_session_set_cursor(session, time_ns, TRUE);
    if (stack)
        reel_session_set_stack(session, stack);
}

void reel_panel_page_go(ReelPanelPage *self, const ReelRow *row)
{
    reel_panel_page_go_to(self, row->time_ns, row->thread, row->object, row->stack);
}

char *reel_panel_error_text(const struct reel_error *error)
{
    return g_strdup_printf("%s%s%s", *error->message ? error->message : "The trace gave no answer.",
                           *error->hint ? "\n" : "", error->hint);
}

static void reel_panel_page_map(GtkWidget *widget)
{
    GTK_WIDGET_CLASS(reel_panel_page_parent_class)->map(widget);
    refresh(REEL_PANEL_PAGE(widget));
}

static void reel_panel_page_dispose(GObject *object)
{
    ReelPanelPagePrivate *private = private_of(REEL_PANEL_PAGE(object));
    g_clear_handle_id(&private->settling, g_source_remove);
    if (private->focusing)
        gtk_widget_remove_tick_callback(GTK_WIDGET(object), private->focusing);
    private->focusing = 0;
    g_clear_pointer(&private->service, reel_query_service_free);
    g_clear_object(&private->session);
    private->primary = NULL;
    g_clear_pointer(&private->child, gtk_widget_unparent);
    G_OBJECT_CLASS(reel_panel_page_parent_class)->dispose(object);
}

static void reel_panel_page_finalize(GObject *object)
{
    g_free(private_of(REEL_PANEL_PAGE(object))->origin);
    G_OBJECT_CLASS(reel_panel_page_parent_class)->finalize(object);
}

static void reel_panel_page_class_init(ReelPanelPageClass *class)
{
    G_OBJECT_CLASS(class)->dispose = reel_panel_page_dispose;
    G_OBJECT_CLASS(class)->finalize = reel_panel_page_finalize;
    GTK_WIDGET_CLASS(class)->map = reel_panel_page_map;
    gtk_widget_class_set_layout_manager_type(GTK_WIDGET_CLASS(class), GTK_TYPE_BIN_LAYOUT);
}

static void reel_panel_page_init(ReelPanelPage *self)
{
    (void)self;
}
