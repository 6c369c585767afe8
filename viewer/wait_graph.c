#include "viewer/wait_graph.h"

#include <math.h>

#include "viewer/palette.h"

#define NODES_MOST 24 /* more is a table's job */
#define RADIUS     15.0

struct node {
    uint32_t thread;
    char *name;
    gboolean in_cycle;
    double x, y;
};

struct edge {
    guint from, to; /* nodes */
    char *object;
    gboolean in_cycle;
};

struct _ReelWaitGraph {
    GtkWidget parent_instance;
    GArray *nodes, *edges;
    guint left_out;
    gboolean cycle;
    ReelSession *session; /* whoever owns us owns it */
    guint chosen;         /* node that has the keyboard; G_MAXUINT: none */
};

G_DEFINE_FINAL_TYPE(ReelWaitGraph, reel_wait_graph, GTK_TYPE_WIDGET)

static void node_clear(gpointer data)
{
    g_free(((struct node *)data)->name);
}

static void edge_clear(gpointer data)
{
    g_free(((struct edge *)data)->object);
}

static guint node_of(ReelWaitGraph *self, ReelDocument *document, uint32_t thread)
{
    for (guint i = 0; i < self->nodes->len; i++)
        if (g_array_index(self->nodes, struct node, i).thread == thread)
            return i;
    if (self->nodes->len >= NODES_MOST)
        return G_MAXUINT;
    const struct reel_lane *lane = reel_document_thread_lane(document, thread);
    struct node node = {.thread = thread,
                        .name = lane ? g_strdup(lane->name) : g_strdup_printf("%u", thread)};
    g_array_append_val(self->nodes, node);
    return self->nodes->len - 1;
}

/* Is `target` reached from `from`? A thread waits for one thing, a shared lock has many holders. */
static gboolean reaches(ReelWaitGraph *self, guint from, guint target, guint depth)
{
    if (depth > self->nodes->len)
        return FALSE;
    for (guint i = 0; i < self->edges->len; i++) {
        const struct edge *edge = &g_array_index(self->edges, struct edge, i);
        if (edge->from == from &&
            (edge->to == target || reaches(self, edge->to, target, depth + 1)))
            return TRUE;
    }
    return FALSE;
}

static void say(ReelWaitGraph *self);

void reel_wait_graph_show(ReelWaitGraph *self, ReelDocument *document,
                          const struct reel_state_answer *answer)
{
    g_array_set_size(self->nodes, 0);
    g_array_set_size(self->edges, 0);
    self->left_out = 0;
    self->cycle = FALSE;
    self->chosen = G_MAXUINT;
    for (guint i = 0; answer && i < answer->edges->len; i++) {
        const struct reel_state_edge *from =
            &g_array_index(answer->edges, struct reel_state_edge, i);
        if (!from->from || !from->to)
            continue;
        struct edge edge = {.from = node_of(self, document, from->from),
                            .to = node_of(self, document, from->to)};
        if (edge.from == G_MAXUINT || edge.to == G_MAXUINT) {
            self->left_out++;
            continue;
        }
        edge.object = g_strdup(from->object);
        g_array_append_val(self->edges, edge);
    }
    for (guint i = 0; i < self->edges->len; i++) {
        struct edge *edge = &g_array_index(self->edges, struct edge, i);
        edge->in_cycle = edge->to == edge->from || reaches(self, edge->to, edge->from, 0);
        if (edge->in_cycle) {
            g_array_index(self->nodes, struct node, edge->from).in_cycle = TRUE;
            self->cycle = TRUE;
        }
    }
    say(self);
    gtk_widget_set_visible(GTK_WIDGET(self), self->edges->len > 0);
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

void reel_wait_graph_set_session(ReelWaitGraph *self, ReelSession *session)
{
    self->session = session;
}

/* What it shows, in words, for those who do not see it. */
static void say(ReelWaitGraph *self)
{
    g_autoptr(GString) text = g_string_new(self->cycle ? "a deadlock: " : "");
    for (guint i = 0; i < self->edges->len; i++) {
        const struct edge *edge = &g_array_index(self->edges, struct edge, i);
        g_string_append_printf(text, "%s%s waits for %s, held by %s", i ? "; " : "",
                               g_array_index(self->nodes, struct node, edge->from).name,
                               edge->object ? edge->object : "it",
                               g_array_index(self->nodes, struct node, edge->to).name);
    }
    if (self->chosen < self->nodes->len)
        g_string_append_printf(text, "; on %s",
                               g_array_index(self->nodes, struct node, self->chosen).name);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                   text->str, -1);
}

