#include "viewer/panel/line_numbers.h"

#define PADDING 8

struct _ReelLineNumbers {
    GtkWidget parent_instance;
    GtkTextView *view; /* not counted: its parent's parent */
};

G_DEFINE_FINAL_TYPE(ReelLineNumbers, reel_line_numbers, GTK_TYPE_WIDGET)

static void reel_line_numbers_measure(GtkWidget *widget, GtkOrientation orientation, int for_size,
                                      int *minimum, int *natural, int *minimum_baseline,
                                      int *natural_baseline)
{
    (void)for_size;
    ReelLineNumbers *self = REEL_LINE_NUMBERS(widget);
    *minimum = *natural = 0;
    *minimum_baseline = *natural_baseline = -1;
    if (orientation == GTK_ORIENTATION_VERTICAL || !self->view)
        return;
    g_autofree char *last =
        g_strdup_printf("%d", gtk_text_buffer_get_line_count(gtk_text_view_get_buffer(self->view)));
    g_autoptr(PangoLayout) layout = gtk_widget_create_pango_layout(widget, last);
    pango_layout_get_pixel_size(layout, natural, NULL);
    *natural += 2 * PADDING;
    *minimum = *natural;
}

static void reel_line_numbers_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
    ReelLineNumbers *self = REEL_LINE_NUMBERS(widget);
    if (!self->view)
        return;
    GtkTextBuffer *buffer = gtk_text_view_get_buffer(self->view);
    int count = gtk_text_buffer_get_line_count(buffer), width = gtk_widget_get_width(widget);
    GdkRectangle seen;
    GtkTextIter at;
    GdkRGBA color;
    gtk_text_view_get_visible_rect(self->view, &seen);
    gtk_text_view_get_line_at_y(self->view, &at, seen.y, NULL);
    gtk_style_context_get_color(gtk_widget_get_style_context(widget), &color);
    g_autoptr(PangoLayout) layout = gtk_widget_create_pango_layout(widget, NULL);
    for (int line = gtk_text_iter_get_line(&at); line < count; line++) {
        int y, height, text_width;
        gtk_text_buffer_get_iter_at_line(buffer, &at, line);
        gtk_text_view_get_line_yrange(self->view, &at, &y, &height);
        if (y > seen.y + seen.height)
            break;
        char number[16];
        g_snprintf(number, sizeof number, "%d", line + 1);
        pango_layout_set_text(layout, number, -1);
        pango_layout_get_pixel_size(layout, &text_width, NULL);
        gtk_snapshot_save(snapshot);
        gtk_snapshot_translate(snapshot, &GRAPHENE_POINT_INIT((float)(width - PADDING - text_width),
                                                              (float)(y - seen.y)));
        gtk_snapshot_append_layout(snapshot, layout, &color);
        gtk_snapshot_restore(snapshot);
    }
}

/* The view draws itself anew when it scrolls; what is in its gutter it keeps. */
static void follow_scrolling(ReelLineNumbers *self)
{
    GtkAdjustment *scroll = gtk_scrollable_get_vadjustment(GTK_SCROLLABLE(self->view));
    if (scroll)
        g_signal_connect_object(scroll, "value-changed", G_CALLBACK(gtk_widget_queue_draw), self,
                                G_CONNECT_SWAPPED);
}

static void reel_line_numbers_dispose(GObject *object)
{
    g_clear_weak_pointer(&REEL_LINE_NUMBERS(object)->view);
    G_OBJECT_CLASS(reel_line_numbers_parent_class)->dispose(object);
}

static void reel_line_numbers_class_init(ReelLineNumbersClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
    G_OBJECT_CLASS(class)->dispose = reel_line_numbers_dispose;
    widget_class->measure = reel_line_numbers_measure;
    widget_class->snapshot = reel_line_numbers_snapshot;
    gtk_widget_class_set_css_name(widget_class, "linenumbers");
    gtk_widget_class_set_accessible_role(widget_class, GTK_ACCESSIBLE_ROLE_PRESENTATION);
}

static void reel_line_numbers_init(ReelLineNumbers *self)
{
    gtk_widget_set_overflow(GTK_WIDGET(self), GTK_OVERFLOW_HIDDEN);
}

void reel_line_numbers_add(GtkTextView *view)
{
    ReelLineNumbers *self = g_object_new(REEL_TYPE_LINE_NUMBERS, NULL);
    g_set_weak_pointer(&self->view, view);
    gtk_text_view_set_gutter(view, GTK_TEXT_WINDOW_LEFT, GTK_WIDGET(self));
    g_signal_connect_object(gtk_text_view_get_buffer(view), "changed",
                            G_CALLBACK(gtk_widget_queue_resize), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(view, "notify::vadjustment", G_CALLBACK(follow_scrolling), self,
                            G_CONNECT_SWAPPED);
    follow_scrolling(self);
}
