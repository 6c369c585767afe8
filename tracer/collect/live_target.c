#include "tracer/collect/live_target.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

bool reel_live_read(pid_t pid, uint64_t address, void *to, size_t bytes)
{
    struct iovec here = {to, bytes}, there = {(void *)(uintptr_t)address, bytes};
    return process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)bytes;
}

/* A small file of /proc, whole. Returns its length, 0 when it cannot be read. */
static size_t read_small(const char *path, char *text, size_t size)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    ssize_t length = read(file, text, size - 1);
    close(file);
    text[length > 0 ? length : 0] = '\0';
    return length > 0 ? (size_t)length : 0;
}

/* State and parent, from a stat file. */
static bool read_stat(const char *path, char *state, pid_t *parent)
{
    char text[1024];
    if (!read_small(path, text, sizeof text))
        return false;
    const char *behind = strrchr(text, ')');
    int ppid;
    if (!behind || sscanf(behind + 1, " %c %d", state, &ppid) != 2)
        return false;
    *parent = ppid;
    return true;
}

char reel_live_task_state(pid_t pid, pid_t tid)
{
    char path[64], state;
    pid_t parent;
    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", (int)pid, (int)tid);
    return read_stat(path, &state, &parent) ? state : 0;
}

void reel_live_task_name(pid_t pid, pid_t tid, char name[16])
{
    char path[64], text[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/comm", (int)pid, (int)tid);
    size_t length = read_small(path, text, sizeof text);
    while (length && text[length - 1] == '\n')
        text[--length] = '\0';
    snprintf(name, 16, "%.15s", length ? text : "");
}

bool reel_live_task_lives(pid_t tid)
{
    char path[64], state;
    pid_t parent;
    if (syscall(SYS_tkill, tid, 0) != 0 && errno != EPERM)
        return false;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)tid);
    return !read_stat(path, &state, &parent) || (state != 'Z' && state != 'X');
}

bool reel_live_tasks(pid_t pid, GArray *tids)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *directory = opendir(path);
    if (!directory)
        return false;
    for (struct dirent *entry; (entry = readdir(directory));) {
        pid_t tid = (pid_t)atoi(entry->d_name);
        if (tid <= 0)
            continue;
        char state = reel_live_task_state(pid, tid);
        if (state && state != 'Z' && state != 'X')
            g_array_append_val(tids, tid);
    }
    closedir(directory);
    return true;
}

bool reel_live_may_be_signalled(pid_t pid)
{
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    if (!read_small(path, text, sizeof text))
        return true;
    const char *line = strstr(text, "\nSigCgt:");
    if (!line)
        return true;
    uint64_t caught = strtoull(line + 8, NULL, 16);
    static const int harmless[] = {SIGSEGV, SIGBUS,  SIGILL,  SIGFPE,   SIGTRAP, SIGABRT,
                                   SIGSYS,  SIGPIPE, SIGPROF, SIGWINCH, 32,      33};
    for (size_t i = 0; i < G_N_ELEMENTS(harmless); i++)
        caught &= ~(1ull << (harmless[i] - 1));
    return caught != 0;
}

bool reel_live_locate(pid_t pid, uint64_t address, struct reel_live_place *place)
{
    char path[64], line[4608];
    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    FILE *maps = fopen(path, "re");
    if (!maps)
        return false;
    bool found = false;
    while (!found && fgets(line, sizeof line, maps)) {
        unsigned long long start, end, offset, inode;
        unsigned major_number, minor_number;
        char mode[5] = "";
        int name_at = 0;
        if (sscanf(line, "%llx-%llx %4s %llx %x:%x %llu %n", &start, &end, mode, &offset,
                   &major_number, &minor_number, &inode, &name_at) < 7 ||
            address < start || address >= end)
            continue;
        const char *name = line + name_at;
        found = true;
        *place = (struct reel_live_place){.device = makedev(major_number, minor_number),
                                          .inode = mode[3] == 's' ? inode : 0,
                                          .offset = offset + (address - start)};
        /* "(deleted)" would not do: a named semaphore's memory is mapped before it gets its name.
         */
        place->anonymous = strncmp(name, "/dev/zero", 9) == 0 || strncmp(name, "/memfd:", 7) == 0;
    }
    fclose(maps);
    return found;
}

static bool pipe_of(const char *path, uint64_t *pipe)
{
    char target[64];
    ssize_t length = readlink(path, target, sizeof target - 1);
    if (length <= 0)
        return false;
    target[length] = '\0';
    unsigned long long inode;
    if (sscanf(target, "pipe:[%llu]", &inode) != 1)
        return false;
    *pipe = inode;
    return true;
}

