#include "tracer/collect/live_ends.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "tracer/collect/live_target.h"

#define DELETED " (deleted)"

/* What a link of /proc/PID/fd says. */
static bool read_link(const char *path, char *target, size_t size)
{
    ssize_t length = readlink(path, target, size - 1);
    target[length > 0 ? length : 0] = '\0';
    return length > 0;
}

static bool number_in(const char *text, const char *format, uint64_t *number)
{
    unsigned long long value;
    if (sscanf(text, format, &value) != 1)
        return false;
    *number = value;
    return true;
}

/* The kernel numbers eventfds, which have no inode of their own. */
static bool eventfd_number(pid_t pid, const char *descriptor, uint64_t *number)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/fdinfo/%.20s", (int)pid, descriptor);
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return false;
    const char *line = strstr(text, "eventfd-id:");
    return line && number_in(line, "eventfd-id: %llu", number);
}

/* The inode of a unix socket's other end, by the kernel's list of all unix sockets. */
static bool ask_peer(int netlink, uint64_t inode, uint64_t *peer)
{
    struct {
        struct nlmsghdr header;
        struct unix_diag_req body;
    } request = {
        .header = {.nlmsg_len = sizeof request,
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .body = {.sdiag_family = AF_UNIX, .udiag_states = ~0u, .udiag_show = UDIAG_SHOW_PEER}};
    if (send(netlink, &request, sizeof request, 0) != (ssize_t)sizeof request)
        return false;
    static const size_t room = 65536;
    g_autofree char *buffer = g_malloc(room);
    for (;;) {
        ssize_t got = recv(netlink, buffer, room, 0);
        if (got <= 0)
            return false;
        unsigned left = (unsigned)got;
        for (struct nlmsghdr *at = (void *)buffer; NLMSG_OK(at, left); at = NLMSG_NEXT(at, left)) {
            if (at->nlmsg_type != SOCK_DIAG_BY_FAMILY)
                return false; /* the end of the list, or an error */
            const struct unix_diag_msg *found = NLMSG_DATA(at);
            if (at->nlmsg_len < NLMSG_LENGTH(sizeof *found) || found->udiag_ino != inode)
                continue;
            struct nlattr *fact = (void *)((char *)found + NLMSG_ALIGN(sizeof *found));
            size_t rest = at->nlmsg_len - NLMSG_LENGTH(sizeof *found);
            while (rest >= sizeof *fact && fact->nla_len >= sizeof *fact && fact->nla_len <= rest) {
                if (fact->nla_type == UNIX_DIAG_PEER && fact->nla_len >= sizeof *fact + 4) {
                    uint32_t number;
                    memcpy(&number, fact + 1, sizeof number);
                    *peer = number;
                    return true;
                }
                size_t step = NLA_ALIGN(fact->nla_len);
                if (step >= rest)
                    break;
                rest -= step;
                fact = (void *)((char *)fact + step);
            }
            return false; /* nobody is connected to it */
        }
    }
}

static bool peer_of(uint64_t inode, uint64_t *peer)
{
    int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (netlink < 0)
        return false;
    struct timeval patience = {.tv_sec = 1};
    setsockopt(netlink, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    bool known = ask_peer(netlink, inode, peer);
    close(netlink);
    return known;
}

/* Is it a unix socket that waits without a limit? Only a copy of the descriptor can be asked, which
 * is closed again at once. */
static bool is_patient_unix_socket(pid_t pid, int descriptor)
{
    int process = (int)syscall(SYS_pidfd_open, pid, 0);
    if (process < 0)
        return false;
    int copy = (int)syscall(SYS_pidfd_getfd, process, descriptor, 0);
    close(process);
    if (copy < 0)
        return false;
    int domain = 0;
    struct timeval receive = {0}, send = {0};
    socklen_t size = sizeof domain, receive_size = sizeof receive, send_size = sizeof send;
    bool good = getsockopt(copy, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
                getsockopt(copy, SOL_SOCKET, SO_RCVTIMEO, &receive, &receive_size) == 0 &&
                getsockopt(copy, SOL_SOCKET, SO_SNDTIMEO, &send, &send_size) == 0 &&
                domain == AF_UNIX && !receive.tv_sec && !receive.tv_usec && !send.tv_sec &&
                !send.tv_usec;
    close(copy);
    return good;
}

/* A queue's link is its name, as if it lay in the root folder; without a name it says so. */
static bool unnamed_queue(const char *path, const char *target, struct reel_live_end *end)
{
    struct stat status;
    if (target[0] != '/' || !g_str_has_suffix(target, DELETED) || stat(path, &status) != 0 ||
        status.st_nlink != 0)
        return false;
    end->kind = REEL_LIVE_UNNAMED_QUEUE;
    end->device = status.st_dev;
    end->inode = status.st_ino;
    return true;
}

/* What a descriptor is, but for a socket's peer. */
static bool look_at(pid_t pid, const char *descriptor, bool queue, struct reel_live_end *end)
{
    char path[96], target[512];
    snprintf(path, sizeof path, "/proc/%d/fd/%.20s", (int)pid, descriptor);
    if (!read_link(path, target, sizeof target))
        return false;
    *end = (struct reel_live_end){.kind = REEL_LIVE_PIPE};
    if (number_in(target, "pipe:[%llu]", &end->inode))
        return true;
    end->kind = REEL_LIVE_SOCKET;
    if (number_in(target, "socket:[%llu]", &end->inode))
        return true;
    end->kind = REEL_LIVE_EVENTFD;
    if (strcmp(target, "anon_inode:[eventfd]") == 0)
        return eventfd_number(pid, descriptor, &end->inode);
    return queue && unnamed_queue(path, target, end);
}

bool reel_live_blocked_on(pid_t pid, pid_t tid, struct reel_live_end *end)
{
#if defined(__x86_64__)
    g_autofree char *path = g_strdup_printf("/proc/%d/task/%d/syscall", (int)pid, (int)tid);
    g_autofree char *text = NULL;
    long number;
    unsigned long long first, arguments[4];
    if (!g_file_get_contents(path, &text, NULL, NULL) ||
        sscanf(text, "%ld %llx %llx %llx %llx %llx", &number, &first, &arguments[0], &arguments[1],
               &arguments[2], &arguments[3]) != 6)
        return false;
    bool queue = number == SYS_mq_timedsend || number == SYS_mq_timedreceive;
    switch (number) {
    case SYS_read:
    case SYS_write:
    case SYS_readv:
    case SYS_writev:
    case SYS_recvfrom:
    case SYS_recvmsg:
    case SYS_sendto:
    case SYS_sendmsg:
        break;
    default:
        if (!queue || arguments[3]) /* its deadline */
            return false;
    }
    char descriptor[24];
    snprintf(descriptor, sizeof descriptor, "%llu", first);
    if (!look_at(pid, descriptor, queue, end))
        return false;
    return end->kind != REEL_LIVE_SOCKET ||
           (is_patient_unix_socket(pid, (int)first) && peer_of(end->inode, &end->peer));
#else
    (void)pid, (void)tid, (void)end;
    return false;
#endif
}

struct search {
    const struct reel_live_end *end;
    GHashTable *traced;
};

static bool is_end(const struct reel_live_end *wanted, const struct reel_live_end *seen)
{
    return seen->kind == wanted->kind && seen->device == wanted->device &&
           (seen->inode == wanted->inode ||
            (seen->kind == REEL_LIVE_SOCKET && seen->inode == wanted->peer));
}

/* A process that may not be looked into is a stranger we cannot ask; one that got hold of an end
 * of what was made inside would take a descriptor sent by us to it. Descendants are asked
 * elsewhere. */
static bool has_no_end(pid_t pid, void *data)
{
    const struct search *search = data;
    if (g_hash_table_contains(search->traced, GINT_TO_POINTER(pid)))
        return true;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *directory = opendir(path);
    if (!directory)
        return true;
    bool none = true, queue = search->end->kind == REEL_LIVE_UNNAMED_QUEUE;
    for (struct dirent *entry; none && (entry = readdir(directory));) {
        struct reel_live_end seen;
        none = entry->d_name[0] == '.' || !look_at(pid, entry->d_name, queue, &seen) ||
               !is_end(search->end, &seen);
    }
    closedir(directory);
    return none;
}

bool reel_live_is_inside(const struct reel_live_end *end, GHashTable *traced)
{
    struct search search = {.end = end, .traced = traced};
    return reel_live_each_process(has_no_end, &search);
}

bool reel_live_has_completions(pid_t pid)
{
    g_autofree char *maps = g_strdup_printf("/proc/%d/maps", (int)pid);
    g_autofree char *text = NULL;
    if (!g_file_get_contents(maps, &text, NULL, NULL) || strstr(text, "/[aio]"))
        return true;
    char path[96], target[512];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *directory = opendir(path);
    if (!directory)
        return true;
    static const char *const harmless[] = {"/dev/null",   "/dev/zero",    "/dev/full", "/dev/pts/",
                                           "/dev/random", "/dev/urandom", "/dev/tty",  "/dev/shm/"};
    bool found = false;
    for (struct dirent *entry; !found && (entry = readdir(directory));) {
        snprintf(path, sizeof path, "/proc/%d/fd/%.20s", (int)pid, entry->d_name);
        if (!read_link(path, target, sizeof target))
            continue;
        bool known = false;
        for (size_t i = 0; i < G_N_ELEMENTS(harmless); i++)
            known |= g_str_has_prefix(target, harmless[i]);
        found = strstr(target, "io_uring") || strstr(target, "kvm") ||
                (g_str_has_prefix(target, "/dev/") && !known);
    }
    closedir(directory);
    return found;
}
