#include "viewer/timeline.h"

#include <math.h>

#include "tracer/model/time_text.h"
#include "viewer/palette.h"

#define LANE_HEIGHT    26
#define HEADING_HEIGHT 24
#define STRIP_MARGIN   3
#define LABELS_MOST    400 /* intervals of a lane in view, above which none is wide enough anyway */
#define LABEL_WIDTH    36

struct _ReelTimeline {
    GtkWidget parent_instance;
    ReelSession *session;
    GtkAdjustment *adjustment;
    struct reel_palette palette;
    gboolean palette_known;
    double pointer_x, pointer_y; /* last seen; -1: not over us */
    double drag_from;            /* ns at the start of a pan */
    gboolean panning;
    uint64_t select_from, select_to; /* range being dragged; equal: none */
};

G_DEFINE_FINAL_TYPE(ReelTimeline, reel_timeline, GTK_TYPE_WIDGET)

static ReelDocument *document_of(ReelTimeline *self)
{
    ReelDocument *document = self->session ? reel_session_document(self->session) : NULL;
    return document && reel_document_is_loaded(document) ? document : NULL;
}

static int height_of(const struct reel_lane *lane)
{
    return lane->kind == REEL_LANE_PROCESS || lane->kind == REEL_LANE_GROUP ? HEADING_HEIGHT
                                                                            : LANE_HEIGHT;
}

static int total_height(ReelTimeline *self)
{
    ReelDocument *document = document_of(self);
    int height = 0;
    for (guint i = 0; document && i < reel_document_lane_count(document); i++)
        height += height_of(reel_document_lane(document, i));
    return height;
}

static double strip_width(ReelTimeline *self)
{
    return MAX(gtk_widget_get_width(GTK_WIDGET(self)) - REEL_TIMELINE_NAMES, 1);
}

static double x_of(ReelTimeline *self, uint64_t ns)
{
    double from = (double)reel_session_from(self->session),
           to = (double)reel_session_to(self->session);
    return REEL_TIMELINE_NAMES + ((double)ns - from) / (to - from) * strip_width(self);
}

static uint64_t ns_at(ReelTimeline *self, double x)
{
    double from = (double)reel_session_from(self->session),
           to = (double)reel_session_to(self->session);
    double ns = from + (x - REEL_TIMELINE_NAMES) / strip_width(self) * (to - from);
    return ns > 0 ? (uint64_t)ns : 0;
}

/* Index of the lane at `y`, or G_MAXUINT. */
static guint lane_at(ReelTimeline *self, double y)
{
    ReelDocument *document = document_of(self);
    int top = 0;
    for (guint i = 0; document && i < reel_document_lane_count(document); i++) {
        top += height_of(reel_document_lane(document, i));
        if (y < top)
            return i;
    }
    return G_MAXUINT;
}

static PangoLayout *layout_of(ReelTimeline *self, const char *text, gboolean bold)
{
    PangoLayout *layout = gtk_widget_create_pango_layout(GTK_WIDGET(self), text);
    if (bold) {
        PangoAttrList *attributes = pango_attr_list_new();
        pango_attr_list_insert(attributes, pango_attr_weight_new(PANGO_WEIGHT_BOLD));
        pango_layout_set_attributes(layout, attributes);
        pango_attr_list_unref(attributes);
    }
    pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
    pango_layout_set_single_paragraph_mode(layout, TRUE);
    return layout;
}

static void draw_text(ReelTimeline *self, GtkSnapshot *snapshot, const char *text, double x,
                      double y, double width, double height, const GdkRGBA *color, gboolean bold)
{
    if (width < 8)
        return;
    g_autoptr(PangoLayout) layout = layout_of(self, text, bold);
    int text_height;
    pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
    pango_layout_get_pixel_size(layout, NULL, &text_height);
    gtk_snapshot_save(snapshot);
    gtk_snapshot_translate(snapshot,
                           &GRAPHENE_POINT_INIT((float)x, (float)(y + (height - text_height) / 2)));
    gtk_snapshot_append_layout(snapshot, layout, color);
    gtk_snapshot_restore(snapshot);
}

