#include "tracer/collect/processes.h"

#include "tracer/collect/image.h"
#include "tracer/collect/maps.h"
#include "tracer/collect/outside.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct reel_processes {
    struct reel_trace *trace;
    struct reel_region_owner *owner;
    const struct reel_clock_map *clock;
    GPtrArray *all;        /* struct reel_process, in order of their numbers' appearance */
    GHashTable *by_number; /* the same, by row.id */
    GHashTable *made;      /* pid → struct made: children that have not joined yet */
    unsigned alive;
    bool held;        /* first images are released by the caller */
    int first_status; /* of the first process, as it was waited for */
    bool first_ended;
};

#define JOIN_NS 1000000000 /* who has not joined so long after being made will not */

/* A child as its parent tells it. */
struct made {
    uint32_t parent;
    uint64_t at_ns, end_ns; /* end: 0 until it was waited for */
    int status;
};

static void process_free(gpointer data)
{
    struct reel_process *process = data;
    if (process->descriptor >= 0)
        close(process->descriptor);
    g_free((char *)process->row.executable);
    g_free((char *)process->row.command);
    g_free((char *)process->row.note);
    g_free(process->next_image);
    g_free(process);
}

struct reel_processes *reel_processes_new(struct reel_trace *trace, struct reel_region_owner *owner,
                                          const struct reel_clock_map *clock)
{
    struct reel_processes *processes = g_new0(struct reel_processes, 1);
    processes->trace = trace;
    processes->owner = owner;
    processes->clock = clock;
    processes->all = g_ptr_array_new_with_free_func(process_free);
    processes->by_number = g_hash_table_new(g_direct_hash, g_direct_equal);
    processes->made = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
    return processes;
}

void reel_processes_free(struct reel_processes *processes)
{
    if (!processes)
        return;
    g_ptr_array_free(processes->all, TRUE);
    g_hash_table_destroy(processes->made);
    g_hash_table_destroy(processes->by_number);
    g_free(processes);
}

unsigned reel_processes_count(const struct reel_processes *processes)
{
    return processes->all->len;
}

struct reel_process *reel_processes_at(struct reel_processes *processes, unsigned index)
{
    return processes->all->pdata[index];
}

unsigned reel_processes_alive(const struct reel_processes *processes)
{
    return processes->alive;
}

struct reel_process *reel_processes_find(struct reel_processes *processes, uint32_t number)
{
    return g_hash_table_lookup(processes->by_number, GUINT_TO_POINTER(number));
}

unsigned reel_processes_recorded(const struct reel_processes *processes)
{
    unsigned count = 0;
    for (unsigned i = 0; i < processes->all->len; i++)
        count += ((struct reel_process *)processes->all->pdata[i])->row.traced;
    return count;
}

static struct reel_process *latest_of(struct reel_processes *processes, pid_t pid)
{
    for (unsigned i = processes->all->len; i-- > 0;) {
        struct reel_process *process = processes->all->pdata[i];
        if (process->row.pid == pid)
            return process;
    }
    return NULL;
}

static char *read_executable(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/exe", (int)pid);
    g_autofree char *target = g_file_read_link(path, NULL);
    return target ? g_utf8_make_valid(target, -1) : NULL;
}

bool reel_processes_write(struct reel_processes *processes, struct reel_process *process,
                          struct reel_error *error)
{
    return reel_trace_put_process(processes->trace, &process->row, error);
}

static void ended(struct reel_processes *processes, struct reel_process *process, uint64_t now_ns)
{
    if (!process->alive)
        return;
    process->alive = false;
    processes->alive--;
    process->row.end_ns = now_ns;
    if (process->descriptor >= 0)
        close(process->descriptor);
    process->descriptor = -1;
}

static void set_status(struct reel_process *process, int wait_status)
{
    process->row.exit_status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1;
    process->row.signal = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;
    process->dirty = true;
}

void reel_processes_hold(struct reel_processes *processes)
{
    processes->held = true;
}

void reel_processes_release(struct reel_processes *processes, struct reel_process *process)
{
    if (process->slot != REEL_NO_SLOT)
        atomic_store_explicit(&reel_region_process(processes->owner->region, process->slot)->seen,
                              1, memory_order_release);
}

