#include "tracer/commands/check_output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void plain_text(GString *out, const struct reel_finding_report *report)
{
    reel_findings_text(out, report, &(struct reel_text_look){.utf8 = true});
}

static const struct format {
    const char *name;
    reel_finding_renderer *render;
    bool repeats;     /* several reports may follow each other */
    bool of_checkout; /* read by a CI service, which names files relative to its checkout */
} formats_known[] = {
    {"text", plain_text, true, false},
    {"json", reel_findings_json, false, false},
    {"sarif", reel_findings_sarif, false, true},
    {"junit", reel_findings_junit, false, true},
    {"github", reel_findings_github, true, true},
    {"markdown", reel_findings_markdown, true, true},
};

/* Where a CI service has put the sources, whatever folder the test runs in: of GitHub, GitLab,
 * Jenkins. NULL: in none of them. */
static const char *checkout(void)
{
    static const char *const variables[] = {"GITHUB_WORKSPACE", "CI_PROJECT_DIR", "WORKSPACE"};
    for (size_t i = 0; i < G_N_ELEMENTS(variables); i++) {
        const char *folder = g_getenv(variables[i]);
        if (folder && g_path_is_absolute(folder))
            return folder;
    }
    return NULL;
}

struct output {
    const struct format *format;
    char *file; /* NULL: standard output */
    bool written;
};

struct reel_check_outputs {
    GArray *all;
};

static bool add(struct reel_check_outputs *outputs, const char *word, struct reel_error *error)
{
    const char *equals = strchr(word, '=');
    g_autofree char *name = equals ? g_strndup(word, (gsize)(equals - word)) : g_strdup(word);
    for (size_t i = 0; i < G_N_ELEMENTS(formats_known); i++) {
        if (strcmp(name, formats_known[i].name) != 0)
            continue;
        struct output output = {.format = &formats_known[i],
                                .file = equals ? g_strdup(equals + 1) : NULL};
        g_array_append_val(outputs->all, output);
        return true;
    }
    return reel_error_set(error, REEL_ERROR_USAGE, 0,
                          "there is no format '%s' (text, json, sarif, junit, github, markdown)",
                          name);
}

char *reel_check_file_name(const char *pattern, const char *program)
{
    GString *name = g_string_new(NULL);
    g_autofree char *base = g_path_get_basename(program);
    for (const char *at = pattern; *at; at++) {
        if (*at != '%' || !at[1] || !strchr("pn%", at[1])) {
            g_string_append_c(name, *at);
            continue;
        }
        at++;
        if (*at == 'p')
            g_string_append_printf(name, "%d", (int)getpid());
        else
            g_string_append(name, *at == 'n' ? base : "%");
    }
    return g_string_free(name, FALSE);
}

struct reel_check_outputs *reel_check_outputs_new(char *const *formats, char *const *files,
                                                  const char *program, struct reel_error *error)
{
    struct reel_check_outputs *outputs = g_new0(struct reel_check_outputs, 1);
    outputs->all = g_array_new(FALSE, FALSE, sizeof(struct output));
    bool good = true;
    for (char *const *word = formats; good && word && *word; word++)
        good = add(outputs, *word, error);
    guint next = 0;
    for (char *const *file = files; good && file && *file; file++) {
        while (next < outputs->all->len && g_array_index(outputs->all, struct output, next).file)
            next++;
        if (next == outputs->all->len)
            good = reel_error_set(error, REEL_ERROR_USAGE, 0,
                                  "--output %s has no --format of its own", *file);
        else
            g_array_index(outputs->all, struct output, next).file = g_strdup(*file);
    }
    for (guint i = 0; i < outputs->all->len; i++) {
        struct output *output = &g_array_index(outputs->all, struct output, i);
        char *pattern = output->file;
        output->file =
            pattern && strcmp(pattern, "-") != 0 ? reel_check_file_name(pattern, program) : NULL;
        g_free(pattern);
    }
    if (good)
        return outputs;
    reel_check_outputs_free(outputs);
    return NULL;
}

void reel_check_outputs_free(struct reel_check_outputs *outputs)
{
    if (!outputs)
        return;
    for (guint i = 0; i < outputs->all->len; i++)
        g_free(g_array_index(outputs->all, struct output, i).file);
    g_array_free(outputs->all, TRUE);
    g_free(outputs);
}

bool reel_check_outputs_any(const struct reel_check_outputs *outputs)
{
    return outputs->all->len > 0;
}

bool reel_check_outputs_may_repeat(const struct reel_check_outputs *outputs)
{
    for (guint i = 0; i < outputs->all->len; i++)
        if (!g_array_index(outputs->all, struct output, i).format->repeats)
            return false;
    return true;
}

static bool write_one(struct output *output, const GString *text, struct reel_error *error)
{
    FILE *file = stdout;
    if (output->file) {
        file = fopen(output->file, output->written ? "ae" : "we");
        if (!file)
            return reel_error_set(error, REEL_ERROR_SYSTEM, errno, "cannot write %s: %s",
                                  output->file, strerror(errno));
    }
    output->written = true;
    bool good = fwrite(text->str, 1, text->len, file) == text->len && fflush(file) == 0;
    int cause = errno;
    if (output->file && fclose(file) != 0 && good) {
        good = false;
        cause = errno;
    }
    return good || reel_error_set(error, REEL_ERROR_SYSTEM, cause, "cannot write %s: %s",
                                  output->file ? output->file : "the report", strerror(cause));
}

bool reel_check_outputs_write(struct reel_check_outputs *outputs,
                              const struct reel_finding_report *report, struct reel_error *error)
{
    for (guint i = 0; i < outputs->all->len; i++) {
        struct output *output = &g_array_index(outputs->all, struct output, i);
        g_autoptr(GString) text = g_string_new(NULL);
        struct reel_finding_report one = *report;
        if (output->format->of_checkout && checkout())
            one.folder = checkout();
        output->format->render(text, &one);
        if (!write_one(output, text, error))
            return false;
    }
    return true;
}
