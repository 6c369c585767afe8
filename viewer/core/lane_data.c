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

/* Where a state is summed up: its role, or behind all roles what is not drawn. Looked up, not asked
 * for: this is done for every interval in view, where a branch would be guessed wrong every time.
 */
#define SLOTS                                     16u
#define NO_SLOT                                   (SLOTS - 1)
#define SLOT_OF(NAME, text, role, waits, meaning) [REEL_STATE_##NAME] = REEL_STATE_ROLE_##role,
static const uint8_t slot_of_state[REEL_STATE_COUNT] = {REEL_STATES(SLOT_OF)};
#undef SLOT_OF
_Static_assert(ROLES_PADDED < SLOTS, "there is a slot behind those of the roles");

static unsigned slot_of(uint8_t state)
{
    return state < REEL_STATE_COUNT ? slot_of_state[state] : NO_SLOT;
}

/* Sums, in ns, of one column or cell. */
struct sums {
    uint64_t ns[SLOTS];
};

static void add(struct sums *sums, uint8_t state, uint64_t ns)
{
    sums->ns[slot_of(state)] += ns;
}

static uint8_t flags_of(const struct sums *sums)
{
    uint8_t flags = 0;
    if (sums->ns[REEL_STATE_ROLE_LOCK] | sums->ns[REEL_STATE_ROLE_GIL])
        flags |= CELL_LOCK;
    if (sums->ns[REEL_STATE_ROLE_GAP])
        flags |= CELL_GAP;
    return flags;
}

/* Adds the intervals within [from, to); `index` is where to begin, and comes back as where the next
 * stretch begins. */
static void sum_range(const struct reel_lane_data *lane, uint64_t from, uint64_t to, size_t *index,
                      struct sums *sums)
{
    const uint64_t *const start = lane->start;
    const size_t count = lane->count;
    size_t i = *index;
    while (i < count && start[i + 1] <= from)
        i++;
    uint64_t at = i < count && start[i] > from ? start[i] : from;
    for (; i < count && start[i + 1] <= to; i++) {
        add(sums, lane->state[i], start[i + 1] - at);
        at = start[i + 1];
    }
    if (i < count && at < to && start[i] < to)
        add(sums, lane->state[i], to - at);
    *index = i;
}

/* 255 of `width`, in 2^-32: what a nanosecond is of a share. */
static uint64_t share_of_ns(uint64_t width)
{
    return width ? ((uint64_t)255 << 32) / width : 0;
}

/* The sums as shares of `width`, in 1/255. `per_ns` is what share_of_ns says of it. */
static void to_shares(const struct sums *sums, uint64_t width, uint64_t per_ns, uint8_t *share)
{
    const uint64_t half = (uint64_t)1 << 31;
    if (width < half) { /* two seconds, as nearly all are: the products have room */
        for (unsigned role = 0; role < REEL_LANE_ROLES; role++)
            share[role] = (uint8_t)((sums->ns[role] * per_ns + half) >> 32);
        return;
    }
    const double scale = 255.0 / (double)width;
    for (unsigned role = 0; role < REEL_LANE_ROLES; role++)
        share[role] = (uint8_t)(int)((double)sums->ns[role] * scale + 0.5);
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
                to_shares(&sums, to - from, share_of_ns(to - from), cell->share);
                cell->flags = flags_of(&sums);
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
        to_shares(&sums, to - from, share_of_ns(to - from), piece->cell[i - first].share);
        piece->cell[i - first].flags = flags_of(&sums);
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

static void set_flags(struct reel_lane_column *column, uint8_t flags)
{
    column->lock = flags & CELL_LOCK;
    column->gap = flags & CELL_GAP;
}

static void finish_column(struct reel_lane_column *column, const struct sums *sums, uint64_t width,
                          uint64_t per_ns)
{
    to_shares(sums, width, per_ns, column->share);
    set_flags(column, flags_of(sums));
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
        finish_column(&columns[i], &sums, to - from, share_of_ns(to - from));
    }
}

/* The columns' edges from + (to - from) * i / count, without a division each. */
struct edges {
    uint64_t at, whole, part, carried, count;
};

static uint64_t next_edge(struct edges *edges)
{
    edges->at += edges->whole;
    edges->carried += edges->part;
    if (edges->carried >= edges->count) {
        edges->carried -= edges->count;
        edges->at++;
    }
    return edges->at;
}

