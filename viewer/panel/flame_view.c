#include "viewer/panel/flame_view.h"

#include <string.h>

#include "tracer/model/time_text.h"
#include "viewer/palette.h"
#include "viewer/panel/text_height.h"

#define PLACES_MOST 20000u
#define LEAST_PX    0.7

struct _ReelFlameView {
    GtkWidget parent_instance;
    struct reel_flame_graph *graph;
    struct reel_flame_place *place; /* what is seen, for `laid_out` pixels */
    size_t count;
    int laid_out;
    uint32_t zoomed, selected;
    char *search; /* folded; NULL: nothing is looked for */
};

static guint selected_signal;

G_DEFINE_FINAL_TYPE(ReelFlameView, reel_flame_view, GTK_TYPE_WIDGET)

static int row_height(ReelFlameView *self)
{
    return reel_text_height(GTK_WIDGET(self)) + 3;
}

static void lay_out(ReelFlameView *self, int width)
{
    if (self->laid_out == width || !self->graph || width <= 0)
        return;
    if (!self->place)
        self->place = g_new(struct reel_flame_place, PLACES_MOST);
    size_t count = reel_flame_layout(&self->graph->flame, self->zoomed, LEAST_PX / width,
                                     self->place, PLACES_MOST);
    self->count = MIN(count, PLACES_MOST);
    self->laid_out = width;
}

char *reel_flame_view_describe(ReelFlameView *self, uint32_t box)
{
    char time[REEL_TIME_TEXT];
    if (!self->graph || box >= self->graph->flame.count)
        return g_strdup("");
    const struct reel_flame_box *at = &self->graph->flame.box[box];
    uint64_t all = self->graph->flame.box[0].total;
    return g_strdup_printf("%s: %s in %" G_GUINT64_FORMAT " wait%s, %.1f %% of all waiting shown",
                           reel_flame_graph_name(self->graph, box),
                           reel_duration_text(at->total, false, time), (guint64)at->count,
                           at->count == 1 ? "" : "s",
                           all ? (double)at->total * 100 / (double)all : 0.0);
}

static void select_box(ReelFlameView *self, uint32_t box)
{
    self->selected = box;
    g_autofree char *text = reel_flame_view_describe(self, box);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, text,
                                   -1);
    gtk_widget_queue_draw(GTK_WIDGET(self));
    g_signal_emit(self, selected_signal, 0, box);
}

