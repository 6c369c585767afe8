#include "viewer/panel/order_view.h"

#include <math.h>
#include <string.h>

#include "viewer/palette.h"
#include "viewer/panel/text_height.h"

#define NODE_MOST 150 /* wide */
#define REACH     7.0 /* how near to an edge a click selects it */

struct _ReelOrderView {
    GtkWidget parent_instance;
    struct reel_order_graph *graph;
    guint node, link; /* selected; G_MAXUINT: none */
};

enum { SIGNAL_LOCK, SIGNAL_LINK, SIGNAL_COUNT };
static guint signals[SIGNAL_COUNT];

G_DEFINE_FINAL_TYPE(ReelOrderView, reel_order_view, GTK_TYPE_WIDGET)

static const struct reel_order_lock *lock_at(ReelOrderView *self, guint index)
{
    return &g_array_index(self->graph->lock, struct reel_order_lock, index);
}

static const struct reel_order_link *link_at(ReelOrderView *self, guint index)
{
    return &g_array_index(self->graph->link, struct reel_order_link, index);
}

static int node_height(ReelOrderView *self)
{
    return reel_text_height(GTK_WIDGET(self)) + 6;
}

static guint layers_of(ReelOrderView *self, guint *most)
{
    guint layers = 1;
    *most = 1;
    for (guint i = 0; self->graph && i < self->graph->drawn; i++) {
        const struct reel_order_node *node =
            &g_array_index(self->graph->node, struct reel_order_node, i);
        layers = MAX(layers, node->layer + 1);
        *most = MAX(*most, node->place + 1);
    }
    return layers;
}

/* The box of a node. */
static void box_of(ReelOrderView *self, guint index, graphene_rect_t *box)
{
    guint most, layers = layers_of(self, &most);
    double width = gtk_widget_get_width(GTK_WIDGET(self));
    double height = gtk_widget_get_height(GTK_WIDGET(self));
    const struct reel_order_node *node =
        &g_array_index(self->graph->node, struct reel_order_node, index);
    double wide = MIN(NODE_MOST, width / layers * 0.66), high = node_height(self);
    graphene_rect_init(box, (float)(node->x * width - wide / 2),
                       (float)(node->y * height - high / 2), (float)wide, (float)high);
}

/* A curve from one box to another: its four points. What goes back bends below. */
static void curve_of(ReelOrderView *self, const struct reel_order_link *link, double point[8])
{
    graphene_rect_t from, to;
    box_of(self, link->from, &from);
    box_of(self, link->to, &to);
    double high = from.size.height;
    double from_y = from.origin.y + high / 2, to_y = to.origin.y + high / 2;
    gboolean back = from.origin.x >= to.origin.x;
    double from_x = back ? from.origin.x : from.origin.x + from.size.width;
    double to_x = back ? to.origin.x + to.size.width : to.origin.x;
    double reach = (to_x - from_x) * 0.4, bend = back ? high * 1.3 : 0;
    if (link->from == link->to) {
        from_x = from.origin.x + from.size.width * 0.6;
        to_x = from.origin.x + from.size.width * 0.4;
        from_y = to_y = from.origin.y + high;
        reach = 0;
        bend = high;
    }
    const double all[8] = {from_x,       from_y,      from_x + reach, from_y + bend,
                           to_x - reach, to_y + bend, to_x,           to_y};
    memcpy(point, all, sizeof all);
}

static void point_on(const double point[8], double t, double *x, double *y)
{
    double u = 1 - t, a = u * u * u, b = 3 * u * u * t, c = 3 * u * t * t, d = t * t * t;
    *x = a * point[0] + b * point[2] + c * point[4] + d * point[6];
    *y = a * point[1] + b * point[3] + c * point[5] + d * point[7];
}

static gboolean is_drawn(ReelOrderView *self, const struct reel_order_link *link)
{
    return link->from < self->graph->drawn && link->to < self->graph->drawn;
}

static void draw_link(ReelOrderView *self, cairo_t *cairo, const struct reel_palette *palette,
                      guint index)
{
    const struct reel_order_link *link = link_at(self, index);
    double point[8], x, y;
    curve_of(self, link, point);
    gboolean selected = index == self->link;
    const GdkRGBA *color = link->danger == REEL_ORDER_CIRCLE ? &palette->finding
                           : selected                        ? &palette->cursor
                                                             : &palette->dim;
    const double dash[] = {5, 3};
    gdk_cairo_set_source_rgba(cairo, color);
    cairo_set_line_width(cairo, (link->danger == REEL_ORDER_CIRCLE ? 2.5 : 1.2) + selected * 1.5);
    cairo_set_dash(cairo, dash, link->danger == REEL_ORDER_GUARDED ? 2 : 0, 0);
    cairo_move_to(cairo, point[0], point[1]);
    cairo_curve_to(cairo, point[2], point[3], point[4], point[5], point[6], point[7]);
    cairo_stroke(cairo);
    cairo_set_dash(cairo, NULL, 0, 0);
    point_on(point, 0.93, &x, &y);
    double angle = atan2(point[7] - y, point[6] - x);
    for (int side = -1; side <= 1; side += 2) {
        cairo_move_to(cairo, point[6], point[7]);
        cairo_line_to(cairo, point[6] - 9 * cos(angle + side * 0.4),
                      point[7] - 9 * sin(angle + side * 0.4));
    }
    cairo_stroke(cairo);
}

