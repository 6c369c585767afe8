/* Runs a program: see run.h. */
#include "run.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void execute(const char *program, const char *arguments, int output)
{
    char text[256];
    char *list[16] = {(char *)program};
    size_t count = 1;
    snprintf(text, sizeof text, "%s", strcmp(arguments, "-") == 0 ? "" : arguments);
    for (char *word = strtok(text, " "); word != NULL && count < 15; word = strtok(NULL, " "))
        list[count++] = word;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* no hanging sample outlives an interrupted test */
    setpgid(0, 0);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    execv(program, list);
    perror(program);
    _exit(127);
}

void run_start(struct run *run, const char *program, const char *arguments)
{
    int ends[2];
    *run = (struct run){0};
    if (pipe2(ends, O_CLOEXEC) != 0)
        abort();
    run->output = ends[0];
    run->process = fork();
    if (run->process < 0)
        abort();
    if (run->process == 0)
        execute(program, arguments, ends[1]);
    setpgid(run->process, run->process); /* whoever comes first */
    close(ends[1]);
}

bool run_is_alive(const struct run *run)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)run->process, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == 0;
}

void run_kill(struct run *run)
{
    kill(-run->process, SIGKILL);
}

void run_finish(struct run *run)
{
    size_t length = 0;
    for (;;) {
        struct pollfd wait = {.fd = run->output, .events = POLLIN};
        if (poll(&wait, 1, 60000) == 0) {
            run->overdue = true;
            run_kill(run);
        }
        ssize_t bytes = read(run->output, run->text + length, sizeof run->text - 1 - length);
        if (bytes <= 0)
            break;
        length += (size_t)bytes;
    }
    close(run->output);
    int status = 0;
    waitpid(run->process, &status, 0);
    run->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
