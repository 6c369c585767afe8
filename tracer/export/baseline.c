#include "tracer/export/baseline.h"

#include <json-glib/json-glib.h>
#include <string.h>

struct reel_baseline {
    GHashTable *ids;
};

/* A member that is text; NULL: it is not there, or something else. */
static const char *text_of(JsonObject *object, const char *key)
{
    JsonNode *node = json_object_get_member(object, key);
    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
               ? json_node_get_string(node)
               : NULL;
}

static bool read_ids(struct reel_baseline *baseline, JsonNode *root, const char *path,
                     struct reel_error *error)
{
    JsonObject *object = root && JSON_NODE_HOLDS_OBJECT(root) ? json_node_get_object(root) : NULL;
    const char *schema = object ? text_of(object, "schema") : NULL;
    JsonNode *findings = object ? json_object_get_member(object, "findings") : NULL;
    if (!schema || strcmp(schema, "reel.findings/1") != 0 || !findings ||
        !JSON_NODE_HOLDS_ARRAY(findings)) {
        reel_error_set(error, REEL_ERROR_USAGE, 0, "%s: no report of schema reel.findings/1", path);
        return reel_error_hint(error, "Make one: reel check --format json=%s -- PROGRAM", path);
    }
    JsonArray *array = json_node_get_array(findings);
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonNode *node = json_array_get_element(array, i);
        const char *id =
            JSON_NODE_HOLDS_OBJECT(node) ? text_of(json_node_get_object(node), "id") : NULL;
        if (!id)
            return reel_error_set(error, REEL_ERROR_USAGE, 0, "%s: finding %u has no id", path, i);
        g_hash_table_add(baseline->ids, g_strdup(id));
    }
    return true;
}

struct reel_baseline *reel_baseline_read(const char *path, struct reel_error *error)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) cause = NULL;
    if (!json_parser_load_from_file(parser, path, &cause)) {
        reel_error_set(error, REEL_ERROR_USAGE, 0, "cannot read the baseline %s: %s", path,
                       cause->message);
        return NULL;
    }
    struct reel_baseline *baseline = g_new0(struct reel_baseline, 1);
    baseline->ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (!read_ids(baseline, json_parser_get_root(parser), path, error)) {
        reel_baseline_free(baseline);
        return NULL;
    }
    return baseline;
}

void reel_baseline_free(struct reel_baseline *baseline)
{
    if (!baseline)
        return;
    g_hash_table_destroy(baseline->ids);
    g_free(baseline);
}

bool reel_baseline_knows(const struct reel_baseline *baseline, const char *id)
{
    return baseline && g_hash_table_contains(baseline->ids, id);
}
