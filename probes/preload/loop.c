/* Event loops: epoll, poll, select. An iteration is WAIT, the descriptors that were ready, WAKE;
 * what runs until the next WAIT is callbacks. An epoll set is an object of its own; poll and select
 * have none: the loop is the thread's. */
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include "probes/preload/descriptor.h"
#include "probes/preload/loop.h"
#include "probes/preload/probe.h"
#include "probes/preload/stack.h"

#define LOOP(op)    REEL_KIND(REEL_OP_##op, REEL_CLASS_LOOP, 0)
#define READY_LIMIT 16 /* descriptors told per iteration; WAKE has the full count */

struct loop_wait {
    struct reel_tls *tls;
    uint64_t object;
    int result; /* ready descriptors, or negative errno */
    /* One of these says what was ready. */
    const struct epoll_event *events;
    const struct pollfd *polled;
    nfds_t polled_count;
    int epoll;
};

static void begin(struct loop_wait *wait, uint32_t call, int64_t timeout_ns, uint32_t stack)
{
    wait->result = -ECANCELED;
    if (!wait->object)
        wait->object = reel_loop_of_thread(wait->tls);
    if (timeout_ns >= 0)
        call |= REEL_CALL_TIMED;
    uint64_t word = (uint64_t)timeout_ns;
    reel_emit_words(wait->tls, LOOP(WAIT), wait->object, 0, call, stack, &word, 1);
    reel_wait_begin(wait->tls, LOOP(WAIT), wait->object, call, stack);
}

static void ready(struct reel_tls *tls, int fd, uint32_t events)
{
    uint64_t entry = reel_descriptor_get(fd);
    uint32_t class = entry ? REEL_DESCRIPTOR_CLASS(entry) : (uint32_t)REEL_CLASS_FILE;
    reel_emit(tls, REEL_KIND(REEL_OP_READY, class, events & 1 ? REEL_FLAG_READ : 0),
              REEL_DESCRIPTOR_IDENTITY(entry), 0, (uint32_t)fd, 0);
}

static void end(struct loop_wait *wait)
{
    if (!wait->tls)
        return;
    int saved = errno;
    reel_wait_end(wait->tls);
    int told = 0;
    if (wait->polled && wait->result > 0)
        for (nfds_t i = 0; i < wait->polled_count && told < READY_LIMIT; i++)
            if (wait->polled[i].revents) {
                ready(wait->tls, wait->polled[i].fd, (uint32_t)wait->polled[i].revents);
                told++;
            }
    if (wait->events)
        /* What is in `data` is the program's business: a descriptor in most programs, but a pointer
         * in others. It is passed on as it is; watched descriptors were told by epoll_ctl. */
        for (; told < wait->result && told < READY_LIMIT; told++) {
            uint64_t words[2] = {wait->events[told].data.u64, wait->events[told].events};
            reel_emit_words(wait->tls, LOOP(READY), wait->object, 0,
                            (uint32_t)wait->events[told].data.fd, 0, words, 2);
        }
    reel_emit(wait->tls, LOOP(WAKE), wait->object, 0, (uint32_t)wait->result, 0);
    errno = saved;
}

#define WAIT(call, timeout_ns, real_call, ...)                                                     \
    struct loop_wait wait                                                                          \
        __attribute__((cleanup(end))) = {.tls = reel_enter(REEL_FAMILY_LOOP), __VA_ARGS__};        \
    if (!wait.tls)                                                                                 \
        return reel_real.real_call;                                                                \
    begin(&wait, call, timeout_ns, reel_stack_here(wait.tls));                                     \
    int result = reel_real.real_call;                                                              \
    wait.result = result >= 0 ? result : -errno;                                                   \
    return result

static int64_t milliseconds(int timeout)
{
    return timeout < 0 ? -1 : (int64_t)timeout * 1000000;
}

static int64_t of_timespec(const struct timespec *timeout)
{
    return timeout ? (int64_t)timeout->tv_sec * 1000000000 + timeout->tv_nsec : -1;
}

