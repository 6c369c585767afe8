/* Calls that make, copy and close descriptors. */
#include <fcntl.h>
#include <stdarg.h>

#include "probes/preload/file_lock.h"
#include "probes/preload/io.h"

/* What the wrappers that make one descriptor have in common; errno as the call left it. */
static int made(struct reel_tls *tls, int fd, enum reel_class class, uint32_t stack)
{
    if (!tls || fd < 0)
        return fd;
    int saved = errno;
    reel_descriptor_opened(tls, fd, reel_descriptor_new(class), -1, stack);
    errno = saved;
    return fd;
}

#define MAKE(class, real_call)                                                                     \
    struct reel_tls *tls = reel_enter(REEL_FAMILY_IO);                                             \
    int fd = reel_real.real_call;                                                                  \
    return made(tls, fd, class, tls && fd >= 0 ? reel_stack_here(tls) : 0)

static void made_pair(struct reel_tls *tls, const int fd[2], enum reel_class class, uint32_t stack)
{
    int saved = errno;
    uint64_t entry = reel_descriptor_new(class);
    /* A pipe is one thing with two ends; of a socket pair, each end is read and written. */
    uint64_t other = class == REEL_CLASS_PIPE ? entry : reel_descriptor_new(class);
    reel_descriptor_opened(tls, fd[0], entry, fd[1], stack);
    reel_descriptor_opened(tls, fd[1], other, fd[0], stack);
    errno = saved;
}

REEL_INTERPOSE
int pipe(int fd[2])
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_IO);
    int result = reel_real.pipe(fd);
    if (tls && result == 0)
        made_pair(tls, fd, REEL_CLASS_PIPE, reel_stack_here(tls));
    return result;
}

REEL_INTERPOSE
int pipe2(int fd[2], int flags)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_IO);
    int result = reel_real.pipe2(fd, flags);
    if (tls && result == 0)
        made_pair(tls, fd, REEL_CLASS_PIPE, reel_stack_here(tls));
    return result;
}

REEL_INTERPOSE
int socketpair(int domain, int type, int protocol, int fd[2])
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_IO);
    int result = reel_real.socketpair(domain, type, protocol, fd);
    if (tls && result == 0)
        made_pair(tls, fd, REEL_CLASS_SOCKET, reel_stack_here(tls));
    return result;
}

REEL_INTERPOSE
int socket(int domain, int type, int protocol)
{
    MAKE(REEL_CLASS_SOCKET, socket(domain, type, protocol));
}

REEL_INTERPOSE
int eventfd(unsigned value, int flags)
{
    MAKE(REEL_CLASS_EVENTFD, eventfd(value, flags));
}

REEL_INTERPOSE
int timerfd_create(clockid_t clock, int flags)
{
    MAKE(REEL_CLASS_TIMERFD, timerfd_create(clock, flags));
}

REEL_INTERPOSE
int signalfd(int old, const sigset_t *mask, int flags)
{
    if (old != -1)
        return reel_real.signalfd(old, mask, flags);
    MAKE(REEL_CLASS_SIGNALFD, signalfd(old, mask, flags));
}

REEL_INTERPOSE
int epoll_create(int size)
{
    MAKE(REEL_CLASS_LOOP, epoll_create(size));
}

REEL_INTERPOSE
int epoll_create1(int flags)
{
    MAKE(REEL_CLASS_LOOP, epoll_create1(flags));
}

/* accept blocks on the listening socket and makes another. */
static int accept_with(int fd, struct sockaddr *address, socklen_t *length, int flags,
                       struct reel_tls *tls, uint32_t stack)
{
    uint64_t words[REEL_ADDRESS_WORDS];
    struct reel_io io __attribute__((cleanup(reel_io_end))) = {.tls = tls};
    reel_io_begin(&io, fd, REEL_CALL_ACCEPT, REEL_FLAG_READ, REEL_CLASS_SOCKET, stack);
    int result = flags < 0 ? reel_real.accept(fd, address, length)
                           : reel_real.accept4(fd, address, length, flags);
    io.result = result >= 0 ? result : -(int64_t)errno;
    if (result >= 0 && reel_io_address(result, REEL_ADDRESS_PEER, words))
        io.address = words;
    return result;
}

REEL_INTERPOSE
int accept(int fd, struct sockaddr *restrict address, socklen_t *restrict length)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_IO);
    if (!tls)
        return reel_real.accept(fd, address, length);
    uint32_t stack = reel_stack_here(tls);
    return made(tls, accept_with(fd, address, length, -1, tls, stack), REEL_CLASS_SOCKET, stack);
}

