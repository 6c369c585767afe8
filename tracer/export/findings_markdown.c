/* Findings as Markdown for a pull-request comment: a table that is seen, details that fold. */
#include <string.h>

#include "tracer/export/finding_report.h"

/* Text of the program's own: nothing in it is markup. */
static void put(GString *out, const char *text)
{
    for (const char *at = text ? text : ""; *at; at++) {
        if (strchr("\\`*_[]<>#+|~", *at))
            g_string_append_c(out, '\\');
        g_string_append_c(out, *at == '\n' || *at == '\r' ? ' ' : *at);
    }
}

static void put_code(GString *out, const char *text)
{
    g_string_append_c(out, '`');
    for (const char *at = text ? text : ""; *at; at++)
        g_string_append_c(out, *at == '`' || *at == '\n' || *at == '|' ? '\'' : *at);
    g_string_append_c(out, '`');
}

static void put_details(GString *out, const struct reel_finding_report *report,
                        const struct reel_report_item *item)
{
    const struct reel_finding *finding = item->finding;
    g_autofree char *headline = reel_export_headline(finding);
    g_string_append_printf(out, "<details><summary><b>%s</b> ", headline);
    g_autofree char *title = g_markup_escape_text(finding->title ? finding->title : "", -1);
    g_string_append_printf(out, "%s</summary>\n\n", title);
    put(out, finding->explanation);
    g_string_append(out, "\n\n");
    for (size_t i = 0; i < finding->evidence_count; i++) {
        const struct reel_evidence *evidence = &finding->evidence[i];
        struct reel_export_frame frames[REEL_EXPORT_FRAMES];
        const char *thread =
            evidence->thread ? report->names->thread(report->names->data, evidence->thread) : NULL;
        g_string_append(out, "- ");
        if (thread) {
            g_string_append(out, "**");
            put(out, thread);
            g_string_append(out, "** ");
        }
        put(out, evidence->role);
        g_string_append(out, "\n");
        unsigned count = evidence->stack
                             ? report->names->stack(report->names->data, evidence->stack, frames,
                                                    REEL_EXPORT_FRAMES)
                             : 0;
        count = reel_export_telling(frames, count);
        for (unsigned k = 0; k < count; k++) {
            g_autofree char *at =
                frames[k].file
                    ? g_strdup_printf("%s (%s:%d)", frames[k].function ? frames[k].function : "??",
                                      reel_export_file(report, frames[k].file), frames[k].line)
                    : g_strdup(frames[k].function ? frames[k].function : "??");
            g_string_append(out, "    - ");
            put_code(out, at);
            g_string_append_c(out, '\n');
        }
    }
    if (finding->fix && *finding->fix) {
        g_string_append(out, "\n**Fix:** ");
        put(out, finding->fix);
        g_string_append_c(out, '\n');
    }
    if (finding->occurrences > 1)
        g_string_append_printf(out, "\nSeen %" G_GUINT64_FORMAT " times in this run.\n",
                               (guint64)finding->occurrences);
    g_string_append(out, "\n</details>\n\n");
}

void reel_findings_markdown(GString *out, const struct reel_finding_report *report)
{
    unsigned counted = 0, set_aside = 0;
    for (size_t i = 0; i < report->count; i++)
        if (reel_report_counts(&report->item[i]))
            counted++;
        else
            set_aside++;
    g_string_append(out, "### Reel: ");
    if (counted)
        g_string_append_printf(out, "%u finding%s\n\n", counted, counted == 1 ? "" : "s");
    else
        g_string_append(out, "no findings\n\n");
    if (report->command) {
        put_code(out, report->command);
        g_string_append(out, "\n\n");
    }
    if (counted)
        g_string_append(out, "| severity | kind | where | what | id |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < report->count; i++) {
        const struct reel_report_item *item = &report->item[i];
        if (!reel_report_counts(item))
            continue;
        struct reel_export_frame place = {0};
        g_autofree char *headline = reel_export_headline(item->finding);
        g_string_append_printf(out, "| %s | %s | ", reel_severity_name(item->finding->severity),
                               headline);
        if (reel_export_finding_place(report->names, item->finding, &place)) {
            g_autofree char *at =
                place.file
                    ? g_strdup_printf("%s:%d", reel_export_file(report, place.file), place.line)
                    : g_strdup(place.function ? place.function : "?");
            put_code(out, at);
        }
        g_string_append(out, " | ");
        put(out, item->finding->title);
        g_string_append_printf(out, " | `%s` |\n", item->finding->id);
    }
    g_string_append_c(out, '\n');
    for (size_t i = 0; i < report->count; i++)
        if (reel_report_counts(&report->item[i]))
            put_details(out, report, &report->item[i]);
    if (set_aside)
        g_string_append_printf(out, "%u more: suppressed or in the baseline.\n", set_aside);
}
