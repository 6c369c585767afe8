/* Times as people write and read them. */
#ifndef REEL_MODEL_TIME_TEXT_H
#define REEL_MODEL_TIME_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "tracer/error.h"

#define REEL_TIME_TEXT 32

/* "850 ns", "12.4 µs", "3.10 ms", "2.031 s", "4 min 5 s". `ascii`: "us" for "µs". Returns `text`
 * (REEL_TIME_TEXT bytes). */
const char *reel_duration_text(uint64_t ns, bool ascii, char *text);
/* A moment, in seconds with the digits that `resolution_ns` asks for: "2.031600 s". */
const char *reel_moment_text(uint64_t ns, uint64_t resolution_ns, char *text);

/* "2.03s", "150ms", "12us", "800ns", "2030000" (ns), "41%" (of `end_ns`), "+5ms" and "-5ms" (from
 * `now_ns`). */
bool reel_moment_parse(const char *text, uint64_t now_ns, uint64_t end_ns, uint64_t *ns,
                       struct reel_error *error);

#endif
