/* Advice: what a program's time went into, phase by phase, and what follows from it: threads,
 * processes or an event loop, and why. From the totals and intervals of a sealed trace. */
#ifndef REEL_DETECT_ADVICE_H
#define REEL_DETECT_ADVICE_H

#include "tracer/error.h"
#include "tracer/store/trace.h"

/* A few sentences, paragraphs separated by line ends. NULL and an error when the trace cannot be
 * read. Free with reel_advice_free. */
char *reel_advice(struct reel_trace *trace, struct reel_error *error);
void reel_advice_free(char *advice);

#endif
