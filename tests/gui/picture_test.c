/* Golden pictures: small traces drawn by the cairo painter, without a display, against pictures
 * that were looked at once. They are compared a tenth of the size, so that another machine's fonts
 * make no difference that counts and a lane in another colour or place does. picture_test
 * GOLDEN-DIRECTORY [--write] */
#include <glib/gstdio.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tracer/model/text_form.h"
#include "tracer/store/trace.h"
#include "viewer/lane_list.h"
#include "viewer/picture.h"

#define SCALE 10
#define WIDTH 1000

struct scenario {
    const char *name, *theme, *text;
};

static const struct scenario scenarios[] = {
    {"deadlock", "light",
     "@1ms T1 start; @1.2ms T1 create T2; @1.3ms T2 start; @1.4ms T1 create T3; @1.5ms T3 start;"
     "@2ms T2 lock alice; @2.1ms T3 lock bob; @3ms T2 want bob; @3.4ms T3 want alice;"
     "@3.6ms T1 begin join T2; @9ms T1 mark end"},
    {"deadlock", "dark",
     "@1ms T1 start; @1.2ms T1 create T2; @1.3ms T2 start; @1.4ms T1 create T3; @1.5ms T3 start;"
     "@2ms T2 lock alice; @2.1ms T3 lock bob; @3ms T2 want bob; @3.4ms T3 want alice;"
     "@3.6ms T1 begin join T2; @9ms T1 mark end"},
    {"queue", "light",
     "@1ms T1 start; @1.1ms T1 create T2; @1.2ms T2 start; @2ms T1 put jobs 1; @2.2ms T1 put jobs "
     "2;"
     "@2.4ms T1 put jobs 3; @3ms T2 get jobs 1; @4ms T2 get jobs 2; @4.5ms T1 put jobs 4;"
     "@5ms T2 get jobs 3; @6ms T2 get jobs 4; @7ms T2 exit; @7.2ms T1 join T2; @8ms T1 exit"},
    {"tasks", "light",
     "@1ms T1 start; @1.5ms T1 task brew created; @2ms T1 task brew running; @3ms T1 task brew "
     "waiting; @3.2ms T1 task toast running; @4ms T1 task toast waiting; @5ms T1 task brew ready;"
     "@5.5ms T1 task brew running; @6ms T1 task brew done; @6.2ms T1 task toast done; @7ms T1 "
     "exit"},
    {"race", "contrast",
     "@1ms T1 start; @1.1ms T1 create T2; @1.2ms T2 start; @1.3ms T1 create T3; @1.4ms T3 start;"
     "@3ms T2 write counter 4; @3.5ms T3 write counter 4; @5ms T2 exit; @5.1ms T3 exit;"
     "@5.2ms T1 join T2; @5.3ms T1 join T3; @6ms T1 exit"},
};

/* The trace that a text tells, in a file. */
static char *trace_of(const char *text, const char *folder)
{
    struct reel_error error = {0};
    char *path = g_build_filename(folder, "picture.reel", NULL);
    struct reel_text_form *form = reel_text_form_parse(text, &error);
    if (!form)
        g_error("%s", error.message);
    struct reel_trace *trace = reel_trace_create(path, &error);
    if (!trace || !reel_text_form_write(form, trace, &error) || !reel_trace_close(trace, &error))
        g_error("%s", error.message);
    reel_text_form_free(form);
    return path;
}

