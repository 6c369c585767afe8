/* One value of a row on its way into a table. */
#ifndef REEL_STORE_CELL_H
#define REEL_STORE_CELL_H

#include <stdint.h>

#include "tracer/store/text_pool.h"

enum reel_cell_type { REEL_CELL_NULL, REEL_CELL_INTEGER, REEL_CELL_TEXT };

struct reel_cell {
    enum reel_cell_type type;
    union {
        int64_t integer;
        const struct reel_text *text; /* pooled: outlives the row */
    };
};

static inline struct reel_cell reel_cell_integer(int64_t value)
{
    return (struct reel_cell){REEL_CELL_INTEGER, {value}};
}

/* NULL when the value is `null`. */
static inline struct reel_cell reel_cell_or_null(int64_t value, int64_t null)
{
    return (struct reel_cell){value == null ? REEL_CELL_NULL : REEL_CELL_INTEGER, {value}};
}

static inline struct reel_cell reel_cell_text(const struct reel_text *text)
{
    struct reel_cell cell = {.type = text ? REEL_CELL_TEXT : REEL_CELL_NULL};
    cell.text = text;
    return cell;
}

#endif
