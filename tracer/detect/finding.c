/* Findings: building one, and the set that keeps one of each key, in order. */
#include "tracer/detect/finding.h"

#include <glib.h>
#include <string.h>

static const char *const kind_names[] = {
#define NAME(NAME, text, meaning) text,
    REEL_FINDING_KINDS(NAME)
#undef NAME
};

const char *reel_finding_kind_name(enum reel_finding_kind kind)
{
    return kind < REEL_FINDING_KIND_COUNT ? kind_names[kind] : "?";
}

const char *reel_finding_kind_meaning(enum reel_finding_kind kind)
{
    static const char *const meanings[] = {
#define MEANING(NAME, text, meaning) meaning,
        REEL_FINDING_KINDS(MEANING)
#undef MEANING
    };
    return kind < REEL_FINDING_KIND_COUNT ? meanings[kind] : "?";
}

bool reel_finding_kind_parse(const char *name, enum reel_finding_kind *kind)
{
    for (unsigned i = 0; i < REEL_FINDING_KIND_COUNT; i++)
        if (!strcmp(name, kind_names[i])) {
            *kind = (enum reel_finding_kind)i;
            return true;
        }
    return false;
}

static const char *const confidence_names[] = {"possible", "proved", "observed"};
static const char *const severity_names[] = {"info", "warning", "error"};

const char *reel_confidence_name(enum reel_confidence confidence)
{
    return confidence <= REEL_CONFIDENCE_OBSERVED ? confidence_names[confidence] : "?";
}

const char *reel_severity_name(enum reel_severity severity)
{
    return severity <= REEL_SEVERITY_ERROR ? severity_names[severity] : "?";
}

bool reel_confidence_parse(const char *name, enum reel_confidence *confidence)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(confidence_names); i++)
        if (!strcmp(name, confidence_names[i])) {
            *confidence = (enum reel_confidence)i;
            return true;
        }
    return false;
}

bool reel_severity_parse(const char *name, enum reel_severity *severity)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(severity_names); i++)
        if (!strcmp(name, severity_names[i])) {
            *severity = (enum reel_severity)i;
            return true;
        }
    return false;
}

struct reel_finding *reel_finding_new(enum reel_finding_kind kind, enum reel_confidence confidence,
                                      enum reel_severity severity)
{
    struct reel_finding *finding = g_new0(struct reel_finding, 1);
    finding->kind = kind;
    finding->confidence = confidence;
    finding->severity = severity;
    finding->occurrences = 1;
    return finding;
}

void reel_finding_free(struct reel_finding *finding)
{
    if (!finding)
        return;
    for (size_t i = 0; i < finding->evidence_count; i++)
        g_free(finding->evidence[i].role);
    g_free(finding->evidence);
    g_free(finding->threads);
    g_free(finding->objects);
    g_free(finding->key);
    g_free(finding->title);
    g_free(finding->explanation);
    g_free(finding->fix);
    g_free(finding);
}

#define SET_TEXT(field)                                                                            \
    do {                                                                                           \
        va_list arguments;                                                                         \
        va_start(arguments, format);                                                               \
        g_free(finding->field);                                                                    \
        finding->field = g_strdup_vprintf(format, arguments);                                      \
        va_end(arguments);                                                                         \
    } while (0)

void reel_finding_key(struct reel_finding *finding, const char *format, ...)
{
    SET_TEXT(key);
}

void reel_finding_title(struct reel_finding *finding, const char *format, ...)
{
    SET_TEXT(title);
}

void reel_finding_explain(struct reel_finding *finding, const char *format, ...)
{
    SET_TEXT(explanation);
}

void reel_finding_fix(struct reel_finding *finding, const char *format, ...)
{
    SET_TEXT(fix);
}

/* Adds `number` unless it is there. */
static void add_number(uint32_t **list, size_t *count, uint32_t number)
{
    if (!number)
        return;
    for (size_t i = 0; i < *count; i++)
        if ((*list)[i] == number)
            return;
    *list = g_renew(uint32_t, *list, *count + 1);
    (*list)[(*count)++] = number;
}

void reel_finding_thread(struct reel_finding *finding, uint32_t thread)
{
    add_number(&finding->threads, &finding->thread_count, thread);
}

void reel_finding_object(struct reel_finding *finding, uint32_t object)
{
    add_number(&finding->objects, &finding->object_count, object);
}

