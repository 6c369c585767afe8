/* Findings as JSON, schema reel.findings/1: data/schemas/findings-1.schema.json says it formally,
 * reel-check(1) in words. */
#include <json-glib/json-glib.h>

#include "tracer/export/finding_report.h"

static void put_text(JsonBuilder *builder, const char *key, const char *value)
{
    json_builder_set_member_name(builder, key);
    if (!value) {
        json_builder_add_null_value(builder);
        return;
    }
    g_autofree char *valid = g_utf8_make_valid(value, -1);
    json_builder_add_string_value(builder, valid);
}

static void put_number(JsonBuilder *builder, const char *key, uint64_t value)
{
    json_builder_set_member_name(builder, key);
    json_builder_add_int_value(builder, (gint64)MIN(value, (uint64_t)G_MAXINT64));
}

/* 0 is "none". */
static void put_number_or_null(JsonBuilder *builder, const char *key, uint64_t value)
{
    if (value)
        put_number(builder, key, value);
    else
        put_text(builder, key, NULL);
}

static void put_stack(JsonBuilder *builder, const struct reel_export_names *names, uint32_t stack)
{
    struct reel_export_frame frames[REEL_EXPORT_FRAMES];
    unsigned count = stack ? names->stack(names->data, stack, frames, REEL_EXPORT_FRAMES) : 0;
    json_builder_set_member_name(builder, "stack");
    json_builder_begin_array(builder);
    for (unsigned i = 0; i < count; i++) {
        json_builder_begin_object(builder);
        put_text(builder, "function", frames[i].function);
        put_text(builder, "file", frames[i].file);
        put_number_or_null(builder, "line", (uint64_t)MAX(frames[i].line, 0));
        put_text(builder, "module", frames[i].module);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

static void put_parties(JsonBuilder *builder, const struct reel_export_names *names,
                        const struct reel_finding *finding)
{
    json_builder_set_member_name(builder, "threads");
    json_builder_begin_array(builder);
    for (size_t i = 0; i < finding->thread_count; i++) {
        uint32_t thread = finding->threads[i];
        json_builder_begin_object(builder);
        put_number(builder, "id", thread);
        put_text(builder, "name", names->thread(names->data, thread));
        put_number_or_null(builder, "pid", (uint64_t)names->pid(names->data, thread));
        put_number_or_null(builder, "tid", (uint64_t)names->tid(names->data, thread));
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    json_builder_set_member_name(builder, "objects");
    json_builder_begin_array(builder);
    for (size_t i = 0; i < finding->object_count; i++) {
        uint32_t object = finding->objects[i];
        json_builder_begin_object(builder);
        put_number(builder, "id", object);
        put_text(builder, "name", names->object(names->data, object));
        put_text(builder, "class", names->object_class(names->data, object));
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

static void put_finding(JsonBuilder *builder, const struct reel_finding_report *report,
                        const struct reel_report_item *item)
{
    const struct reel_finding *finding = item->finding;
    const struct reel_export_names *names = report->names;
    json_builder_begin_object(builder);
    put_text(builder, "id", finding->id);
    put_text(builder, "kind", reel_finding_kind_name(finding->kind));
    put_text(builder, "confidence", reel_confidence_name(finding->confidence));
    put_text(builder, "severity", reel_severity_name(finding->severity));
    put_text(builder, "title", finding->title ? finding->title : "");
    put_text(builder, "explanation", finding->explanation ? finding->explanation : "");
    put_text(builder, "fix", finding->fix ? finding->fix : "");
    put_parties(builder, names, finding);
    put_number_or_null(builder, "time_ns", finding->time_ns);
    put_number_or_null(builder, "end_ns", finding->end_ns);
    put_number(builder, "occurrences", finding->occurrences ? finding->occurrences : 1);
    json_builder_set_member_name(builder, "suppressed");
    json_builder_add_boolean_value(builder, item->suppressed);
    if (item->suppressed)
        put_text(builder, "suppression_reason", item->reason ? item->reason : "");
    if (report->has_baseline) {
        json_builder_set_member_name(builder, "known");
        json_builder_add_boolean_value(builder, item->known);
    }
    json_builder_set_member_name(builder, "evidence");
    json_builder_begin_array(builder);
    for (size_t i = 0; i < finding->evidence_count; i++) {
        const struct reel_evidence *evidence = &finding->evidence[i];
        json_builder_begin_object(builder);
        put_number_or_null(builder, "event", evidence->time_ns);
        put_number_or_null(builder, "thread", evidence->thread);
        put_number_or_null(builder, "object", evidence->object);
        put_text(builder, "role", evidence->role ? evidence->role : "");
        put_stack(builder, names, evidence->stack);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    json_builder_end_object(builder);
}

void reel_findings_json(GString *out, const struct reel_finding_report *report)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    put_text(builder, "schema", "reel.findings/1");
    put_text(builder, "version", report->version);
    put_text(builder, "trace", report->trace);
    put_text(builder, "command", report->command);
    json_builder_set_member_name(builder, "findings");
    json_builder_begin_array(builder);
    for (size_t i = 0; i < report->count; i++)
        put_finding(builder, report, &report->item[i]);
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
