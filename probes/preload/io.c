/* Reads, writes, messages, connections, synchronisation with the disk. */
#include "probes/preload/io.h"

#include <fcntl.h>
#include <stdarg.h>

#include "probes/preload/raw.h"

#define FILE_CLASS   REEL_CLASS_FILE
#define SOCKET_CLASS REEL_CLASS_SOCKET

void reel_io_begin(struct reel_io *io, int fd, uint32_t call, uint32_t flags, enum reel_class class,
                   uint32_t stack)
{
    struct reel_tls *tls = io->tls;
    io->fd = fd;
    io->call = call;
    io->flags = flags;
    io->stack = stack;
    io->result = -ECANCELED;
    io->entry = reel_descriptor_get(fd);
    if (!io->entry && class != REEL_CLASS_FILE)
        io->entry = reel_descriptor_know(tls, fd, class);
    uint32_t known = io->entry ? REEL_DESCRIPTOR_CLASS(io->entry) : (uint32_t)REEL_CLASS_FILE;
    uint64_t object = REEL_DESCRIPTOR_IDENTITY(io->entry);
    io->begin = reel_now();
    io->told = known != REEL_CLASS_FILE;
    if (io->told)
        reel_emit(tls, REEL_KIND(REEL_OP_BEGIN, known, flags), object, 0, call, stack);
    reel_wait_begin(tls, REEL_KIND(REEL_OP_BEGIN, known, flags), io->entry ? object : (uint64_t)fd,
                    call, stack);
}

/* A long call on a plain file: now it is worth two events, the first with the time of its begin. */
static void tell_late(struct reel_io *io)
{
    struct reel_tls *tls = io->tls;
    io->entry = reel_descriptor_know(tls, io->fd, REEL_CLASS_FILE);
    uint32_t kind = REEL_KIND(REEL_OP_BEGIN, REEL_DESCRIPTOR_CLASS(io->entry), io->flags);
    uint64_t file = REEL_DESCRIPTOR_IDENTITY(io->entry);
    struct reel_record *record = reel_reserve(tls, 1);
    reel_record_fill(record, io->begin, kind, file, 0, io->call, io->stack);
    reel_told(tls, kind, file, io->call);
}

void reel_io_end(struct reel_io *io)
{
    struct reel_tls *tls = io->tls;
    if (!tls)
        return;
    int saved = errno;
    reel_wait_end(tls);
    if (!io->told && reel_now() - io->begin >= reel_probe.region->io_threshold_ticks) {
        tell_late(io);
        io->told = true;
    }
    if (io->told) {
        int64_t result = io->result > INT32_MAX ? INT32_MAX : io->result;
        uint32_t kind = REEL_KIND(REEL_OP_END, REEL_DESCRIPTOR_CLASS(io->entry), io->flags);
        uint64_t object = REEL_DESCRIPTOR_IDENTITY(io->entry);
        if (REEL_UNLIKELY(io->address != NULL))
            reel_emit_words(tls, kind, object, 0, (uint32_t)(int32_t)result, 0, io->address,
                            REEL_ADDRESS_WORDS);
        else
            reel_emit(tls, kind, object, 0, (uint32_t)(int32_t)result, 0);
    }
    errno = saved;
}

bool reel_io_address(int fd, uint32_t whose, uint64_t words[REEL_ADDRESS_WORDS])
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    long call = whose == REEL_ADDRESS_OWN ? SYS_getsockname : SYS_getpeername;
    return !reel_probe.filtered && reel_raw4(call, fd, (long)&address, (long)&length, 0) == 0 &&
           reel_address_words(&address, whose, words);
}

REEL_INTERPOSE
ssize_t read(int fd, void *buffer, size_t size)
{
    REEL_IO(ssize_t, fd, REEL_CALL_READ, REEL_FLAG_READ, FILE_CLASS, read(fd, buffer, size));
}