/* The picture, every ten by ten pixels as their mean. */
static cairo_surface_t *small_picture(const struct scenario *scenario, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(ReelDocument) document = reel_document_new(path);
    if (!reel_document_load_now(document, &error))
        g_error("%s: %s", scenario->name, error->message);
    g_autoptr(ReelLaneList) lanes = reel_lane_list_new(document, NULL);
    struct reel_palette palette;
    g_assert_true(reel_palette_load(&palette, scenario->theme));
    const struct reel_picture picture = {
        .document = document,
        .layout = reel_lane_list_layout(lanes),
        .palette = &palette,
        .from_ns = reel_document_start_ns(document),
        .to_ns = reel_document_end_ns(document),
        .cursor_ns = UINT64_MAX,
        .finding =
            reel_document_finding_count(document) ? reel_document_finding(document, 0) : NULL,
        .width = WIDTH,
    };
    int height = reel_picture_height(&picture);
    cairo_surface_t *large = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, WIDTH, height);
    cairo_t *cairo = cairo_create(large);
    reel_picture_draw(&picture, cairo);
    cairo_destroy(cairo);
    cairo_surface_flush(large);
    const int rows = height / SCALE, columns = WIDTH / SCALE;
    cairo_surface_t *small = cairo_image_surface_create(CAIRO_FORMAT_RGB24, columns, rows);
    const unsigned char *from = cairo_image_surface_get_data(large);
    unsigned char *to = cairo_image_surface_get_data(small);
    for (int y = 0; y < rows; y++)
        for (int x = 0; x < columns; x++)
            for (int channel = 0; channel < 3; channel++) {
                unsigned sum = 0;
                for (int i = 0; i < SCALE * SCALE; i++)
                    sum += from[(y * SCALE + i / SCALE) * cairo_image_surface_get_stride(large) +
                                (x * SCALE + i % SCALE) * 4 + channel];
                to[y * cairo_image_surface_get_stride(small) + x * 4 + channel] =
                    (unsigned char)(sum / (SCALE * SCALE));
            }
    cairo_surface_mark_dirty(small);
    cairo_surface_destroy(large);
    return small;
}

/* How far two pictures are apart: the mean over all channels, and the share of places that differ
 * clearly. */
static gboolean are_alike(cairo_surface_t *one, cairo_surface_t *other, const char *name)
{
    int width = cairo_image_surface_get_width(one), height = cairo_image_surface_get_height(one);
    if (width != cairo_image_surface_get_width(other) ||
        height != cairo_image_surface_get_height(other)) {
        g_printerr("%s: %d x %d, the golden one %d x %d\n", name, width, height,
                   cairo_image_surface_get_width(other), cairo_image_surface_get_height(other));
        return FALSE;
    }
    double sum = 0;
    int clear = 0;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            int worst = 0;
            for (int channel = 0; channel < 3; channel++) {
                int place = y * cairo_image_surface_get_stride(one) + x * 4 + channel;
                int off = abs((int)cairo_image_surface_get_data(one)[place] -
                              (int)cairo_image_surface_get_data(other)[place]);
                sum += off;
                worst = MAX(worst, off);
            }
            clear += worst > 60;
        }
    double mean = sum / (width * height * 3), share = (double)clear / (width * height);
    if (mean <= 6 && share <= 0.03)
        return TRUE;
    g_printerr("%s: mean difference %.1f of 255, %.1f %% of the places clearly\n", name, mean,
               100 * share);
    return FALSE;
}

static gboolean check(const struct scenario *scenario, const char *golden, gboolean write,
                      const char *folder)
{
    g_autofree char *name = g_strdup_printf("%s-%s.png", scenario->name, scenario->theme);
    g_autofree char *file = g_build_filename(golden, name, NULL);
    g_autofree char *path = trace_of(scenario->text, folder);
    cairo_surface_t *picture = small_picture(scenario, path);
    gboolean good = TRUE;
    g_unlink(path);
    if (write) {
        good = cairo_surface_write_to_png(picture, file) == CAIRO_STATUS_SUCCESS;
    } else {
        cairo_surface_t *expected = cairo_image_surface_create_from_png(file);
        good = cairo_surface_status(expected) == CAIRO_STATUS_SUCCESS &&
               are_alike(picture, expected, name);
        cairo_surface_destroy(expected);
    }
    cairo_surface_destroy(picture);
    return good;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("reel-picture-XXXXXX", &error);
    gboolean write = argc > 2 && g_str_equal(argv[2], "--write");
    int failed = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(scenarios); i++)
        failed += !check(&scenarios[i], argv[1], write, folder);
    g_rmdir(folder);
    return failed ? 1 : 0;
}