/* The states of a lane as one texture: a column of pixels is a stacked bar of shares. What must not
 * vanish (a lock wait, a gap) gets at least two pixels. */
static GdkTexture *strip_texture(ReelTimeline *self, const struct reel_lane *lane, int width,
                                 int height)
{
    static const enum reel_state_role order[] = {
        REEL_STATE_ROLE_RUNNING, REEL_STATE_ROLE_CALLBACK, REEL_STATE_ROLE_RUNNABLE,
        REEL_STATE_ROLE_LOCK,    REEL_STATE_ROLE_GIL,      REEL_STATE_ROLE_GAP,
        REEL_STATE_ROLE_ORDER,   REEL_STATE_ROLE_IO,       REEL_STATE_ROLE_IDLE};
    g_autofree struct reel_lane_column *columns = g_new(struct reel_lane_column, width);
    uint32_t *pixels = g_new0(uint32_t, (gsize)width * (gsize)height);
    reel_lane_data_columns(&lane->data, reel_session_from(self->session),
                           reel_session_to(self->session), columns, (size_t)width);
    for (int x = 0; x < width; x++) {
        const struct reel_lane_column *column = &columns[x];
        double bottom = height;
        for (unsigned i = 0; i < G_N_ELEMENTS(order); i++) {
            enum reel_state_role role = order[i];
            double part = column->share[role] * height / 255.0;
            bool kept = (role == REEL_STATE_ROLE_LOCK && column->lock) ||
                        (role == REEL_STATE_ROLE_GAP && column->gap);
            if (kept && part < 2)
                part = 2;
            if (part <= 0)
                continue;
            int to = (int)lround(bottom), from = (int)lround(MAX(bottom - part, 0));
            for (int y = from; y < to; y++)
                pixels[(gsize)y * (gsize)width + (gsize)x] =
                    reel_palette_pixel(&self->palette, role, x, y);
            bottom -= part;
            if (bottom <= 0)
                break;
        }
    }
    g_autoptr(GBytes) bytes =
        g_bytes_new_take(pixels, (gsize)width * (gsize)height * sizeof *pixels);
    return gdk_memory_texture_new(width, height, GDK_MEMORY_B8G8R8A8_PREMULTIPLIED, bytes,
                                  (gsize)width * sizeof *pixels);
}

/* Names of waits, where there is room for them. */
static void draw_labels(ReelTimeline *self, GtkSnapshot *snapshot, const struct reel_lane *lane,
                        double top)
{
    const struct reel_lane_data *data = &lane->data;
    uint64_t from = reel_session_from(self->session), to = reel_session_to(self->session);
    size_t first = data->count && from < data->start[0] ? 0 : reel_lane_data_at(data, from);
    ReelDocument *document = document_of(self);
    for (size_t i = first, seen = 0; i < data->count && data->start[i] < to; i++) {
        if (++seen > LABELS_MOST)
            return;
        if (data->state[i] == REEL_LANE_NOTHING)
            continue;
        double left = MAX(x_of(self, data->start[i]), REEL_TIMELINE_NAMES);
        double right = MIN(x_of(self, data->start[i + 1]), REEL_TIMELINE_NAMES + strip_width(self));
        if (right - left < LABEL_WIDTH)
            continue;
        enum reel_state state = data->state[i];
        enum reel_state_role role = reel_state_role(state);
        const char *object = reel_document_object_name(document, data->object[i]);
        GdkRGBA color = reel_palette_text_on(&self->palette.role[role]);
        g_autofree char *text = *object && role != REEL_STATE_ROLE_RUNNING
                                    ? g_strdup_printf("%s", object)
                                    : g_strdup(reel_state_name(state));
        if (role != REEL_STATE_ROLE_RUNNING && role != REEL_STATE_ROLE_IDLE) {
            /* Patterns behind letters are hard to read: a plain ground. */
            g_autoptr(PangoLayout) layout = layout_of(self, text, FALSE);
            int width, height;
            pango_layout_get_pixel_size(layout, &width, &height);
            gtk_snapshot_append_color(snapshot, &self->palette.role[role],
                                      &GRAPHENE_RECT_INIT((float)left + 3,
                                                          (float)top + STRIP_MARGIN + 1,
                                                          (float)MIN(width + 6, right - left - 6),
                                                          LANE_HEIGHT - 2 * STRIP_MARGIN - 2));
        }
        draw_text(self, snapshot, text, left + 6, top, right - left - 10, LANE_HEIGHT, &color,
                  FALSE);
    }
}

