#include "viewer/panel/share_bar.h"

#include <string.h>

#include "viewer/palette.h"

#define HEIGHT    12
#define LEAST     60
#define PREFERRED 160

struct _ReelShareBar {
    GtkWidget parent_instance;
    float share[REEL_STATE_ROLE_COUNT];
    gboolean is_known;
};

G_DEFINE_FINAL_TYPE(ReelShareBar, reel_share_bar, GTK_TYPE_WIDGET)

char *reel_share_bar_text(const float *shares)
{
    GString *text = g_string_new(NULL);
    for (unsigned role = 0; role < REEL_STATE_ROLE_COUNT; role++)
        if (shares[role] >= 0.0005f)
            g_string_append_printf(text, "%s%s %.1f %%", text->len ? ", " : "",
                                   reel_state_role_name(role), (double)shares[role] * 100);
    return g_string_free(text, FALSE);
}

void reel_share_bar_set(ReelShareBar *self, const float *shares)
{
    self->is_known = shares != NULL;
    if (shares)
        memcpy(self->share, shares, sizeof self->share);
    g_autofree char *text = shares ? reel_share_bar_text(shares) : NULL;
    gtk_widget_set_tooltip_text(GTK_WIDGET(self), text);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   text ? text : "not known yet", -1);
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

static void reel_share_bar_measure(GtkWidget *widget, GtkOrientation orientation, int for_size,
                                   int *minimum, int *natural, int *minimum_baseline,
                                   int *natural_baseline)
{
    (void)widget;
    (void)for_size;
    *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? LEAST : HEIGHT;
    *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? PREFERRED : HEIGHT;
    *minimum_baseline = *natural_baseline = -1;
}

static void reel_share_bar_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
    ReelShareBar *self = REEL_SHARE_BAR(widget);
    int width = gtk_widget_get_width(widget), height = gtk_widget_get_height(widget);
    if (!self->is_known || width <= 0 || height <= 0)
        return;
    struct reel_palette palette;
    reel_palette_read(&palette, widget);
    int top = (height - HEIGHT) / 2;
    gsize stride = (gsize)width * 4;
    uint32_t *pixels = g_malloc0(stride * HEIGHT);
    float edge = 0;
    for (unsigned role = 0; role < REEL_STATE_ROLE_COUNT; role++) {
        int from = (int)(edge * (float)width + 0.5f);
        edge = MIN(edge + self->share[role], 1.0f);
        int to = (int)(edge * (float)width + 0.5f);
        for (int y = 0; y < HEIGHT; y++)
            for (int x = from; x < to; x++)
                pixels[y * width + x] = reel_palette_pixel(&palette, role, x, y);
    }
    g_autoptr(GBytes) bytes = g_bytes_new_take(pixels, stride * HEIGHT);
    g_autoptr(GdkTexture) texture =
        gdk_memory_texture_new(width, HEIGHT, GDK_MEMORY_DEFAULT, bytes, stride);
    gtk_snapshot_append_texture(snapshot, texture,
                                &GRAPHENE_RECT_INIT(0, (float)top, (float)width, (float)HEIGHT));
}

static void reel_share_bar_class_init(ReelShareBarClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
    widget_class->measure = reel_share_bar_measure;
    widget_class->snapshot = reel_share_bar_snapshot;
    gtk_widget_class_set_accessible_role(widget_class, GTK_ACCESSIBLE_ROLE_IMG);
    gtk_widget_class_set_css_name(widget_class, "sharebar");
}

static void reel_share_bar_init(ReelShareBar *self)
{
    (void)self;
}

GtkWidget *reel_share_bar_new(void)
{
    return g_object_new(REEL_TYPE_SHARE_BAR, NULL);
}
