#include "viewer/timeline.h"

#include <math.h>

#include "tracer/model/time_text.h"
#include "viewer/draw/scene.h"

struct _ReelTimeline {
    GtkWidget parent_instance;
    ReelSession *session;
    ReelWakes *wakes; /* arrows of the selection */
    GtkAdjustment *adjustment;
    struct reel_palette palette;
    gboolean palette_known;
    double pointer_x, pointer_y; /* last seen; -1: not over us */
    gboolean panning, selecting;
    uint64_t drag_ns;            /* where a drag began */
    uint64_t drag_from, drag_to; /* in view then */
    GtkWidget *menu;
    gint64 paint_us; /* how long the last picture took */
};

G_DEFINE_FINAL_TYPE(ReelTimeline, reel_timeline, GTK_TYPE_WIDGET)

static ReelDocument *document_of(ReelTimeline *self)
{
    ReelDocument *document = self->session ? reel_session_document(self->session) : NULL;
    return document && reel_document_is_loaded(document) ? document : NULL;
}

/* The picture as it is now. */
static struct reel_scene scene_of(ReelTimeline *self)
{
    ReelSession *session = self->session;
    ReelDocument *document = document_of(self);
    static const struct reel_lane_layout empty;
    struct reel_scene scene = {
        .document = document,
        .layout = document ? reel_lane_list_layout(reel_session_lanes(session)) : &empty,
        .palette = &self->palette,
        .from_ns = reel_session_from(session),
        .to_ns = reel_session_to(session),
        .cursor_ns = reel_session_cursor(session),
        .lane = reel_session_lane(session),
        .width = gtk_widget_get_width(GTK_WIDGET(self)),
        .top = self->adjustment ? gtk_adjustment_get_value(self->adjustment) : 0,
        .height = self->adjustment ? gtk_adjustment_get_page_size(self->adjustment)
                                   : gtk_widget_get_height(GTK_WIDGET(self)),
    };
    reel_session_selection(session, &scene.select_from_ns, &scene.select_to_ns);
    if (self->wakes)
        scene.arrow = reel_wakes_arrows(self->wakes, &scene.arrow_count);
    guint finding = reel_session_finding(session);
    if (document && finding < reel_document_finding_count(document))
        scene.finding = reel_document_finding(document, finding);
    return scene;
}

static uint64_t ns_at(ReelTimeline *self, double x)
{
    struct reel_scene scene = scene_of(self);
    return reel_scene_ns(&scene, x);
}

/* Index of the lane at `y`, or G_MAXUINT. */
static guint lane_at(ReelTimeline *self, double y)
{
    struct reel_scene scene = scene_of(self);
    uint32_t row = reel_lane_layout_at(scene.layout, y);
    return row < scene.layout->count ? scene.layout->row[row].lane : G_MAXUINT;
}

static void reel_timeline_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
    ReelTimeline *self = REEL_TIMELINE(widget);
    gint64 began = g_get_monotonic_time();
    if (!self->palette_known) {
        reel_palette_read(&self->palette, widget);
        self->palette_known = TRUE;
    }
    struct reel_scene scene = scene_of(self);
    struct reel_snapshot_painter painter;
    reel_snapshot_painter_init(&painter, widget, snapshot);
    reel_scene_paint(&scene, &painter.base);
    if (gtk_widget_has_focus(widget))
        gtk_snapshot_render_focus(snapshot, gtk_widget_get_style_context(widget), 1, scene.top + 1,
                                  scene.width - 2, scene.height - 2);
    self->paint_us = g_get_monotonic_time() - began;
}

static void reel_timeline_measure(GtkWidget *widget, GtkOrientation orientation, int for_size,
                                  int *minimum, int *natural, int *minimum_baseline,
                                  int *natural_baseline)
{
    (void)for_size;
    ReelTimeline *self = REEL_TIMELINE(widget);
    *minimum_baseline = *natural_baseline = -1;
    if (orientation == GTK_ORIENTATION_HORIZONTAL) {
        *minimum = REEL_TIMELINE_NAMES + 200;
        *natural = REEL_TIMELINE_NAMES + 800;
    } else {
        int height = document_of(self)
                         ? reel_lane_list_layout(reel_session_lanes(self->session))->height
                         : 0;
        *minimum = *natural = MAX(height, 60);
    }
}