bool reel_live_blocked_pipe(pid_t pid, pid_t tid, uint64_t *pipe)
{
#if defined(__x86_64__)
    char path[96], text[256];
    snprintf(path, sizeof path, "/proc/%d/task/%d/syscall", (int)pid, (int)tid);
    if (!read_small(path, text, sizeof text))
        return false;
    long number;
    unsigned long long first;
    if (sscanf(text, "%ld %llx", &number, &first) != 2)
        return false;
    switch (number) {
    case SYS_read:
    case SYS_write:
    case SYS_readv:
    case SYS_writev:
        break;
    default:
        return false;
    }
    snprintf(path, sizeof path, "/proc/%d/fd/%llu", (int)pid, first);
    return pipe_of(path, pipe);
#else
    (void)pid, (void)tid, (void)pipe;
    return false;
#endif
}

/* Calls `each` for every process number in /proc until it says stop (false). */
static bool each_process(bool (*each)(pid_t pid, void *data), void *data)
{
    DIR *directory = opendir("/proc");
    if (!directory)
        return false;
    bool good = true;
    for (struct dirent *entry; good && (entry = readdir(directory));)
        if (isdigit((unsigned char)entry->d_name[0]))
            good = each((pid_t)atoi(entry->d_name), data);
    closedir(directory);
    return good;
}

struct pipe_search {
    uint64_t pipe;
    GHashTable *traced;
};

/* A process that may not be looked into is a stranger we cannot ask; that one got hold of an end of
 * a pipe made inside would take a descriptor sent by us to it. Descendants are asked elsewhere. */
static bool has_no_end(pid_t pid, void *data)
{
    const struct pipe_search *search = data;
    if (g_hash_table_contains(search->traced, GINT_TO_POINTER(pid)))
        return true;
    char path[96];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *directory = opendir(path);
    if (!directory)
        return true;
    bool none = true;
    for (struct dirent *entry; none && (entry = readdir(directory));) {
        uint64_t pipe;
        snprintf(path, sizeof path, "/proc/%d/fd/%.20s", (int)pid, entry->d_name);
        none = !pipe_of(path, &pipe) || pipe != search->pipe;
    }
    closedir(directory);
    return none;
}

bool reel_live_pipe_is_inside(uint64_t pipe, GHashTable *traced)
{
    struct pipe_search search = {.pipe = pipe, .traced = traced};
    return each_process(has_no_end, &search);
}

bool reel_live_file_lock_holders(pid_t pid, GArray *pids)
{
    FILE *locks = fopen("/proc/locks", "re");
    if (!locks)
        return false;
    char line[256];
    char holder_id[32] = "";
    int holder = 0;
    bool found = false;
    while (fgets(line, sizeof line, locks)) {
        char id[32], arrow[4] = "", kind[16], how[16], mode[16];
        int owner;
        if (sscanf(line, "%31s %3s %15s %15s %15s %d", id, arrow, kind, how, mode, &owner) == 6 &&
            strcmp(arrow, "->") == 0) {
            /* Who waits stands below whom it waits for, under the same number. */
            if (owner == pid && holder > 0 && strcmp(id, holder_id) == 0) {
                g_array_append_val(pids, holder);
                found = true;
            }
        } else if (sscanf(line, "%31s %15s %15s %15s %d", id, kind, how, mode, &owner) == 5) {
            g_strlcpy(holder_id, id, sizeof holder_id);
            holder = owner;
        }
    }
    fclose(locks);
    return found;
}

static bool is_no_stranger(pid_t pid, void *data)
{
    GHashTable *traced = data;
    if (g_hash_table_contains(traced, GINT_TO_POINTER(pid)))
        return true;
    char path[64], state;
    pid_t parent;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    return !read_stat(path, &state, &parent) || state == 'Z' || state == 'X' ||
           !g_hash_table_contains(traced, GINT_TO_POINTER(parent));
}

bool reel_live_has_strangers(GHashTable *traced)
{
    return !each_process(is_no_stranger, traced);
}

struct family {
    pid_t pid, parent;
};

static bool note_family(pid_t pid, void *data)
{
    GArray *all = data;
    char path[64], state;
    struct family member = {.pid = pid};
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (read_stat(path, &state, &member.parent) && state != 'Z' && state != 'X')
        g_array_append_val(all, member);
    return true;
}

void reel_live_descendants(pid_t pid, GArray *pids)
{
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(struct family));
    each_process(note_family, all);
    guint from = pids->len;
    g_array_append_val(pids, pid);
    for (guint i = from; i < pids->len; i++) {
        pid_t parent = g_array_index(pids, pid_t, i);
        for (guint k = 0; k < all->len; k++) {
            const struct family *member = &g_array_index(all, struct family, k);
            if (member->parent == parent && member->pid != parent)
                g_array_append_val(pids, member->pid);
        }
    }
}
