#include "viewer/ruler.h"

#include <math.h>

#include "tracer/model/time_text.h"
#include "viewer/draw/scene.h"
#include "viewer/palette.h"

#define OVERVIEW_HEIGHT 44

struct _ReelRuler {
    GtkWidget parent_instance;
    ReelSession *session;
};

G_DEFINE_FINAL_TYPE(ReelRuler, reel_ruler, GTK_TYPE_WIDGET)

static void append_text(GtkWidget *widget, GtkSnapshot *snapshot, const char *text, double x,
                        double y, const GdkRGBA *color)
{
    g_autoptr(PangoLayout) layout = gtk_widget_create_pango_layout(widget, text);
    gtk_snapshot_save(snapshot);
    gtk_snapshot_translate(snapshot, &GRAPHENE_POINT_INIT((float)x, (float)y));
    gtk_snapshot_append_layout(snapshot, layout, color);
    gtk_snapshot_restore(snapshot);
}

static void reel_ruler_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
    ReelRuler *self = REEL_RULER(widget);
    struct reel_palette palette;
    reel_palette_read(&palette, widget);
    struct reel_scene scene = {
        .document = self->session ? reel_session_document(self->session) : NULL,
        .palette = &palette,
        .from_ns = self->session ? reel_session_from(self->session) : 0,
        .to_ns = self->session ? reel_session_to(self->session) : 0,
        .cursor_ns = self->session ? reel_session_cursor(self->session) : 0,
        .width = gtk_widget_get_width(widget),
    };
    struct reel_snapshot_painter painter;
    reel_snapshot_painter_init(&painter, widget, snapshot);
    reel_scene_paint_ruler(&scene, &painter.base);
}

static void fixed_height(GtkOrientation orientation, int height, int *minimum, int *natural)
{
    *minimum = *natural = orientation == GTK_ORIENTATION_VERTICAL ? height : 200;
}

static void reel_ruler_measure(GtkWidget *widget, GtkOrientation orientation, int for_size,
                               int *minimum, int *natural, int *minimum_baseline,
                               int *natural_baseline)
{
    (void)widget;
    (void)for_size;
    *minimum_baseline = *natural_baseline = -1;
    fixed_height(orientation, REEL_RULER_HEIGHT, minimum, natural);
}

static void redraw_on(GtkWidget *widget, ReelSession *session)
{
    const char *const properties[] = {"notify::from", "notify::to", "notify::cursor",
                                      "notify::document"};
    for (unsigned i = 0; i < G_N_ELEMENTS(properties); i++)
        g_signal_connect_object(session, properties[i], G_CALLBACK(gtk_widget_queue_draw), widget,
                                G_CONNECT_SWAPPED);
}

void reel_ruler_set_session(ReelRuler *self, ReelSession *session)
{
    g_return_if_fail(!self->session);
    self->session = g_object_ref(session);
    redraw_on(GTK_WIDGET(self), session);
}

static void reel_ruler_dispose(GObject *object)
{
    g_clear_object(&REEL_RULER(object)->session);
    G_OBJECT_CLASS(reel_ruler_parent_class)->dispose(object);
}

static void reel_ruler_class_init(ReelRulerClass *class)
{
    G_OBJECT_CLASS(class)->dispose = reel_ruler_dispose;
    GTK_WIDGET_CLASS(class)->snapshot = reel_ruler_snapshot;
    GTK_WIDGET_CLASS(class)->measure = reel_ruler_measure;
}

static void reel_ruler_init(ReelRuler *self)
{
    (void)self;
}

/* The overview: all threads' shares together over the whole trace. */
struct _ReelOverview {
    GtkWidget parent_instance;
    ReelSession *session;
    GdkTexture *texture; /* of `drawn_width` */
    int drawn_width;
    struct reel_palette palette;
};

G_DEFINE_FINAL_TYPE(ReelOverview, reel_overview, GTK_TYPE_WIDGET)

