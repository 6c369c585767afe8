/* The filter grammar, the same in `--filter`, in the viewer's search box and its chips:
 *
 *   filter  = { [ "-" ] term }                 all terms must hold; "-" turns one round
 *   term    = key ":" value | "dur" ( ">" | "<" ) time | "at:" time ".." time | word
 *   key     = thread process object lock queue state op class func file call
 *
 * Values are shell patterns (`worker*`), a comma separates alternatives, quotes keep spaces. A bare
 * word matches names, functions and files that contain it. Upper and lower case are the same.
 *
 *   thread:worker* state:lock-wait dur>1ms lock:queue.lock at:2.0s..2.1s -state:idle */
#ifndef REEL_MODEL_FILTER_H
#define REEL_MODEL_FILTER_H

#include <glib.h>
#include <sqlite3.h>
#include <stdint.h>

#include "tracer/error.h"

/* Events with everything that has a name, for who shows them: t thread, p process, op operation, c
 * class, o object, s stack, f frame. */
#define REEL_FILTER_EVENTS_FROM                                                                    \
    "event e JOIN thread t ON t.id = e.thread JOIN process p ON p.id = t.process "                 \
    "JOIN operation op ON op.id = e.operation JOIN class c ON c.id = e.class "                     \
    "LEFT JOIN object o ON o.id = e.object LEFT JOIN stack s ON s.id = e.stack "                   \
    "LEFT JOIN frame f ON f.id = coalesce(s.site, s.frame)"

struct reel_filter;

/* `end_ns`: what percentages are of. NULL and an error for what is not a filter. */
struct reel_filter *reel_filter_parse(const char *text, uint64_t end_ns, struct reel_error *error);
void reel_filter_free(struct reel_filter *filter);

enum reel_filter_target {
    REEL_FILTER_EVENTS,    /* alias: e event */
    REEL_FILTER_INTERVALS, /* aliases: i interval, t, p, o, f */
};

/* Appends a condition ("1" for an empty filter) with parameters numbered from ?1. False and an
 * error where a term means nothing for the target (state: of events). */
bool reel_filter_sql(const struct reel_filter *filter, enum reel_filter_target target, GString *sql,
                     struct reel_error *error);
/* Binds the parameters of the last reel_filter_sql. */
void reel_filter_bind(const struct reel_filter *filter, sqlite3_stmt *statement);

#endif
