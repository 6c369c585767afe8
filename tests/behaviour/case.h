/* What the programs of the "no footprint" suite share: a program is a table of cases, runs the one
 * named on its command line and prints what it observes. It is run bare and recorded
 * (run_twice.c), and must print the same both times: so it prints results, names of errors, counts
 * and orders, never addresses, times or process ids. */
#ifndef REEL_TESTS_BEHAVIOUR_CASE_H
#define REEL_TESTS_BEHAVIOUR_CASE_H

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct behaviour {
    const char *name;
    int (*run)(void); /* its result is the exit status; 77: cannot be tried here */
};

#define SKIP 77

/* The path this program was started by, to start itself again. */
extern const char *program;
/* Arguments behind the name of the case, for a case that starts itself again. */
extern char **more;

static inline const char *error_name(int error)
{
    const char *name = strerrorname_np(error);
    return name ? name : "?";
}

/* "what: 0" or the name of the error that a pthread function returned. */
static inline void tell(const char *what, int error)
{
    printf("%s: %s\n", what, error_name(error));
}

/* The same for a call that returns -1 and sets errno. */
static inline void tell_call(const char *what, long result)
{
    printf("%s: %ld%s%s\n", what, result, result < 0 ? " " : "",
           result < 0 ? error_name(errno) : "");
}

/* Waits for `child` and says how it ended. */
static inline void tell_end(const char *what, pid_t child)
{
    int status = 0;
    pid_t found;
    do {
        found = waitpid(child, &status, 0);
    } while (found < 0 && errno == EINTR);
    if (found != child)
        printf("%s: not found, %s\n", what, error_name(errno));
    else if (WIFEXITED(status))
        printf("%s: exited %d\n", what, WEXITSTATUS(status));
    else
        printf("%s: signal %d\n", what, WTERMSIG(status));
    fflush(stdout);
}

static inline void sleep_ms(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&time, &time) != 0)
        ;
}

static inline struct timespec deadline_ms(clockid_t clock, long ms)
{
    struct timespec now;
    clock_gettime(clock, &now);
    now.tv_nsec += ms * 1000000;
    now.tv_sec += now.tv_nsec / 1000000000;
    now.tv_nsec %= 1000000000;
    return now;
}

#define BEHAVIOURS(...)                                                                            \
    const char *program;                                                                           \
    char **more;                                                                                   \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        static const struct behaviour table[] = {__VA_ARGS__, {NULL, NULL}};                       \
        program = argv[0];                                                                         \
        more = argv + (argc < 2 ? 1 : 2);                                                          \
        for (const struct behaviour *one = table; one->name; one++)                                \
            if (argc > 1 && strcmp(one->name, argv[1]) == 0)                                       \
                return one->run();                                                                 \
        fprintf(stderr, "no such case\n");                                                         \
        return 99;                                                                                 \
    }                                                                                              \
    _Static_assert(1, "takes a semicolon")

#endif
