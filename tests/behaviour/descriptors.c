/* Descriptors: which numbers are free, which are open, and what closing everything does. */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "case.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void use_lock(void)
{
    for (int i = 0; i < 5000; i++) {
        pthread_mutex_lock(&lock);
        pthread_mutex_unlock(&lock);
    }
}

static void list(void)
{
    DIR *folder = opendir("/proc/self/fd");
    bool open[64] = {false};
    for (struct dirent *entry; (entry = readdir(folder));)
        if (entry->d_name[0] != '.' && atoi(entry->d_name) < 64)
            open[atoi(entry->d_name)] = true;
    open[dirfd(folder)] = false;
    closedir(folder);
    for (int i = 0; i < 64; i++)
        if (open[i])
            printf("%d ", i);
    printf("\n");
}

static int listing(void)
{
    list();
    use_lock();
    list();
    return 0;
}

static int lowest(void)
{
    int fd = open("/dev/null", O_RDONLY);
    printf("first %d\n", fd);
    int ends[2];
    pipe(ends);
    printf("pipe %d %d\n", ends[0], ends[1]);
    close(fd);
    printf("reused %d\n", socket(AF_UNIX, SOCK_STREAM, 0));
    use_lock();
    printf("epoll %d\n", epoll_create1(0));
    printf("eventfd %d\n", eventfd(0, 0));
    printf("duplicate %d\n", fcntl(0, F_DUPFD, 20));
    return 0;
}

static int close_from(void)
{
    for (int i = 0; i < 30; i++)
        (void)dup(0);
    closefrom(3);
    list();
    use_lock();
    printf("next %d\n", dup(0));
    return 0;
}

static int closing_range(void)
{
    for (int i = 0; i < 30; i++)
        (void)dup(0);
    tell_call("close_range", close_range(5, 10, 0));
    list();
    tell_call("to the end", close_range(3, ~0u, 0));
    list();
    tell_call("marking", close_range(0, ~0u, CLOSE_RANGE_CLOEXEC));
    printf("flags %d\n", fcntl(1, F_GETFD));
    tell_call("backwards", close_range(9, 4, 0));
    use_lock();
    return 0;
}

static int close_everything(void)
{
    int kept = fcntl(1, F_DUPFD, 100);
    int closed = 0;
    for (int fd = 0; fd < 1024; fd++)
        if (fd != kept && close(fd) == 0)
            closed++;
    use_lock();
    int first = open("/dev/null", O_RDWR);
    use_lock();
    dprintf(kept, "closed %d, then first %d\n", closed, first);
    return 0;
}

static int replace_all(void)
{
    int file = open("all", O_RDWR | O_CREAT, 0600);
    int kept = fcntl(1, F_DUPFD, 700);
    for (int fd = 0; fd < 600; fd++)
        if (fd != file)
            dup2(file, fd);
    use_lock();
    pid_t child = fork();
    if (child == 0) {
        use_lock();
        write(5, "child\n", 6);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    char text[100];
    dprintf(kept, "file holds %zd bytes\n", pread(file, text, sizeof text, 0));
    return 0;
}

static int no_standard_streams(void)
{
    int kept = fcntl(1, F_DUPFD, 50);
    close(0);
    close(1);
    close(2);
    use_lock();
    int fd[3];
    for (int i = 0; i < 3; i++)
        fd[i] = open("/dev/null", O_RDWR);
    dprintf(kept, "%d %d %d\n", fd[0], fd[1], fd[2]);
    return 0;
}

static void *use(void *unused)
{
    use_lock();
    return NULL;
}

static int limit(void)
{
    struct rlimit limits = {64, 64};
    setrlimit(RLIMIT_NOFILE, &limits);
    int count = 0;
    while (dup(0) >= 0)
        count++;
    printf("%d more, then %s\n", count, error_name(errno));
    use_lock();
    pthread_t thread;
    tell("a thread", pthread_create(&thread, NULL, use, NULL));
    pthread_join(thread, NULL);
    return 0;
}

static int broken_pipe(void)
{
    int ends[2];
    pipe(ends);
    close(ends[0]);
    pid_t child = fork();
    if (child == 0) {
        write(ends[1], "x", 1);
        _exit(0);
    }
    tell_end("writer", child);
    signal(SIGPIPE, SIG_IGN);
    tell_call("ignored", write(ends[1], "x", 1));
    int pair[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    close(pair[0]);
    tell_call("send", send(pair[1], "x", 1, MSG_NOSIGNAL));
    return 0;
}

static int errors(void)
{
    char byte, *volatile nowhere = (char *)1;
    tell_call("read", read(-1, &byte, 1));
    tell_call("write", write(999, "x", 1));
    tell_call("close", close(999));
    tell_call("dup", dup(-1));
    tell_call("dup2", dup2(999, 1000));
    tell_call("fcntl", fcntl(999, F_GETFL));
    tell_call("open", open("/nonexistent/file", O_RDONLY));
    tell_call("recv", recv(0, &byte, 1, 0));
    tell_call("accept", accept(0, NULL, NULL));
    tell_call("epoll_wait", epoll_wait(0, (struct epoll_event[1]){0}, 1, 0));
    tell_call("epoll_ctl", epoll_ctl(-1, EPOLL_CTL_ADD, 0, NULL));
    int ends[2];
    tell_call("pipe2", pipe2(ends, O_NONBLOCK));
    tell_call("nothing there", read(ends[0], &byte, 1));
    tell_call("fsync", fsync(ends[0]));
    tell_call("bad address", read(ends[0], nowhere, 1));
    write(ends[1], "abc", 3);
    tell_call("bad buffer", read(ends[0], nowhere, 1));
    tell_call("connect", connect(0, NULL, 0));
    tell_call("open a folder", open("/", O_RDONLY | O_DIRECTORY) >= 0);
    int temporary = open(".", O_TMPFILE | O_RDWR, 0640);
    tell_call("temporary", temporary >= 0 || errno == EOPNOTSUPP);
    return 0;
}

/* A descriptor sent to another process. */
static int passed(void)
{
    int pair[2];
    socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
    pid_t child = fork();
    char data = 'd', control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec vector = {&data, 1};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    if (child == 0) {
        recvmsg(pair[1], &message, 0);
        int fd;
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
        dprintf(fd, "through descriptor %d\n", fd);
        _exit(0);
    }
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    int out = 1;
    memcpy(CMSG_DATA(header), &out, sizeof out);
    fflush(stdout);
    tell_call("sent", sendmsg(pair[0], &message, 0));
    tell_end("receiver", child);
    return 0;
}

BEHAVIOURS({"listing", listing}, {"lowest", lowest}, {"closefrom", close_from},
           {"close-range", closing_range}, {"close-everything", close_everything},
           {"replace-all", replace_all}, {"no-standard-streams", no_standard_streams},
           {"limit", limit}, {"broken-pipe", broken_pipe}, {"errors", errors}, {"passed", passed});
