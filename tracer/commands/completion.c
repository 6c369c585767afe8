/* reel completion: completions for bash, zsh and fish, made from the commands' own table. */
#include <stdio.h>
#include <string.h>

#include "tracer/commands/command.h"

static void bash(void)
{
    fputs("# bash completion for reel: eval \"$(reel completion bash)\"\n"
          "_reel() {\n"
          "    local word=\"${COMP_WORDS[COMP_CWORD]}\" command=\"${COMP_WORDS[1]}\"\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
          "        COMPREPLY=($(compgen -W \"",
          stdout);
    for (unsigned i = 0; reel_commands[i]; i++)
        printf("%s ", reel_commands[i]->name);
    fputs("help version\" -- \"$word\"))\n"
          "    elif [ \"${word:0:1}\" = - ]; then\n"
          "        COMPREPLY=($(compgen -W \"$(reel \"$command\" --help 2>/dev/null |\n"
          "            grep -o -- '--[a-z-]*' | sort -u)\" -- \"$word\"))\n"
          "    elif [ \"$command\" = record ] || [ \"$command\" = check ]; then\n"
          "        COMPREPLY=($(compgen -c -- \"$word\") $(compgen -f -- \"$word\"))\n"
          "    else\n"
          "        COMPREPLY=($(compgen -f -X '!*.reel' -- \"$word\") $(compgen -d -- \"$word\"))\n"
          "    fi\n"
          "}\n"
          "complete -o filenames -F _reel reel\n",
          stdout);
}

static void zsh(void)
{
    fputs("#compdef reel\n"
          "_reel() {\n"
          "    local -a commands=(\n",
          stdout);
    for (unsigned i = 0; reel_commands[i]; i++)
        printf("        '%s:%s'\n", reel_commands[i]->name, reel_commands[i]->summary);
    fputs("        'help:say what a command does'\n"
          "    )\n"
          "    if (( CURRENT == 2 )); then\n"
          "        _describe command commands\n"
          "    elif [[ $PREFIX == -* ]]; then\n"
          "        compadd -- ${(uf)\"$(reel $words[2] --help 2>/dev/null | grep -o -- "
          "'--[a-z-]*')\"}\n"
          "    elif [[ $words[2] == (record|check) ]]; then\n"
          "        _command_names -e || _files\n"
          "    else\n"
          "        _files -g '*.reel'\n"
          "    fi\n"
          "}\n"
          "_reel \"$@\"\n",
          stdout);
}

static void fish(void)
{
    fputs("# fish completion for reel\n"
          "complete -c reel -f\n",
          stdout);
    for (unsigned i = 0; reel_commands[i]; i++) {
        printf("complete -c reel -n __fish_use_subcommand -a %s -d '%s'\n", reel_commands[i]->name,
               reel_commands[i]->summary);
        bool runs = strcmp(reel_commands[i]->name, "record") == 0 ||
                    strcmp(reel_commands[i]->name, "check") == 0;
        printf("complete -c reel -n '__fish_seen_subcommand_from %s' %s\n", reel_commands[i]->name,
               runs ? "-a '(__fish_complete_subcommand)'" : "-a '(__fish_complete_suffix .reel)'");
    }
}

static int run(const struct reel_command *command, int argc, char **argv)
{
    int status = reel_command_parse(command, NULL, &argc, &argv, false);
    if (status >= 0)
        return status;
    static const struct {
        const char *name;
        void (*print)(void);
    } shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
    for (unsigned i = 0; argc == 2 && i < G_N_ELEMENTS(shells); i++)
        if (strcmp(argv[1], shells[i].name) == 0) {
            shells[i].print();
            return REEL_STATUS_OK;
        }
    return reel_command_usage(command, "one of bash, zsh, fish is wanted");
}

const struct reel_command reel_command_completion = {
    .name = "completion",
    .arguments = "bash|zsh|fish",
    .summary = "print completions for a shell",
    .run = run,
};