/* The set's identity; one made before recording, or by other means, becomes known here. */
static uint64_t set_of(int epoll)
{
    uint64_t entry = reel_descriptor_get(epoll);
    if (!entry && reel_probe.region) {
        entry = reel_descriptor_new(REEL_CLASS_LOOP);
        reel_descriptor_set(epoll, entry);
    }
    return REEL_DESCRIPTOR_IDENTITY(entry);
}

REEL_INTERPOSE
int epoll_wait(int epoll, struct epoll_event *events, int room, int timeout)
{
    WAIT(REEL_CALL_EPOLL_WAIT, milliseconds(timeout), epoll_wait(epoll, events, room, timeout),
         .object = set_of(epoll), .events = events);
}

REEL_INTERPOSE
int epoll_pwait(int epoll, struct epoll_event *events, int room, int timeout, const sigset_t *mask)
{
    WAIT(REEL_CALL_EPOLL_WAIT, milliseconds(timeout),
         epoll_pwait(epoll, events, room, timeout, mask), .object = set_of(epoll),
         .events = events);
}

REEL_INTERPOSE
int epoll_pwait2(int epoll, struct epoll_event *events, int room, const struct timespec *timeout,
                 const sigset_t *mask)
{
    WAIT(REEL_CALL_EPOLL_WAIT, of_timespec(timeout),
         epoll_pwait2(epoll, events, room, timeout, mask), .object = set_of(epoll),
         .events = events);
}

REEL_INTERPOSE
int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_LOOP);
    int result = reel_real.epoll_ctl(epoll, operation, fd, event);
    if (tls && result == 0) {
        int saved = errno;
        uint64_t words[3] = {(uint64_t)operation, event ? event->data.u64 : 0,
                             REEL_DESCRIPTOR_IDENTITY(reel_descriptor_get(fd))};
        reel_emit_words(tls, LOOP(WATCH), set_of(epoll), 0, (uint32_t)fd, 0, words, 3);
        errno = saved;
    }
    return result;
}

REEL_INTERPOSE
int poll(struct pollfd *polled, nfds_t count, int timeout)
{
    WAIT(REEL_CALL_POLL, milliseconds(timeout), poll(polled, count, timeout), .polled = polled,
         .polled_count = count);
}

REEL_INTERPOSE
int ppoll(struct pollfd *polled, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
    WAIT(REEL_CALL_POLL, of_timespec(timeout), ppoll(polled, count, timeout, mask),
         .polled = polled, .polled_count = count);
}

REEL_INTERPOSE
int __poll_chk(struct pollfd *polled, nfds_t count, int timeout, size_t room)
{
    WAIT(REEL_CALL_POLL, milliseconds(timeout), __poll_chk(polled, count, timeout, room),
         .polled = polled, .polled_count = count);
}

REEL_INTERPOSE
int __ppoll_chk(struct pollfd *polled, nfds_t count, const struct timespec *timeout,
                const sigset_t *mask, size_t room)
{
    WAIT(REEL_CALL_POLL, of_timespec(timeout), __ppoll_chk(polled, count, timeout, mask, room),
         .polled = polled, .polled_count = count);
}

REEL_INTERPOSE
int select(int count, fd_set *restrict reads, fd_set *restrict writes, fd_set *restrict others,
           struct timeval *restrict timeout)
{
    WAIT(REEL_CALL_SELECT,
         timeout ? (int64_t)timeout->tv_sec * 1000000000 + (int64_t)timeout->tv_usec * 1000 : -1,
         select(count, reads, writes, others, timeout), .epoll = -1);
}

REEL_INTERPOSE
int pselect(int count, fd_set *restrict reads, fd_set *restrict writes, fd_set *restrict others,
            const struct timespec *restrict timeout, const sigset_t *restrict mask)
{
    WAIT(REEL_CALL_SELECT, of_timespec(timeout),
         pselect(count, reads, writes, others, timeout, mask), .epoll = -1);
}