REEL_INTERPOSE
int accept4(int fd, struct sockaddr *restrict address, socklen_t *restrict length, int flags)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_IO);
    if (!tls)
        return reel_real.accept4(fd, address, length, flags);
    uint32_t stack = reel_stack_here(tls);
    return made(tls, accept_with(fd, address, length, flags, tls, stack), REEL_CLASS_SOCKET, stack);
}

/* open makes plain files, mostly: they are told when a call on them takes long. */
#define OPEN_MODE(flags, mode)                                                                     \
    mode_t mode = 0;                                                                               \
    if ((flags)&O_CREAT || ((flags)&O_TMPFILE) == O_TMPFILE) {                                     \
        va_list arguments;                                                                         \
        va_start(arguments, flags);                                                                \
        mode = va_arg(arguments, mode_t);                                                          \
        va_end(arguments);                                                                         \
    }

#define OPEN(real_call)                                                                            \
    struct reel_tls *tls = reel_enter(REEL_FAMILY_IO);                                             \
    int fd = reel_real.real_call;                                                                  \
    if (tls)                                                                                       \
        reel_descriptor_set(fd, 0);                                                                \
    return fd

REEL_INTERPOSE
int open(const char *path, int flags, ...)
{
    OPEN_MODE(flags, mode)
    OPEN(open(path, flags, mode));
}

REEL_INTERPOSE
int open64(const char *path, int flags, ...)
{
    OPEN_MODE(flags, mode)
    OPEN(open64(path, flags, mode));
}

REEL_INTERPOSE
int openat(int folder, const char *path, int flags, ...)
{
    OPEN_MODE(flags, mode)
    OPEN(openat(folder, path, flags, mode));
}

REEL_INTERPOSE
int openat64(int folder, const char *path, int flags, ...)
{
    OPEN_MODE(flags, mode)
    OPEN(openat64(folder, path, flags, mode));
}

/* Before the call: afterwards another thread may have got the number already. */
static void closing(struct reel_tls *tls, int fd)
{
    uint64_t entry = reel_descriptor_get(fd);
    if (!entry)
        return;
    reel_descriptor_set(fd, 0);
    reel_emit(tls, REEL_KIND(REEL_OP_CLOSE, REEL_DESCRIPTOR_CLASS(entry), 0),
              REEL_DESCRIPTOR_IDENTITY(entry), 0, (uint32_t)fd, 0);
}

REEL_INTERPOSE
int close(int fd)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_IO);
    if (tls)
        closing(tls, fd);
    return reel_real.close(fd);
}

static void closing_range(struct reel_tls *tls, unsigned first, unsigned last)
{
    for (unsigned fd = first; fd <= last && fd < REEL_DESCRIPTOR_LIMIT; fd++)
        closing(tls, (int)fd);
}

REEL_INTERPOSE
int close_range(unsigned first, unsigned last, int flags)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_IO);
    if (tls && !(flags & 4 /* CLOSE_RANGE_CLOEXEC */))
        closing_range(tls, first, last);
    return reel_real.close_range(first, last, flags);
}

REEL_INTERPOSE
void closefrom(int first)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_IO);
    if (tls)
        closing_range(tls, first < 0 ? 0 : (unsigned)first, REEL_DESCRIPTOR_LIMIT - 1);
    reel_real.closefrom(first);
}

static int copied(struct reel_tls *tls, int from, int to)
{
    if (tls && to >= 0)
        reel_descriptor_set(to, reel_descriptor_get(from));
    return to;
}

REEL_INTERPOSE
int dup(int fd)
{
    return copied(reel_enter(REEL_FAMILY_IO), fd, reel_real.dup(fd));
}

REEL_INTERPOSE
int dup2(int fd, int to)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_IO);
    return copied(tls, fd, reel_real.dup2(fd, to));
}

REEL_INTERPOSE
int dup3(int fd, int to, int flags)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_IO);
    return copied(tls, fd, reel_real.dup3(fd, to, flags));
}

/* fcntl: copies, and record locks (file_lock.c). */
static int control(int fd, int command, void *argument, void *frame, bool wide)
{
    struct reel_tls *tls;
    switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        tls = reel_enter(REEL_FAMILY_IO);
        return copied(tls, fd, reel_real.fcntl(fd, command, argument));
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return reel_file_lock_fcntl(fd, command, argument, frame);
    default:
        return wide ? reel_real.fcntl64(fd, command, argument)
                    : reel_real.fcntl(fd, command, argument);
    }
}

REEL_INTERPOSE
int fcntl(int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (REEL_UNLIKELY(!reel_real.fcntl))
        reel_initialise();
    return control(fd, command, argument, __builtin_frame_address(0), false);
}

REEL_INTERPOSE
int fcntl64(int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (REEL_UNLIKELY(!reel_real.fcntl64))
        reel_initialise();
    return control(fd, command, argument, __builtin_frame_address(0), true);
}
