/* What a task is blocked on through a descriptor, and who could end that: all the ends of the pipe,
 * eventfd, unix socket or message queue, wherever they are open. Asked of /proc, of the kernel's
 * socket diagnosis, and of the descriptor itself. What cannot be told is not inside. */
#ifndef REEL_COLLECT_LIVE_ENDS_H
#define REEL_COLLECT_LIVE_ENDS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum reel_live_end_kind {
    REEL_LIVE_PIPE,
    REEL_LIVE_EVENTFD,
    REEL_LIVE_SOCKET,       /* a unix socket that has a peer, and no time limit */
    REEL_LIVE_UNNAMED_QUEUE /* a POSIX message queue that nobody can open any more */
};

struct reel_live_end {
    enum reel_live_end_kind kind;
    uint64_t device, inode; /* inode: of a pipe, socket, queue; the number of an eventfd */
    uint64_t peer;          /* inode of a socket's other end */
};

/* What the task is blocked in reading or writing. False: in nothing of these kinds, or that cannot
 * be told. */
bool reel_live_blocked_on(pid_t pid, pid_t tid, struct reel_live_end *end);

/* Have only processes of `traced` (a set of pids) any end of it open? */
bool reel_live_is_inside(const struct reel_live_end *end, GHashTable *traced);

/* May the kernel write to eventfds of that process by itself, for it is told of completed I/O that
 * way (io_uring, asynchronous I/O, virtual machines)? True also when that cannot be told. */
bool reel_live_has_completions(pid_t pid);

#endif
