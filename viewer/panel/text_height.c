#include "viewer/panel/text_height.h"

int reel_text_height(GtkWidget *widget)
{
    PangoContext *context = gtk_widget_get_pango_context(widget);
    PangoFontMetrics *metrics = pango_context_get_metrics(context, NULL, NULL);
    int height = PANGO_PIXELS_CEIL(pango_font_metrics_get_height(metrics));
    pango_font_metrics_unref(metrics);
    return height;
}