/* A lock's holders, each in its colour; where they are too many for that, how much it was held. */
static void draw_lock(ReelTimeline *self, GtkSnapshot *snapshot, const struct reel_lane *lane,
                      double top)
{
    const struct reel_lane_data *data = &lane->data;
    uint64_t from = reel_session_from(self->session), to = reel_session_to(self->session);
    size_t first = data->count && from < data->start[0] ? 0 : reel_lane_data_at(data, from);
    size_t last = reel_lane_data_at(data, to);
    ReelDocument *document = document_of(self);
    double width = strip_width(self);
    if (last - first > (size_t)width) {
        g_autoptr(GdkTexture) texture =
            strip_texture(self, lane, (int)width, LANE_HEIGHT - 2 * STRIP_MARGIN);
        gtk_snapshot_append_texture(snapshot, texture,
                                    &GRAPHENE_RECT_INIT(REEL_TIMELINE_NAMES,
                                                        (float)top + STRIP_MARGIN, (float)width,
                                                        LANE_HEIGHT - 2 * STRIP_MARGIN));
        return;
    }
    for (size_t i = first; i < data->count && data->start[i] < to; i++) {
        if (data->state[i] == REEL_LANE_NOTHING)
            continue;
        double left = MAX(x_of(self, data->start[i]), REEL_TIMELINE_NAMES);
        double right =
            MAX(MIN(x_of(self, data->start[i + 1]), REEL_TIMELINE_NAMES + width), left + 1);
        const GdkRGBA *color =
            &self->palette.owner[data->object[i] % G_N_ELEMENTS(self->palette.owner)];
        gtk_snapshot_append_color(snapshot, color,
                                  &GRAPHENE_RECT_INIT((float)left, (float)top + STRIP_MARGIN + 2,
                                                      (float)(right - left),
                                                      LANE_HEIGHT - 2 * STRIP_MARGIN - 4));
        const struct reel_lane *owner = reel_document_thread_lane(document, data->object[i]);
        GdkRGBA text = reel_palette_text_on(color);
        if (right - left > LABEL_WIDTH && owner)
            draw_text(self, snapshot, owner->name, left + 5, top, right - left - 8, LANE_HEIGHT,
                      &text, FALSE);
    }
}

static void draw_lane(ReelTimeline *self, GtkSnapshot *snapshot, guint index, double top)
{
    const struct reel_lane *lane = reel_document_lane(document_of(self), index);
    const double width = gtk_widget_get_width(GTK_WIDGET(self));
    const int height = height_of(lane);
    bool heading = lane->kind == REEL_LANE_PROCESS || lane->kind == REEL_LANE_GROUP;
    if (heading)
        gtk_snapshot_append_color(snapshot, &self->palette.heading,
                                  &GRAPHENE_RECT_INIT(0, (float)top, (float)width, (float)height));
    else if (index == reel_session_lane(self->session))
        gtk_snapshot_append_color(snapshot, &self->palette.selection,
                                  &GRAPHENE_RECT_INIT(0, (float)top, (float)width, (float)height));
    draw_text(self, snapshot, lane->name, heading ? 8 : 20, top,
              heading ? width - 16 : REEL_TIMELINE_NAMES - 28, height, &self->palette.text,
              heading);
    if (lane->kind == REEL_LANE_THREAD && lane->data.count) {
        g_autoptr(GdkTexture) texture =
            strip_texture(self, lane, (int)strip_width(self), LANE_HEIGHT - 2 * STRIP_MARGIN);
        gtk_snapshot_append_texture(
            snapshot, texture,
            &GRAPHENE_RECT_INIT(REEL_TIMELINE_NAMES, (float)top + STRIP_MARGIN,
                                (float)strip_width(self), LANE_HEIGHT - 2 * STRIP_MARGIN));
        draw_labels(self, snapshot, lane, top);
    } else if (lane->kind == REEL_LANE_LOCK) {
        draw_lock(self, snapshot, lane, top);
    }
}