static void choose(ReelWaitGraph *self, guint node)
{
    self->chosen = node;
    say(self);
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

static void go(ReelWaitGraph *self)
{
    if (self->session && self->chosen < self->nodes->len)
        reel_session_select_thread(self->session,
                                   g_array_index(self->nodes, struct node, self->chosen).thread);
}

static gboolean on_key(GtkEventControllerKey *controller, guint key, guint code,
                       GdkModifierType modifiers, gpointer data)
{
    (void)controller;
    (void)code;
    ReelWaitGraph *self = data;
    guint count = self->nodes->len;
    if (key == GDK_KEY_Return && self->chosen < count) {
        go(self);
        return TRUE;
    }
    gboolean back = key == GDK_KEY_ISO_Left_Tab || (modifiers & GDK_SHIFT_MASK);
    if ((key != GDK_KEY_Tab && key != GDK_KEY_ISO_Left_Tab) || !count)
        return FALSE;
    guint next = self->chosen >= count ? (back ? count - 1 : 0)
                 : back                ? self->chosen - 1
                                       : self->chosen + 1;
    if (next >= count) { /* past the last: to the next widget */
        choose(self, G_MAXUINT);
        return FALSE;
    }
    choose(self, next);
    return TRUE;
}

static void on_click(GtkGestureClick *gesture, int presses, double x, double y, gpointer data)
{
    (void)gesture;
    (void)presses;
    ReelWaitGraph *self = data;
    gtk_widget_grab_focus(GTK_WIDGET(self));
    for (guint i = 0; i < self->nodes->len; i++) {
        const struct node *node = &g_array_index(self->nodes, struct node, i);
        if (hypot(node->x - x, node->y - y) <= RADIUS + 6) {
            choose(self, i);
            go(self);
            return;
        }
    }
}

gboolean reel_wait_graph_has_cycle(ReelWaitGraph *self)
{
    return self->cycle;
}

static void show_label(GtkWidget *widget, GtkSnapshot *snapshot, const char *text, double x,
                       double y, double most, const GdkRGBA *color, const GdkRGBA *ground)
{
    int width, height;
    g_autoptr(PangoLayout) layout = gtk_widget_create_pango_layout(widget, text);
    pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
    pango_layout_set_width(layout, (int)(most * PANGO_SCALE));
    pango_layout_get_pixel_size(layout, &width, &height);
    double room = gtk_widget_get_width(widget);
    double left = CLAMP(x - width / 2.0, 2, MAX(room - width - 2, 2));
    if (ground)
        gtk_snapshot_append_color(snapshot, ground,
                                  &GRAPHENE_RECT_INIT((float)left - 3, (float)(y - height / 2.0),
                                                      (float)width + 6, (float)height));
    gtk_snapshot_save(snapshot);
    gtk_snapshot_translate(snapshot, &GRAPHENE_POINT_INIT((float)left, (float)(y - height / 2.0)));
    gtk_snapshot_append_layout(snapshot, layout, color);
    gtk_snapshot_restore(snapshot);
}

static void draw_edges(ReelWaitGraph *self, cairo_t *cairo, const struct reel_palette *palette)
{
    for (guint i = 0; i < self->edges->len; i++) {
        const struct edge *edge = &g_array_index(self->edges, struct edge, i);
        const struct node *from = &g_array_index(self->nodes, struct node, edge->from);
        const struct node *to = &g_array_index(self->nodes, struct node, edge->to);
        const GdkRGBA *color = edge->in_cycle ? &palette->finding : &palette->dim;
        cairo_set_source_rgba(cairo, color->red, color->green, color->blue, 1);
        cairo_set_line_width(cairo, edge->in_cycle ? 2.5 : 1.2);
        double dx = to->x - from->x, dy = to->y - from->y, length = hypot(dx, dy);
        if (length < 1) { /* waits for itself */
            cairo_arc(cairo, from->x, from->y - RADIUS * 1.6, RADIUS * 0.8, 0, 2 * G_PI);
            cairo_stroke(cairo);
            continue;
        }
        dx /= length;
        dy /= length;
        /* Bent to one side: the edge back is another one. */
        double mx = (from->x + to->x) / 2 - dy * length * 0.16,
               my = (from->y + to->y) / 2 + dx * length * 0.16;
        cairo_move_to(cairo, from->x, from->y);
        cairo_curve_to(cairo, mx, my, mx, my, to->x, to->y);
        cairo_stroke(cairo);
        double ax = to->x - mx, ay = to->y - my, al = hypot(ax, ay);
        ax /= al;
        ay /= al;
        double tx = to->x - ax * (RADIUS + 2), ty = to->y - ay * (RADIUS + 2);
        cairo_move_to(cairo, tx, ty);
        cairo_line_to(cairo, tx - ax * 9 - ay * 5, ty - ay * 9 + ax * 5);
        cairo_line_to(cairo, tx - ax * 9 + ay * 5, ty - ay * 9 - ax * 5);
        cairo_close_path(cairo);
        cairo_fill(cairo);
    }
}

static void reel_wait_graph_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
    ReelWaitGraph *self = REEL_WAIT_GRAPH(widget);
    const double width = gtk_widget_get_width(widget), height = gtk_widget_get_height(widget);
    struct reel_palette palette;
    reel_palette_read(&palette, widget);
    guint count = self->nodes->len;
    for (guint i = 0; i < count; i++) {
        struct node *node = &g_array_index(self->nodes, struct node, i);
        double angle = 2 * G_PI * i / MAX(count, 1) - G_PI / 2;
        node->x = width / 2 + (count > 1 ? (width / 2 - 52) * cos(angle) : 0);
        node->y = height / 2 + (count > 1 ? (height / 2 - 42) * sin(angle) : 0);
    }
    cairo_t *cairo =
        gtk_snapshot_append_cairo(snapshot, &GRAPHENE_RECT_INIT(0, 0, (float)width, (float)height));
    draw_edges(self, cairo, &palette);
    for (guint i = 0; i < count; i++) {
        const struct node *node = &g_array_index(self->nodes, struct node, i);
        const GdkRGBA *color = node->in_cycle ? &palette.finding : &palette.role[0];
        cairo_arc(cairo, node->x, node->y, RADIUS, 0, 2 * G_PI);
        cairo_set_source_rgba(cairo, palette.background.red, palette.background.green,
                              palette.background.blue, 1);
        cairo_fill_preserve(cairo);
        cairo_set_source_rgba(cairo, color->red, color->green, color->blue, 1);
        cairo_set_line_width(cairo, 2.5);
        cairo_stroke(cairo);
        if (i == self->chosen && gtk_widget_has_focus(widget)) {
            cairo_arc(cairo, node->x, node->y, RADIUS + 5, 0, 2 * G_PI);
            cairo_set_source_rgba(cairo, palette.cursor.red, palette.cursor.green,
                                  palette.cursor.blue, 1);
            cairo_stroke(cairo);
        }
    }
    cairo_destroy(cairo);
    for (guint i = 0; i < self->edges->len; i++) {
        const struct edge *edge = &g_array_index(self->edges, struct edge, i);
        const struct node *from = &g_array_index(self->nodes, struct node, edge->from);
        const struct node *to = &g_array_index(self->nodes, struct node, edge->to);
        double dx = to->x - from->x, dy = to->y - from->y;
        if (edge->object)
            show_label(widget, snapshot, edge->object, (from->x + to->x) / 2 - dy * 0.12,
                       (from->y + to->y) / 2 + dx * 0.12, 110, &palette.text, &palette.heading);
    }
    for (guint i = 0; i < count; i++) {
        const struct node *node = &g_array_index(self->nodes, struct node, i);
        /* Outside of the ring, where no edge is. */
        double side = node->y < height / 2 - 1 ? -1 : 1;
        show_label(widget, snapshot, node->name, node->x, node->y + side * (RADIUS + 10), 100,
                   &palette.text, NULL);
    }
}