static void columns_exact(const struct reel_lane_data *lane, uint64_t from_ns, uint64_t to_ns,
                          struct reel_lane_column *columns, size_t count)
{
    const uint64_t *const start = lane->start;
    size_t index = reel_lane_data_at(lane, from_ns);
    if (index == lane->count && from_ns < start[0])
        index = 0;
    struct edges edges = {from_ns, (to_ns - from_ns) / count, (to_ns - from_ns) % count, 0, count};
    const uint64_t per_ns[2] = {share_of_ns(edges.whole), share_of_ns(edges.whole + 1)};
    for (size_t i = 0; i < count; i++) {
        const uint64_t from = edges.at, to = next_edge(&edges);
        while (index < lane->count && start[index + 1] <= from)
            index++;
        struct reel_lane_column *column = &columns[i];
        if (index < lane->count && start[index] <= from && start[index + 1] >= to) {
            /* Within one interval, as most columns are when one looks closely. */
            unsigned slot = slot_of(lane->state[index]);
            memset(column, 0, sizeof *column);
            if (slot == NO_SLOT || to == from)
                continue;
            column->share[slot] = 255;
            column->lock = slot == REEL_STATE_ROLE_LOCK || slot == REEL_STATE_ROLE_GIL;
            column->gap = slot == REEL_STATE_ROLE_GAP;
            continue;
        }
        struct sums sums = {0};
        sum_range(lane, from, to, &index, &sums);
        finish_column(column, &sums, to - from, per_ns[to - from - edges.whole]);
    }
}

/* The shares of a cell, eight and four at a time: those at even places and those at odd ones, each
 * with room for a byte more. What a byte stands for is the same going in and coming out, whatever
 * the order of bytes. */
struct spread {
    uint64_t even, odd, last;
};
#define BYTES 0x00ff00ff00ff00ffull

static void add_cell(struct spread *sum, const struct cell *cell, uint64_t weight)
{
    uint64_t head;
    uint32_t tail;
    memcpy(&head, cell->share, sizeof head);
    memcpy(&tail, cell->share + sizeof head, sizeof tail);
    uint64_t last = (tail & (uint32_t)BYTES) | (uint64_t)(tail >> 8 & (uint32_t)BYTES) << 32;
    sum->even += (head & BYTES) * weight;
    sum->odd += (head >> 8 & BYTES) * weight;
    sum->last += last * weight;
}

/* Divided by 256, to the nearest. */
static void to_column(const struct spread *sum, struct reel_lane_column *column)
{
    const uint64_t half = 0x0080008000800080ull;
    uint64_t even = (sum->even + half) >> 8 & BYTES, odd = (sum->odd + half) >> 8 & BYTES;
    uint64_t last = (sum->last + half) >> 8 & BYTES;
    uint64_t head = even | odd << 8;
    uint32_t tail = (uint32_t)last | (uint32_t)(last >> 32) << 8;
    uint8_t share[ROLES_PADDED];
    memcpy(share, &head, sizeof head);
    memcpy(share + sizeof head, &tail, sizeof tail);
    memcpy(column->share, share, sizeof column->share);
}

/* From cells: a column's edge within a cell takes the cell's mixture for that part. A column weighs
 * 256; where in it an edge lies is rounded, never what lies between two edges, so that the weights
 * of a column never add up to more. */
static void columns_from_level(const struct reel_lane_data *lane,
                               const struct reel_lane_level *level, uint64_t from_ns,
                               uint64_t to_ns, struct reel_lane_column *columns, size_t count)
{
    const double width = (double)(to_ns - from_ns) / (double)count;
    const double cell_width = (double)lane->span / (double)level->count;
    const double step = width / cell_width, weight = 256 / step;
    const double first = ((double)from_ns - (double)lane->origin) / cell_width;
    const double last = (double)level->count;
    for (size_t i = 0; i < count; i++) {
        struct reel_lane_column *column = &columns[i];
        struct spread sum = {0};
        uint8_t flags = 0;
        const double begin = first + step * (double)i;
        double at = begin > 0 ? begin : 0, end = begin + step < last ? begin + step : last;
        if (at >= end) {
            memset(column, 0, sizeof *column);
            continue;
        }
        int weighed = (int)((at - begin) * weight + 0.5);
        for (size_t k = (size_t)at; at < end && k < level->count; k++) {
            double next = (double)(k + 1) < end ? (double)(k + 1) : end;
            int reached = (int)((next - begin) * weight + 0.5);
            add_cell(&sum, &level->cell[k], (uint64_t)(reached - weighed));
            flags |= level->cell[k].flags;
            weighed = reached;
            at = next;
        }
        to_column(&sum, column);
        set_flags(column, flags);
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
