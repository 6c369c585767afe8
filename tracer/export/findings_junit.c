/* Findings as JUnit XML: one test case a finding that counts, failed when it is an error or a
 * warning; one passed case when there is none. */
#include <string.h>

#include "tracer/export/finding_report.h"

/* XML 1.0 has no place for most control characters, not even escaped: those become '?'. */
static char *escape(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text ? text : "", -1);
    for (char *at = valid; *at; at++)
        if ((unsigned char)*at < 32 && *at != '\n' && *at != '\t')
            *at = '?';
    return g_markup_escape_text(valid, -1);
}

static void put_attribute(GString *out, const char *name, const char *value)
{
    g_autofree char *escaped = escape(value);
    g_string_append_printf(out, " %s=\"%s\"", name, escaped);
}

static void put_case(GString *out, const struct reel_finding_report *report,
                     const struct reel_report_item *item)
{
    const struct reel_finding *finding = item->finding;
    struct reel_export_frame place = {0};
    reel_export_finding_place(report->names, finding, &place);
    g_autofree char *class_name = g_strconcat("reel.", reel_finding_kind_name(finding->kind), NULL);
    g_autofree char *name =
        g_strdup_printf("%s [%s]", finding->title ? finding->title : "", finding->id);
    g_string_append(out, "    <testcase");
    put_attribute(out, "classname", class_name);
    put_attribute(out, "name", name);
    if (place.file) {
        g_autofree char *line = g_strdup_printf("%d", place.line);
        put_attribute(out, "file", reel_export_file(report, place.file));
        put_attribute(out, "line", line);
    }
    g_string_append(out, " time=\"0\">\n");
    if (!reel_report_counts(item)) {
        g_string_append(out, "      <skipped");
        put_attribute(out, "message", item->suppressed ? item->reason : "in the baseline");
        g_string_append(out, "/>\n");
    } else if (finding->severity != REEL_SEVERITY_INFO) {
        struct reel_finding_report one = *report;
        struct reel_report_item copy = *item;
        one.item = &copy;
        one.count = 1;
        g_autoptr(GString) details = g_string_new(NULL);
        reel_findings_text(details, &one,
                           &(struct reel_text_look){.utf8 = true, .without_sum = true});
        g_autofree char *headline = reel_export_headline(finding);
        g_autofree char *text = escape(details->str);
        g_string_append(out, "      <failure");
        put_attribute(out, "type", headline);
        put_attribute(out, "message", finding->title);
        g_string_append_printf(out, ">%s</failure>\n", text);
    } else {
        g_autofree char *text = escape(finding->explanation);
        g_string_append_printf(out, "      <system-out>%s</system-out>\n", text);
    }
    g_string_append(out, "    </testcase>\n");
}

void reel_findings_junit(GString *out, const struct reel_finding_report *report)
{
    unsigned failures = 0, skipped = 0;
    for (size_t i = 0; i < report->count; i++)
        if (!reel_report_counts(&report->item[i]))
            skipped++;
        else if (report->item[i].finding->severity != REEL_SEVERITY_INFO)
            failures++;
    unsigned tests = report->count ? (unsigned)report->count : 1;
    g_string_append(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    g_string_append_printf(
        out, "<testsuites name=\"reel check\" tests=\"%u\" failures=\"%u\" errors=\"0\">\n", tests,
        failures);
    g_string_append(out, "  <testsuite");
    put_attribute(out, "name", report->command ? report->command : "reel check");
    g_string_append_printf(
        out, " tests=\"%u\" failures=\"%u\" errors=\"0\" skipped=\"%u\" time=\"0\">\n", tests,
        failures, skipped);
    for (size_t i = 0; i < report->count; i++)
        put_case(out, report, &report->item[i]);
    if (!report->count)
        g_string_append(out,
                        "    <testcase classname=\"reel\" name=\"no findings\" time=\"0\"/>\n");
    g_string_append(out, "  </testsuite>\n</testsuites>\n");
}
