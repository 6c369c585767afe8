#include "tracer/export/suppression.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

/* data/suppressions/default.supp */
extern const char reel_default_suppressions[];

enum key { ID, TITLE, OBJECT, THREAD, FUNCTION, SOURCE, MODULE, KEYS };
static const char *const key_names[KEYS] = {"id",       "title", "object", "thread",
                                            "function", "file",  "module"};

struct suppression {
    int kind; /* enum reel_finding_kind; -1: any */
    char *pattern[KEYS];
    char *reason, *text, *file;
    unsigned line, uses;
    bool standard;
};

struct reel_suppressions {
    GPtrArray *all;
};

static void suppression_free(gpointer data)
{
    struct suppression *suppression = data;
    for (unsigned i = 0; i < KEYS; i++)
        g_free(suppression->pattern[i]);
    g_free(suppression->reason);
    g_free(suppression->text);
    g_free(suppression->file);
    g_free(suppression);
}

struct reel_suppressions *reel_suppressions_new(void)
{
    struct reel_suppressions *suppressions = g_new0(struct reel_suppressions, 1);
    suppressions->all = g_ptr_array_new_with_free_func(suppression_free);
    return suppressions;
}

void reel_suppressions_free(struct reel_suppressions *suppressions)
{
    if (!suppressions)
        return;
    g_ptr_array_free(suppressions->all, TRUE);
    g_free(suppressions);
}

static bool parse_condition(struct suppression *suppression, const char *word, const char *where,
                            struct reel_error *error)
{
    const char *equals = strchr(word, '=');
    for (unsigned i = 0; equals && i < KEYS; i++)
        if (strlen(key_names[i]) == (size_t)(equals - word) &&
            strncmp(word, key_names[i], (size_t)(equals - word)) == 0) {
            if (suppression->pattern[i])
                return reel_error_set(error, REEL_ERROR_USAGE, 0, "%s: %s= is given twice", where,
                                      key_names[i]);
            suppression->pattern[i] = g_strdup(equals + 1);
            return true;
        }
    reel_error_set(error, REEL_ERROR_USAGE, 0, "%s: '%s' is no condition", where, word);
    return reel_error_hint(error, "Conditions: id= title= object= thread= function= file= module=");
}

static bool parse_line(struct suppression *suppression, const char *where, struct reel_error *error)
{
    const char *behind = strstr(suppression->text, " -- ");
    g_autofree char *front =
        behind ? g_strndup(suppression->text, (gsize)(behind - suppression->text)) : NULL;
    suppression->reason = behind ? g_strstrip(g_strdup(behind + 4)) : NULL;
    if (!suppression->reason || !*suppression->reason) {
        reel_error_set(error, REEL_ERROR_USAGE, 0, "%s: a suppression without a reason", where);
        return reel_error_hint(error, "Say why: KIND [CONDITION…] -- REASON");
    }
    g_auto(GStrv) words = NULL;
    g_autoptr(GError) cause = NULL;
    int count = 0;
    if (!g_shell_parse_argv(front, &count, &words, &cause))
        return reel_error_set(error, REEL_ERROR_USAGE, 0, "%s: %s", where, cause->message);
    enum reel_finding_kind kind;
    if (strcmp(words[0], "*") == 0) {
        suppression->kind = -1;
    } else if (reel_finding_kind_parse(words[0], &kind)) {
        suppression->kind = (int)kind;
    } else {
        reel_error_set(error, REEL_ERROR_USAGE, 0, "%s: there is no kind of finding '%s'", where,
                       words[0]);
        return reel_error_hint(error, "'reel explain' lists the kinds; * is any.");
    }
    for (int i = 1; i < count; i++)
        if (!parse_condition(suppression, words[i], where, error))
            return false;
    return true;
}

bool reel_suppressions_parse(struct reel_suppressions *suppressions, const char *text,
                             const char *name, bool standard, struct reel_error *error)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (unsigned i = 0; lines[i]; i++) {
        const char *line = g_strstrip(lines[i]);
        if (!*line || *line == '#')
            continue;
        struct suppression *suppression = g_new0(struct suppression, 1);
        suppression->text = g_strdup(line);
        suppression->file = g_strdup(name);
        suppression->line = i + 1;
        suppression->standard = standard;
        g_ptr_array_add(suppressions->all, suppression);
        g_autofree char *where = g_strdup_printf("%s:%u", name, i + 1);
        if (!parse_line(suppression, where, error))
            return false;
    }
    return true;
}

bool reel_suppressions_read(struct reel_suppressions *suppressions, const char *path,
                            struct reel_error *error)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) cause = NULL;
    gsize length = 0;
    if (!g_file_get_contents(path, &text, &length, &cause))
        return reel_error_set(error, REEL_ERROR_USAGE, 0, "cannot read suppressions: %s",
                              cause->message);
    if (strlen(text) != length || !g_utf8_validate(text, -1, NULL))
        return reel_error_set(error, REEL_ERROR_USAGE, 0, "%s: not a text file in UTF-8", path);
    return reel_suppressions_parse(suppressions, text, path, false, error);
}