/* Bands of findings that have a time, over the lanes. */
static void draw_findings(ReelTimeline *self, GtkSnapshot *snapshot, double top, double height)
{
    ReelDocument *document = document_of(self);
    for (guint i = 0; i < reel_document_finding_count(document); i++) {
        const struct reel_finding_mark *finding = reel_document_finding(document, i);
        if (g_strcmp0(finding->severity, "error") != 0 || finding->time_ns == 0)
            continue;
        double x = x_of(self, finding->time_ns);
        if (x < REEL_TIMELINE_NAMES || x > gtk_widget_get_width(GTK_WIDGET(self)))
            continue;
        gtk_snapshot_append_color(snapshot, &self->palette.finding,
                                  &GRAPHENE_RECT_INIT((float)x - 1, (float)top, 2, (float)height));
    }
}

static void reel_timeline_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
    ReelTimeline *self = REEL_TIMELINE(widget);
    ReelDocument *document = document_of(self);
    const float width = (float)gtk_widget_get_width(widget),
                height = (float)gtk_widget_get_height(widget);
    if (!self->palette_known) {
        reel_palette_read(&self->palette, widget);
        self->palette_known = TRUE;
    }
    double view_top = self->adjustment ? gtk_adjustment_get_value(self->adjustment) : 0;
    double view_height = self->adjustment ? gtk_adjustment_get_page_size(self->adjustment) : height;
    gtk_snapshot_append_color(
        snapshot, &self->palette.background,
        &GRAPHENE_RECT_INIT(0, (float)view_top, width, (float)MAX(view_height, 1)));
    if (!document)
        return;
    double top = 0;
    for (guint i = 0; i < reel_document_lane_count(document); i++) {
        int lane_height = height_of(reel_document_lane(document, i));
        if (top + lane_height >= view_top && top <= view_top + view_height)
            draw_lane(self, snapshot, i, top);
        top += lane_height;
    }
    gtk_snapshot_append_color(
        snapshot, &self->palette.grid,
        &GRAPHENE_RECT_INIT(REEL_TIMELINE_NAMES - 1, (float)view_top, 1, (float)view_height));
    draw_findings(self, snapshot, view_top, view_height);
    if (self->select_from != self->select_to) {
        double left = x_of(self, MIN(self->select_from, self->select_to));
        double right = x_of(self, MAX(self->select_from, self->select_to));
        GdkRGBA tint = self->palette.cursor;
        tint.alpha = 0.18f;
        gtk_snapshot_append_color(snapshot, &tint,
                                  &GRAPHENE_RECT_INIT((float)left, (float)view_top,
                                                      (float)(right - left), (float)view_height));
    }
    double x = x_of(self, reel_session_cursor(self->session));
    if (x >= REEL_TIMELINE_NAMES && x <= width)
        gtk_snapshot_append_color(
            snapshot, &self->palette.cursor,
            &GRAPHENE_RECT_INIT((float)x - 0.5f, (float)view_top, 1.5f, (float)view_height));
    if (gtk_widget_has_focus(widget))
        gtk_snapshot_render_focus(snapshot, gtk_widget_get_style_context(widget), 1, view_top + 1,
                                  width - 2, view_height - 2);
}

