#include "viewer/legend.h"

#include "tracer/model/state.h"
#include "viewer/palette.h"

/* A square with the colour and pattern of a state, for the legend. */
static void draw_swatch(GtkDrawingArea *area, cairo_t *cairo, int width, int height, gpointer data)
{
    struct reel_palette palette;
    enum reel_state_role role = GPOINTER_TO_UINT(data);
    reel_palette_read(&palette, GTK_WIDGET(area));
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, width, height);
    int stride = cairo_image_surface_get_stride(surface) / 4;
    uint32_t *pixels = (uint32_t *)(void *)cairo_image_surface_get_data(surface);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            pixels[y * stride + x] = reel_palette_pixel(&palette, role, x, y);
    cairo_surface_mark_dirty(surface);
    cairo_set_source_surface(cairo, surface, 0, 0);
    cairo_paint(cairo);
    cairo_surface_destroy(surface);
}

void reel_legend_fill(GtkFlowBox *legend)
{
    for (unsigned role = 0; role < REEL_STATE_ROLE_COUNT; role++) {
        GtkWidget *pair = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 5);
        GtkWidget *swatch = gtk_drawing_area_new();
        GtkWidget *label = gtk_label_new(reel_palette_role_title(role));
        gtk_drawing_area_set_content_width(GTK_DRAWING_AREA(swatch), 14);
        gtk_drawing_area_set_content_height(GTK_DRAWING_AREA(swatch), 12);
        gtk_widget_set_valign(swatch, GTK_ALIGN_CENTER);
        gtk_drawing_area_set_draw_func(GTK_DRAWING_AREA(swatch), draw_swatch,
                                       GUINT_TO_POINTER(role), NULL);
        gtk_widget_add_css_class(label, "reel-summary");
        gtk_box_append(GTK_BOX(pair), swatch);
        gtk_box_append(GTK_BOX(pair), label);
        gtk_flow_box_insert(legend, pair, -1);
    }
}