static bool fits(const char *pattern, const char *text)
{
    return text && fnmatch(pattern, text, 0) == 0;
}

/* The whole path, or the end of it from a slash on. */
static bool fits_path(const char *pattern, const char *path)
{
    if (fits(pattern, path))
        return true;
    for (const char *at = path; at && (at = strchr(at, '/')); at++)
        if (fits(pattern, at + 1))
            return true;
    return false;
}

static bool frame_fits(const struct suppression *suppression, const struct reel_export_frame *frame)
{
    return (!suppression->pattern[FUNCTION] ||
            fits(suppression->pattern[FUNCTION], frame->function)) &&
           (!suppression->pattern[SOURCE] ||
            fits_path(suppression->pattern[SOURCE], frame->file)) &&
           (!suppression->pattern[MODULE] ||
            fits_path(suppression->pattern[MODULE], frame->module));
}

/* One frame must fit all that is said of frames. */
static bool stacks_fit(const struct suppression *suppression, const struct reel_finding *finding,
                       const struct reel_export_names *names)
{
    if (!suppression->pattern[FUNCTION] && !suppression->pattern[SOURCE] &&
        !suppression->pattern[MODULE])
        return true;
    for (size_t i = 0; i < finding->evidence_count; i++) {
        struct reel_export_frame frames[REEL_EXPORT_FRAMES];
        uint32_t stack = finding->evidence[i].stack;
        unsigned count = stack ? names->stack(names->data, stack, frames, REEL_EXPORT_FRAMES) : 0;
        for (unsigned k = 0; k < count; k++)
            if (frame_fits(suppression, &frames[k]))
                return true;
    }
    return false;
}

static bool any_fits(const char *pattern, const uint32_t *numbers, size_t count,
                     const char *(*name)(void *, uint32_t), void *data)
{
    bool found = !pattern;
    for (size_t i = 0; i < count && !found; i++)
        found = fits(pattern, name(data, numbers[i]));
    return found;
}

bool reel_suppressions_add_default(struct reel_suppressions *suppressions, struct reel_error *error)
{
    return reel_suppressions_parse(suppressions, reel_default_suppressions, "default suppressions",
                                   true, error);
}

const char *reel_suppressions_match(struct reel_suppressions *suppressions,
                                    const struct reel_finding *finding,
                                    const struct reel_export_names *names)
{
    const char *reason = NULL;
    for (guint i = 0; i < suppressions->all->len; i++) {
        struct suppression *suppression = suppressions->all->pdata[i];
        if ((suppression->kind >= 0 && suppression->kind != (int)finding->kind) ||
            (suppression->pattern[ID] && !fits(suppression->pattern[ID], finding->id)) ||
            (suppression->pattern[TITLE] && !fits(suppression->pattern[TITLE], finding->title)) ||
            !any_fits(suppression->pattern[OBJECT], finding->objects, finding->object_count,
                      names->object, names->data) ||
            !any_fits(suppression->pattern[THREAD], finding->threads, finding->thread_count,
                      names->thread, names->data) ||
            !stacks_fit(suppression, finding, names))
            continue;
        suppression->uses++;
        if (!reason)
            reason = suppression->reason;
    }
    return reason;
}

struct matching {
    struct reel_suppressions *suppressions;
    const struct reel_export_names *names;
};

static bool is_suppressed(void *data, const struct reel_finding *finding)
{
    const struct matching *matching = data;
    return reel_suppressions_match(matching->suppressions, finding, matching->names) != NULL;
}

void reel_suppressions_apply(struct reel_suppressions *suppressions,
                             struct reel_finding_set *findings,
                             const struct reel_export_names *names)
{
    struct matching matching = {suppressions, names};
    reel_finding_set_remove(findings, is_suppressed, &matching);
}

void reel_suppressions_unused(const struct reel_suppressions *suppressions,
                              void (*each)(void *data, const char *file, unsigned line,
                                           const char *text),
                              void *data)
{
    for (guint i = 0; i < suppressions->all->len; i++) {
        const struct suppression *suppression = suppressions->all->pdata[i];
        if (!suppression->uses && !suppression->standard)
            each(data, suppression->file, suppression->line, suppression->text);
    }
}

void reel_suppression_write(GString *out, const struct reel_finding *finding)
{
    g_autofree char *title = g_strdup(finding->title ? finding->title : "");
    g_autofree char *line = g_strdelimit(g_utf8_make_valid(title, -1), "\n\r", ' ');
    g_string_append_printf(out, "%s id=%s -- %s\n", reel_finding_kind_name(finding->kind),
                           finding->id, *line ? line : "no reason given");
}