static void reel_timeline_measure(GtkWidget *widget, GtkOrientation orientation, int for_size,
                                  int *minimum, int *natural, int *minimum_baseline,
                                  int *natural_baseline)
{
    (void)for_size;
    *minimum_baseline = *natural_baseline = -1;
    if (orientation == GTK_ORIENTATION_HORIZONTAL) {
        *minimum = REEL_TIMELINE_NAMES + 200;
        *natural = REEL_TIMELINE_NAMES + 800;
    } else {
        *minimum = *natural = MAX(total_height(REEL_TIMELINE(widget)), 100);
    }
}

static void reel_timeline_css_changed(GtkWidget *widget, GtkCssStyleChange *change)
{
    GTK_WIDGET_CLASS(reel_timeline_parent_class)->css_changed(widget, change);
    REEL_TIMELINE(widget)->palette_known = FALSE;
    gtk_widget_queue_draw(widget);
}

static gboolean query_tooltip(GtkWidget *widget, int x, int y, gboolean keyboard,
                              GtkTooltip *tooltip, gpointer data)
{
    (void)data;
    ReelTimeline *self = REEL_TIMELINE(widget);
    ReelDocument *document = document_of(self);
    guint index = document && !keyboard ? lane_at(self, y) : G_MAXUINT;
    if (index == G_MAXUINT)
        return FALSE;
    const struct reel_lane *lane = reel_document_lane(document, index);
    if (x < REEL_TIMELINE_NAMES) {
        if (!lane->detail)
            return FALSE;
        g_autofree char *text = g_strdup_printf("%s\n%s", lane->name, lane->detail);
        gtk_tooltip_set_text(tooltip, text);
        return TRUE;
    }
    size_t at = reel_lane_data_at(&lane->data, ns_at(self, x));
    if (at == lane->data.count || lane->data.state[at] == REEL_LANE_NOTHING)
        return FALSE;
    char duration[REEL_TIME_TEXT], moment[REEL_TIME_TEXT];
    reel_duration_text(lane->data.start[at + 1] - lane->data.start[at], false, duration);
    reel_moment_text(lane->data.start[at], 1, moment);
    g_autofree char *text = NULL;
    if (lane->kind == REEL_LANE_LOCK) {
        const struct reel_lane *owner = reel_document_thread_lane(document, lane->data.object[at]);
        text = g_strdup_printf("%s\nheld by %s for %s\nfrom %s", lane->name,
                               owner ? owner->name : "?", duration, moment);
    } else {
        const char *object = reel_document_object_name(document, lane->data.object[at]);
        text = g_strdup_printf("%s\n%s%s%s for %s\nfrom %s", lane->name,
                               reel_state_name(lane->data.state[at]), *object ? ": " : "", object,
                               duration, moment);
    }
    gtk_tooltip_set_text(tooltip, text);
    return TRUE;
}

static gboolean on_scroll(GtkEventControllerScroll *controller, double dx, double dy, gpointer data)
{
    ReelTimeline *self = data;
    if (!document_of(self))
        return FALSE;
    GdkModifierType modifiers =
        gtk_event_controller_get_current_event_state(GTK_EVENT_CONTROLLER(controller));
    if (modifiers & GDK_CONTROL_MASK) {
        double x = self->pointer_x > REEL_TIMELINE_NAMES
                       ? self->pointer_x
                       : REEL_TIMELINE_NAMES + strip_width(self) / 2;
        reel_session_zoom(self->session, pow(1.25, dy), ns_at(self, x));
        return TRUE;
    }
    if (modifiers & GDK_SHIFT_MASK || dx != 0) {
        reel_session_pan(self->session, 0.1 * (dx != 0 ? dx : dy));
        return TRUE;
    }
    return FALSE;
}

static void on_motion(GtkEventControllerMotion *controller, double x, double y, gpointer data)
{
    (void)controller;
    ReelTimeline *self = data;
    self->pointer_x = x;
    self->pointer_y = y;
}

