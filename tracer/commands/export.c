/* reel export: what the viewer shows, as a file. Pictures are drawn by the viewer's own painter,
 * which needs no display; the wait-for graph is written here. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tracer/commands/command.h"
#include "tracer/commands/probe_path.h"
#include "tracer/commands/sealing.h"
#include "tracer/export/trace_texts.h"
#include "tracer/export/wait_for_dot.h"
#include "tracer/model/time_text.h"

struct wishes {
    char *png, *svg, *pdf, *dot;
    char *from, *to, *at, *finding, *theme;
    int width;
};

static bool write_dot(const char *path, const struct wishes *wishes, struct reel_error *error)
{
    struct reel_trace *trace = reel_trace_open_for_reading(path, false, error);
    if (!trace)
        return false;
    uint64_t end_ns = reel_trace_meta_number(trace, "end_ns");
    uint64_t time_ns = reel_instant_last(trace, end_ns);
    struct reel_trace_texts *texts = reel_trace_texts_new(trace, error);
    struct reel_instants *instants = texts ? reel_instants_new(trace, error) : NULL;
    const struct reel_instant *instant = NULL;
    if (instants &&
        (!wishes->at || reel_moment_parse(wishes->at, time_ns, end_ns, &time_ns, error)))
        instant = reel_instants_at(instants, MIN(time_ns, end_ns), error);
    g_autoptr(GString) text = g_string_new(NULL);
    bool good = instant != NULL;
    if (good) {
        reel_wait_for_dot(instant, reel_trace_texts_names(texts), text);
        FILE *file = g_str_equal(wishes->dot, "-") ? stdout : fopen(wishes->dot, "w");
        good = file && fwrite(text->str, 1, text->len, file) == text->len;
        good = file && (file == stdout ? fflush(file) : fclose(file)) == 0 && good;
        if (!good)
            reel_error_set(error, REEL_ERROR_SYSTEM, errno, "cannot write %s: %s", wishes->dot,
                           strerror(errno));
    }
    reel_instants_free(instants);
    reel_trace_texts_free(texts);
    reel_trace_close(trace, NULL);
    return good;
}

static void add(GPtrArray *arguments, const char *option, const char *value)
{
    if (value)
        g_ptr_array_add(arguments, g_strdup_printf("--%s=%s", option, value));
}

/* Does not return when it works. */
static void draw(const char *path, const struct wishes *wishes, struct reel_error *error)
{
    char *viewer = reel_viewer_path(error);
    if (!viewer)
        return;
    GPtrArray *arguments = g_ptr_array_new();
    g_ptr_array_add(arguments, viewer);
    add(arguments, "export", wishes->png);
    add(arguments, "export", wishes->svg);
    add(arguments, "export", wishes->pdf);
    add(arguments, "from", wishes->from);
    add(arguments, "to", wishes->to);
    add(arguments, "at", wishes->at);
    add(arguments, "finding", wishes->finding);
    add(arguments, "theme", wishes->theme);
    if (wishes->width)
        g_ptr_array_add(arguments, g_strdup_printf("--width=%d", wishes->width));
    g_ptr_array_add(arguments, g_strdup(path));
    g_ptr_array_add(arguments, NULL);
    execv(viewer, (char **)arguments->pdata);
    reel_error_set(error, REEL_ERROR_SYSTEM, errno, "cannot run %s: %s", viewer, strerror(errno));
}

static bool ends_with(const char *path, const char *suffix)
{
    return !path || g_str_has_suffix(path, suffix);
}

static int run(const struct reel_command *command, int argc, char **argv)
{
    struct wishes wishes = {0};
    const GOptionEntry entries[] = {
        {"png", 0, 0, G_OPTION_ARG_FILENAME, &wishes.png, "The lanes as an image", "FILE.png"},
        {"svg", 0, 0, G_OPTION_ARG_FILENAME, &wishes.svg, "The lanes as a drawing", "FILE.svg"},
        {"pdf", 0, 0, G_OPTION_ARG_FILENAME, &wishes.pdf, "The lanes as a page", "FILE.pdf"},
        {"dot", 0, 0, G_OPTION_ARG_FILENAME, &wishes.dot,
         "The wait-for graph at an instant, for graphviz ('-': to the terminal)", "FILE.dot"},
        {"from", 0, 0, G_OPTION_ARG_STRING, &wishes.from, "Begin there: 2.03s, 41% …", "TIME"},
        {"to", 0, 0, G_OPTION_ARG_STRING, &wishes.to, "End there", "TIME"},
        {"at", 0, 0, G_OPTION_ARG_STRING, &wishes.at,
         "The instant of the cursor, and of the graph (default: the end)", "TIME"},
        {"finding", 0, 0, G_OPTION_ARG_STRING, &wishes.finding, "Draw this finding in full", "F-…"},
        {"theme", 0, 0, G_OPTION_ARG_STRING, &wishes.theme, "light, dark or contrast", "THEME"},
        {"width", 0, 0, G_OPTION_ARG_INT, &wishes.width, "Pixels (default: 1400)", "N"},
        G_OPTION_ENTRY_NULL};
    int status = reel_command_parse(command, entries, &argc, &argv, false);
    if (status >= 0)
        return status;
    unsigned kinds = !!wishes.png + !!wishes.svg + !!wishes.pdf + !!wishes.dot;
    if (argc != 2)
        return reel_command_usage(command, "one trace file is wanted");
    if (kinds != 1)
        return reel_command_usage(command, "one of --png, --svg, --pdf and --dot is wanted");
    if (!ends_with(wishes.png, ".png") || !ends_with(wishes.svg, ".svg") ||
        !ends_with(wishes.pdf, ".pdf"))
        return reel_command_usage(command, "the file's name must end with what it is");
    struct reel_error error = {0};
    if (wishes.dot && write_dot(argv[1], &wishes, &error))
        return REEL_STATUS_OK;
    if (!wishes.dot)
        draw(argv[1], &wishes, &error);
    return reel_command_fail(command, &error);
}

const struct reel_command reel_command_export = {
    .name = "export",
    .arguments = "TRACE",
    .summary = "draw the lanes, or the wait-for graph, into a file",
    .description = "  reel export --svg hang.svg app.reel\n"
                   "  reel export --png one.png --finding F-2d6821ce96 app.reel\n"
                   "  reel export --dot - --at 2.03s app.reel | dot -Tsvg >graph.svg\n",
    .run = run,
};
