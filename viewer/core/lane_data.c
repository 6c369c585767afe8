#include "viewer/core/lane_data.h"

#include <stdlib.h>
#include <string.h>

#define INTERVALS_PER_CELL 16u
#define LEVEL_CELLS_LEAST  64u
#define CELLS_MOST         (1u << 22)

/* A cell of a level: the share of each role in its time, in 1/255, and what must not vanish. */
#define ROLES_PADDED 12 /* with room for the flags behind: 13 bytes, read four at a time */
struct cell {
    uint8_t share[ROLES_PADDED];
    uint8_t flags;
};
_Static_assert(REEL_LANE_ROLES <= ROLES_PADDED, "a cell has room for every role");
enum { CELL_LOCK = 1, CELL_GAP = 2 };

struct reel_lane_level {
    struct cell *cell;
    size_t count;
};

void reel_lane_data_init(struct reel_lane_data *lane)
{
    memset(lane, 0, sizeof *lane);
}

void reel_lane_data_clear(struct reel_lane_data *lane)
{
    for (unsigned i = 0; i < lane->level_count; i++)
        free(lane->level[i].cell);
    free(lane->level);
    free(lane->start);
    free(lane->object);
    free(lane->state);
    memset(lane, 0, sizeof *lane);
}

static bool grow(struct reel_lane_data *lane)
{
    size_t capacity = lane->capacity ? lane->capacity + lane->capacity / 2 : 64;
    uint64_t *start = realloc(lane->start, (capacity + 1) * sizeof *start);
    if (start)
        lane->start = start;
    uint32_t *object = realloc(lane->object, capacity * sizeof *object);
    if (object)
        lane->object = object;
    uint8_t *state = realloc(lane->state, capacity * sizeof *state);
    if (state)
        lane->state = state;
    if (!start || !object || !state)
        return false;
    lane->capacity = capacity;
    return true;
}

static bool push(struct reel_lane_data *lane, uint64_t start_ns, uint64_t end_ns, uint8_t state,
                 uint32_t object)
{
    if (lane->count == lane->capacity && !grow(lane))
        return false;
    lane->start[lane->count] = start_ns;
    lane->object[lane->count] = object;
    lane->state[lane->count] = state;
    lane->start[++lane->count] = end_ns;
    return true;
}

bool reel_lane_data_append(struct reel_lane_data *lane, uint64_t start_ns, uint64_t end_ns,
                           enum reel_state state, uint32_t object)
{
    if (lane->count) {
        uint64_t last = lane->start[lane->count];
        if (start_ns < last)
            start_ns = last;
        if (start_ns > last && !push(lane, last, start_ns, REEL_LANE_NOTHING, 0))
            return false;
    }
    return end_ns <= start_ns || push(lane, start_ns, end_ns, (uint8_t)state, object);
}

