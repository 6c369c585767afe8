/* An event's argument and flags in the words of its operation: "lock (timed)", "fd 4", "nested". */
#ifndef REEL_MODEL_EVENT_TEXT_H
#define REEL_MODEL_EVENT_TEXT_H

#include <glib.h>
#include <stdint.h>

/* Appends; nothing for an argument that says nothing. Numbers from a file may be any. */
void reel_event_text_argument(GString *text, unsigned operation, int64_t argument);
/* Appends the flags that are set, with commas, after a comma if there is text already. */
void reel_event_text_flags(GString *text, unsigned flags);

#endif