static void draw_node(ReelOrderView *self, cairo_t *cairo, PangoLayout *layout,
                      const struct reel_palette *palette, guint index)
{
    graphene_rect_t box;
    box_of(self, index, &box);
    gboolean in_circle = FALSE;
    for (guint i = 0; i < self->graph->link->len; i++) {
        const struct reel_order_link *link = link_at(self, i);
        if (link->danger != REEL_ORDER_CIRCLE)
            break; /* these stand first */
        in_circle |= link->from == index || link->to == index;
    }
    gdk_cairo_set_source_rgba(cairo, index == self->node ? &palette->selection : &palette->heading);
    cairo_rectangle(cairo, box.origin.x, box.origin.y, box.size.width, box.size.height);
    cairo_fill_preserve(cairo);
    gdk_cairo_set_source_rgba(cairo, in_circle             ? &palette->finding
                                     : index == self->node ? &palette->cursor
                                                           : &palette->grid);
    cairo_set_line_width(cairo, in_circle ? 2.5 : index == self->node ? 2 : 1);
    cairo_stroke(cairo);
    gdk_cairo_set_source_rgba(cairo, &palette->text);
    pango_layout_set_text(layout, lock_at(self, index)->name, -1);
    pango_layout_set_width(layout, (int)(box.size.width - 8) * PANGO_SCALE);
    int text_height;
    pango_layout_get_pixel_size(layout, NULL, &text_height);
    cairo_move_to(cairo, box.origin.x + 4,
                  box.origin.y + ((double)box.size.height - text_height) / 2.0);
    pango_cairo_show_layout(cairo, layout);
}

static void reel_order_view_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
    ReelOrderView *self = REEL_ORDER_VIEW(widget);
    int width = gtk_widget_get_width(widget), height = gtk_widget_get_height(widget);
    if (!self->graph || width <= 0 || height <= 0)
        return;
    struct reel_palette palette;
    reel_palette_read(&palette, widget);
    cairo_t *cairo =
        gtk_snapshot_append_cairo(snapshot, &GRAPHENE_RECT_INIT(0, 0, (float)width, (float)height));
    for (guint i = self->graph->link->len; i-- > 0;) /* the dangerous ones on top */
        if (is_drawn(self, link_at(self, i)) && i != self->link)
            draw_link(self, cairo, &palette, i);
    if (self->link < self->graph->link->len && is_drawn(self, link_at(self, self->link)))
        draw_link(self, cairo, &palette, self->link);
    g_autoptr(PangoLayout) layout = gtk_widget_create_pango_layout(widget, NULL);
    pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_MIDDLE);
    pango_layout_set_alignment(layout, PANGO_ALIGN_CENTER);
    for (guint i = 0; i < self->graph->drawn; i++)
        draw_node(self, cairo, layout, &palette, i);
    cairo_destroy(cairo);
    if (gtk_widget_has_visible_focus(widget))
        gtk_snapshot_render_focus(snapshot, gtk_widget_get_style_context(widget), 0, 0, width,
                                  height);
}

static void reel_order_view_measure(GtkWidget *widget, GtkOrientation orientation, int for_size,
                                    int *minimum, int *natural, int *minimum_baseline,
                                    int *natural_baseline)
{
    (void)for_size;
    guint most, layers = layers_of(REEL_ORDER_VIEW(widget), &most);
    *minimum = *natural =
        orientation == GTK_ORIENTATION_HORIZONTAL
            ? (int)MAX(layers * 76, 120u)
            : (int)(most * ((guint)node_height(REEL_ORDER_VIEW(widget)) + 14) + 20);
    *minimum_baseline = *natural_baseline = -1;
}

static void describe(ReelOrderView *self)
{
    g_autoptr(GString) text = g_string_new(NULL);
    if (self->graph && self->node < self->graph->drawn) {
        g_string_append(text, lock_at(self, self->node)->name);
        for (guint i = 0; i < self->graph->link->len; i++)
            if (link_at(self, i)->from == self->node)
                g_string_append_printf(
                    text, ", held when %s was asked for%s",
                    lock_at(self, link_at(self, i)->to)->name,
                    link_at(self, i)->danger == REEL_ORDER_CIRCLE ? " (in a circle)" : "");
    }
    gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                   text->str, -1);
}