size_t reel_lane_data_at(const struct reel_lane_data *lane, uint64_t ns)
{
    if (lane->count == 0 || ns < lane->start[0] || ns >= lane->start[lane->count])
        return lane->count;
    size_t low = 0, high = lane->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (lane->start[middle] <= ns)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Sums, in ns, of one column or cell. */
struct sums {
    uint64_t ns[REEL_LANE_ROLES];
    uint8_t flags;
};

static void add(struct sums *sums, uint8_t state, uint64_t ns)
{
    if (state == REEL_LANE_NOTHING || state >= REEL_STATE_COUNT)
        return;
    enum reel_state_role role = reel_state_role(state);
    sums->ns[role] += ns;
    if (role == REEL_STATE_ROLE_LOCK || role == REEL_STATE_ROLE_GIL)
        sums->flags |= CELL_LOCK;
    else if (role == REEL_STATE_ROLE_GAP)
        sums->flags |= CELL_GAP;
}

/* Adds the intervals within [from, to); `index` is where to begin, and comes back as where the next
 * stretch begins. */
static void sum_range(const struct reel_lane_data *lane, uint64_t from, uint64_t to, size_t *index,
                      struct sums *sums)
{
    size_t i = *index;
    while (i < lane->count && lane->start[i + 1] <= from)
        i++;
    for (; i < lane->count && lane->start[i] < to; i++) {
        uint64_t start = lane->start[i] > from ? lane->start[i] : from;
        uint64_t end = lane->start[i + 1] < to ? lane->start[i + 1] : to;
        add(sums, lane->state[i], end - start);
        if (lane->start[i + 1] > to)
            break;
    }
    *index = i;
}

static void to_shares(const struct sums *sums, uint64_t width, uint8_t *share)
{
    const double scale = width ? 255.0 / (double)width : 0;
    for (unsigned role = 0; role < REEL_LANE_ROLES; role++) {
        double scaled = (double)(int64_t)sums->ns[role] * scale + 0.5;
        share[role] = (uint8_t)(int)(scaled < 255 ? scaled : 255);
    }
}

/* Nothing but one role all through: what most columns are when one looks closely. */
static bool is_one_role(const struct sums *sums, uint64_t width, uint8_t *share)
{
    for (unsigned role = 0; role < REEL_LANE_ROLES; role++)
        if (sums->ns[role]) {
            if (sums->ns[role] != width)
                return false;
            memset(share, 0, REEL_LANE_ROLES);
            share[role] = 255;
            return true;
        }
    memset(share, 0, REEL_LANE_ROLES);
    return true;
}

/* Where cell number `index` of those that divide [origin, origin + span) begins. */
static uint64_t cell_edge(uint64_t origin, uint64_t span, size_t cells, size_t index)
{
    return origin + (uint64_t)((unsigned __int128)span * index / cells);
}

/* Gives back what growing took too much of. */
static void shrink(struct reel_lane_data *lane)
{
    if (lane->capacity - lane->count < 1024)
        return;
    uint64_t *start = realloc(lane->start, (lane->count + 1) * sizeof *start);
    uint32_t *object = realloc(lane->object, lane->count * sizeof *object);
    uint8_t *state = realloc(lane->state, lane->count * sizeof *state);
    lane->start = start ? start : lane->start;
    lane->object = object ? object : lane->object;
    lane->state = state ? state : lane->state;
    lane->capacity = lane->count;
}

bool reel_lane_data_finish(struct reel_lane_data *lane)
{
    if (lane->count)
        shrink(lane);
    if (lane->count < INTERVALS_PER_CELL * LEVEL_CELLS_LEAST)
        return true; /* walking it is quick enough */
    size_t cells = LEVEL_CELLS_LEAST;
    while (cells < lane->count / INTERVALS_PER_CELL && cells < CELLS_MOST)
        cells *= 2;
    unsigned levels = 1;
    for (size_t i = cells; i > LEVEL_CELLS_LEAST; i /= 2)
        levels++;
    lane->level = calloc(levels, sizeof *lane->level);
    if (!lane->level)
        return false;
    lane->level_count = levels;
    lane->origin = lane->start[0];
    lane->span = lane->start[lane->count] - lane->start[0];
    for (unsigned l = 0; l < levels; l++, cells /= 2) {
        struct reel_lane_level *level = &lane->level[l];
        level->cell = calloc(cells, sizeof *level->cell);
        if (!level->cell)
            return false;
        level->count = cells;
        size_t index = 0;
        for (size_t i = 0; i < cells; i++) {
            struct cell *cell = &level->cell[i];
            if (l == 0) {
                struct sums sums = {0};
                uint64_t from = cell_edge(lane->origin, lane->span, cells, i);
                uint64_t to = cell_edge(lane->origin, lane->span, cells, i + 1);
                sum_range(lane, from, to, &index, &sums);
                to_shares(&sums, to - from, cell->share);
                cell->flags = sums.flags;
                continue;
            }
            const struct cell *fine = &lane->level[l - 1].cell[2 * i];
            for (unsigned role = 0; role < REEL_LANE_ROLES; role++)
                cell->share[role] = (uint8_t)((fine[0].share[role] + fine[1].share[role] + 1) / 2);
            cell->flags = fine[0].flags | fine[1].flags;
        }
    }
    return true;
}

bool reel_lane_data_outline(struct reel_lane_data *outline, uint64_t from_ns, uint64_t to_ns,
                            size_t cells)
{
    reel_lane_data_init(outline);
    outline->level = calloc(1, sizeof *outline->level);
    struct cell *cell = calloc(cells, sizeof *cell);
    if (!outline->level || !cell) {
        free(outline->level);
        free(cell);
        outline->level = NULL;
        return false;
    }
    outline->level[0] = (struct reel_lane_level){cell, cells};
    outline->level_count = 1;
    outline->origin = from_ns;
    outline->span = to_ns - from_ns;
    return true;
}

bool reel_lane_data_is_empty(const struct reel_lane_data *lane)
{
    return lane->count == 0 && lane->level_count == 0;
}

struct reel_lane_piece {
    size_t first, count, cells; /* of an outline with `cells` of them */
    struct cell cell[];
};

static size_t cell_at(uint64_t origin, uint64_t span, size_t cells, uint64_t ns)
{
    if (ns <= origin)
        return 0;
    size_t at = (size_t)((unsigned __int128)(ns - origin) * cells / span);
    return at < cells ? at : cells - 1;
}

struct reel_lane_piece *reel_lane_piece_cut(const struct reel_lane_data *lane, size_t begin,
                                            uint64_t from_ns, uint64_t to_ns, size_t cells)
{
    if (begin >= lane->count || to_ns <= from_ns)
        return NULL;
    const uint64_t span = to_ns - from_ns;
    size_t first = cell_at(from_ns, span, cells, lane->start[begin]);
    size_t last = cell_at(from_ns, span, cells, lane->start[lane->count]);
    struct reel_lane_piece *piece =
        calloc(1, sizeof *piece + (last - first + 1) * sizeof(struct cell));
    if (!piece)
        return NULL;
    piece->first = first;
    piece->count = last - first + 1;
    piece->cells = cells;
    size_t index = begin;
    for (size_t i = first; i <= last; i++) {
        struct sums sums = {0};
        uint64_t from = cell_edge(from_ns, span, cells, i),
                 to = cell_edge(from_ns, span, cells, i + 1);
        sum_range(lane, from, to, &index, &sums);
        to_shares(&sums, to - from, piece->cell[i - first].share);
        piece->cell[i - first].flags = sums.flags;
    }
    return piece;
}

void reel_lane_piece_free(struct reel_lane_piece *piece)
{
    free(piece);
}

void reel_lane_data_add_piece(struct reel_lane_data *outline, const struct reel_lane_piece *piece)
{
    if (outline->count || outline->level_count != 1 || outline->level[0].count != piece->cells)
        return;
    for (size_t i = 0; i < piece->count; i++) {
        struct cell *cell = &outline->level[0].cell[piece->first + i];
        for (unsigned role = 0; role < REEL_LANE_ROLES; role++) {
            unsigned share = (unsigned)cell->share[role] + piece->cell[i].share[role];
            cell->share[role] = (uint8_t)(share < 255 ? share : 255);
        }
        cell->flags |= piece->cell[i].flags;
    }
}

static uint64_t column_edge(uint64_t from_ns, uint64_t to_ns, size_t count, size_t index)
{
    return from_ns + (uint64_t)((unsigned __int128)(to_ns - from_ns) * index / count);
}

static void finish_column(struct reel_lane_column *column, const struct sums *sums, uint64_t width)
{
    if (!is_one_role(sums, width, column->share))
        to_shares(sums, width, column->share);
    column->lock = sums->flags & CELL_LOCK;
    column->gap = sums->flags & CELL_GAP;
}

void reel_lane_data_columns_naive(const struct reel_lane_data *lane, uint64_t from_ns,
                                  uint64_t to_ns, struct reel_lane_column *columns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct sums sums = {0};
        uint64_t from = column_edge(from_ns, to_ns, count, i);
        uint64_t to = column_edge(from_ns, to_ns, count, i + 1);
        for (size_t k = 0; k < lane->count; k++) {
            uint64_t start = lane->start[k] > from ? lane->start[k] : from;
            uint64_t end = lane->start[k + 1] < to ? lane->start[k + 1] : to;
            if (start < end)
                add(&sums, lane->state[k], end - start);
        }
        finish_column(&columns[i], &sums, to - from);
    }
}