static void reel_timeline_css_changed(GtkWidget *widget, GtkCssStyleChange *change)
{
    GTK_WIDGET_CLASS(reel_timeline_parent_class)->css_changed(widget, change);
    REEL_TIMELINE(widget)->palette_known = FALSE;
    gtk_widget_queue_draw(widget);
}

/* What is at a moment of a lane, in words. NULL: nothing. */
static char *describe(ReelTimeline *self, const struct reel_lane *lane, uint64_t ns,
                      const char *between)
{
    ReelDocument *document = document_of(self);
    char duration[REEL_TIME_TEXT], moment[REEL_TIME_TEXT];
    if (lane->kind == REEL_LANE_QUEUE) {
        reel_moment_text(ns, 1, moment);
        return g_strdup_printf("%s%s%d in it%s at %s", lane->name, between,
                               reel_depth_data_at(&lane->depth, ns), between, moment);
    }
    size_t at = reel_lane_data_at(&lane->data, ns);
    gboolean none = at == lane->data.count || lane->data.state[at] == REEL_LANE_NOTHING;
    int readers = reel_depth_data_at(&lane->readers, ns);
    if (lane->kind == REEL_LANE_LOCK && none && readers > 0) {
        reel_moment_text(ns, 1, moment);
        return g_strdup_printf("%s%sheld by %d readers at %s", lane->name, between, readers,
                               moment);
    }
    if (none)
        return NULL;
    reel_duration_text(lane->data.start[at + 1] - lane->data.start[at], false, duration);
    reel_moment_text(lane->data.start[at], 1, moment);
    uint32_t id = lane->data.object[at];
    const char *object = reel_document_object_name(document, id);
    switch (lane->kind) {
    case REEL_LANE_LOCK: {
        const struct reel_lane *owner = reel_document_thread_lane(document, id);
        int waiters = reel_depth_data_at(&lane->depth, ns);
        g_autofree char *wanted =
            waiters ? g_strdup_printf("%s%d waiting for it", between, waiters) : g_strdup("");
        return g_strdup_printf("%s%sheld by %s for %s%sfrom %s%s", lane->name, between,
                               owner ? owner->name : "an unknown thread", duration, between, moment,
                               wanted);
    }
    case REEL_LANE_SPANS:
        return g_strdup_printf("%s%s%s for %s%sfrom %s", lane->name, between, object, duration,
                               between, moment);
    case REEL_LANE_TASK:
        return g_strdup_printf("%s%s%s for %s%sfrom %s", lane->name, between,
                               lane->data.state[at] == REEL_STATE_RUNNING    ? "runs"
                               : lane->data.state[at] == REEL_STATE_RUNNABLE ? "is ready"
                                                                             : "awaits something",
                               duration, between, moment);
    default: {
        int held = lane->kind == REEL_LANE_THREAD ? reel_depth_data_at(&lane->depth, ns) : 0;
        g_autofree char *holds =
            held ? g_strdup_printf("%sholds %d lock%s", between, held, held == 1 ? "" : "s")
                 : g_strdup("");
        return g_strdup_printf("%s%s%s%s%s for %s%sfrom %s%s", lane->name, between,
                               reel_state_name(lane->data.state[at]),
                               *object && lane->kind == REEL_LANE_THREAD ? ": " : "",
                               lane->kind == REEL_LANE_THREAD ? object : "", duration, between,
                               moment, holds);
    }
    }
}

