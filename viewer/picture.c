#include "viewer/picture.h"

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <string.h>

#define TITLE_HEIGHT  46
#define LEGEND_HEIGHT 26
#define HEIGHT_MOST   30000 /* cairo's images end at 32767 */

static int width_of(const struct reel_picture *picture)
{
    return picture->width ? picture->width : 1400;
}

int reel_picture_height(const struct reel_picture *picture)
{
    int lanes = MIN(picture->layout->height, HEIGHT_MOST);
    return TITLE_HEIGHT + REEL_RULER_HEIGHT + lanes + LEGEND_HEIGHT;
}

static void draw_legend(const struct reel_picture *picture, struct reel_painter *painter, double y)
{
    double x = 8;
    for (unsigned role = 0; role < REEL_STATE_ROLE_COUNT; role++) {
        const char *title = reel_palette_role_title(role);
        uint32_t *pixels = g_new(uint32_t, 14 * 12);
        for (int row = 0; row < 12; row++)
            for (int column = 0; column < 14; column++)
                pixels[row * 14 + column] = reel_palette_pixel(picture->palette, role, column, row);
        painter->class->pixels(painter, x, y + 7, 14, 12, pixels);
        double width = reel_paint_text_width(painter, title, REEL_TEXT_SMALL) + 2;
        reel_paint_text(painter, title, x + 19, y, width, LEGEND_HEIGHT, &picture->palette->text,
                        REEL_TEXT_SMALL);
        x += 19 + width + 14;
    }
}

void reel_picture_draw(const struct reel_picture *picture, cairo_t *cairo)
{
    struct reel_cairo_painter painter;
    const struct reel_palette *palette = picture->palette;
    const int width = width_of(picture), height = reel_picture_height(picture);
    const int lanes = height - TITLE_HEIGHT - REEL_RULER_HEIGHT - LEGEND_HEIGHT;
    const struct reel_scene scene = {
        .document = picture->document,
        .layout = picture->layout,
        .palette = palette,
        .from_ns = picture->from_ns,
        .to_ns = picture->to_ns,
        .cursor_ns = picture->cursor_ns,
        .lane = G_MAXUINT,
        .width = width,
        .height = lanes,
        .finding = picture->finding,
    };
    reel_cairo_painter_init(&painter, cairo, "Sans 10");
    reel_paint_rect(&painter.base, 0, 0, width, height, &palette->background);
    g_autofree char *base = g_path_get_basename(reel_document_origin(picture->document));
    reel_paint_text(&painter.base, base, 8, 2, width - 16, 22, &palette->text, REEL_TEXT_BOLD);
    reel_paint_text(&painter.base,
                    picture->finding ? picture->finding->title
                                     : reel_document_summary(picture->document),
                    8, 22, width - 16, 20, &palette->dim, 0);
    cairo_translate(cairo, 0, TITLE_HEIGHT);
    reel_scene_paint_ruler(&scene, &painter.base);
    cairo_translate(cairo, 0, REEL_RULER_HEIGHT);
    reel_scene_paint(&scene, &painter.base);
    draw_legend(picture, &painter.base, lanes);
    reel_cairo_painter_clear(&painter);
}

gboolean reel_picture_write(const struct reel_picture *picture, const char *path, GError **error)
{
    const char *suffix = strrchr(path, '.');
    const int width = width_of(picture), height = reel_picture_height(picture);
    gboolean png = g_strcmp0(suffix, ".png") == 0;
    cairo_surface_t *surface = NULL;
    if (png)
        surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, width, height);
    else if (g_strcmp0(suffix, ".svg") == 0)
        surface = cairo_svg_surface_create(path, width, height);
    else if (g_strcmp0(suffix, ".pdf") == 0)
        surface = cairo_pdf_surface_create(path, width, height);
    if (!surface) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "%s: what kind of picture is that? A name ending with .png, .svg or .pdf says "
                    "it",
                    path);
        return FALSE;
    }
    cairo_t *cairo = cairo_create(surface);
    reel_picture_draw(picture, cairo);
    cairo_destroy(cairo);
    cairo_status_t status = png ? cairo_surface_write_to_png(surface, path) : CAIRO_STATUS_SUCCESS;
    cairo_surface_finish(surface);
    if (status == CAIRO_STATUS_SUCCESS)
        status = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    if (status == CAIRO_STATUS_SUCCESS)
        return TRUE;
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "cannot write %s: %s", path,
                cairo_status_to_string(status));
    return FALSE;
}
