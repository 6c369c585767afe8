/* What the renderers of findings get: the findings, what became of each (suppressed, known), and
 * who can name their threads, objects and stacks. */
#ifndef REEL_EXPORT_FINDING_REPORT_H
#define REEL_EXPORT_FINDING_REPORT_H

#include <glib.h>

#include "tracer/detect/finding.h"

#define REEL_EXPORT_FRAMES 64u /* of a stack, at most */

struct reel_export_frame {
    const char *function, *file, *module; /* NULL: not known */
    int line;                             /* 0: not known */
};

/* Texts live as long as the names. */
struct reel_export_names {
    const char *(*thread)(void *data, uint32_t thread);
    const char *(*object)(void *data, uint32_t object);
    const char *(*object_class)(void *data, uint32_t object);
    int (*tid)(void *data, uint32_t thread); /* the kernel's; 0: not known */
    int (*pid)(void *data, uint32_t thread);
    /* Innermost first; returns how many. */
    unsigned (*stack)(void *data, uint32_t stack, struct reel_export_frame *frames, unsigned limit);
    void *data;
};

struct reel_report_item {
    const struct reel_finding *finding;
    bool suppressed;    /* the user said so */
    const char *reason; /* why; NULL when not suppressed */
    bool known;         /* it is in the baseline */
};

struct reel_finding_report {
    const char *version; /* of Reel */
    const char *trace;   /* path; NULL: not kept */
    const char *command; /* that was run; NULL: not known */
    const char *folder;  /* files under it are named relative to it; NULL: none */
    bool has_baseline;
    const struct reel_export_names *names;
    struct reel_report_item *item; /* in the order of the set */
    size_t count;
};

/* Does the finding count: neither suppressed nor known? */
static inline bool reel_report_counts(const struct reel_report_item *item)
{
    return !item->suppressed && !item->known;
}

/* Where a stack is in the program's own code: its first frame past the C library, threads' and C++
 * runtimes and the recorder, that has a source file if there is one. False: the stack is unknown.
 */
bool reel_export_place(const struct reel_export_names *names, uint32_t stack,
                       struct reel_export_frame *frame);
/* The place to show a finding at: where the first party waits, or breaks the rule. */
bool reel_export_finding_place(const struct reel_export_names *names,
                               const struct reel_finding *finding, struct reel_export_frame *frame);
/* How many of the frames people want to see: those beneath main or a thread's function, of the
 * runtime that called it, say nothing. All, if none is the program's own. */
unsigned reel_export_telling(const struct reel_export_frame *frames, unsigned count);
/* The file's name as the report shows it. Lives as long as `file`. */
const char *reel_export_file(const struct reel_finding_report *report, const char *file);
/* "deadlock (observed)" */
char *reel_export_headline(const struct reel_finding *finding);
/* Is the frame the program's own, not of a runtime library? */
bool reel_export_is_own(const struct reel_export_frame *frame);

/* A renderer appends its whole document. */
typedef void reel_finding_renderer(GString *out, const struct reel_finding_report *report);

reel_finding_renderer reel_findings_json, reel_findings_sarif, reel_findings_junit,
    reel_findings_github, reel_findings_markdown;

struct reel_text_look {
    bool color, utf8;
    bool brief;       /* one line a finding */
    bool without_sum; /* how many there are of each severity */
};
/* Like a compiler's: place, severity, headline; the source line; stacks; explanation; fix. */
void reel_findings_text(GString *out, const struct reel_finding_report *report,
                        const struct reel_text_look *look);

#endif
