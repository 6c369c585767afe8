/* timers-signals: an event loop that waits for time, signals and other threads, all by epoll.
 *
 * Shows: on Linux a timer, a signal and a wake-up from another thread can each be a descriptor
 * (timerfd, signalfd, eventfd), so one epoll_wait waits for all of them.
 * Look for: the loop's iterations, and for each what woke it: the ticks, the posts of the thread
 * "worker", and at last the signal that ends it. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/thread.h"
#include "kit/work.h"

#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

static long ticks = 10, posts = 5;
static int posted; /* the eventfd */

static void *post(void *unused)
{
    (void)unused;
    for (long i = 0; i < posts; i++) {
        work_wait(12);
        CHECK_SYSTEM(eventfd_write(posted, 1));
    }
    return NULL;
}

static void watch(int loop, int descriptor)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    CHECK_SYSTEM(epoll_ctl(loop, EPOLL_CTL_ADD, descriptor, &event));
}

int main(int argc, char **argv)
{
    arguments_read(argc, argv, "One loop waits for a timer, a thread and a signal.",
                   ARGUMENTS(NUMBER("ticks", &ticks, 1, 1000, "of the timer, 10 ms each"),
                             NUMBER("posts", &posts, 0, 1000, "of the thread")));
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    CHECK(pthread_sigmask(SIG_BLOCK, &signals, NULL)); /* before any thread: all inherit it */

    int loop = (int)CHECK_SYSTEM(epoll_create1(EPOLL_CLOEXEC));
    int timer = (int)CHECK_SYSTEM(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    int signalled = (int)CHECK_SYSTEM(signalfd(-1, &signals, SFD_CLOEXEC));
    posted = (int)CHECK_SYSTEM(eventfd(0, EFD_CLOEXEC));
    struct itimerspec every = {{0, 10000000}, {0, 10000000}};
    CHECK_SYSTEM(timerfd_settime(timer, 0, &every, NULL));
    watch(loop, timer);
    watch(loop, signalled);
    watch(loop, posted);

    pthread_t worker = thread_start(post, NULL, "worker");
    long ticked = 0, seen = 0, running = 1;
    while (running) {
        struct epoll_event event;
        uint64_t count;
        CHECK_SYSTEM(epoll_wait(loop, &event, 1, -1));
        if (event.data.fd == signalled) {
            struct signalfd_siginfo info;
            CHECK_TRUE(read(signalled, &info, sizeof info) == sizeof info);
            running = 0;
            continue;
        }
        CHECK_TRUE(read(event.data.fd, &count, sizeof count) == sizeof count);
        *(event.data.fd == timer ? &ticked : &seen) += (long)count;
        if (ticked >= ticks && seen == posts)
            CHECK_SYSTEM(kill(getpid(), SIGUSR1));
    }
    thread_join(worker);
    printf("%s ticks, %ld posts, ended by a signal\n", ticked >= ticks ? "enough" : "too few",
           seen);
    close(timer);
    close(signalled);
    close(posted);
    close(loop);
    return 0;
}
