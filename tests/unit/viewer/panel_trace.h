/* A sealed trace from the text form, and questions to it through a query service, answered while
 * the main loop turns. */
#ifndef REEL_TESTS_VIEWER_PANEL_TRACE_H
#define REEL_TESTS_VIEWER_PANEL_TRACE_H

#include "viewer/query_service.h"

/* Its path; valid until the test ends. */
const char *panel_trace(const char *directory, const char *text);
/* The answer to one question, to be freed by the caller; the test fails if there is none. */
gpointer panel_ask(const char *path, gpointer (*run)(struct reel_query *, gpointer),
                   gpointer request);
/* The same, or NULL where there is an error with a message. */
gpointer panel_ask_either(const char *path, gpointer (*run)(struct reel_query *, gpointer),
                          gpointer request);
/* The error of a question that has no answer; the test fails if there is one. */
struct reel_error panel_ask_in_vain(const char *path,
                                    gpointer (*run)(struct reel_query *, gpointer),
                                    gpointer request);
/* Turns the main loop until `*done` is not zero; the test fails after 20 s. */
void panel_wait(const gboolean *done);

#endif