static bool attached(struct reel_processes *processes, uint32_t index,
                     struct reel_process_slot *slot, uint64_t now_ns, struct reel_error *error)
{
    struct reel_process *process = g_new0(struct reel_process, 1);
    process->slot = index;
    process->alive = true;
    process->row = (struct reel_process_row){
        .id = slot->number,
        .pid = slot->pid,
        .parent_pid = slot->parent_pid,
        .parent = slot->parent_number,
        .start_ns = reel_clock_map_ns(processes->clock, slot->start),
        .exit_status = -1,
        .signal = -1,
        .traced = true,
    };
    struct reel_process *parent = reel_processes_find(processes, slot->parent_number);
    if (parent) { /* forked: the same image. What /proc says may be the next one already. */
        process->row.executable = g_strdup(parent->row.executable);
        process->row.command = g_strdup(parent->row.command);
    } else {
        process->row.executable = read_executable(slot->pid);
    }
    /* The same pid, and it had not died when this began: exec replaced the image. (Its death may
     * have been noticed first, when both came between two looks.) */
    struct reel_process *other = latest_of(processes, slot->pid);
    if (other && (other->alive || other->row.end_ns >= process->row.start_ns)) {
        process->row.image_of = other->row.id;
        process->row.parent = other->row.parent;
        g_clear_pointer(&other->next_image, g_free);
        other->replaced = true;
        ended(processes, other, process->row.start_ns);
        other->row.end_ns = process->row.start_ns;
        process->row.exit_status = other->row.exit_status;
        process->row.signal = other->row.signal;
        other->row.exit_status = other->row.signal = -1;
        if (!reel_processes_write(processes, other, error)) {
            process_free(process);
            return false;
        }
    }
    struct made *made = g_hash_table_lookup(processes->made, GINT_TO_POINTER(slot->pid));
    if (made && !process->row.parent && !process->row.image_of) /* spawned: exec'd unseen */
        process->row.parent = made->parent;
    if (made && made->end_ns)
        set_status(process, made->status);
    g_hash_table_remove(processes->made, GINT_TO_POINTER(slot->pid));
    process->descriptor = (int)syscall(SYS_pidfd_open, slot->pid, 0);
    bool gone = process->descriptor < 0 && errno == ESRCH;
    if (process->descriptor >= 0)
        fcntl(process->descriptor, F_SETFD, FD_CLOEXEC);
    g_ptr_array_add(processes->all, process);
    g_hash_table_insert(processes->by_number, GUINT_TO_POINTER(process->row.id), process);
    processes->alive++;
    if (gone)
        ended(processes, process, now_ns);
    /* A parent outside of the recording, or not seen yet, is no row to refer to. */
    if (process->row.parent && !reel_processes_find(processes, process->row.parent))
        process->row.parent = 0;
    if (!reel_processes_write(processes, process, error) ||
        !reel_maps_read(processes->trace, process, now_ns, error))
        return false;
    if (!processes->held)
        reel_processes_release(processes, process);
    return true;
}

/* Of the images that joined since the last look, the one that joined first. */
static uint32_t first_unseen(struct reel_processes *processes)
{
    struct reel_region *region = processes->owner->region;
    uint32_t high = atomic_load_explicit(&region->process_high, memory_order_acquire);
    uint32_t first = REEL_NO_SLOT, number = UINT32_MAX;
    for (uint32_t i = 0; i < high && i < region->process_capacity; i++) {
        struct reel_process_slot *slot = reel_region_process(region, i);
        if (atomic_load_explicit(&slot->state, memory_order_acquire) == REEL_SLOT_LIVE &&
            slot->number < number && !reel_processes_find(processes, slot->number)) {
            number = slot->number;
            first = i;
        }
    }
    return first;
}

static bool has_died(const struct reel_process *process)
{
    if (process->descriptor >= 0) {
        struct pollfd poller = {.fd = process->descriptor, .events = POLLIN};
        return poll(&poller, 1, 0) > 0;
    }
    return kill(process->row.pid, 0) != 0 && errno == ESRCH;
}

static void settle_waited(struct reel_processes *processes);

