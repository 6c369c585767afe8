/* From findings to a verdict: suppressions, baseline, severity limit, reports. */
#ifndef REEL_COMMANDS_CHECK_FINDINGS_H
#define REEL_COMMANDS_CHECK_FINDINGS_H

#include <glib.h>

#include "tracer/commands/check_output.h"
#include "tracer/detect/detector.h"
#include "tracer/export/baseline.h"
#include "tracer/export/suppression.h"

/* What the user said. */
struct reel_check_words {
    char **formats, **outputs, **suppressions;
    char *write_suppressions, *baseline, *fail_on;
    gboolean no_default_suppressions;
    int error_exitcode;
};

#define REEL_CHECK_ENTRIES 8u

/* Sets the defaults and writes the options; returns how many. */
unsigned reel_check_entries(struct reel_check_words *words, GOptionEntry *entries);
void reel_check_words_clear(struct reel_check_words *words);

struct reel_check_rules {
    struct reel_suppressions *suppressions;
    struct reel_baseline *baseline; /* NULL: none */
    struct reel_check_outputs *outputs;
    GString *written; /* suppressions to write; NULL: not asked for */
    const char *write_path;
    int fail_severity; /* enum reel_severity; above ERROR: never */
    int error_status;
    bool quiet;
    bool kept;    /* the trace stays also when nothing was found */
    bool offline; /* reports go to standard output; else that is the program's */
};

/* `program`: what is checked, for names of files. False: a word or a file is off. `words` must
 * outlive the rules. */
bool reel_check_rules_make(struct reel_check_rules *rules, const struct reel_check_words *words,
                           const char *program, struct reel_error *error);
/* After the last report: writes the suppressions asked for, names those that matched nothing. */
bool reel_check_rules_finish(struct reel_check_rules *rules, struct reel_error *error);
void reel_check_rules_clear(struct reel_check_rules *rules);

struct reel_check_result {
    unsigned shown;   /* neither suppressed nor known */
    unsigned failing; /* of them, at or above the limit */
};

/* Reports the findings of a trace and adds to the result. `path`: of the trace.
 */
bool reel_check_report(struct reel_check_rules *rules, struct reel_trace *trace,
                       struct reel_finding_set *findings, const char *path,
                       struct reel_check_result *result, struct reel_error *error);

#endif
