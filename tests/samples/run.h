/* Runs a program in a process group of its own and keeps what it printed. */
#ifndef SAMPLES_RUN_H
#define SAMPLES_RUN_H

#include <stdbool.h>
#include <sys/types.h>

struct run {
    pid_t process; /* and the number of its group */
    int output;    /* where its standard output and error come out */
    int status;    /* of its exit, or 128 + the signal that killed it; after run_finish */
    bool overdue;  /* it had to be killed */
    char text[16384];
};

/* Starts the program with arguments separated by blanks ("-": none). */
void run_start(struct run *run, const char *program, const char *arguments);

/* Has it not ended yet? */
bool run_is_alive(const struct run *run);

/* Kills the whole group. */
void run_kill(struct run *run);

/* Reads what it prints until it ends; kills it when it prints or does nothing for a minute. */
void run_finish(struct run *run);

#endif