REEL_INTERPOSE
ssize_t write(int fd, const void *buffer, size_t size)
{
    REEL_IO(ssize_t, fd, REEL_CALL_WRITE, 0, FILE_CLASS, write(fd, buffer, size));
}

REEL_INTERPOSE
ssize_t readv(int fd, const struct iovec *vector, int count)
{
    REEL_IO(ssize_t, fd, REEL_CALL_READ, REEL_FLAG_READ, FILE_CLASS, readv(fd, vector, count));
}

REEL_INTERPOSE
ssize_t writev(int fd, const struct iovec *vector, int count)
{
    REEL_IO(ssize_t, fd, REEL_CALL_WRITE, 0, FILE_CLASS, writev(fd, vector, count));
}

REEL_INTERPOSE
ssize_t pread(int fd, void *buffer, size_t size, off_t offset)
{
    REEL_IO(ssize_t, fd, REEL_CALL_READ, REEL_FLAG_READ, FILE_CLASS,
            pread(fd, buffer, size, offset));
}

REEL_INTERPOSE
ssize_t pread64(int fd, void *buffer, size_t size, off64_t offset)
{
    REEL_IO(ssize_t, fd, REEL_CALL_READ, REEL_FLAG_READ, FILE_CLASS,
            pread64(fd, buffer, size, offset));
}

REEL_INTERPOSE
ssize_t pwrite(int fd, const void *buffer, size_t size, off_t offset)
{
    REEL_IO(ssize_t, fd, REEL_CALL_WRITE, 0, FILE_CLASS, pwrite(fd, buffer, size, offset));
}

REEL_INTERPOSE
ssize_t pwrite64(int fd, const void *buffer, size_t size, off64_t offset)
{
    REEL_IO(ssize_t, fd, REEL_CALL_WRITE, 0, FILE_CLASS, pwrite64(fd, buffer, size, offset));
}

REEL_INTERPOSE
int fsync(int fd)
{
    REEL_IO(int, fd, REEL_CALL_FSYNC, 0, FILE_CLASS, fsync(fd));
}

REEL_INTERPOSE
int fdatasync(int fd)
{
    REEL_IO(int, fd, REEL_CALL_FSYNC, 0, FILE_CLASS, fdatasync(fd));
}

REEL_INTERPOSE
ssize_t sendfile(int out, int in, off_t *offset, size_t count)
{
    REEL_IO(ssize_t, out, REEL_CALL_SENDFILE, 0, FILE_CLASS, sendfile(out, in, offset, count));
}

REEL_INTERPOSE
ssize_t sendfile64(int out, int in, off64_t *offset, size_t count)
{
    REEL_IO(ssize_t, out, REEL_CALL_SENDFILE, 0, FILE_CLASS, sendfile64(out, in, offset, count));
}

REEL_INTERPOSE
ssize_t splice(int in, off64_t *in_offset, int out, off64_t *out_offset, size_t size,
               unsigned flags)
{
    REEL_IO(ssize_t, out, REEL_CALL_SENDFILE, 0, FILE_CLASS,
            splice(in, in_offset, out, out_offset, size, flags));
}

REEL_INTERPOSE
ssize_t send(int fd, const void *buffer, size_t size, int flags)
{
    REEL_IO(ssize_t, fd, REEL_CALL_SEND, 0, SOCKET_CLASS, send(fd, buffer, size, flags));
}

REEL_INTERPOSE
ssize_t sendto(int fd, const void *buffer, size_t size, int flags, const struct sockaddr *address,
               socklen_t length)
{
    REEL_IO(ssize_t, fd, REEL_CALL_SEND, 0, SOCKET_CLASS,
            sendto(fd, buffer, size, flags, address, length));
}

REEL_INTERPOSE
ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    REEL_IO(ssize_t, fd, REEL_CALL_SEND, 0, SOCKET_CLASS, sendmsg(fd, message, flags));
}

