/* Strips: states over time as pixels. */
#include <math.h>

#include "viewer/draw/scene.h"

/* From the bottom up: work below, what keeps from it above. */
static const enum reel_state_role order[] = {
    REEL_STATE_ROLE_RUNNING, REEL_STATE_ROLE_CALLBACK, REEL_STATE_ROLE_RUNNABLE,
    REEL_STATE_ROLE_LOCK,    REEL_STATE_ROLE_GIL,      REEL_STATE_ROLE_GAP,
    REEL_STATE_ROLE_ORDER,   REEL_STATE_ROLE_IO,       REEL_STATE_ROLE_IDLE};

#define TILE 12 /* every pattern repeats after so many pixels */

struct tiles {
    uint32_t pixel[REEL_STATE_ROLE_COUNT][TILE][TILE];
};

static void make_tiles(const struct reel_palette *palette, struct tiles *tiles)
{
    for (unsigned role = 0; role < REEL_STATE_ROLE_COUNT; role++)
        for (int y = 0; y < TILE; y++)
            for (int x = 0; x < TILE; x++)
                tiles->pixel[role][y][x] = reel_palette_pixel(palette, role, x, y);
}

uint32_t *reel_strip_pixels(const struct reel_palette *palette, const struct reel_lane_data *data,
                            uint64_t from_ns, uint64_t to_ns, int width, int height)
{
    g_autofree struct reel_lane_column *columns = g_new(struct reel_lane_column, width);
    uint32_t *pixels = g_new0(uint32_t, (gsize)width * (gsize)height);
    struct tiles tiles;
    make_tiles(palette, &tiles);
    reel_lane_data_columns(data, from_ns, to_ns, columns, (size_t)width);
    for (int x = 0; x < width; x++) {
        const struct reel_lane_column *column = &columns[x];
        double bottom = height;
        for (unsigned i = 0; i < G_N_ELEMENTS(order) && bottom > 0; i++) {
            enum reel_state_role role = order[i];
            double part = column->share[role] * height / 255.0;
            bool kept = (role == REEL_STATE_ROLE_LOCK && column->lock) ||
                        (role == REEL_STATE_ROLE_GAP && column->gap);
            if (kept && part < 2)
                part = 2;
            if (part <= 0)
                continue;
            int to = (int)(bottom + 0.5), from = (int)(MAX(bottom - part, 0) + 0.5);
            const uint32_t(*tile)[TILE] = tiles.pixel[role];
            uint32_t *at = pixels + (gsize)from * (gsize)width + x;
            for (int y = from; y < to; y++, at += width)
                *at = tile[y % TILE][x % TILE];
            bottom -= part;
        }
    }
    return pixels;
}

gboolean reel_strip_is_shares(const struct reel_lane_data *data, uint64_t from_ns, uint64_t to_ns,
                              int width)
{
    if (data->count == 0)
        return !reel_lane_data_is_empty(data); /* an outline */
    size_t first = from_ns < data->start[0] ? 0 : reel_lane_data_at(data, from_ns);
    size_t last = reel_lane_data_at(data, to_ns);
    return last > first && last - first > (size_t)width / 4;
}