bool reel_processes_update(struct reel_processes *processes, uint64_t now_ns,
                           struct reel_error *error)
{
    struct reel_region *region = processes->owner->region;
    for (uint32_t index; (index = first_unseen(processes)) != REEL_NO_SLOT;)
        if (!attached(processes, index, reel_region_process(region, index), now_ns, error))
            return false;
    settle_waited(processes);
    for (unsigned i = 0; i < processes->all->len; i++) {
        struct reel_process *process = processes->all->pdata[i];
        if (process->dirty) {
            process->dirty = false;
            if (!reel_processes_write(processes, process, error))
                return false;
        }
        if (!process->alive)
            continue;
        if (has_died(process)) {
            /* Now, not when this look began: what began in between came before the end. */
            ended(processes, process,
                  reel_clock_map_ns(processes->clock, reel_clock_map_ticks(processes->clock)));
            if (!reel_processes_write(processes, process, error))
                return false;
            continue;
        }
        if (process->maps_stale && now_ns - process->maps_ns > 2000000 &&
            !reel_maps_read(processes->trace, process, now_ns, error))
            return false;
        if (!reel_outside_look(processes->trace, region, process, processes->alive, now_ns, error))
            return false;
    }
    return true;
}

/* Its exec worked, for it came back from nowhere, and what it became has not joined: a row for
 * that. */
static struct reel_process *add_unrecorded(struct reel_processes *processes, pid_t pid,
                                           const char *executable, uint64_t start_ns,
                                           uint64_t end_ns);
static struct reel_process *replaced(struct reel_processes *processes, struct reel_process *process)
{
    struct reel_process *image = add_unrecorded(processes, process->row.pid, process->next_image,
                                                process->exec_ns, process->row.end_ns);
    g_clear_pointer(&process->next_image, g_free);
    image->row.image_of = process->row.id;
    image->row.parent = process->row.parent;
    image->row.parent_pid = process->row.parent_pid;
    /* What is known of the end is known of the last image. */
    image->row.exit_status = process->row.exit_status;
    image->row.signal = process->row.signal;
    process->row.exit_status = process->row.signal = -1;
    process->row.end_ns = process->exec_ns;
    process->dirty = true;
    return image;
}

void reel_processes_set_status(struct reel_processes *processes, pid_t pid, int wait_status)
{
    processes->first_status = wait_status;
    processes->first_ended = true;
    for (unsigned i = processes->all->len; i-- > 0;) {
        struct reel_process *process = processes->all->pdata[i];
        if (process->row.pid != pid)
            continue;
        set_status(process, wait_status);
        return;
    }
}

void reel_processes_exec(struct reel_processes *processes, uint32_t number, const char *path,
                         uint64_t now_ns)
{
    struct reel_process *process = reel_processes_find(processes, number);
    if (!process)
        return;
    g_free(process->next_image);
    process->next_image = NULL;
    if (process->replaced) /* what it became has joined already */
        return;
    process->next_image = path ? g_utf8_make_valid(path, -1) : NULL;
    process->exec_ns = now_ns;
}

void reel_processes_made(struct reel_processes *processes, uint32_t number, pid_t pid,
                         uint64_t now_ns)
{
    if (pid <= 0)
        return;
    /* One that joined, and was not yet waited for, is this one. */
    struct reel_process *known = latest_of(processes, pid);
    struct reel_process *parent = reel_processes_find(processes, number);
    bool ours = known && parent && known->row.parent_pid == parent->row.pid;
    if (ours && !known->row.parent && !known->row.image_of) { /* made by vfork or spawn */
        known->row.parent = number;
        known->dirty = true;
    }
    if (known && (known->alive || (ours && known->row.exit_status < 0 && known->row.signal < 0)))
        return;
    struct made *made = g_new(struct made, 1);
    *made = (struct made){.parent = number, .at_ns = now_ns, .end_ns = 0};
    g_hash_table_replace(processes->made, GINT_TO_POINTER(pid), made);
}

bool reel_processes_expected(const struct reel_processes *processes, uint64_t now_ns)
{
    GHashTableIter iterator;
    gpointer key, value;
    g_hash_table_iter_init(&iterator, processes->made);
    while (g_hash_table_iter_next(&iterator, &key, &value)) {
        const struct made *made = value;
        if (!made->end_ns && (int64_t)(now_ns - made->at_ns) < JOIN_NS &&
            kill(GPOINTER_TO_INT(key), 0) == 0)
            return true;
    }
    return false;
}

