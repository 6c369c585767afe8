/* File locks: flock, lockf and fcntl's. The object is the file, in all processes that have it open:
 * one fstat at the first lock of a descriptor says which it is (the only system call that recording
 * adds after start). Ranges are not told apart: a lock of any part counts as a lock of the file. */
#include "probes/preload/file_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "probes/preload/descriptor.h"
#include "probes/preload/raw.h"
#include "probes/preload/stack.h"

struct lock_call {
    struct reel_tls *tls;
    uint64_t object;
    uint32_t flags; /* REEL_FLAG_READ, REEL_FLAG_TRY */
    uint32_t stack;
    int result; /* errno value */
    bool releases;
};

#define LOCK(op, call) REEL_KIND(op, REEL_CLASS_FILE_LOCK, REEL_FLAG_SHARED_OBJECT | (call)->flags)

static uint64_t identify(int fd)
{
    static _Atomic uint64_t known[1024]; /* by descriptor: the file, once asked */
    uint64_t entry = reel_descriptor_get(fd);
    uint64_t cached = (unsigned)fd < 1024 ? atomic_load(&known[fd]) : 0;
    /* A closed and reopened number has another (or no) entry: the low bits remember which. */
    if (cached && (cached >> 48) == (entry & 0xffff))
        return cached & 0xffffffffffffull;
    struct stat status;
    if (reel_probe.filtered || reel_raw4(SYS_fstat, fd, (long)&status, 0, 0) != 0)
        return REEL_DESCRIPTOR_IDENTITY(entry);
    uint64_t mixed = ((uint64_t)status.st_dev * 0x9e3779b97f4a7c15ull ^ (uint64_t)status.st_ino) &
                     0xffffffffffffull;
    if (!entry && (unsigned)fd < REEL_DESCRIPTOR_LIMIT) {
        entry = reel_descriptor_new(REEL_CLASS_FILE);
        reel_descriptor_set(fd, entry);
    }
    if ((unsigned)fd < 1024)
        atomic_store(&known[fd], mixed | (entry & 0xffff) << 48);
    return mixed;
}

static void begin(struct lock_call *lock, int fd, uint32_t call)
{
    lock->object = identify(fd);
    lock->result = ECANCELED;
    if (lock->releases) {
        reel_emit(lock->tls, LOCK(REEL_OP_RELEASE, lock), lock->object, 0, (uint32_t)fd, 0);
    } else if (!(lock->flags & REEL_FLAG_TRY)) {
        uint32_t kind = LOCK(REEL_OP_REQUEST, lock);
        uint64_t word = (uint64_t)fd;
        reel_emit_words(lock->tls, kind, lock->object, 0, call, lock->stack, &word, 1);
        reel_wait_begin(lock->tls, kind, lock->object, call, lock->stack);
    }
}

static void end(struct lock_call *lock)
{
    if (!lock->tls)
        return;
    int saved = errno;
    if (lock->releases) {
        if (lock->result)
            reel_emit(lock->tls, LOCK(REEL_OP_RELEASE_FAILED, lock), lock->object, 0,
                      (uint32_t)lock->result, 0);
    } else {
        if (!(lock->flags & REEL_FLAG_TRY)) {
            reel_wait_end(lock->tls);
            lock->flags |= REEL_FLAG_BLOCKED;
        }
        reel_emit(lock->tls, LOCK(lock->result ? REEL_OP_FAIL : REEL_OP_ACQUIRE, lock),
                  lock->object, 0, (uint32_t)lock->result, lock->stack);
    }
    errno = saved;
}

#define LOCK_CALL(lock_flags, is_release, call, the_stack, real_call)                              \
    struct lock_call lock __attribute__((cleanup(end))) = {                                        \
        .tls = reel_enter(REEL_FAMILY_FILELOCK), .flags = (lock_flags), .releases = (is_release)}; \
    if (!lock.tls)                                                                                 \
        return reel_real.real_call;                                                                \
    lock.stack = the_stack;                                                                        \
    begin(&lock, fd, call);                                                                        \
    int result = reel_real.real_call;                                                              \
    lock.result = result == 0 ? 0 : errno;                                                         \
    return result

REEL_INTERPOSE
int flock(int fd, int operation)
{
    LOCK_CALL(
        (operation & LOCK_SH ? REEL_FLAG_READ : 0) | (operation & LOCK_NB ? REEL_FLAG_TRY : 0),
        operation & LOCK_UN, REEL_CALL_FLOCK, reel_stack_here(lock.tls), flock(fd, operation));
}

REEL_INTERPOSE
int lockf(int fd, int command, off_t length)
{
    if (command == F_TEST)
        return reel_real.lockf(fd, command, length);
    LOCK_CALL(command == F_TLOCK ? REEL_FLAG_TRY : 0, command == F_ULOCK, REEL_CALL_LOCKF,
              reel_stack_here(lock.tls), lockf(fd, command, length));
}

REEL_INTERPOSE
int lockf64(int fd, int command, off64_t length)
{
    if (command == F_TEST)
        return reel_real.lockf64(fd, command, length);
    LOCK_CALL(command == F_TLOCK ? REEL_FLAG_TRY : 0, command == F_ULOCK, REEL_CALL_LOCKF,
              reel_stack_here(lock.tls), lockf64(fd, command, length));
}

int reel_file_lock_fcntl(int fd, int command, void *argument, void *frame)
{
    const struct flock *description = argument;
    if (!description)
        return reel_real.fcntl(fd, command, argument);
    bool waits = command == F_SETLKW || command == F_OFD_SETLKW;
    LOCK_CALL((description->l_type == F_RDLCK ? REEL_FLAG_READ : 0) | (waits ? 0 : REEL_FLAG_TRY),
              description->l_type == F_UNLCK, REEL_CALL_FCNTL, reel_stack_from(lock.tls, frame),
              fcntl(fd, command, argument));
}
