/* The functions that this library stands in front of, as the next object in search order has them.
 *
 * Resolved once, before the first use, by dlsym(RTLD_NEXT). pthread_cond_* exist twice in glibc on
 * x86-64 (the 2.2.5 ones take another structure): a plain dlsym may return the old one, so they are
 * asked for by version. A function that the C library does not have stays NULL; nobody can call our
 * wrapper of it then, but through dlsym. */
#ifndef REEL_PRELOAD_REAL_H
#define REEL_PRELOAD_REAL_H

#include <dlfcn.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

/* Entry points of _FORTIFY_SOURCE, and others that no header declares (as built here). */
ssize_t __read_chk(int fd, void *buffer, size_t size, size_t room);
ssize_t __pread_chk(int fd, void *buffer, size_t size, off_t offset, size_t room);
ssize_t __pread64_chk(int fd, void *buffer, size_t size, off64_t offset, size_t room);
ssize_t __recv_chk(int fd, void *buffer, size_t size, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *buffer, size_t size, size_t room, int flags,
                       struct sockaddr *address, socklen_t *length);
int __poll_chk(struct pollfd *polled, nfds_t count, int timeout, size_t room);
int __ppoll_chk(struct pollfd *polled, nfds_t count, const struct timespec *timeout,
                const sigset_t *mask, size_t room);

/* X(name): any version will do */
#define REEL_REAL_LOCKS(X)                                                                         \
    X(pthread_mutex_lock)                                                                          \
    X(pthread_mutex_trylock)                                                                       \
    X(pthread_mutex_timedlock)                                                                     \
    X(pthread_mutex_clocklock)                                                                     \
    X(pthread_mutex_unlock)                                                                        \
    X(pthread_mutex_init)                                                                          \
    X(pthread_mutex_destroy)                                                                       \
    X(pthread_mutex_consistent)                                                                    \
    X(mtx_lock)                                                                                    \
    X(mtx_trylock)                                                                                 \
    X(mtx_timedlock)                                                                               \
    X(mtx_unlock)                                                                                  \
    X(mtx_init)                                                                                    \
    X(mtx_destroy)

#define REEL_REAL_THREADS(X)                                                                       \
    X(pthread_key_create)                                                                          \
    X(pthread_create)                                                                              \
    X(pthread_join)                                                                                \
    X(pthread_tryjoin_np)                                                                          \
    X(pthread_timedjoin_np)                                                                        \
    X(pthread_clockjoin_np)                                                                        \
    X(pthread_detach)                                                                              \
    X(pthread_exit)                                                                                \
    X(pthread_cancel)                                                                              \
    X(pthread_setname_np)                                                                          \
    X(thrd_create)                                                                                 \
    X(thrd_join)                                                                                   \
    X(thrd_detach)                                                                                 \
    X(thrd_exit)

#define REEL_REAL_CONDITIONS(X)                                                                    \
    X(pthread_cond_clockwait)                                                                      \
    X(cnd_init)                                                                                    \
    X(cnd_destroy)                                                                                 \
    X(cnd_wait)                                                                                    \
    X(cnd_timedwait)                                                                               \
    X(cnd_signal)                                                                                  \
    X(cnd_broadcast)

#define REEL_REAL_SYNCHRONISATION(X)                                                               \
    X(pthread_rwlock_rdlock)                                                                       \
    X(pthread_rwlock_wrlock)                                                                       \
    X(pthread_rwlock_tryrdlock)                                                                    \
    X(pthread_rwlock_trywrlock)                                                                    \
    X(pthread_rwlock_timedrdlock)                                                                  \
    X(pthread_rwlock_timedwrlock)                                                                  \
    X(pthread_rwlock_clockrdlock)                                                                  \
    X(pthread_rwlock_clockwrlock)                                                                  \
    X(pthread_rwlock_unlock)                                                                       \
    X(pthread_rwlock_init)                                                                         \
    X(pthread_rwlock_destroy)                                                                      \
    X(pthread_spin_lock)                                                                           \
    X(pthread_spin_trylock)                                                                        \
    X(pthread_spin_unlock)                                                                         \
    X(pthread_spin_init)                                                                           \
    X(pthread_spin_destroy)                                                                        \
    X(sem_wait)                                                                                    \
    X(sem_timedwait)                                                                               \
    X(sem_clockwait)                                                                               \
    X(sem_trywait)                                                                                 \
    X(sem_post)                                                                                    \
    X(sem_init)                                                                                    \
    X(sem_destroy)                                                                                 \
    X(sem_open)                                                                                    \
    X(sem_close)                                                                                   \
    X(pthread_barrier_wait)                                                                        \
    X(pthread_barrier_init)                                                                        \
    X(pthread_barrier_destroy)                                                                     \
    X(pthread_once)                                                                                \
    X(call_once)                                                                                   \
    X(sleep)                                                                                       \
    X(usleep)                                                                                      \
    X(nanosleep)                                                                                   \
    X(clock_nanosleep)                                                                             \
    X(thrd_sleep)                                                                                  \
    X(sched_yield)                                                                                 \
    X(thrd_yield)                                                                                  \
    X(dlopen)                                                                                      \
    X(dlclose)

