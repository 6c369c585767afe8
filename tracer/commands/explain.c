/* reel explain: what a kind of finding means, the smallest program that has it, how to fix it. */
#include <stdio.h>
#include <string.h>

#include "tracer/commands/command.h"
#include "tracer/commands/output.h"
#include "tracer/export/kind_help.h"

static void print_list(const struct reel_output *output)
{
    fputs("Kinds of findings ('reel explain KIND' tells more):\n", output->file);
    for (unsigned kind = 0; kind < REEL_FINDING_KIND_COUNT; kind++)
        fprintf(output->file, "  %s%-15s%s %s\n", reel_output_style(output, REEL_STYLE_BOLD),
                reel_finding_kind_name((enum reel_finding_kind)kind),
                reel_output_style(output, REEL_STYLE_PLAIN),
                reel_kind_summary((enum reel_finding_kind)kind));
}

/* Wrapped at 78 columns; a word that does not fit begins a line. */
static void print_wrapped(FILE *file, const char *text)
{
    size_t column = 0;
    while (*text) {
        size_t length = strcspn(text, " ");
        if (column && column + 1 + length > 78) {
            fputc('\n', file);
            column = 0;
        } else if (column) {
            fputc(' ', file);
            column++;
        }
        fwrite(text, 1, length, file);
        column += length;
        text += length + (text[length] == ' ');
    }
    fputc('\n', file);
}

static void print_kind(const struct reel_output *output, enum reel_finding_kind kind)
{
    const struct reel_kind_help *help = reel_kind_help(kind);
    const char *bold = reel_output_style(output, REEL_STYLE_BOLD),
               *plain = reel_output_style(output, REEL_STYLE_PLAIN);
    fprintf(output->file, "%s%s%s: %s\n\n", bold, reel_finding_kind_name(kind), plain,
            reel_kind_summary(kind));
    print_wrapped(output->file, help->meaning);
    fprintf(output->file, "\n%sExample%s\n\n", bold, plain);
    g_auto(GStrv) lines = g_strsplit(help->example, "\n", -1);
    for (char **line = lines; *line && (**line || line[1]); line++)
        fprintf(output->file, "%s%s\n", **line ? "    " : "", *line);
    fprintf(output->file, "\n%sHow to fix it%s\n\n", bold, plain);
    print_wrapped(output->file, help->fix);
    fprintf(output->file, "\nUsual severity: %s.\n", reel_severity_name(help->severity));
}

static int run(const struct reel_command *command, int argc, char **argv)
{
    int status = reel_command_parse(command, NULL, &argc, &argv, false);
    if (status >= 0)
        return status;
    enum reel_finding_kind kind;
    for (int i = 1; i < argc; i++)
        if (!reel_finding_kind_parse(argv[i], &kind))
            return reel_command_usage(
                command, "there is no kind of finding '%s'; 'reel explain' lists them", argv[i]);
    struct reel_output output;
    reel_output_open(&output, argc > 1);
    if (argc == 1)
        print_list(&output);
    for (int i = 1; i < argc; i++) {
        reel_finding_kind_parse(argv[i], &kind);
        if (i > 1)
            fputc('\n', output.file);
        print_kind(&output, kind);
    }
    return reel_output_close(&output) ? REEL_STATUS_OK : REEL_STATUS_FAILED;
}

const struct reel_command reel_command_explain = {
    .name = "explain",
    .arguments = "[KIND…]",
    .summary = "say what a kind of finding means and how to fix it",
    .run = run,
};
