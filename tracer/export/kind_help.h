/* What each kind of finding means, the smallest program that has it, and how it is fixed: printed
 * by `reel explain`, shipped as the help of SARIF rules. */
#ifndef REEL_EXPORT_KIND_HELP_H
#define REEL_EXPORT_KIND_HELP_H

#include "tracer/detect/finding.h"

struct reel_kind_help {
    const char *name;            /* an identifier in the form of SARIF: LockOrderDeadlock */
    const char *meaning;         /* a paragraph */
    const char *example;         /* C, lines */
    const char *fix;             /* a paragraph */
    enum reel_severity severity; /* the usual one */
};

/* One line, from the table of kinds. */
const char *reel_kind_summary(enum reel_finding_kind kind);
const struct reel_kind_help *reel_kind_help(enum reel_finding_kind kind);

#endif
