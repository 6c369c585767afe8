#include "viewer/palette.h"

#include <string.h>

static const char *const role_colors[REEL_STATE_ROLE_COUNT] = {
    [REEL_STATE_ROLE_RUNNING] = "reel_running",   [REEL_STATE_ROLE_RUNNABLE] = "reel_runnable",
    [REEL_STATE_ROLE_LOCK] = "reel_lock",         [REEL_STATE_ROLE_ORDER] = "reel_order",
    [REEL_STATE_ROLE_GIL] = "reel_gil",           [REEL_STATE_ROLE_IO] = "reel_io",
    [REEL_STATE_ROLE_CALLBACK] = "reel_callback", [REEL_STATE_ROLE_IDLE] = "reel_idle",
    [REEL_STATE_ROLE_GAP] = "reel_gap",
};

static uint32_t pixel_of(const GdkRGBA *color)
{
    uint8_t bytes[4] = {(uint8_t)(color->blue * 255 + 0.5f), (uint8_t)(color->green * 255 + 0.5f),
                        (uint8_t)(color->red * 255 + 0.5f), 255};
    uint32_t pixel; /* GDK_MEMORY_B8G8R8A8_PREMULTIPLIED */
    memcpy(&pixel, bytes, 4);
    return pixel;
}

static float luminance(const GdkRGBA *color)
{
    return 0.2126f * color->red + 0.7152f * color->green + 0.0722f * color->blue;
}

/* Every colour with its name in the style sheets. */
static void for_each(struct reel_palette *palette,
                     void (*visit)(gpointer data, const char *name, GdkRGBA *color), gpointer data)
{
    for (unsigned role = 0; role < REEL_STATE_ROLE_COUNT; role++)
        visit(data, role_colors[role], &palette->role[role]);
    visit(data, "reel_background", &palette->background);
    visit(data, "reel_heading", &palette->heading);
    visit(data, "reel_grid", &palette->grid);
    visit(data, "reel_text", &palette->text);
    visit(data, "reel_dim", &palette->dim);
    visit(data, "reel_cursor", &palette->cursor);
    visit(data, "reel_selection", &palette->selection);
    visit(data, "reel_finding", &palette->finding);
    visit(data, "reel_held", &palette->held);
    visit(data, "reel_queue", &palette->queue);
    for (unsigned i = 0; i < G_N_ELEMENTS(palette->owner); i++) {
        char name[] = "reel_owner_0";
        name[sizeof name - 2] = (char)('0' + i);
        visit(data, name, &palette->owner[i]);
    }
}

static void make_pixels(struct reel_palette *palette)
{
    for (unsigned role = 0; role < REEL_STATE_ROLE_COUNT; role++) {
        GdkRGBA pattern = palette->role[role];
        float by = luminance(&pattern) > 0.45f ? 0.72f : 1.45f;
        pattern.red = MIN(pattern.red * by + (by > 1 ? 0.12f : 0), 1);
        pattern.green = MIN(pattern.green * by + (by > 1 ? 0.12f : 0), 1);
        pattern.blue = MIN(pattern.blue * by + (by > 1 ? 0.12f : 0), 1);
        palette->pixel[role][0] = pixel_of(&palette->role[role]);
        palette->pixel[role][1] = pixel_of(&pattern);
    }
}

static void look_up(gpointer data, const char *name, GdkRGBA *color)
{
    if (!gtk_style_context_lookup_color(data, name, color))
        *color = (GdkRGBA){1, 0, 1, 1}; /* a colour the style sheet forgot is not overlooked */
}

void reel_palette_read(struct reel_palette *palette, GtkWidget *widget)
{
    for_each(palette, look_up, gtk_widget_get_style_context(widget));
    make_pixels(palette);
}

static void find_in_css(gpointer data, const char *name, GdkRGBA *color)
{
    g_autofree char *definition = g_strdup_printf("@define-color %s ", name);
    const char *at = strstr(data, definition);
    if (!at)
        return;
    at += strlen(definition);
    g_autofree char *value = g_strndup(at, strcspn(at, ";"));
    gdk_rgba_parse(color, g_strstrip(value));
}

void reel_palette_parse(struct reel_palette *palette, const char *css)
{
    for_each(palette, find_in_css, (gpointer)css);
    make_pixels(palette);
}

gboolean reel_palette_load(struct reel_palette *palette, const char *theme)
{
    g_autofree char *resource = g_strdup_printf("/reel/viewer/%s.css", theme);
    const char *const sheets[] = {"/reel/viewer/light.css", resource};
    memset(palette, 0, sizeof *palette);
    for (unsigned i = 0; i < G_N_ELEMENTS(sheets); i++) {
        g_autoptr(GBytes) css = g_resources_lookup_data(sheets[i], 0, NULL);
        if (!css)
            return FALSE;
        reel_palette_parse(palette, g_bytes_get_data(css, NULL));
    }
    return TRUE;
}

uint32_t reel_palette_pixel(const struct reel_palette *palette, enum reel_state_role role, int x,
                            int y)
{
    bool pattern = false;
    switch (role) {
    case REEL_STATE_ROLE_RUNNABLE: /* sparse dots */
        pattern = x % 4 == 0 && y % 4 == (x / 4 % 2) * 2;
        break;
    case REEL_STATE_ROLE_LOCK: /* stripes */
        pattern = (x + y) % 6 < 2;
        break;
    case REEL_STATE_ROLE_ORDER: /* the other way */
        pattern = (x + 6000 - y) % 6 < 2;
        break;
    case REEL_STATE_ROLE_GIL: /* cross hatch */
        pattern = (x + y) % 6 == 0 || (x + 6000 - y) % 6 == 0;
        break;
    case REEL_STATE_ROLE_IO: /* horizontal lines */
        pattern = y % 4 == 0;
        break;
    case REEL_STATE_ROLE_GAP:
        pattern = (x / 3 + y / 3) % 2;
        break;
    default:
        break;
    }
    return palette->pixel[role][pattern];
}

GdkRGBA reel_palette_text_on(const GdkRGBA *color)
{
    return luminance(color) > 0.45f ? (GdkRGBA){0, 0, 0, 1} : (GdkRGBA){1, 1, 1, 1};
}

const char *reel_palette_role_title(enum reel_state_role role)
{
    static const char *const titles[REEL_STATE_ROLE_COUNT] = {
        [REEL_STATE_ROLE_RUNNING] = "running",
        [REEL_STATE_ROLE_RUNNABLE] = "waits for a processor",
        [REEL_STATE_ROLE_LOCK] = "waits for a held lock",
        [REEL_STATE_ROLE_ORDER] = "waits for another's work",
        [REEL_STATE_ROLE_GIL] = "waits for a global lock",
        [REEL_STATE_ROLE_IO] = "i/o",
        [REEL_STATE_ROLE_CALLBACK] = "callback",
        [REEL_STATE_ROLE_IDLE] = "idle",
        [REEL_STATE_ROLE_GAP] = "not recorded",
    };
    return titles[role];
}
