/* The exec family, and the environment that the next image sees. */
#include <fcntl.h>
#include <pthread.h>
#include <sys/auxv.h>

#include "case.h"

extern char **environ;

/* What the second image of a case prints. */
static int show(void)
{
    for (char **word = more; *word; word++)
        printf("argument %s\n", *word);
    for (char **entry = environ; *entry; entry++)
        if (strncmp(*entry, "PWD=", 4) != 0 && strncmp(*entry, "_=", 2) != 0)
            printf("environment %s\n", *entry);
    printf("main's own environment is it: %d\n", more[0] ? 1 : 0);
    return 21;
}

static int cleared(void)
{
    char *empty[] = {NULL};
    char *words[] = {(char *)program, "show", NULL};
    execve(program, words, empty);
    return 1;
}

static int no_environment(void)
{
    char *words[] = {(char *)program, "show", NULL};
    execve(program, words, NULL);
    return 1;
}

static int whole(void)
{
    execl(program, program, "show", "one", "two", (char *)NULL);
    return 1;
}

static int list_with_environment(void)
{
    char *few[] = {"A=1", "LD_PRELOAD_NOT=2", "B=3", NULL};
    execle(program, program, "show", "x", (char *)NULL, few);
    return 1;
}

/* A program that preloads a library of its own sees exactly that in its child. */
static int own_preload(void)
{
    setenv("LD_PRELOAD", "libpthread.so.0", 1);
    execl(program, program, "show", (char *)NULL);
    return 1;
}

static int by_path(void)
{
    execlp("sh", "sh", "-c", "echo by path; exit 4", (char *)NULL);
    return 1;
}

static int vectors(void)
{
    char *words[] = {"sh", "-c", "exit $V", NULL};
    char *five[] = {"V=5", NULL};
    char *six[] = {"V=6", NULL};
    pid_t child = fork();
    if (child == 0)
        execvpe("sh", words, five);
    tell_end("execvpe", child);
    child = fork();
    if (child == 0) {
        int fd = open("/bin/sh", O_RDONLY | O_CLOEXEC);
        fexecve(fd, words, six);
        _exit(99);
    }
    tell_end("fexecve", child);
    child = fork();
    if (child == 0) {
        setenv("V", "7", 1);
        execvp("sh", words);
        _exit(99);
    }
    tell_end("execvp", child);
    child = fork();
    if (child == 0) {
        setenv("V", "8", 1);
        execv("/bin/sh", words);
        _exit(99);
    }
    tell_end("execv", child);
    return 0;
}

static int failures(void)
{
    char *words[] = {"x", NULL};
    tell_call("missing", execv("/nonexistent", words));
    tell_call("a folder", execv("/", words));
    tell_call("not executable", execv("/etc/passwd", words));
    tell_call("nowhere in the path", execvp("no-such-program-here", words));
    int fd = open("odd", O_WRONLY | O_CREAT, 0755);
    write(fd, "garbage", 7);
    close(fd);
    tell_call("bad format", execv("./odd", words));
    tell_call("empty", execvp("", words));
    printf("still here, preload seen: %d\n", getenv("LD_PRELOAD") != NULL);
    return 0;
}

static int chain(void)
{
    int left = more[0] ? atoi(more[0]) : 30;
    if (left == 0) {
        puts("end of the chain");
        return 12;
    }
    char number[16];
    snprintf(number, sizeof number, "%d", left - 1);
    execl(program, program, "chain", number, (char *)NULL);
    return 1;
}

static void *replace(void *unused)
{
    execl("/bin/sh", "sh", "-c", "echo replaced; exit 9", (char *)NULL);
    return NULL;
}

static int from_a_thread(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, replace, NULL);
    pthread_join(thread, NULL);
    return 1;
}

static int script(void)
{
    int fd = open("script", O_WRONLY | O_CREAT, 0755);
    dprintf(fd, "#!/bin/sh\necho script $1\nexit 13\n");
    close(fd);
    execl("./script", "script", "argument", (char *)NULL);
    return 1;
}

static int variables(void)
{
    printf("preload: %s\n", getenv("LD_PRELOAD") ? getenv("LD_PRELOAD") : "(unset)");
    printf("region: %s\n", getenv("REEL_REGION") ? "set" : "(unset)");
    printf("secure: %lu\n", getauxval(AT_SECURE));
    size_t count = 0;
    while (environ[count])
        count++;
    printf("count %zu\n", count);
    setenv("LD_PRELOAD", "", 1);
    printf("set empty: '%s'\n", getenv("LD_PRELOAD"));
    unsetenv("LD_PRELOAD");
    printf("unset: %d\n", getenv("LD_PRELOAD") == NULL);
    putenv("X=y");
    clearenv();
    fflush(stdout);
    return system("/usr/bin/env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD=") == 256 ? 0 : 1;
}

/* A descriptor with a message crosses exec; one with O_CLOEXEC does not. */
static int descriptors(void)
{
    if (more[0]) {
        char text[20];
        printf("read %.*s\n", (int)read(7, text, sizeof text), text);
        tell_call("the other", fcntl(8, F_GETFD));
        return 0;
    }
    int ends[2];
    pipe(ends);
    dup2(ends[0], 7);
    dup3(ends[0], 8, O_CLOEXEC);
    write(ends[1], "mail", 4);
    execl(program, program, "descriptors", "again", (char *)NULL);
    return 1;
}

/* Arguments and environment as large as the system takes. */
static int large(void)
{
    char *big = malloc(100001);
    memset(big, 'e', 100000);
    big[100000] = 0;
    memcpy(big, "BIG=", 4);
    char *variables_there[] = {big, NULL};
    execle("/bin/sh", "sh", "-c", "echo ${#BIG}", (char *)NULL, variables_there);
    return 1;
}

BEHAVIOURS({"show", show}, {"cleared", cleared}, {"no-environment", no_environment},
           {"whole", whole}, {"list-with-environment", list_with_environment},
           {"own-preload", own_preload}, {"by-path", by_path}, {"vectors", vectors},
           {"failures", failures}, {"chain", chain}, {"from-a-thread", from_a_thread},
           {"script", script}, {"variables", variables}, {"descriptors", descriptors},
           {"large", large});
