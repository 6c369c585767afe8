/* A baseline: the findings of an earlier run, by their ids. What is in it is known and does not
 * count. */
#ifndef REEL_EXPORT_BASELINE_H
#define REEL_EXPORT_BASELINE_H

#include <stdbool.h>

#include "tracer/error.h"

struct reel_baseline;

/* From a report in JSON (schema reel.findings/1). NULL and an error when it is none. */
struct reel_baseline *reel_baseline_read(const char *path, struct reel_error *error);
void reel_baseline_free(struct reel_baseline *baseline);
bool reel_baseline_knows(const struct reel_baseline *baseline, const char *id);

#endif
