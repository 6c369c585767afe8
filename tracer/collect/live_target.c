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

#include "tracer/model/stillness.h"

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

bool reel_live_handled_signals(pid_t pid, uint64_t *handled, unsigned *tasks)
{
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    if (!read_small(path, text, sizeof text))
        return false;
    const char *caught = strstr(text, "\nSigCgt:"), *threads = strstr(text, "\nThreads:");
    if (!caught || !threads)
        return false;
    *handled = strtoull(caught + 8, NULL, 16) & ~REEL_SIGNALS_HARMLESS;
    *tasks = (unsigned)strtoul(threads + 9, NULL, 10);
    return true;
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

bool reel_live_each_process(bool (*each)(pid_t pid, void *data), void *data)
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
    return !reel_live_each_process(is_no_stranger, traced);
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
    reel_live_each_process(note_family, all);
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
