#include "tracer/commands/command.h"

#include <stdio.h>
#include <string.h>

int reel_command_parse(const struct reel_command *command, const GOptionEntry *entries, int *argc,
                       char ***argv, bool stop_at_program)
{
    g_autoptr(GOptionContext) context = g_option_context_new(command->arguments);
    g_autofree char *program = g_strdup_printf("reel %s", command->name);
    g_option_context_set_summary(context, command->summary);
    if (command->description)
        g_option_context_set_description(context, command->description);
    if (entries)
        g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_set_strict_posix(context, stop_at_program);
    g_option_context_set_help_enabled(context, FALSE);
    for (int i = 1; i < *argc; i++) {
        const char *word = (*argv)[i];
        if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            g_set_prgname(program);
            g_autofree char *help = g_option_context_get_help(context, TRUE, NULL);
            fputs(help, stdout);
            return REEL_STATUS_OK;
        }
        if (strcmp(word, "--") == 0 || (stop_at_program && word[0] != '-'))
            break;
    }
    g_autoptr(GError) error = NULL;
    if (!g_option_context_parse(context, argc, argv, &error))
        return reel_command_usage(command, "%s", error->message);
    /* GLib leaves the separator in place in some versions. */
    if (*argc > 1 && strcmp((*argv)[1], "--") == 0) {
        memmove(*argv + 1, *argv + 2, (size_t)(*argc - 1) * sizeof **argv);
        --*argc;
    }
    return -1;
}

int reel_command_fail(const struct reel_command *command, const struct reel_error *error)
{
    fprintf(stderr, "reel %s: %s\n", command->name,
            error->code ? error->message : "failed for an unknown reason");
    if (error->hint[0])
        fprintf(stderr, "  %s\n", error->hint);
    switch (error->code) {
    case REEL_ERROR_USAGE:
        return REEL_STATUS_USAGE;
    case REEL_ERROR_NOT_A_TRACE:
    case REEL_ERROR_NEWER:
    case REEL_ERROR_DAMAGED:
        return REEL_STATUS_BAD_TRACE;
    default:
        return REEL_STATUS_FAILED;
    }
}

int reel_command_usage(const struct reel_command *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "reel %s: ", command->name);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n  See 'reel %s --help'.\n", command->name);
    va_end(arguments);
    return REEL_STATUS_USAGE;
}
