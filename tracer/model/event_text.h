/* An event's argument and flags in the words of its operation: "lock (timed)", "fd 4", "nested". */
#ifndef REEL_MODEL_EVENT_TEXT_H
#define REEL_MODEL_EVENT_TEXT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Appends; nothing for an argument that says nothing. Numbers from a file may be any. */
void reel_event_text_argument(GString *text, unsigned operation, int64_t argument);
/* The extra words of a READ or WRITE of memory, as "= 4" of what was read or "→ 5" of what was
 * written; false: they tell no such thing. `words`: numbers with spaces between them. */
bool reel_event_text_access(GString *text, const char *words);
/* Appends the flags that are set, with commas, after a comma if there is text already. */
void reel_event_text_flags(GString *text, unsigned flags);

#endif