void reel_flame_view_zoom(ReelFlameView *self, uint32_t box)
{
    self->zoomed = self->graph && box < self->graph->flame.count ? box : 0;
    self->laid_out = 0;
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

/* The box of the same stack in another graph; the innermost one that is there too. */
static uint32_t same_box(const struct reel_flame_graph *from, uint32_t box,
                         const struct reel_flame_graph *to)
{
    if (!box)
        return 0;
    uint32_t parent = same_box(from, from->flame.box[box].parent, to);
    if (to->flame.box[parent].depth + 1 < from->flame.box[box].depth)
        return parent;
    const char *name = reel_flame_graph_name(from, box);
    for (uint32_t child = to->flame.box[parent].first_child; child;
         child = to->flame.box[child].next)
        if (g_str_equal(reel_flame_graph_name(to, child), name))
            return child;
    return parent;
}

void reel_flame_view_show(ReelFlameView *self, struct reel_flame_graph *graph)
{
    struct reel_flame_graph *before = self->graph;
    self->graph = graph ? reel_flame_graph_ref(graph) : NULL;
    self->zoomed = before && graph ? same_box(before, self->zoomed, graph) : 0;
    self->selected = before && graph ? same_box(before, self->selected, graph) : 0;
    g_clear_pointer(&before, reel_flame_graph_unref);
    self->laid_out = 0;
    self->count = 0;
    gtk_widget_queue_resize(GTK_WIDGET(self));
}

static gboolean is_found(ReelFlameView *self, uint32_t box)
{
    if (!self->search || !box)
        return FALSE;
    g_autofree char *name = g_utf8_casefold(reel_flame_graph_name(self->graph, box), -1);
    return strstr(name, self->search) != NULL;
}

/* The weight of stacks through found boxes, each stack once. */
static uint64_t found_below(ReelFlameView *self, uint32_t box)
{
    const struct reel_flame_box *boxes = self->graph->flame.box;
    if (is_found(self, box))
        return boxes[box].total;
    uint64_t sum = 0;
    for (uint32_t child = boxes[box].first_child; child; child = boxes[child].next)
        sum += found_below(self, child); /* as deep as the deepest stack: 252 at most */
    return sum;
}

double reel_flame_view_search(ReelFlameView *self, const char *text)
{
    g_free(self->search);
    self->search = text && *text ? g_utf8_casefold(text, -1) : NULL;
    gtk_widget_queue_draw(GTK_WIDGET(self));
    if (!self->search || !self->graph || !self->graph->flame.box[0].total)
        return 0;
    return (double)found_below(self, 0) / (double)self->graph->flame.box[0].total;
}

static uint32_t box_at(ReelFlameView *self, double x, double y)
{
    int width = gtk_widget_get_width(GTK_WIDGET(self));
    double row = row_height(self);
    lay_out(self, width);
    for (size_t i = self->count; i-- > 0;) {
        const struct reel_flame_place *place = &self->place[i];
        if (y >= place->row * row && y < (place->row + 1) * row && x >= place->left * width &&
            x < (place->left + place->width) * width)
            return place->box;
    }
    return UINT32_MAX;
}

static GdkRGBA color_of(ReelFlameView *self, const struct reel_palette *palette, uint32_t box)
{
    const struct reel_flame_link *link =
        box < self->graph->links->len
            ? &g_array_index(self->graph->links, struct reel_flame_link, box)
            : NULL;
    if (box == 0)
        return palette->heading;
    if (link && link->role >= 0 && link->role < (int)REEL_STATE_ROLE_COUNT)
        return palette->role[link->role];
    guint hash = g_str_hash(reel_flame_graph_name(self->graph, box));
    return palette->owner[hash % G_N_ELEMENTS(palette->owner)];
}

static void draw_box(ReelFlameView *self, GtkSnapshot *snapshot, PangoLayout *layout,
                     const struct reel_palette *palette, const struct reel_flame_place *place,
                     int width, int row)
{
    float left = (float)(place->left * width), wide = (float)(place->width * width);
    float top = (float)((int)place->row * row);
    GdkRGBA color = color_of(self, palette, place->box);
    gboolean found = is_found(self, place->box);
    if (self->search && !found)
        color.alpha = 0.35f;
    float gap = wide > 3 ? 1 : 0;
    gtk_snapshot_append_color(
        snapshot, &color, &GRAPHENE_RECT_INIT(left, top, MAX(wide - gap, 0.5f), (float)row - 1));
    if (wide > 24) {
        GdkRGBA text = self->search && !found ? palette->text : reel_palette_text_on(&color);
        if (place->box == 0)
            text = palette->text;
        pango_layout_set_text(layout, reel_flame_graph_name(self->graph, place->box), -1);
        pango_layout_set_width(layout, (int)(wide - 8) * PANGO_SCALE);
        gtk_snapshot_save(snapshot);
        gtk_snapshot_translate(snapshot, &GRAPHENE_POINT_INIT(left + 4, top + 1));
        gtk_snapshot_append_layout(snapshot, layout, &text);
        gtk_snapshot_restore(snapshot);
    }
    if (place->box == self->selected || found) {
        const GdkRGBA *outline = found ? &palette->finding : &palette->cursor;
        const float thick[4] = {2, 2, 2, 2};
        const GdkRGBA colors[4] = {*outline, *outline, *outline, *outline};
        GskRoundedRect rect;
        gsk_rounded_rect_init_from_rect(
            &rect, &GRAPHENE_RECT_INIT(left, top, MAX(wide - gap, 4), (float)row - 1), 0);
        gtk_snapshot_append_border(snapshot, &rect, thick, colors);
    }
}

static void reel_flame_view_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
    ReelFlameView *self = REEL_FLAME_VIEW(widget);
    int width = gtk_widget_get_width(widget);
    if (!self->graph)
        return;
    struct reel_palette palette;
    reel_palette_read(&palette, widget);
    int row = row_height(self);
    lay_out(self, width);
    g_autoptr(PangoLayout) layout = gtk_widget_create_pango_layout(widget, NULL);
    pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
    pango_layout_set_single_paragraph_mode(layout, TRUE);
    for (size_t i = 0; i < self->count; i++)
        draw_box(self, snapshot, layout, &palette, &self->place[i], width, row);
    if (gtk_widget_has_visible_focus(widget))
        gtk_snapshot_render_focus(snapshot, gtk_widget_get_style_context(widget), 0, 0, width,
                                  gtk_widget_get_height(widget));
}

static void reel_flame_view_measure(GtkWidget *widget, GtkOrientation orientation, int for_size,
                                    int *minimum, int *natural, int *minimum_baseline,
                                    int *natural_baseline)
{
    (void)for_size;
    ReelFlameView *self = REEL_FLAME_VIEW(widget);
    int rows = self->graph ? (int)self->graph->flame.deepest + 1 : 1;
    *minimum = *natural =
        orientation == GTK_ORIENTATION_HORIZONTAL ? 100 : rows * row_height(self) + 4;
    *minimum_baseline = *natural_baseline = -1;
}