REEL_INTERPOSE
int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
    REEL_IO(int, fd, REEL_CALL_SEND, 0, SOCKET_CLASS, sendmmsg(fd, messages, count, flags));
}

REEL_INTERPOSE
ssize_t recv(int fd, void *buffer, size_t size, int flags)
{
    REEL_IO(ssize_t, fd, REEL_CALL_RECV, REEL_FLAG_READ, SOCKET_CLASS,
            recv(fd, buffer, size, flags));
}

REEL_INTERPOSE
ssize_t recvfrom(int fd, void *restrict buffer, size_t size, int flags,
                 struct sockaddr *restrict address, socklen_t *restrict length)
{
    REEL_IO(ssize_t, fd, REEL_CALL_RECV, REEL_FLAG_READ, SOCKET_CLASS,
            recvfrom(fd, buffer, size, flags, address, length));
}

REEL_INTERPOSE
ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    REEL_IO(ssize_t, fd, REEL_CALL_RECV, REEL_FLAG_READ, SOCKET_CLASS, recvmsg(fd, message, flags));
}

REEL_INTERPOSE
int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout)
{
    REEL_IO(int, fd, REEL_CALL_RECV, REEL_FLAG_READ, SOCKET_CLASS,
            recvmmsg(fd, messages, count, flags, timeout));
}

REEL_INTERPOSE
int connect(int fd, const struct sockaddr *address, socklen_t length)
{
    uint64_t words[REEL_ADDRESS_WORDS];
    struct reel_io io __attribute__((cleanup(reel_io_end))) = {.tls = reel_enter(REEL_FAMILY_IO)};
    if (!io.tls)
        return reel_real.connect(fd, address, length);
    reel_io_begin(&io, fd, REEL_CALL_CONNECT, 0, SOCKET_CLASS, reel_stack_here(io.tls));
    int result = reel_real.connect(fd, address, length);
    io.result = result >= 0 ? result : -(int64_t)errno;
    /* Also of one that goes on being connected: it has its own address already. */
    if ((result == 0 || errno == EINPROGRESS || errno == EINTR) &&
        reel_io_address(fd, REEL_ADDRESS_OWN, words))
        io.address = words;
    return result;
}

/* What _FORTIFY_SOURCE makes of the calls above. */
REEL_INTERPOSE
ssize_t __read_chk(int fd, void *buffer, size_t size, size_t room)
{
    REEL_IO(ssize_t, fd, REEL_CALL_READ, REEL_FLAG_READ, FILE_CLASS,
            __read_chk(fd, buffer, size, room));
}

REEL_INTERPOSE
ssize_t __pread_chk(int fd, void *buffer, size_t size, off_t offset, size_t room)
{
    REEL_IO(ssize_t, fd, REEL_CALL_READ, REEL_FLAG_READ, FILE_CLASS,
            __pread_chk(fd, buffer, size, offset, room));
}

REEL_INTERPOSE
ssize_t __pread64_chk(int fd, void *buffer, size_t size, off64_t offset, size_t room)
{
    REEL_IO(ssize_t, fd, REEL_CALL_READ, REEL_FLAG_READ, FILE_CLASS,
            __pread64_chk(fd, buffer, size, offset, room));
}

REEL_INTERPOSE
ssize_t __recv_chk(int fd, void *buffer, size_t size, size_t room, int flags)
{
    REEL_IO(ssize_t, fd, REEL_CALL_RECV, REEL_FLAG_READ, SOCKET_CLASS,
            __recv_chk(fd, buffer, size, room, flags));
}

REEL_INTERPOSE
ssize_t __recvfrom_chk(int fd, void *restrict buffer, size_t size, size_t room, int flags,
                       struct sockaddr *restrict address, socklen_t *restrict length)
{
    REEL_IO(ssize_t, fd, REEL_CALL_RECV, REEL_FLAG_READ, SOCKET_CLASS,
            __recvfrom_chk(fd, buffer, size, room, flags, address, length));
}
