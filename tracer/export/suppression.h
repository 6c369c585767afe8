/* Suppressions: findings the user has looked at and does not want to hear of, each with a reason.
 *
 * A file has one suppression a line; blank lines and lines that begin with # are skipped:
 *
 *     KIND [CONDITION…] -- REASON
 *
 * KIND is a kind of finding, or * for any. Conditions are key=pattern, where a pattern may have *
 * and ?, and is quoted as in a shell if it has blanks. All must hold:
 *
 *     id=F-…         the finding's id
 *     title=…        its title
 *     object=…       the name of one of its objects (a lock, a queue …)
 *     thread=…       the name of one of its threads
 *     function=…     a function in one of its stacks
 *     file=…         a source file in one of its stacks; matches the end of the path too
 *     module=…       a program or library in one of its stacks; matches its base name too
 *
 * The reason is not optional. */
#ifndef REEL_EXPORT_SUPPRESSION_H
#define REEL_EXPORT_SUPPRESSION_H

#include "tracer/error.h"
#include "tracer/export/finding_report.h"

struct reel_suppressions;

struct reel_suppressions *reel_suppressions_new(void);
void reel_suppressions_free(struct reel_suppressions *suppressions);

/* Adds those of a file. False: it cannot be read, or a line is no suppression (the error says which
 * and why). */
bool reel_suppressions_read(struct reel_suppressions *suppressions, const char *path,
                            struct reel_error *error);
/* The same from text; `name` is for messages. `standard`: come with Reel, and are not missed when
 * they match nothing. */
bool reel_suppressions_parse(struct reel_suppressions *suppressions, const char *text,
                             const char *name, bool standard, struct reel_error *error);

/* Adds those that come with Reel: what well-known libraries do by design. */
bool reel_suppressions_add_default(struct reel_suppressions *suppressions,
                                   struct reel_error *error);

/* The reason why this finding is suppressed; NULL: it is not. Counts the use. */
const char *reel_suppressions_match(struct reel_suppressions *suppressions,
                                    const struct reel_finding *finding,
                                    const struct reel_export_names *names);

/* Takes what is suppressed out of the set. */
void reel_suppressions_apply(struct reel_suppressions *suppressions,
                             struct reel_finding_set *findings,
                             const struct reel_export_names *names);

/* Calls `each` for every suppression that matched nothing and does not come with Reel. */
void reel_suppressions_unused(const struct reel_suppressions *suppressions,
                              void (*each)(void *data, const char *file, unsigned line,
                                           const char *text),
                              void *data);

/* Appends a suppression of exactly this finding, to be given a better reason by hand. */
void reel_suppression_write(GString *out, const struct reel_finding *finding);

#endif
