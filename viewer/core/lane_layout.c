#include "viewer/core/lane_layout.h"

#include <stdlib.h>
#include <string.h>

static bool add_row(struct reel_lane_layout *layout, const struct reel_layout_lane *lane,
                    uint32_t index, bool pinned)
{
    if (layout->count == layout->capacity) {
        uint32_t capacity = layout->capacity ? layout->capacity * 2 : 64;
        void *row = realloc(layout->row, capacity * sizeof *layout->row);
        if (!row)
            return false;
        layout->row = row;
        layout->capacity = capacity;
    }
    layout->row[layout->count++] = (struct reel_layout_row){
        .lane = index, .top = layout->height, .height = lane[index].height, .pinned = pinned};
    layout->height += lane[index].height;
    return true;
}

static bool is_heading(const struct reel_layout_lane *lane)
{
    return lane->heading == REEL_NO_LANE;
}

/* Lanes by their order, stable. */
struct place {
    int32_t order;
    uint32_t lane;
};

static int compare_places(const void *a, const void *b)
{
    const struct place *left = a, *right = b;
    if (left->order != right->order)
        return left->order < right->order ? -1 : 1;
    return left->lane < right->lane ? -1 : left->lane > right->lane;
}

static bool add_group(struct reel_lane_layout *layout, const struct reel_layout_lane *lane,
                      uint32_t count, uint32_t heading, struct place *place)
{
    uint32_t members = 0, hidden = 0, filtered = 0, all = 0;
    for (uint32_t i = heading + 1; i < count && lane[i].heading == heading; i++, all++) {
        if (lane[i].filtered)
            filtered++;
        else if (lane[i].hidden)
            hidden++;
        else if (!lane[i].pinned)
            place[members++] = (struct place){lane[i].order, i};
    }
    if (lane[heading].hidden || (all && filtered == all))
        return true;
    if (!add_row(layout, lane, heading, false))
        return false;
    layout->row[layout->count - 1].hidden = hidden;
    layout->row[layout->count - 1].filtered = filtered;
    if (lane[heading].collapsed)
        return true;
    qsort(place, members, sizeof *place, compare_places);
    for (uint32_t i = 0; i < members; i++)
        if (!add_row(layout, lane, place[i].lane, false))
            return false;
    return true;
}

bool reel_lane_layout_arrange(struct reel_lane_layout *layout, const struct reel_layout_lane *lane,
                              uint32_t count)
{
    layout->count = 0;
    layout->height = layout->pinned_height = 0;
    struct place *place = calloc((size_t)count + 1, 2 * sizeof *place), *headings = place + count;
    if (!place)
        return false;
    bool good = true;
    for (uint32_t i = 0; good && i < count; i++)
        if (!is_heading(&lane[i]) && lane[i].pinned && !lane[i].filtered)
            good = add_row(layout, lane, i, true);
    layout->pinned_height = layout->height;
    uint32_t heading_count = 0;
    for (uint32_t i = 0; i < count; i++)
        if (is_heading(&lane[i]))
            headings[heading_count++] = (struct place){lane[i].order, i};
    qsort(headings, heading_count, sizeof *headings, compare_places);
    for (uint32_t i = 0; good && i < heading_count; i++)
        good = add_group(layout, lane, count, headings[i].lane, place);
    free(place);
    return good;
}

void reel_lane_layout_clear(struct reel_lane_layout *layout)
{
    free(layout->row);
    memset(layout, 0, sizeof *layout);
}

uint32_t reel_lane_layout_at(const struct reel_lane_layout *layout, double y)
{
    if (y < 0 || y >= layout->height)
        return layout->count;
    uint32_t low = 0, high = layout->count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (layout->row[middle].top <= y)
            low = middle;
        else
            high = middle;
    }
    return low;
}

uint32_t reel_lane_layout_row_of(const struct reel_lane_layout *layout, uint32_t lane)
{
    uint32_t row = 0;
    while (row < layout->count && layout->row[row].lane != lane)
        row++;
    return row;
}
