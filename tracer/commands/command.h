/* A subcommand: one file, its help beside its options, one line in the table of main.c. */
#ifndef REEL_COMMANDS_COMMAND_H
#define REEL_COMMANDS_COMMAND_H

#include <glib.h>
#include <stdbool.h>

#include "tracer/error.h"

struct reel_command {
    const char *name;
    const char *arguments;   /* in the usage line, behind the options */
    const char *summary;     /* one line, for the list */
    const char *description; /* what `reel help NAME` says below the options; may be NULL */
    int (*run)(const struct reel_command *command, int argc, char **argv);
};

/* Exit statuses shared by all commands. */
enum reel_exit_status {
    REEL_STATUS_OK = 0,
    REEL_STATUS_FAILED = 1,     /* the command could not do its work */
    REEL_STATUS_USAGE = 2,      /* the user's words are off */
    REEL_STATUS_BAD_TRACE = 3,  /* the file is no (whole) trace */
    REEL_STATUS_FINDINGS = 66,  /* reel check: findings at or above the limit */
    REEL_STATUS_RECORDER = 125, /* reel record: Reel itself failed */
    REEL_STATUS_NOT_EXECUTABLE = 126,
    REEL_STATUS_NOT_FOUND = 127,
};

/* Parses options by GLib's rules, with `reel NAME --help` and errors in one form. What is left in
 * argv (argv[0] stays) are the arguments. `stop_at_program`: the first word that is no option ends
 * the options (for commands that run a program). Returns -1 to go on, else an exit status. */
int reel_command_parse(const struct reel_command *command, const GOptionEntry *entries, int *argc,
                       char ***argv, bool stop_at_program);

/* Prints "reel NAME: message" and the hint to stderr; returns the exit status that fits. */
int reel_command_fail(const struct reel_command *command, const struct reel_error *error);
/* Prints a usage error with the way to help. Returns REEL_STATUS_USAGE. */
__attribute__((format(printf, 2, 3))) int reel_command_usage(const struct reel_command *command,
                                                             const char *format, ...);

/* The table, NULL-terminated. */
extern const struct reel_command *const reel_commands[];

extern const struct reel_command reel_command_cc, reel_command_check, reel_command_completion,
    reel_command_doctor, reel_command_events, reel_command_explain, reel_command_export,
    reel_command_info, reel_command_query, reel_command_record, reel_command_recover,
    reel_command_report, reel_command_show, reel_command_timeline, reel_command_view;

#endif