static void on_click(GtkGestureClick *gesture, int presses, double x, double y, gpointer data)
{
    (void)gesture;
    ReelTimeline *self = data;
    ReelDocument *document = document_of(self);
    if (!document)
        return;
    gtk_widget_grab_focus(GTK_WIDGET(self));
    guint index = lane_at(self, y);
    if (index == G_MAXUINT)
        return;
    reel_session_set_lane(self->session, index);
    gtk_widget_queue_draw(GTK_WIDGET(self));
    if (x < REEL_TIMELINE_NAMES)
        return;
    reel_session_set_cursor(self->session, ns_at(self, x), FALSE);
    if (presses == 2) {
        const struct reel_lane *lane = reel_document_lane(document, index);
        size_t at = reel_lane_data_at(&lane->data, ns_at(self, x));
        if (at < lane->data.count) {
            uint64_t start = lane->data.start[at], end = lane->data.start[at + 1];
            uint64_t margin = (end - start) / 4 + 50;
            reel_session_show_range(self->session, start > margin ? start - margin : 0,
                                    end + margin);
        }
    }
}

static void on_drag_begin(GtkGestureDrag *gesture, double x, double y, gpointer data)
{
    (void)y;
    ReelTimeline *self = data;
    self->panning =
        gtk_gesture_single_get_current_button(GTK_GESTURE_SINGLE(gesture)) == GDK_BUTTON_MIDDLE;
    if (x < REEL_TIMELINE_NAMES || !document_of(self)) {
        gtk_gesture_set_state(GTK_GESTURE(gesture), GTK_EVENT_SEQUENCE_DENIED);
        return;
    }
    self->select_from = self->select_to = ns_at(self, x);
}