/* A row for what ran without the probe. */
static struct reel_process *add_unrecorded(struct reel_processes *processes, pid_t pid,
                                           const char *executable, uint64_t start_ns,
                                           uint64_t end_ns)
{
    struct reel_process *process = g_new0(struct reel_process, 1);
    process->slot = REEL_NO_SLOT;
    process->descriptor = -1;
    process->drained = process->dirty = true;
    process->row = (struct reel_process_row){
        .id = atomic_fetch_add(&processes->owner->region->next_process, 1) + 1,
        .pid = pid,
        .start_ns = start_ns,
        .end_ns = end_ns,
        .exit_status = -1,
        .signal = -1,
        .executable = executable ? g_utf8_make_valid(executable, -1) : NULL,
        .note = g_strdup_printf("not recorded: %s", reel_image_unrecorded_reason(executable)),
    };
    g_ptr_array_add(processes->all, process);
    g_hash_table_insert(processes->by_number, GUINT_TO_POINTER(process->row.id), process);
    return process;
}

void reel_processes_waited(struct reel_processes *processes, uint32_t number, pid_t pid, int status,
                           uint64_t now_ns)
{
    if (!WIFEXITED(status) && !WIFSIGNALED(status))
        return;
    struct made *made = g_hash_table_lookup(processes->made, GINT_TO_POINTER(pid));
    struct reel_process *process = latest_of(processes, pid);
    (void)number;
    if (made) { /* it may have joined since the last look: decided at the next */
        made->end_ns = now_ns;
        made->status = status;
    } else if (process && process->row.exit_status < 0 && process->row.signal < 0)
        set_status(process, status);
}

/* A child that never joined. */
static void settle_made(struct reel_processes *processes, pid_t pid, const struct made *made)
{
    struct reel_process *process = add_unrecorded(processes, pid, NULL, made->at_ns, made->end_ns);
    struct reel_process *parent = reel_processes_find(processes, made->parent);
    process->row.parent = made->parent;
    process->row.parent_pid = parent ? parent->row.pid : 0;
    if (made->end_ns)
        set_status(process, made->status);
}

/* Children that were waited for and are not among those that joined. */
static void settle_waited(struct reel_processes *processes)
{
    GHashTableIter iterator;
    gpointer key, value;
    g_hash_table_iter_init(&iterator, processes->made);
    while (g_hash_table_iter_next(&iterator, &key, &value))
        if (((const struct made *)value)->end_ns) {
            settle_made(processes, GPOINTER_TO_INT(key), value);
            g_hash_table_iter_remove(&iterator);
        }
}

bool reel_processes_settle(struct reel_processes *processes, pid_t pid, const char *program,
                           uint64_t now_ns, struct reel_error *error)
{
    unsigned seen = processes->all->len;
    for (unsigned i = 0; i < seen; i++) {
        struct reel_process *process = processes->all->pdata[i];
        if (process->next_image)
            replaced(processes, process);
    }
    GHashTableIter iterator;
    gpointer key, value;
    g_hash_table_iter_init(&iterator, processes->made);
    while (g_hash_table_iter_next(&iterator, &key, &value))
        settle_made(processes, GPOINTER_TO_INT(key), value);
    g_hash_table_remove_all(processes->made);
    struct reel_process *first = latest_of(processes, pid);
    if (!first)
        first = add_unrecorded(processes, pid, program, 0, now_ns);
    if (processes->first_ended && first->row.exit_status < 0 && first->row.signal < 0)
        set_status(first, processes->first_status);
    for (unsigned i = 0; i < processes->all->len; i++) {
        struct reel_process *process = processes->all->pdata[i];
        process->dirty = false;
        if (!reel_processes_write(processes, process, error))
            return false;
    }
    return true;
}

void reel_processes_told(struct reel_processes *processes, uint32_t number, bool is_command,
                         const char *text)
{
    struct reel_process *process = reel_processes_find(processes, number);
    const char **field = !process     ? NULL
                         : is_command ? &process->row.command
                                      : &process->row.executable;
    if (!field || (*field && !is_command))
        return;
    g_free((char *)*field);
    *field = g_utf8_make_valid(text, -1);
    process->dirty = true;
    /* Children forked before this was read run the same. */
    for (unsigned i = 0; is_command && i < processes->all->len; i++) {
        struct reel_process *child = processes->all->pdata[i];
        if (child->row.parent == number && !child->row.image_of && !child->row.command) {
            child->row.command = g_strdup(*field);
            child->dirty = true;
        }
    }
}

void reel_processes_maps_changed(struct reel_processes *processes, uint32_t number)
{
    struct reel_process *process = reel_processes_find(processes, number);
    if (process)
        process->maps_stale = true;
}