static void reel_wait_graph_measure(GtkWidget *widget, GtkOrientation orientation, int for_size,
                                    int *minimum, int *natural, int *minimum_baseline,
                                    int *natural_baseline)
{
    (void)for_size;
    ReelWaitGraph *self = REEL_WAIT_GRAPH(widget);
    *minimum_baseline = *natural_baseline = -1;
    *minimum = *natural =
        orientation == GTK_ORIENTATION_VERTICAL ? (self->nodes->len > 6 ? 340 : 230) : 240;
}

static void reel_wait_graph_finalize(GObject *object)
{
    g_array_free(REEL_WAIT_GRAPH(object)->nodes, TRUE);
    g_array_free(REEL_WAIT_GRAPH(object)->edges, TRUE);
    G_OBJECT_CLASS(reel_wait_graph_parent_class)->finalize(object);
}

static void reel_wait_graph_class_init(ReelWaitGraphClass *class)
{
    G_OBJECT_CLASS(class)->finalize = reel_wait_graph_finalize;
    GTK_WIDGET_CLASS(class)->snapshot = reel_wait_graph_snapshot;
    GTK_WIDGET_CLASS(class)->measure = reel_wait_graph_measure;
    gtk_widget_class_set_accessible_role(GTK_WIDGET_CLASS(class), GTK_ACCESSIBLE_ROLE_IMG);
}

static void reel_wait_graph_init(ReelWaitGraph *self)
{
    self->nodes = g_array_new(FALSE, TRUE, sizeof(struct node));
    g_array_set_clear_func(self->nodes, node_clear);
    self->edges = g_array_new(FALSE, TRUE, sizeof(struct edge));
    g_array_set_clear_func(self->edges, edge_clear);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   "Wait-for graph", -1);
    self->chosen = G_MAXUINT;
    gtk_widget_set_focusable(GTK_WIDGET(self), TRUE);
    GtkEventController *keys = gtk_event_controller_key_new();
    g_signal_connect(keys, "key-pressed", G_CALLBACK(on_key), self);
    gtk_widget_add_controller(GTK_WIDGET(self), keys);
    GtkGesture *click = gtk_gesture_click_new();
    g_signal_connect(click, "pressed", G_CALLBACK(on_click), self);
    gtk_widget_add_controller(GTK_WIDGET(self), GTK_EVENT_CONTROLLER(click));
}