void reel_finding_evidence(struct reel_finding *finding, uint64_t time_ns, uint32_t thread,
                           uint32_t object, uint32_t stack, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    finding->evidence =
        g_renew(struct reel_evidence, finding->evidence, finding->evidence_count + 1);
    finding->evidence[finding->evidence_count++] = (struct reel_evidence){
        .time_ns = time_ns,
        .thread = thread,
        .object = object,
        .stack = stack,
        .role = g_strdup_vprintf(format, arguments),
    };
    va_end(arguments);
    reel_finding_thread(finding, thread);
    reel_finding_object(finding, object);
}

struct reel_finding_set {
    GPtrArray *list;
    GHashTable *by_key; /* key → finding, both of the list */
    bool sorted;
};

static void free_finding(void *finding)
{
    reel_finding_free(finding);
}

struct reel_finding_set *reel_finding_set_new(void)
{
    struct reel_finding_set *set = g_new0(struct reel_finding_set, 1);
    set->list = g_ptr_array_new_with_free_func(free_finding);
    set->by_key = g_hash_table_new(g_str_hash, g_str_equal);
    return set;
}

void reel_finding_set_free(struct reel_finding_set *set)
{
    if (!set)
        return;
    g_hash_table_unref(set->by_key);
    g_ptr_array_unref(set->list);
    g_free(set);
}

/* FNV-1a, 64 bits, of which 40 name the finding. */
static void give_id(struct reel_finding *finding)
{
    uint64_t hash = 0xcbf29ce484222325ull;
    for (const char *at = finding->key; *at; at++)
        hash = (hash ^ (unsigned char)*at) * 0x100000001b3ull;
    hash ^= hash >> 40;
    g_snprintf(finding->id, sizeof finding->id, "F-%010llx",
               (unsigned long long)(hash & 0xffffffffffull));
}

static bool outweighs(const struct reel_finding *a, const struct reel_finding *b)
{
    if (a->severity != b->severity)
        return a->severity > b->severity;
    return a->confidence > b->confidence;
}

void reel_finding_set_add(struct reel_finding_set *set, struct reel_finding *finding)
{
    if (!finding->key)
        reel_finding_key(finding, "%s|%s", reel_finding_kind_name(finding->kind),
                         finding->title ? finding->title : "");
    set->sorted = false;
    struct reel_finding *known = g_hash_table_lookup(set->by_key, finding->key);
    if (!known) {
        give_id(finding);
        g_ptr_array_add(set->list, finding);
        g_hash_table_insert(set->by_key, finding->key, finding);
        return;
    }
    uint64_t occurrences = known->occurrences + finding->occurrences;
    if (outweighs(finding, known)) {
        give_id(finding);
        g_hash_table_remove(set->by_key, known->key);
        for (guint i = 0; i < set->list->len; i++)
            if (set->list->pdata[i] == known)
                set->list->pdata[i] = finding;
        g_hash_table_insert(set->by_key, finding->key, finding);
        reel_finding_free(known);
        known = finding;
    } else {
        reel_finding_free(finding);
    }
    known->occurrences = occurrences;
}

/* The gravest first, then the surest, then the earliest; equal ones by key, so that the order is
 * the same in every run. */
static int compare(const void *left, const void *right)
{
    const struct reel_finding *a = *(void *const *)left, *b = *(void *const *)right;
    if (a->severity != b->severity)
        return a->severity > b->severity ? -1 : 1;
    if (a->confidence != b->confidence)
        return a->confidence > b->confidence ? -1 : 1;
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;
    return strcmp(a->key, b->key);
}

void reel_finding_set_remove(struct reel_finding_set *set,
                             bool (*goes)(void *data, const struct reel_finding *finding),
                             void *data)
{
    for (guint i = set->list->len; i-- > 0;) {
        const struct reel_finding *finding = set->list->pdata[i];
        if (!goes(data, finding))
            continue;
        g_hash_table_remove(set->by_key, finding->key);
        g_ptr_array_remove_index(set->list, i);
    }
}

size_t reel_finding_set_count(const struct reel_finding_set *set)
{
    return set->list->len;
}

const struct reel_finding *reel_finding_set_at(struct reel_finding_set *set, size_t index)
{
    if (!set->sorted) {
        g_ptr_array_sort(set->list, compare);
        set->sorted = true;
    }
    return index < set->list->len ? set->list->pdata[index] : NULL;
}

bool reel_finding_has_object(const struct reel_finding *finding, uint32_t object)
{
    for (size_t i = 0; i < finding->object_count; i++)
        if (finding->objects[i] == object)
            return true;
    return false;
}

bool reel_finding_has_thread(const struct reel_finding *finding, uint32_t thread)
{
    for (size_t i = 0; i < finding->thread_count; i++)
        if (finding->threads[i] == thread)
            return true;
    return false;
}