/* Who ended the state, and where in the program it is: asked for, and there a moment later. */
static char *more_about(ReelTimeline *self, const struct reel_lane *lane, uint64_t ns)
{
    size_t at = lane->kind == REEL_LANE_THREAD ? reel_lane_data_at(&lane->data, ns) : 0;
    if (lane->kind != REEL_LANE_THREAD || at == lane->data.count ||
        lane->data.state[at] == REEL_LANE_NOTHING || !self->wakes)
        return g_strdup("");
    uint32_t ended_by;
    const char *place;
    reel_wakes_point(self->wakes, lane->id, lane->data.start[at], lane->data.start[at + 1]);
    reel_wakes_pointed(self->wakes, lane->id, lane->data.start[at], &ended_by, &place);
    const struct reel_lane *other = reel_document_thread_lane(document_of(self), ended_by);
    g_autofree char *who =
        other && other != lane ? g_strdup_printf("\nended by %s", other->name) : g_strdup("");
    g_autofree char *where = place ? g_strdup_printf("\nat %s", place) : g_strdup("");
    return g_strconcat(who, where, NULL);
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
    g_autofree char *text = x < REEL_TIMELINE_NAMES
                                ? g_strdup_printf("%s%s%s", lane->name, lane->detail ? "\n" : "",
                                                  lane->detail ? lane->detail : "")
                                : describe(self, lane, ns_at(self, x), "\n");
    if (!text)
        return FALSE;
    g_autofree char *more =
        x < REEL_TIMELINE_NAMES ? g_strdup("") : more_about(self, lane, ns_at(self, x));
    g_autofree char *whole = g_strconcat(text, more, NULL);
    gtk_tooltip_set_text(tooltip, whole);
    gtk_tooltip_set_tip_area(tooltip, &(GdkRectangle){x, y - 4, 1, 12});
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
        double middle = (gtk_widget_get_width(GTK_WIDGET(self)) + REEL_TIMELINE_NAMES) / 2.0;
        double x = self->pointer_x > REEL_TIMELINE_NAMES ? self->pointer_x : middle;
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

static void show_menu(ReelTimeline *self, double x, double y)
{
    GMenu *menu = g_menu_new();
    GMenu *lane = g_menu_new(), *time = g_menu_new();
    g_menu_append(time, "Zoom to This State", "win.zoom-to-state");
    g_menu_append(time, "Zoom to Selection", "win.zoom-to-selection");
    g_menu_append(time, "Bookmark…", "win.bookmark");
    g_menu_append(time, "Who Ended This Wait", "win.waker");
    g_menu_append(time, "Who Holds What It Wants", "win.owner");
    g_menu_append(time, "Lane of the Lock", "win.lock-lane");
    g_menu_append(lane, "Pin or Unpin", "win.pin-lane");
    g_menu_append(lane, "Hide", "win.hide-lane");
    g_menu_append(lane, "Show All Hidden", "win.show-hidden");
    g_menu_append(lane, "Move Up", "win.move-lane-up");
    g_menu_append(lane, "Move Down", "win.move-lane-down");
    g_menu_append(lane, "Collapse or Expand", "win.collapse");
    g_menu_append_section(menu, NULL, G_MENU_MODEL(time));
    g_menu_append_section(menu, NULL, G_MENU_MODEL(lane));
    g_clear_pointer(&self->menu, gtk_widget_unparent);
    self->menu = gtk_popover_menu_new_from_model(G_MENU_MODEL(menu));
    gtk_widget_set_parent(self->menu, GTK_WIDGET(self));
    gtk_popover_set_has_arrow(GTK_POPOVER(self->menu), FALSE);
    gtk_popover_set_pointing_to(GTK_POPOVER(self->menu), &(GdkRectangle){(int)x, (int)y, 1, 1});
    gtk_popover_popup(GTK_POPOVER(self->menu));
    g_object_unref(lane);
    g_object_unref(time);
    g_object_unref(menu);
}

void reel_timeline_zoom_to_state(ReelTimeline *self)
{
    ReelDocument *document = document_of(self);
    guint index = document ? reel_session_lane(self->session) : G_MAXUINT;
    if (index == G_MAXUINT)
        return;
    const struct reel_lane *lane = reel_document_lane(document, index);
    size_t at = reel_lane_data_at(&lane->data, reel_session_cursor(self->session));
    if (at == lane->data.count)
        return;
    uint64_t start = lane->data.start[at], end = lane->data.start[at + 1];
    uint64_t margin = (end - start) / 4 + 50;
    reel_session_show_range(self->session, start > margin ? start - margin : 0, end + margin);
}

static void on_click(GtkGestureClick *gesture, int presses, double x, double y, gpointer data)
{
    ReelTimeline *self = data;
    ReelDocument *document = document_of(self);
    guint button = gtk_gesture_single_get_current_button(GTK_GESTURE_SINGLE(gesture));
    if (!document || button == GDK_BUTTON_MIDDLE)
        return;
    gtk_widget_grab_focus(GTK_WIDGET(self));
    guint index = lane_at(self, y);
    if (index == G_MAXUINT)
        return;
    const struct reel_lane *lane = reel_document_lane(document, index);
    reel_session_set_lane(self->session, index);
    if (x < REEL_TIMELINE_NAMES && lane->heading == G_MAXUINT && button == GDK_BUTTON_PRIMARY) {
        reel_lane_list_toggle_collapsed(reel_session_lanes(self->session), index);
        return;
    }
    if (x >= REEL_TIMELINE_NAMES)
        reel_session_set_cursor(self->session, ns_at(self, x), FALSE);
    if (button == GDK_BUTTON_SECONDARY)
        show_menu(self, x, y);
    else if (presses == 2 && x >= REEL_TIMELINE_NAMES)
        reel_timeline_zoom_to_state(self);
}

static void on_drag_begin(GtkGestureDrag *gesture, double x, double y, gpointer data)
{
    (void)y;
    ReelTimeline *self = data;
    guint button = gtk_gesture_single_get_current_button(GTK_GESTURE_SINGLE(gesture));
    self->panning = button == GDK_BUTTON_MIDDLE;
    self->selecting = FALSE;
    if (x < REEL_TIMELINE_NAMES || !document_of(self) || button == GDK_BUTTON_SECONDARY) {
        gtk_gesture_set_state(GTK_GESTURE(gesture), GTK_EVENT_SEQUENCE_DENIED);
        return;
    }
    self->drag_ns = ns_at(self, x);
    self->drag_from = reel_session_from(self->session);
    self->drag_to = reel_session_to(self->session);
}

static void on_drag_update(GtkGestureDrag *gesture, double dx, double dy, gpointer data)
{
    (void)dy;
    ReelTimeline *self = data;
    double x, y;
    if (!gtk_gesture_drag_get_start_point(gesture, &x, &y) || !document_of(self))
        return;
    if (self->panning) {
        double strip = MAX(gtk_widget_get_width(GTK_WIDGET(self)) - REEL_TIMELINE_NAMES, 1);
        double by = -dx / strip * (double)(self->drag_to - self->drag_from);
        double here = (double)reel_session_from(self->session) - (double)self->drag_from;
        reel_session_pan(self->session, (by - here) / (double)(self->drag_to - self->drag_from));
        return;
    }
    if (fabs(dx) > 4)
        self->selecting = TRUE;
    if (self->selecting)
        reel_session_select_range(self->session, self->drag_ns,
                                  ns_at(self, MAX(x + dx, REEL_TIMELINE_NAMES)));
}

static void on_drag_end(GtkGestureDrag *gesture, double dx, double dy, gpointer data)
{
    (void)gesture;
    (void)dx;
    (void)dy;
    ReelTimeline *self = data;
    if (!self->panning && !self->selecting && document_of(self))
        reel_session_select_range(self->session, 0, 0); /* a click lets go of it */
    self->selecting = self->panning = FALSE;
}

static void on_pinch(GtkGestureZoom *gesture, double scale, gpointer data)
{
    ReelTimeline *self = data;
    double x, y;
    if (!document_of(self) || !gtk_gesture_get_bounding_box_center(GTK_GESTURE(gesture), &x, &y) ||
        scale <= 0)
        return;
    double width = (double)(self->drag_to - self->drag_from) / scale;
    double now = (double)(reel_session_to(self->session) - reel_session_from(self->session));
    reel_session_zoom(self->session, width / now, ns_at(self, x));
}

static void on_pinch_begin(GtkGesture *gesture, GdkEventSequence *sequence, gpointer data)
{
    (void)gesture;
    (void)sequence;
    ReelTimeline *self = data;
    self->drag_from = reel_session_from(self->session);
    self->drag_to = reel_session_to(self->session);
}

/* Keeps the selected lane within the part that is scrolled to. */
static void scroll_to_lane(ReelTimeline *self)
{
    if (!document_of(self) || !self->adjustment)
        return;
    const struct reel_lane_layout *layout =
        reel_lane_list_layout(reel_session_lanes(self->session));
    uint32_t row = reel_lane_layout_row_of(layout, reel_session_lane(self->session));
    if (row < layout->count)
        gtk_adjustment_clamp_page(self->adjustment, layout->row[row].top,
                                  layout->row[row].top + layout->row[row].height);
}

static void on_arranged(ReelTimeline *self)
{
    gtk_widget_queue_resize(GTK_WIDGET(self));
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

static void on_change(ReelTimeline *self)
{
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

static void on_document(ReelTimeline *self)
{
    on_arranged(self);
    if (!document_of(self))
        return;
    g_signal_connect_object(reel_session_lanes(self->session), "changed", G_CALLBACK(on_arranged),
                            self, G_CONNECT_SWAPPED);
    g_signal_connect_object(document_of(self), "filled", G_CALLBACK(on_change), self,
                            G_CONNECT_SWAPPED);
}

static void on_lane_selected(ReelTimeline *self)
{
    g_autofree char *text = reel_timeline_describe(self);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, text,
                                   -1);
    scroll_to_lane(self);
    on_change(self);
}

static void on_wakes(ReelTimeline *self)
{
    gtk_widget_trigger_tooltip_query(GTK_WIDGET(self));
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

void reel_timeline_set_session(ReelTimeline *self, ReelSession *session)
{
    g_return_if_fail(REEL_IS_TIMELINE(self) && !self->session);
    self->session = g_object_ref(session);
    self->wakes = reel_wakes_new(session);
    g_signal_connect_object(self->wakes, "changed", G_CALLBACK(on_wakes), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(session, "notify::document", G_CALLBACK(on_document), self,
                            G_CONNECT_SWAPPED);
    const char *const properties[] = {"notify::from",           "notify::to",
                                      "notify::cursor",         "notify::finding",
                                      "notify::selection-from", "notify::selection-to"};
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
        return g_strdup("no lane is selected: choose one with the arrow keys");
    const struct reel_lane *lane = reel_document_lane(document, index);
    uint64_t cursor = reel_session_cursor(self->session);
    char *text = describe(self, lane, cursor, ", ");
    if (text)
        return text;
    char moment[REEL_TIME_TEXT];
    reel_moment_text(cursor, 1, moment);
    return g_strdup_printf("%s at %s: nothing", lane->name, moment);
}

ReelWakes *reel_timeline_wakes(ReelTimeline *self)
{
    return self->wakes;
}

gint64 reel_timeline_paint_time(ReelTimeline *self)
{
    return self->paint_us;
}

static void reel_timeline_dispose(GObject *object)
{
    ReelTimeline *self = REEL_TIMELINE(object);
    g_clear_pointer(&self->menu, gtk_widget_unparent);
    g_clear_object(&self->wakes);
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
    gtk_gesture_single_set_button(GTK_GESTURE_SINGLE(click), 0);
    g_signal_connect(click, "pressed", G_CALLBACK(on_click), self);
    gtk_widget_add_controller(widget, GTK_EVENT_CONTROLLER(click));
    GtkGesture *drag = gtk_gesture_drag_new();
    gtk_gesture_single_set_button(GTK_GESTURE_SINGLE(drag), 0);
    g_signal_connect(drag, "drag-begin", G_CALLBACK(on_drag_begin), self);
    g_signal_connect(drag, "drag-update", G_CALLBACK(on_drag_update), self);
    g_signal_connect(drag, "drag-end", G_CALLBACK(on_drag_end), self);
    gtk_widget_add_controller(widget, GTK_EVENT_CONTROLLER(drag));
    GtkGesture *pinch = gtk_gesture_zoom_new();
    g_signal_connect(pinch, "begin", G_CALLBACK(on_pinch_begin), self);
    g_signal_connect(pinch, "scale-changed", G_CALLBACK(on_pinch), self);
    gtk_widget_add_controller(widget, GTK_EVENT_CONTROLLER(pinch));
}