static void clicked(GtkGestureClick *gesture, int presses, double x, double y, ReelFlameView *self)
{
    (void)gesture;
    (void)presses;
    uint32_t box = self->graph ? box_at(self, x, y) : UINT32_MAX;
    gtk_widget_grab_focus(GTK_WIDGET(self));
    if (box == UINT32_MAX)
        return;
    select_box(self, box);
    reel_flame_view_zoom(self, box);
}

static gboolean key_pressed(GtkEventControllerKey *keys, guint key, guint code,
                            GdkModifierType modifiers, ReelFlameView *self)
{
    (void)keys;
    (void)code;
    if (!self->graph || modifiers & (GDK_CONTROL_MASK | GDK_ALT_MASK))
        return FALSE;
    const struct reel_flame *flame = &self->graph->flame;
    switch (key) {
    case GDK_KEY_Down:
        select_box(self, reel_flame_step(flame, self->selected, REEL_FLAME_IN));
        return TRUE;
    case GDK_KEY_Up:
        select_box(self, reel_flame_step(flame, self->selected, REEL_FLAME_OUT));
        return TRUE;
    case GDK_KEY_Left:
        select_box(self, reel_flame_step(flame, self->selected, REEL_FLAME_LEFT));
        return TRUE;
    case GDK_KEY_Right:
        select_box(self, reel_flame_step(flame, self->selected, REEL_FLAME_RIGHT));
        return TRUE;
    case GDK_KEY_Return:
    case GDK_KEY_KP_Enter:
        reel_flame_view_zoom(self, self->selected);
        return TRUE;
    case GDK_KEY_BackSpace:
        select_box(self, flame->box[self->zoomed].parent);
        reel_flame_view_zoom(self, self->selected);
        return TRUE;
    default:
        return FALSE;
    }
}

static gboolean tell(GtkWidget *widget, int x, int y, gboolean keyboard, GtkTooltip *tooltip,
                     gpointer data)
{
    (void)data;
    ReelFlameView *self = REEL_FLAME_VIEW(widget);
    uint32_t box = !self->graph ? UINT32_MAX : keyboard ? self->selected : box_at(self, x, y);
    if (box == UINT32_MAX)
        return FALSE;
    g_autofree char *text = reel_flame_view_describe(self, box);
    gtk_tooltip_set_text(tooltip, text);
    return TRUE;
}

static void reel_flame_view_finalize(GObject *object)
{
    ReelFlameView *self = REEL_FLAME_VIEW(object);
    g_clear_pointer(&self->graph, reel_flame_graph_unref);
    g_free(self->place);
    g_free(self->search);
    G_OBJECT_CLASS(reel_flame_view_parent_class)->finalize(object);
}

static void reel_flame_view_class_init(ReelFlameViewClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
    G_OBJECT_CLASS(class)->finalize = reel_flame_view_finalize;
    widget_class->snapshot = reel_flame_view_snapshot;
    widget_class->measure = reel_flame_view_measure;
    gtk_widget_class_set_css_name(widget_class, "flameview");
    gtk_widget_class_set_accessible_role(widget_class, GTK_ACCESSIBLE_ROLE_IMG);
    selected_signal = g_signal_new("selected", REEL_TYPE_FLAME_VIEW, G_SIGNAL_RUN_LAST, 0, NULL,
                                   NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT);
}

static void reel_flame_view_init(ReelFlameView *self)
{
    GtkWidget *widget = GTK_WIDGET(self);
    gtk_widget_set_focusable(widget, TRUE);
    gtk_widget_set_has_tooltip(widget, TRUE);
    gtk_widget_set_hexpand(widget, TRUE);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   "Waiting flame graph", -1);
    GtkGesture *click = gtk_gesture_click_new();
    g_signal_connect_object(click, "pressed", G_CALLBACK(clicked), self, 0);
    gtk_widget_add_controller(widget, GTK_EVENT_CONTROLLER(click));
    GtkEventController *keys = gtk_event_controller_key_new();
    g_signal_connect_object(keys, "key-pressed", G_CALLBACK(key_pressed), self, 0);
    gtk_widget_add_controller(widget, keys);
    g_signal_connect(self, "query-tooltip", G_CALLBACK(tell), NULL);
}

GtkWidget *reel_flame_view_new(void)
{
    return g_object_new(REEL_TYPE_FLAME_VIEW, NULL);
}