static void select_node(ReelOrderView *self, guint node)
{
    self->node = node;
    describe(self);
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

void reel_order_view_select_link(ReelOrderView *self, guint link)
{
    if (self->link == link)
        return;
    self->link = link;
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

void reel_order_view_show(ReelOrderView *self, struct reel_order_graph *graph)
{
    if (graph)
        reel_order_graph_ref(graph);
    g_clear_pointer(&self->graph, reel_order_graph_unref);
    self->graph = graph;
    self->link = self->node = G_MAXUINT;
    gtk_widget_queue_resize(GTK_WIDGET(self));
}

static void activate_node(ReelOrderView *self)
{
    if (self->graph && self->node < self->graph->drawn)
        g_signal_emit(self, signals[SIGNAL_LOCK], 0, self->node);
}

static void clicked(GtkGestureClick *gesture, int presses, double x, double y, ReelOrderView *self)
{
    (void)gesture;
    gtk_widget_grab_focus(GTK_WIDGET(self));
    for (guint i = 0; self->graph && i < self->graph->drawn; i++) {
        graphene_rect_t box;
        box_of(self, i, &box);
        if (graphene_rect_contains_point(&box, &GRAPHENE_POINT_INIT((float)x, (float)y))) {
            select_node(self, i);
            if (presses > 1)
                activate_node(self);
            return;
        }
    }
    guint nearest = G_MAXUINT;
    double least = REACH;
    for (guint i = 0; self->graph && i < self->graph->link->len; i++) {
        double point[8];
        if (!is_drawn(self, link_at(self, i)))
            continue;
        curve_of(self, link_at(self, i), point);
        for (int step = 0; step <= 24; step++) {
            double at_x, at_y;
            point_on(point, step / 24.0, &at_x, &at_y);
            if (hypot(at_x - x, at_y - y) < least) {
                least = hypot(at_x - x, at_y - y);
                nearest = i;
            }
        }
    }
    if (nearest != G_MAXUINT) {
        reel_order_view_select_link(self, nearest);
        g_signal_emit(self, signals[SIGNAL_LINK], 0, nearest);
    }
}

static gboolean key_pressed(GtkEventControllerKey *keys, guint key, guint code,
                            GdkModifierType modifiers, ReelOrderView *self)
{
    (void)keys;
    (void)code;
    guint count = self->graph ? self->graph->drawn : 0;
    if (count == 0 || modifiers & (GDK_CONTROL_MASK | GDK_ALT_MASK))
        return FALSE;
    switch (key) {
    case GDK_KEY_Tab:
    case GDK_KEY_Right:
    case GDK_KEY_Down:
        /* Tab leaves behind the last one, as in any row of widgets. */
        if (self->node + 1 >= count && self->node != G_MAXUINT)
            return key != GDK_KEY_Tab;
        select_node(self, self->node == G_MAXUINT ? 0 : self->node + 1);
        return TRUE;
    case GDK_KEY_ISO_Left_Tab:
    case GDK_KEY_Left:
    case GDK_KEY_Up:
        if (self->node == 0 || self->node == G_MAXUINT)
            return key != GDK_KEY_ISO_Left_Tab;
        select_node(self, self->node - 1);
        return TRUE;
    case GDK_KEY_Return:
    case GDK_KEY_KP_Enter:
        activate_node(self);
        return TRUE;
    default:
        return FALSE;
    }
}

static void reel_order_view_finalize(GObject *object)
{
    g_clear_pointer(&REEL_ORDER_VIEW(object)->graph, reel_order_graph_unref);
    G_OBJECT_CLASS(reel_order_view_parent_class)->finalize(object);
}

static void reel_order_view_class_init(ReelOrderViewClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
    G_OBJECT_CLASS(class)->finalize = reel_order_view_finalize;
    widget_class->snapshot = reel_order_view_snapshot;
    widget_class->measure = reel_order_view_measure;
    gtk_widget_class_set_css_name(widget_class, "orderview");
    gtk_widget_class_set_accessible_role(widget_class, GTK_ACCESSIBLE_ROLE_IMG);
    signals[SIGNAL_LOCK] = g_signal_new("lock-activated", REEL_TYPE_ORDER_VIEW, G_SIGNAL_RUN_LAST,
                                        0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT);
    signals[SIGNAL_LINK] = g_signal_new("link-selected", REEL_TYPE_ORDER_VIEW, G_SIGNAL_RUN_LAST, 0,
                                        NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT);
}

static void reel_order_view_init(ReelOrderView *self)
{
    GtkWidget *widget = GTK_WIDGET(self);
    self->node = self->link = G_MAXUINT;
    gtk_widget_set_focusable(widget, TRUE);
    gtk_widget_set_hexpand(widget, TRUE);
    gtk_widget_set_vexpand(widget, TRUE);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   "Graph of lock order", -1);
    GtkGesture *click = gtk_gesture_click_new();
    g_signal_connect_object(click, "pressed", G_CALLBACK(clicked), self, 0);
    gtk_widget_add_controller(widget, GTK_EVENT_CONTROLLER(click));
    GtkEventController *keys = gtk_event_controller_key_new();
    g_signal_connect_object(keys, "key-pressed", G_CALLBACK(key_pressed), self, 0);
    gtk_widget_add_controller(widget, keys);
}

GtkWidget *reel_order_view_new(void)
{
    return g_object_new(REEL_TYPE_ORDER_VIEW, NULL);
}
