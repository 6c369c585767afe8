/* The exec family. Whatever environment the program gives, the next image gets ours with it: an
 * exec with a cleared environment goes on recording, and takes our variables out again at its
 * start. */
#include "probes/preload/exec.h"

#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

#include "probes/preload/stack.h"

#define PROCESS(op) REEL_KIND(REEL_OP_##op, REEL_CLASS_PROCESS, 0)

static struct reel_tls *leaving(const char *path, void *frame)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_PROCESS);
    if (tls) {
        int saved = errno;
        reel_emit_text(tls, PROCESS(EXEC), (uint64_t)reel_probe.pid, 0, reel_stack_from(tls, frame),
                       path);
        errno = saved;
    }
    return tls;
}

static int stayed(struct reel_tls *tls, int result)
{
    if (tls) {
        int saved = errno;
        reel_emit(tls, PROCESS(EXEC_FAILED), (uint64_t)reel_probe.pid, 0, (uint32_t)saved, 0);
        errno = saved;
    }
    return result;
}

#define EXEC(path, envp, real_call)                                                                \
    if (REEL_UNLIKELY(!reel_real.execve))                                                          \
        reel_initialise();                                                                         \
    struct reel_tls *tls = leaving(path, __builtin_frame_address(0));                              \
    REEL_EXEC_ENVIRONMENT(with, envp, path);                                                       \
    return stayed(tls, reel_real.real_call)

REEL_INTERPOSE
int execve(const char *path, char *const argv[], char *const envp[])
{
    EXEC(path, envp, execve(path, argv, with));
}

REEL_INTERPOSE
int execv(const char *path, char *const argv[])
{
    EXEC(path, environ, execve(path, argv, with));
}

REEL_INTERPOSE
int execvp(const char *file, char *const argv[])
{
    EXEC(file, environ, execvpe(file, argv, with));
}

REEL_INTERPOSE
int execvpe(const char *file, char *const argv[], char *const envp[])
{
    EXEC(file, envp, execvpe(file, argv, with));
}

REEL_INTERPOSE
int fexecve(int fd, char *const argv[], char *const envp[])
{
    EXEC("(descriptor)", envp, fexecve(fd, argv, with));
}

REEL_INTERPOSE
int execveat(int folder, const char *path, char *const argv[], char *const envp[], int flags)
{
    EXEC(path, envp, execveat(folder, path, argv, with, flags));
}

/* The list forms: their arguments become a vector on the stack. */
#define COUNT_ARGUMENTS(count, first)                                                              \
    size_t count = 1;                                                                              \
    {                                                                                              \
        va_list arguments;                                                                         \
        va_start(arguments, first);                                                                \
        while (va_arg(arguments, char *))                                                          \
            count++;                                                                               \
        va_end(arguments);                                                                         \
    }

#define COPY_ARGUMENTS(argv, count, first, last)                                                   \
    char **argv = alloca((count + 1) * sizeof *argv);                                              \
    {                                                                                              \
        va_list arguments;                                                                         \
        argv[0] = (char *)(uintptr_t)(first);                                                      \
        va_start(arguments, first);                                                                \
        for (size_t i = 1; i <= count; i++)                                                        \
            argv[i] = va_arg(arguments, char *);                                                   \
        last;                                                                                      \
        va_end(arguments);                                                                         \
    }

REEL_INTERPOSE
int execl(const char *path, const char *first, ...)
{
    COUNT_ARGUMENTS(count, first)
    COPY_ARGUMENTS(argv, count, first, (void)0)
    EXEC(path, environ, execve(path, argv, with));
}

REEL_INTERPOSE
int execlp(const char *file, const char *first, ...)
{
    COUNT_ARGUMENTS(count, first)
    COPY_ARGUMENTS(argv, count, first, (void)0)
    EXEC(file, environ, execvpe(file, argv, with));
}

REEL_INTERPOSE
int execle(const char *path, const char *first, ...)
{
    char *const *envp;
    COUNT_ARGUMENTS(count, first)
    COPY_ARGUMENTS(argv, count, first, envp = va_arg(arguments, char *const *))
    EXEC(path, envp, execve(path, argv, with));
}
