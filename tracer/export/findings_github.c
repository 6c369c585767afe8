/* Findings as workflow commands of GitHub Actions: annotations at the lines of a change. */
#include "tracer/export/finding_report.h"

/* A command is one line; properties end at commas and colons. */
static void put_escaped(GString *out, const char *text, bool property)
{
    for (const char *at = text ? text : ""; *at; at++) {
        if (*at == '%' || *at == '\r' || *at == '\n' || (property && (*at == ':' || *at == ',')))
            g_string_append_printf(out, "%%%02X", (unsigned char)*at);
        else
            g_string_append_c(out, *at);
    }
}

void reel_findings_github(GString *out, const struct reel_finding_report *report)
{
    static const char *const levels[] = {"notice", "warning", "error"};
    for (size_t i = 0; i < report->count; i++) {
        if (!reel_report_counts(&report->item[i]))
            continue;
        const struct reel_finding *finding = report->item[i].finding;
        struct reel_export_frame place = {0};
        reel_export_finding_place(report->names, finding, &place);
        g_string_append_printf(out, "::%s ", levels[finding->severity]);
        if (place.file) {
            g_string_append(out, "file=");
            put_escaped(out, reel_export_file(report, place.file), true);
            g_string_append_printf(out, ",line=%d,", MAX(place.line, 1));
        }
        g_autofree char *headline = reel_export_headline(finding);
        g_string_append(out, "title=");
        put_escaped(out, headline, true);
        g_string_append(out, "::");
        put_escaped(out, finding->title, false);
        if (finding->explanation && *finding->explanation) {
            g_string_append(out, "%0A");
            put_escaped(out, finding->explanation, false);
        }
        if (finding->fix && *finding->fix) {
            g_string_append(out, "%0AFix: ");
            put_escaped(out, finding->fix, false);
        }
        g_string_append_printf(out, " [%s]\n", finding->id);
    }
}
