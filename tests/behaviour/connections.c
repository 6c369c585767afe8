/* Connections: what connect and accept answer, and under filters that forbid asking for addresses.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "case.h"

static int listen_on(struct sockaddr_in *address)
{
    int listening = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t size = sizeof *address;
    *address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bind(listening, (struct sockaddr *)address, size);
    listen(listening, 4);
    getsockname(listening, (struct sockaddr *)address, &size);
    return listening;
}

static void exchange(int client, int server)
{
    char byte = 0;
    send(client, "a", 1, 0);
    recv(server, &byte, 1, 0);
    printf("server got %c\n", byte);
    send(server, "b", 1, 0);
    recv(client, &byte, 1, 0);
    printf("client got %c\n", byte);
    close(client);
    close(server);
}

static int answers(void)
{
    struct sockaddr_in address, seen;
    int listening = listen_on(&address);
    const struct sockaddr *to = (struct sockaddr *)&address;
    int client = socket(AF_INET, SOCK_STREAM, 0);
    errno = 77;
    tell_call("connect", connect(client, to, sizeof address));
    printf("errno %d\n", errno);
    int server = accept(listening, NULL, NULL);
    printf("accepted %d errno %d\n", server, errno);
    exchange(client, server);

    client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int result = connect(client, to, sizeof address);
    printf("at once: %s\n", result == 0 || errno == EINPROGRESS ? "connects" : strerror(errno));
    poll(&(struct pollfd){.fd = client, .events = POLLOUT}, 1, -1);
    socklen_t size = 6; /* less than there is */
    memset(&seen, 0, sizeof seen);
    server = accept4(listening, (struct sockaddr *)&seen, &size, SOCK_CLOEXEC);
    printf("family %d, port known %d, address %x, size %u\n", seen.sin_family, seen.sin_port != 0,
           seen.sin_addr.s_addr, size);
    fcntl(client, F_SETFL, 0);
    exchange(client, server);
    tell_call("connected already", connect(listening, to, sizeof address));
    close(listening);
    client = socket(AF_INET, SOCK_STREAM, 0);
    tell_call("nobody listens", connect(client, to, sizeof address));
    close(client);
    client = socket(AF_INET, SOCK_DGRAM, 0);
    tell_call("datagrams", connect(client, to, sizeof address));
    close(client);
    printf("next %d\n", dup(0));
    return 0;
}

static int local(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
    int listening = socket(AF_UNIX, SOCK_STREAM, 0);
    bind(listening, (struct sockaddr *)&address, sizeof address);
    listen(listening, 4);
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    tell_call("connect", connect(client, (struct sockaddr *)&address, sizeof address));
    exchange(client, accept(listening, NULL, NULL));
    /* One that is gone again is accepted all the same. */
    client = socket(AF_UNIX, SOCK_STREAM, 0);
    connect(client, (struct sockaddr *)&address, sizeof address);
    close(client);
    tell_call("accept who left", accept(listening, NULL, NULL) >= 0);
    return 0;
}

#define FORBID(name)                                                                               \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1),                                         \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

static bool forbid_names(void)
{
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        FORBID(getsockname),
        FORBID(getpeername),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof steps / sizeof *steps, steps};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

static int connect_under_filter(int listening, const struct sockaddr_in *address)
{
    int client = socket(AF_INET, SOCK_STREAM, 0);
    tell_call("connect", connect(client, (const struct sockaddr *)address, sizeof *address));
    exchange(client, accept(listening, NULL, NULL));
    fflush(stdout);
    return 5;
}

/* Asking for a socket's name would be the end: of who forbade it, and of what that one executes. */
static int forbidden(void)
{
    struct sockaddr_in address;
    const char *inherited = getenv("LISTENS_AT");
    if (inherited) {
        address = (struct sockaddr_in){.sin_family = AF_INET,
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                       .sin_port = (in_port_t)atoi(inherited)};
        return connect_under_filter(atoi(getenv("LISTENING")), &address);
    }
    int listening = listen_on(&address);
    pid_t child = fork();
    if (child == 0)
        _exit(forbid_names() ? connect_under_filter(listening, &address) : SKIP);
    tell_end("filtered", child);
    child = fork();
    if (child == 0) {
        char number[16];
        snprintf(number, sizeof number, "%d", address.sin_port);
        setenv("LISTENS_AT", number, 1);
        snprintf(number, sizeof number, "%d", listening);
        setenv("LISTENING", number, 1);
        if (!forbid_names())
            _exit(SKIP);
        execl("/proc/self/exe", "connections", "forbidden", NULL);
    }
    tell_end("filtered, then executed", child);
    return 0;
}

BEHAVIOURS({"answers", answers}, {"local", local}, {"forbidden", forbidden});