static void on_drag_update(GtkGestureDrag *gesture, double dx, double dy, gpointer data)
{
    (void)dy;
    ReelTimeline *self = data;
    double x, y;
    if (!gtk_gesture_drag_get_start_point(gesture, &x, &y) || !document_of(self))
        return;
    if (self->panning) {
        uint64_t here = ns_at(self, x + dx);
        double share = ((double)self->select_from - (double)here) /
                       (double)(reel_session_to(self->session) - reel_session_from(self->session));
        reel_session_pan(self->session, share);
        return;
    }
    if (fabs(dx) > 4)
        self->select_to = ns_at(self, MAX(x + dx, REEL_TIMELINE_NAMES));
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

static void on_drag_end(GtkGestureDrag *gesture, double dx, double dy, gpointer data)
{
    (void)gesture;
    (void)dx;
    (void)dy;
    ReelTimeline *self = data;
    if (!self->panning && self->select_from != self->select_to && document_of(self))
        reel_session_show_range(self->session, MIN(self->select_from, self->select_to),
                                MAX(self->select_from, self->select_to));
    self->select_from = self->select_to = 0;
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

static void on_document(ReelTimeline *self)
{
    gtk_widget_queue_resize(GTK_WIDGET(self));
}

static void on_change(ReelTimeline *self)
{
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

static void on_lane_selected(ReelTimeline *self)
{
    g_autofree char *text = reel_timeline_describe(self);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, text,
                                   -1);
    on_change(self);
}

void reel_timeline_set_session(ReelTimeline *self, ReelSession *session)
{
    g_return_if_fail(REEL_IS_TIMELINE(self) && !self->session);
    self->session = g_object_ref(session);
    g_signal_connect_object(session, "notify::document", G_CALLBACK(on_document), self,
                            G_CONNECT_SWAPPED);
    const char *const properties[] = {"notify::from", "notify::to", "notify::cursor"};
    for (unsigned i = 0; i < G_N_ELEMENTS(properties); i++)
        g_signal_connect_object(session, properties[i], G_CALLBACK(on_change), self,
                                G_CONNECT_SWAPPED);
    g_signal_connect_object(session, "notify::lane", G_CALLBACK(on_lane_selected), self,
                            G_CONNECT_SWAPPED);
}

void reel_timeline_set_adjustment(ReelTimeline *self, GtkAdjustment *adjustment)
{
    g_set_object(&self->adjustment, adjustment);
    g_signal_connect_object(adjustment, "value-changed", G_CALLBACK(on_change), self,
                            G_CONNECT_SWAPPED);
}

char *reel_timeline_describe(ReelTimeline *self)
{
    ReelDocument *document = document_of(self);
    guint index = document ? reel_session_lane(self->session) : G_MAXUINT;
    if (!document || index >= reel_document_lane_count(document))
        return g_strdup("no lane is selected");
    const struct reel_lane *lane = reel_document_lane(document, index);
    size_t at = reel_lane_data_at(&lane->data, reel_session_cursor(self->session));
    char moment[REEL_TIME_TEXT], duration[REEL_TIME_TEXT];
    reel_moment_text(reel_session_cursor(self->session), 1, moment);
    if (at == lane->data.count || lane->data.state[at] == REEL_LANE_NOTHING)
        return g_strdup_printf("%s at %s: nothing", lane->name, moment);
    const char *object = reel_document_object_name(document, lane->data.object[at]);
    reel_duration_text(lane->data.start[at + 1] - lane->data.start[at], false, duration);
    if (lane->kind == REEL_LANE_LOCK) {
        const struct reel_lane *owner = reel_document_thread_lane(document, lane->data.object[at]);
        return g_strdup_printf("%s at %s: held by %s for %s", lane->name, moment,
                               owner ? owner->name : "an unknown thread", duration);
    }
    return g_strdup_printf("%s at %s: %s%s%s for %s", lane->name, moment,
                           reel_state_name(lane->data.state[at]), *object ? " " : "", object,
                           duration);
}

static void reel_timeline_dispose(GObject *object)
{
    ReelTimeline *self = REEL_TIMELINE(object);
    g_clear_object(&self->session);
    g_clear_object(&self->adjustment);
    G_OBJECT_CLASS(reel_timeline_parent_class)->dispose(object);
}

static void reel_timeline_class_init(ReelTimelineClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
    G_OBJECT_CLASS(class)->dispose = reel_timeline_dispose;
    widget_class->snapshot = reel_timeline_snapshot;
    widget_class->measure = reel_timeline_measure;
    widget_class->css_changed = reel_timeline_css_changed;
    gtk_widget_class_set_css_name(widget_class, "reel-timeline");
    gtk_widget_class_set_accessible_role(widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void reel_timeline_init(ReelTimeline *self)
{
    GtkWidget *widget = GTK_WIDGET(self);
    self->pointer_x = -1;
    gtk_widget_set_focusable(widget, TRUE);
    gtk_widget_set_has_tooltip(widget, TRUE);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_LABEL, "Timeline",
                                   -1);
    g_signal_connect(self, "query-tooltip", G_CALLBACK(query_tooltip), NULL);
    GtkEventController *scroll =
        gtk_event_controller_scroll_new(GTK_EVENT_CONTROLLER_SCROLL_BOTH_AXES);
    g_signal_connect(scroll, "scroll", G_CALLBACK(on_scroll), self);
    gtk_widget_add_controller(widget, scroll);
    GtkEventController *motion = gtk_event_controller_motion_new();
    g_signal_connect(motion, "motion", G_CALLBACK(on_motion), self);
    gtk_widget_add_controller(widget, motion);
    GtkGesture *click = gtk_gesture_click_new();
    g_signal_connect(click, "pressed", G_CALLBACK(on_click), self);
    gtk_widget_add_controller(widget, GTK_EVENT_CONTROLLER(click));
    GtkGesture *drag = gtk_gesture_drag_new();
    gtk_gesture_single_set_button(GTK_GESTURE_SINGLE(drag), 0);
    g_signal_connect(drag, "drag-begin", G_CALLBACK(on_drag_begin), self);
    g_signal_connect(drag, "drag-update", G_CALLBACK(on_drag_update), self);
    g_signal_connect(drag, "drag-end", G_CALLBACK(on_drag_end), self);
    gtk_widget_add_controller(widget, GTK_EVENT_CONTROLLER(drag));
}