static void columns_exact(const struct reel_lane_data *lane, uint64_t from_ns, uint64_t to_ns,
                          struct reel_lane_column *columns, size_t count)
{
    size_t index = reel_lane_data_at(lane, from_ns);
    if (index == lane->count && lane->count && from_ns < lane->start[0])
        index = 0;
    /* The edges from + (to - from) * i / count, without a division each. */
    const uint64_t whole = (to_ns - from_ns) / count, part = (to_ns - from_ns) % count;
    uint64_t from = from_ns, carried = 0;
    for (size_t i = 0; i < count; i++) {
        struct sums sums = {0};
        uint64_t to = from + whole;
        carried += part;
        if (carried >= count) {
            carried -= count;
            to++;
        }
        sum_range(lane, from, to, &index, &sums);
        finish_column(&columns[i], &sums, to - from);
        from = to;
    }
}

/* From cells: a column's edge within a cell takes the cell's mixture for that part. The inner loops
 * are of a fixed length and without branches, so that they become vector instructions. */
static void columns_from_level(const struct reel_lane_data *lane,
                               const struct reel_lane_level *level, uint64_t from_ns,
                               uint64_t to_ns, struct reel_lane_column *columns, size_t count)
{
    const double width = (double)(to_ns - from_ns) / (double)count;
    const double cell_width = (double)lane->span / (double)level->count;
    const double step = width / cell_width;
    const double first = ((double)from_ns - (double)lane->origin) / cell_width;
    const float scale = (float)(1 / step);
    for (size_t i = 0; i < count; i++) {
        struct reel_lane_column *column = &columns[i];
        float sum[ROLES_PADDED] = {0};
        uint8_t flags = 0;
        double at = first + step * (double)i, end = at + step;
        if (at < 0)
            at = 0;
        if (end > (double)level->count)
            end = (double)level->count;
        for (size_t k = (size_t)at; at < end && k < level->count; k++) {
            double next = (double)(k + 1) < end ? (double)(k + 1) : end;
            const struct cell *cell = &level->cell[k];
            float part = (float)(next - at);
            for (unsigned role = 0; role < ROLES_PADDED; role++)
                sum[role] += (float)cell->share[role] * part;
            flags |= cell->flags;
            at = next;
        }
        uint8_t share[ROLES_PADDED];
        for (unsigned role = 0; role < ROLES_PADDED; role++)
            share[role] = (uint8_t)(sum[role] * scale < 254.5f ? sum[role] * scale + 0.5f : 255.0f);
        memcpy(column->share, share, sizeof column->share);
        column->lock = flags & CELL_LOCK;
        column->gap = flags & CELL_GAP;
    }
}

void reel_lane_data_columns(const struct reel_lane_data *lane, uint64_t from_ns, uint64_t to_ns,
                            struct reel_lane_column *columns, size_t count)
{
    if (count == 0 || to_ns <= from_ns || reel_lane_data_is_empty(lane)) {
        memset(columns, 0, count * sizeof *columns);
        return;
    }
    /* The coarsest level that still has two cells to a column; finer than that: the intervals. */
    const double width = (double)(to_ns - from_ns) / (double)count;
    const struct reel_lane_level *best = NULL;
    for (unsigned l = 0; l < lane->level_count; l++)
        if ((double)lane->span / (double)lane->level[l].count * 2 <= width)
            best = &lane->level[l];
    if (!best && lane->count == 0)
        best = &lane->level[0]; /* an outline: there is nothing finer yet */
    if (best)
        columns_from_level(lane, best, from_ns, to_ns, columns, count);
    else
        columns_exact(lane, from_ns, to_ns, columns, count);
}

size_t reel_lane_data_bytes(const struct reel_lane_data *lane)
{
    size_t bytes = lane->capacity * 13 + 8;
    for (unsigned i = 0; i < lane->level_count; i++)
        bytes += lane->level[i].count * sizeof(struct cell);
    return bytes;
}