/* Heights are threads: the tallest column is where most of them were alive. */
static GdkTexture *overview_texture(ReelOverview *self, ReelDocument *document, int width,
                                    int height)
{
    static const enum reel_state_role order[] = {
        REEL_STATE_ROLE_RUNNING, REEL_STATE_ROLE_CALLBACK, REEL_STATE_ROLE_RUNNABLE,
        REEL_STATE_ROLE_LOCK,    REEL_STATE_ROLE_GIL,      REEL_STATE_ROLE_GAP,
        REEL_STATE_ROLE_ORDER,   REEL_STATE_ROLE_IO,       REEL_STATE_ROLE_IDLE};
    g_autofree double(*sums)[REEL_STATE_ROLE_COUNT] = g_malloc0_n((gsize)width, sizeof *sums);
    g_autofree struct reel_lane_column *columns = g_new(struct reel_lane_column, width);
    for (guint i = 0; i < reel_document_lane_count(document); i++) {
        const struct reel_lane *lane = reel_document_lane(document, i);
        if (lane->kind != REEL_LANE_THREAD)
            continue;
        reel_lane_data_columns(&lane->data, reel_document_start_ns(document),
                               reel_document_end_ns(document), columns, (size_t)width);
        for (int x = 0; x < width; x++)
            for (unsigned role = 0; role < REEL_STATE_ROLE_COUNT; role++)
                sums[x][role] += columns[x].share[role];
    }
    double tallest = 1;
    for (int x = 0; x < width; x++) {
        double total = 0;
        for (unsigned role = 0; role < REEL_STATE_ROLE_COUNT; role++)
            total += sums[x][role];
        tallest = MAX(tallest, total);
    }
    uint32_t *pixels = g_new0(uint32_t, (gsize)width * (gsize)height);
    for (int x = 0; x < width; x++) {
        double bottom = height;
        for (unsigned i = 0; i < G_N_ELEMENTS(order); i++) {
            double part = sums[x][order[i]] / tallest * height;
            for (int y = (int)lround(bottom) - 1; y >= (int)lround(bottom - part) && y >= 0; y--)
                pixels[(gsize)y * (gsize)width + (gsize)x] = self->palette.pixel[order[i]][0];
            bottom -= part;
        }
    }
    g_autoptr(GBytes) bytes =
        g_bytes_new_take(pixels, (gsize)width * (gsize)height * sizeof *pixels);
    return gdk_memory_texture_new(width, height, GDK_MEMORY_B8G8R8A8_PREMULTIPLIED, bytes,
                                  (gsize)width * sizeof *pixels);
}

static void reel_overview_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
    ReelOverview *self = REEL_OVERVIEW(widget);
    const int width = gtk_widget_get_width(widget) - REEL_TIMELINE_NAMES;
    ReelDocument *document = self->session ? reel_session_document(self->session) : NULL;
    reel_palette_read(&self->palette, widget);
    gtk_snapshot_append_color(
        snapshot, &self->palette.background,
        &GRAPHENE_RECT_INIT(0, 0, (float)gtk_widget_get_width(widget), OVERVIEW_HEIGHT));
    append_text(widget, snapshot, "whole trace", 8, 12, &self->palette.dim);
    if (!document || width < 16)
        return;
    if (!self->texture || self->drawn_width != width) {
        g_clear_object(&self->texture);
        self->texture = overview_texture(self, document, width, OVERVIEW_HEIGHT - 8);
        self->drawn_width = width;
    }
    gtk_snapshot_append_texture(
        snapshot, self->texture,
        &GRAPHENE_RECT_INIT(REEL_TIMELINE_NAMES, 4, (float)width, OVERVIEW_HEIGHT - 8));
    double start = (double)reel_document_start_ns(document),
           span = (double)(reel_document_end_ns(document) - reel_document_start_ns(document));
    double left =
        REEL_TIMELINE_NAMES + ((double)reel_session_from(self->session) - start) / span * width;
    double right =
        REEL_TIMELINE_NAMES + ((double)reel_session_to(self->session) - start) / span * width;
    GdkRGBA shade = self->palette.background;
    shade.alpha = 0.65f;
    gtk_snapshot_append_color(snapshot, &shade,
                              &GRAPHENE_RECT_INIT(REEL_TIMELINE_NAMES, 0,
                                                  (float)(left - REEL_TIMELINE_NAMES),
                                                  OVERVIEW_HEIGHT));
    gtk_snapshot_append_color(snapshot, &shade,
                              &GRAPHENE_RECT_INIT((float)right, 0,
                                                  (float)(REEL_TIMELINE_NAMES + width - right),
                                                  OVERVIEW_HEIGHT));
    const double edges[] = {left, right - 2};
    for (unsigned i = 0; i < G_N_ELEMENTS(edges); i++)
        gtk_snapshot_append_color(snapshot, &self->palette.cursor,
                                  &GRAPHENE_RECT_INIT((float)edges[i], 2, 2, OVERVIEW_HEIGHT - 4));
    for (guint i = 0; i < reel_document_finding_count(document); i++) {
        const struct reel_finding_mark *finding = reel_document_finding(document, i);
        if (!finding->time_ns)
            continue;
        double x = REEL_TIMELINE_NAMES + ((double)finding->time_ns - start) / span * width;
        gtk_snapshot_append_color(snapshot, &self->palette.finding,
                                  &GRAPHENE_RECT_INIT((float)x - 1.5f, 0, 3, 8));
    }
    ReelViewFile *file = reel_session_view_file(self->session);
    for (guint i = 0; file && i < reel_view_file_bookmark_count(file); i++) {
        double at = (double)reel_view_file_bookmark(file, i)->time_ns;
        append_text(widget, snapshot, "◆", REEL_TIMELINE_NAMES + (at - start) / span * width - 5,
                    OVERVIEW_HEIGHT - 17, &self->palette.cursor);
    }
    double x =
        REEL_TIMELINE_NAMES + ((double)reel_session_cursor(self->session) - start) / span * width;
    gtk_snapshot_append_color(snapshot, &self->palette.cursor,
                              &GRAPHENE_RECT_INIT((float)x, 0, 1, OVERVIEW_HEIGHT));
}

