/* reel: the command line. Finds the subcommand and hands over; knows nothing else. */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "tracer/commands/command.h"

const struct reel_command *const reel_commands[] = {
    &reel_command_record,  &reel_command_check,  &reel_command_cc,         &reel_command_explain,
    &reel_command_export,  &reel_command_report, &reel_command_timeline,   &reel_command_show,
    &reel_command_view,    &reel_command_events, &reel_command_query,      &reel_command_info,
    &reel_command_recover, &reel_command_doctor, &reel_command_completion, NULL,
};

static void print_help(FILE *out)
{
    fputs("Usage: reel COMMAND [OPTION…] …\n\n"
          "See what the threads of a program do: record it, then look.\n\n"
          "Commands:\n",
          out);
    for (const struct reel_command *const *command = reel_commands; *command; command++)
        fprintf(out, "  %-12s %s\n", (*command)->name, (*command)->summary);
    fputs("\nStart here:\n"
          "  reel record -o my.reel -- ./program arguments\n"
          "  reel report my.reel\n\n"
          "'reel COMMAND --help' tells more about one. Manual: reel(1).\n",
          out);
}

static const struct reel_command *find(const char *name)
{
    for (const struct reel_command *const *command = reel_commands; *command; command++)
        if (strcmp((*command)->name, name) == 0)
            return *command;
    return NULL;
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    if (argc < 2) {
        print_help(stderr);
        return REEL_STATUS_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0) {
        puts("reel " REEL_VERSION);
        return REEL_STATUS_OK;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        if (argc < 3) {
            print_help(stdout);
            return REEL_STATUS_OK;
        }
        const struct reel_command *command = find(argv[2]);
        if (command) {
            char *words[] = {argv[2], (char *)"--help", NULL};
            return command->run(command, 2, words);
        }
        name = argv[2];
    }
    const struct reel_command *command = find(name);
    if (!command) {
        fprintf(stderr, "reel: there is no command '%s'\n  See 'reel help'.\n", name);
        return REEL_STATUS_USAGE;
    }
    return command->run(command, argc - 1, argv + 1);
}
