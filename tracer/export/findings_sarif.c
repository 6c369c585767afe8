/* Findings as SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format): a rule a kind, a
 * result a finding, its evidence as a code flow with one thread flow a thread, stable fingerprints,
 * suppressions and baseline state. */
#include <json-glib/json-glib.h>
#include <string.h>

#include "tracer/export/finding_report.h"
#include "tracer/export/kind_help.h"

static void put_text(JsonBuilder *builder, const char *key, const char *value)
{
    g_autofree char *valid = g_utf8_make_valid(value ? value : "", -1);
    json_builder_set_member_name(builder, key);
    json_builder_add_string_value(builder, valid);
}

static void begin(JsonBuilder *builder, const char *key)
{
    if (key)
        json_builder_set_member_name(builder, key);
    json_builder_begin_object(builder);
}

static void begin_array(JsonBuilder *builder, const char *key)
{
    json_builder_set_member_name(builder, key);
    json_builder_begin_array(builder);
}

static void put_message(JsonBuilder *builder, const char *key, const char *text)
{
    begin(builder, key);
    put_text(builder, "text", text);
    json_builder_end_object(builder);
}

static const char *level_of(enum reel_severity severity)
{
    return severity == REEL_SEVERITY_ERROR     ? "error"
           : severity == REEL_SEVERITY_WARNING ? "warning"
                                               : "note";
}

/* The inside of a location object. */
static void put_location(JsonBuilder *builder, const struct reel_finding_report *report,
                         const struct reel_export_frame *frame, const char *message)
{
    if (frame->file) {
        const char *file = reel_export_file(report, frame->file);
        begin(builder, "physicalLocation");
        begin(builder, "artifactLocation");
        if (file[0] == '/') {
            g_autofree char *uri = g_filename_to_uri(file, NULL, NULL);
            put_text(builder, "uri", uri ? uri : file);
        } else {
            g_autofree char *uri = g_uri_escape_string(file, "/", FALSE);
            put_text(builder, "uri", uri);
            put_text(builder, "uriBaseId", "%SRCROOT%");
        }
        json_builder_end_object(builder);
        if (frame->line > 0) {
            begin(builder, "region");
            json_builder_set_member_name(builder, "startLine");
            json_builder_add_int_value(builder, frame->line);
            json_builder_end_object(builder);
        }
        json_builder_end_object(builder);
    }
    if (frame->function) {
        begin_array(builder, "logicalLocations");
        begin(builder, NULL);
        put_text(builder, "name", frame->function);
        put_text(builder, "kind", "function");
        json_builder_end_object(builder);
        json_builder_end_array(builder);
    }
    if (message)
        put_message(builder, "message", message);
}

