#include "tracer/symbols/source.h"

#include <glib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_LIMIT (16u << 20)

struct source {
    char *text;
    GPtrArray *lines; /* into text */
};

struct reel_sources {
    GHashTable *files; /* path → struct source, or NULL for one that cannot be read */
};

static void source_free(gpointer data)
{
    struct source *source = data;
    if (!source)
        return;
    g_ptr_array_free(source->lines, TRUE);
    g_free(source->text);
    g_free(source);
}

struct reel_sources *reel_sources_new(void)
{
    struct reel_sources *sources = g_new0(struct reel_sources, 1);
    sources->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, source_free);
    return sources;
}

void reel_sources_free(struct reel_sources *sources)
{
    if (!sources)
        return;
    g_hash_table_destroy(sources->files);
    g_free(sources);
}

static struct source *read_source(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > FILE_LIMIT)
        return NULL;
    char *text;
    gsize length;
    if (!g_file_get_contents(path, &text, &length, NULL))
        return NULL;
    struct source *source = g_new0(struct source, 1);
    source->text = text;
    source->lines = g_ptr_array_new();
    g_ptr_array_add(source->lines, text);
    for (gsize i = 0; i < length; i++)
        if (text[i] == '\n') {
            text[i] = '\0';
            if (i && text[i - 1] == '\r')
                text[i - 1] = '\0';
            g_ptr_array_add(source->lines, text + i + 1);
        }
    return source;
}

const char *reel_sources_line(struct reel_sources *sources, const char *file, int line)
{
    gpointer known = NULL;
    if (!file || line < 1)
        return NULL;
    if (!g_hash_table_lookup_extended(sources->files, file, NULL, &known)) {
        known = read_source(file);
        g_hash_table_insert(sources->files, g_strdup(file), known);
    }
    struct source *source = known;
    return source && (guint)line <= source->lines->len ? source->lines->pdata[line - 1] : NULL;
}

char *reel_sources_argument(struct reel_sources *sources, const char *file, int line)
{
    static const char *const verbs[] = {"init(", "lock(", "wait(",    "post(",      "signal(",
                                        "open(", "once(", "acquire(", "broadcast(", NULL};
    const char *text = reel_sources_line(sources, file, line);
    if (!text)
        return NULL;
    const char *argument = NULL;
    for (const char *const *verb = verbs; *verb && !argument; verb++) {
        const char *found = strstr(text, *verb);
        if (found)
            argument = found + strlen(*verb);
    }
    if (!argument)
        return NULL;
    while (*argument == ' ' || *argument == '&' || *argument == '(')
        argument++;
    /* An expression of names, members and indices; no calls, no casts. */
    size_t length = strspn(argument, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789_.->[]");
    const char *end = argument + length;
    if (length == 0 || length > 80 || g_ascii_isdigit(*argument) ||
        (*end != ',' && *end != ')' && *end != ' '))
        return NULL;
    return g_strndup(argument, length);
}
