/* The wait-for graph at an instant in the DOT language (graphviz): threads are circles, what they
 * wait for is a box between them and its holder; a cycle is red. */
#ifndef REEL_EXPORT_WAIT_FOR_DOT_H
#define REEL_EXPORT_WAIT_FOR_DOT_H

#include "tracer/export/finding_report.h"
#include "tracer/model/instant.h"

/* Appends a digraph to `text`. */
void reel_wait_for_dot(const struct reel_instant *instant, const struct reel_export_names *names,
                       GString *text);

#endif