static void put_stack(JsonBuilder *builder, const struct reel_finding_report *report,
                      uint32_t stack)
{
    struct reel_export_frame frames[REEL_EXPORT_FRAMES];
    unsigned count = report->names->stack(report->names->data, stack, frames, REEL_EXPORT_FRAMES);
    begin_array(builder, "frames");
    for (unsigned i = 0; i < count; i++) {
        begin(builder, NULL);
        begin(builder, "location");
        put_location(builder, report, &frames[i], frames[i].function);
        json_builder_end_object(builder);
        if (frames[i].module)
            put_text(builder, "module", frames[i].module);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

/* One step of a thread flow: an event of that thread that bears the finding out. */
static void put_step(JsonBuilder *builder, const struct reel_finding_report *report,
                     const struct reel_evidence *evidence, size_t order)
{
    struct reel_export_frame place = {0};
    reel_export_place(report->names, evidence->stack, &place);
    begin(builder, NULL);
    begin(builder, "location");
    put_location(builder, report, &place, evidence->role ? evidence->role : "");
    json_builder_end_object(builder);
    if (evidence->stack) {
        begin(builder, "stack");
        put_stack(builder, report, evidence->stack);
        json_builder_end_object(builder);
    }
    json_builder_set_member_name(builder, "executionOrder");
    json_builder_add_int_value(builder, (gint64)order);
    json_builder_end_object(builder);
}

/* Steps of all threads are numbered by time, as executionOrder wants. */
static size_t order_of(const struct reel_finding *finding, size_t index)
{
    size_t order = 1;
    for (size_t i = 0; i < finding->evidence_count; i++)
        if (finding->evidence[i].time_ns < finding->evidence[index].time_ns ||
            (finding->evidence[i].time_ns == finding->evidence[index].time_ns && i < index))
            order++;
    return order;
}

static void put_flows(JsonBuilder *builder, const struct reel_finding_report *report,
                      const struct reel_finding *finding)
{
    if (!finding->evidence_count)
        return;
    begin_array(builder, "codeFlows");
    begin(builder, NULL);
    begin_array(builder, "threadFlows");
    for (size_t i = 0; i < finding->evidence_count; i++) {
        uint32_t thread = finding->evidence[i].thread;
        bool done = false;
        for (size_t k = 0; k < i && !done; k++)
            done = finding->evidence[k].thread == thread;
        if (done)
            continue;
        const char *name = thread ? report->names->thread(report->names->data, thread) : NULL;
        begin(builder, NULL);
        put_text(builder, "id", name ? name : "?");
        begin_array(builder, "locations");
        for (size_t k = i; k < finding->evidence_count; k++)
            if (finding->evidence[k].thread == thread)
                put_step(builder, report, &finding->evidence[k], order_of(finding, k));
        json_builder_end_array(builder);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    json_builder_end_array(builder);
}

static void put_result(JsonBuilder *builder, const struct reel_finding_report *report,
                       const struct reel_report_item *item)
{
    const struct reel_finding *finding = item->finding;
    struct reel_export_frame place = {0};
    begin(builder, NULL);
    put_text(builder, "ruleId", reel_finding_kind_name(finding->kind));
    json_builder_set_member_name(builder, "ruleIndex");
    json_builder_add_int_value(builder, finding->kind);
    put_text(builder, "level", level_of(finding->severity));
    g_autofree char *message = g_strdup_printf(
        "%s%s%s%s%s", finding->title ? finding->title : "",
        finding->explanation && *finding->explanation ? "\n\n" : "",
        finding->explanation ? finding->explanation : "",
        finding->fix && *finding->fix ? "\n\nFix: " : "", finding->fix ? finding->fix : "");
    put_message(builder, "message", message);
    begin_array(builder, "locations");
    if (reel_export_finding_place(report->names, finding, &place)) {
        begin(builder, NULL);
        put_location(builder, report, &place, NULL);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    put_flows(builder, report, finding);
    begin(builder, "partialFingerprints");
    put_text(builder, "reelFindingId/v1", finding->id);
    json_builder_end_object(builder);
    if (item->suppressed) {
        begin_array(builder, "suppressions");
        begin(builder, NULL);
        put_text(builder, "kind", "external");
        put_text(builder, "justification", item->reason);
        json_builder_end_object(builder);
        json_builder_end_array(builder);
    }
    if (report->has_baseline)
        put_text(builder, "baselineState", item->known ? "unchanged" : "new");
    json_builder_set_member_name(builder, "occurrenceCount");
    json_builder_add_int_value(builder, (gint64)MAX(finding->occurrences, 1));
    begin(builder, "properties");
    put_text(builder, "confidence", reel_confidence_name(finding->confidence));
    json_builder_end_object(builder);
    json_builder_end_object(builder);
}

static void put_rules(JsonBuilder *builder)
{
    begin_array(builder, "rules");
    for (unsigned kind = 0; kind < REEL_FINDING_KIND_COUNT; kind++) {
        const struct reel_kind_help *help = reel_kind_help((enum reel_finding_kind)kind);
        begin(builder, NULL);
        put_text(builder, "id", reel_finding_kind_name((enum reel_finding_kind)kind));
        put_text(builder, "name", help->name);
        put_message(builder, "shortDescription", reel_kind_summary((enum reel_finding_kind)kind));
        put_message(builder, "fullDescription", help->meaning);
        g_autofree char *plain = g_strdup_printf("%s\n\nHow to fix it: %s\n\nExample:\n%s",
                                                 help->meaning, help->fix, help->example);
        g_autofree char *markdown = g_strdup_printf("%s\n\n**How to fix it:** %s\n\n```c\n%s```\n",
                                                    help->meaning, help->fix, help->example);
        begin(builder, "help");
        put_text(builder, "text", plain);
        put_text(builder, "markdown", markdown);
        json_builder_end_object(builder);
        begin(builder, "defaultConfiguration");
        put_text(builder, "level", level_of(help->severity));
        json_builder_end_object(builder);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

void reel_findings_sarif(GString *out, const struct reel_finding_report *report)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    begin(builder, NULL);
    put_text(builder, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    put_text(builder, "version", "2.1.0");
    begin_array(builder, "runs");
    begin(builder, NULL);
    begin(builder, "tool");
    begin(builder, "driver");
    put_text(builder, "name", "Reel");
    put_text(builder, "semanticVersion", report->version);
    put_rules(builder);
    json_builder_end_object(builder);
    json_builder_end_object(builder);
    if (report->folder) {
        g_autofree char *folder = g_strconcat(report->folder, "/", NULL);
        g_autofree char *uri = g_filename_to_uri(folder, NULL, NULL);
        begin(builder, "originalUriBaseIds");
        begin(builder, "%SRCROOT%");
        put_text(builder, "uri", uri);
        json_builder_end_object(builder);
        json_builder_end_object(builder);
    }
    begin_array(builder, "invocations");
    begin(builder, NULL);
    if (report->command)
        put_text(builder, "commandLine", report->command);
    json_builder_set_member_name(builder, "executionSuccessful");
    json_builder_add_boolean_value(builder, TRUE);
    json_builder_end_object(builder);
    json_builder_end_array(builder);
    begin_array(builder, "results");
    for (size_t i = 0; i < report->count; i++)
        put_result(builder, report, &report->item[i]);
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autoptr(JsonGenerator) generator = json_generator_new();
    json_generator_set_root(generator, root);
    json_generator_set_pretty(generator, TRUE);
    g_autofree char *text = json_generator_to_data(generator, NULL);
    g_string_append(out, text);
    g_string_append_c(out, '\n');
}