static void go_to(ReelOverview *self, double x)
{
    ReelDocument *document = reel_session_document(self->session);
    int width = gtk_widget_get_width(GTK_WIDGET(self)) - REEL_TIMELINE_NAMES;
    if (!document || width < 1)
        return;
    double share = CLAMP((x - REEL_TIMELINE_NAMES) / width, 0, 1);
    double start = (double)reel_document_start_ns(document),
           end = (double)reel_document_end_ns(document);
    double at = start + share * (end - start);
    double half = (double)(reel_session_to(self->session) - reel_session_from(self->session)) / 2;
    reel_session_show_range(self->session, at > half ? (uint64_t)(at - half) : 0,
                            (uint64_t)(at + half));
    reel_session_set_cursor(self->session, (uint64_t)at, FALSE);
}

static void overview_drag_begin(GtkGestureDrag *gesture, double x, double y, gpointer data)
{
    (void)gesture;
    (void)y;
    go_to(data, x);
}

static void overview_drag_update(GtkGestureDrag *gesture, double dx, double dy, gpointer data)
{
    (void)dy;
    double x, y;
    if (gtk_gesture_drag_get_start_point(gesture, &x, &y))
        go_to(data, x + dx);
}

static void reel_overview_measure(GtkWidget *widget, GtkOrientation orientation, int for_size,
                                  int *minimum, int *natural, int *minimum_baseline,
                                  int *natural_baseline)
{
    (void)widget;
    (void)for_size;
    *minimum_baseline = *natural_baseline = -1;
    fixed_height(orientation, OVERVIEW_HEIGHT, minimum, natural);
}

static void forget_texture(ReelOverview *self)
{
    g_clear_object(&self->texture);
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

static void on_document(ReelOverview *self)
{
    forget_texture(self);
    if (reel_session_document(self->session))
        g_signal_connect_object(reel_session_document(self->session), "filled",
                                G_CALLBACK(forget_texture), self, G_CONNECT_SWAPPED);
    if (reel_session_view_file(self->session))
        g_signal_connect_object(reel_session_view_file(self->session), "bookmarks-changed",
                                G_CALLBACK(gtk_widget_queue_draw), self, G_CONNECT_SWAPPED);
}

static void reel_overview_css_changed(GtkWidget *widget, GtkCssStyleChange *change)
{
    GTK_WIDGET_CLASS(reel_overview_parent_class)->css_changed(widget, change);
    forget_texture(REEL_OVERVIEW(widget));
}

void reel_overview_set_session(ReelOverview *self, ReelSession *session)
{
    g_return_if_fail(!self->session);
    self->session = g_object_ref(session);
    redraw_on(GTK_WIDGET(self), session);
    g_signal_connect_object(session, "notify::document", G_CALLBACK(on_document), self,
                            G_CONNECT_SWAPPED);
}

static void reel_overview_dispose(GObject *object)
{
    g_clear_object(&REEL_OVERVIEW(object)->session);
    g_clear_object(&REEL_OVERVIEW(object)->texture);
    G_OBJECT_CLASS(reel_overview_parent_class)->dispose(object);
}

static void reel_overview_class_init(ReelOverviewClass *class)
{
    G_OBJECT_CLASS(class)->dispose = reel_overview_dispose;
    GTK_WIDGET_CLASS(class)->snapshot = reel_overview_snapshot;
    GTK_WIDGET_CLASS(class)->measure = reel_overview_measure;
    GTK_WIDGET_CLASS(class)->css_changed = reel_overview_css_changed;
    gtk_widget_class_set_accessible_role(GTK_WIDGET_CLASS(class), GTK_ACCESSIBLE_ROLE_IMG);
}

static void reel_overview_init(ReelOverview *self)
{
    gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   "Overview of the whole trace", -1);
    GtkGesture *drag = gtk_gesture_drag_new();
    g_signal_connect(drag, "drag-begin", G_CALLBACK(overview_drag_begin), self);
    g_signal_connect(drag, "drag-update", G_CALLBACK(overview_drag_update), self);
    gtk_widget_add_controller(GTK_WIDGET(self), GTK_EVENT_CONTROLLER(drag));
}
