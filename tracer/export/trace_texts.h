/* Names for findings, from a sealed trace: its threads, its objects, the frames of its stacks. */
#ifndef REEL_EXPORT_TRACE_TEXTS_H
#define REEL_EXPORT_TRACE_TEXTS_H

#include "tracer/export/finding_report.h"
#include "tracer/store/trace.h"

struct reel_trace_texts;

/* NULL and an error when the tables cannot be read. The trace must outlive it. */
struct reel_trace_texts *reel_trace_texts_new(struct reel_trace *trace, struct reel_error *error);
void reel_trace_texts_free(struct reel_trace_texts *texts);
const struct reel_export_names *reel_trace_texts_names(const struct reel_trace_texts *texts);

#endif
