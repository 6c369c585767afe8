/* An event as a row of the plain table: what the columns and the extra values of each operation
 * are. Sealing writes them; the live table shows the same without sealing. */
#ifndef REEL_MODEL_EVENT_ROW_H
#define REEL_MODEL_EVENT_ROW_H

#include <stdbool.h>
#include <stddef.h>

#include "tracer/store/event.h"
#include "tracer/store/rows.h"

/* The row of `event` about `object`. Unknown operations and classes, which only a damaged or newer
 * file has, become 0. */
struct reel_event_row reel_event_row(const struct reel_event *event, uint32_t object);

/* END, WAKE and LEAVE hold a result that may be a negative errno; all else is unsigned. */
int64_t reel_event_argument(const struct reel_event *event);

/* Do the extra words hold a text? */
bool reel_event_has_text(const struct reel_event *event);
/* That text, as valid UTF-8 without control characters (others become '?'): what a traced program
 * calls things must not upset a terminal or a database. Empty when there is none. */
const char *reel_event_text(const struct reel_event *event, char *buffer, size_t size);

#define REEL_EVENT_TEXT_BYTES (REEL_EXTRA_WORDS * REEL_EXTRA_LIMIT * 8u + 1u)

#endif