#define REEL_REAL_DESCRIPTORS(X)                                                                   \
    X(read)                                                                                        \
    X(write)                                                                                       \
    X(readv)                                                                                       \
    X(writev)                                                                                      \
    X(pread)                                                                                       \
    X(pread64)                                                                                     \
    X(pwrite)                                                                                      \
    X(pwrite64)                                                                                    \
    X(fsync)                                                                                       \
    X(fdatasync)                                                                                   \
    X(sendfile)                                                                                    \
    X(sendfile64)                                                                                  \
    X(splice)                                                                                      \
    X(send)                                                                                        \
    X(sendto)                                                                                      \
    X(sendmsg)                                                                                     \
    X(sendmmsg)                                                                                    \
    X(recv)                                                                                        \
    X(recvfrom)                                                                                    \
    X(recvmsg)                                                                                     \
    X(recvmmsg)                                                                                    \
    X(connect)                                                                                     \
    X(accept)                                                                                      \
    X(accept4)                                                                                     \
    X(__read_chk)                                                                                  \
    X(__pread_chk)                                                                                 \
    X(__pread64_chk)                                                                               \
    X(__recv_chk)                                                                                  \
    X(__recvfrom_chk)                                                                              \
    X(pipe)                                                                                        \
    X(pipe2)                                                                                       \
    X(socketpair)                                                                                  \
    X(socket)                                                                                      \
    X(eventfd)                                                                                     \
    X(timerfd_create)                                                                              \
    X(signalfd)                                                                                    \
    X(epoll_create)                                                                                \
    X(epoll_create1)                                                                               \
    X(open)                                                                                        \
    X(open64)                                                                                      \
    X(openat)                                                                                      \
    X(openat64)                                                                                    \
    X(close)                                                                                       \
    X(close_range)                                                                                 \
    X(closefrom)                                                                                   \
    X(dup)                                                                                         \
    X(dup2)                                                                                        \
    X(dup3)                                                                                        \
    X(fcntl)                                                                                       \
    X(fcntl64)

#define REEL_REAL_LOOPS(X)                                                                         \
    X(epoll_wait)                                                                                  \
    X(epoll_pwait)                                                                                 \
    X(epoll_pwait2)                                                                                \
    X(epoll_ctl)                                                                                   \
    X(poll)                                                                                        \
    X(ppoll)                                                                                       \
    X(__poll_chk)                                                                                  \
    X(__ppoll_chk)                                                                                 \
    X(select)                                                                                      \
    X(pselect)

#define REEL_REAL_QUEUES(X)                                                                        \
    X(mq_open)                                                                                     \
    X(mq_close)                                                                                    \
    X(mq_send)                                                                                     \
    X(mq_timedsend)                                                                                \
    X(mq_receive)                                                                                  \
    X(mq_timedreceive)                                                                             \
    X(msgsnd)                                                                                      \
    X(msgrcv)                                                                                      \
    X(flock)                                                                                       \
    X(lockf)                                                                                       \
    X(lockf64)

#define REEL_REAL_PROCESSES(X)                                                                     \
    X(fork)                                                                                        \
    X(_Fork)                                                                                       \
    X(clone)                                                                                       \
    X(wait)                                                                                        \
    X(waitpid)                                                                                     \
    X(wait3)                                                                                       \
    X(wait4)                                                                                       \
    X(waitid)                                                                                      \
    X(system)                                                                                      \
    X(popen)                                                                                       \
    X(posix_spawn)                                                                                 \
    X(posix_spawnp)                                                                                \
    X(execve)                                                                                      \
    X(execvpe)                                                                                     \
    X(fexecve)                                                                                     \
    X(execveat)                                                                                    \
    X(kill)                                                                                        \
    X(pthread_kill)                                                                                \
    X(sigwait)                                                                                     \
    X(sigwaitinfo)                                                                                 \
    X(sigtimedwait)                                                                                \
    X(sigsuspend)                                                                                  \
    X(pause)                                                                                       \
    X(prctl)                                                                                       \
    X(syscall)

#define REEL_REAL_FUNCTIONS(X)                                                                     \
    REEL_REAL_LOCKS(X)                                                                             \
    REEL_REAL_THREADS(X)                                                                           \
    REEL_REAL_CONDITIONS(X)                                                                        \
    REEL_REAL_SYNCHRONISATION(X)                                                                   \
    REEL_REAL_DESCRIPTORS(X)                                                                       \
    REEL_REAL_LOOPS(X)                                                                             \
    REEL_REAL_QUEUES(X)                                                                            \
    REEL_REAL_PROCESSES(X)

/* X(name, version) */
#define REEL_REAL_VERSIONED(X)                                                                     \
    X(pthread_cond_init, "GLIBC_2.3.2")                                                            \
    X(pthread_cond_destroy, "GLIBC_2.3.2")                                                         \
    X(pthread_cond_wait, "GLIBC_2.3.2")                                                            \
    X(pthread_cond_timedwait, "GLIBC_2.3.2")                                                       \
    X(pthread_cond_signal, "GLIBC_2.3.2")                                                          \
    X(pthread_cond_broadcast, "GLIBC_2.3.2")

#define REEL_REAL_MEMBER(name)                    __typeof__(&name) name;
#define REEL_REAL_MEMBER_VERSIONED(name, version) __typeof__(&name) name;

struct reel_real {
    REEL_REAL_FUNCTIONS(REEL_REAL_MEMBER)
    REEL_REAL_VERSIONED(REEL_REAL_MEMBER_VERSIONED)
};

/* Filled in before any wrapper reads it: see reel_initialise(). */
extern struct reel_real reel_real __attribute__((visibility("hidden")));

void reel_real_resolve(void) __attribute__((visibility("hidden")));

#endif
