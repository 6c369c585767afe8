#include "tracer/collect/watch_registers.h"

#include <errno.h>
#include <glib.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tracer/collect/live_target.h"

#define RING_PAGES 512u /* 2 MiB a processor: six thousand hits */

struct event {
    int descriptor;
    struct reel_watch_point *point;
};

struct reel_watch_registers {
    struct reel_watch_ring *ring; /* by processor */
    unsigned processors;
    GHashTable *by_id; /* the kernel's number of an event → struct reel_watch_point */
    GPtrArray *points; /* struct reel_watch_point */
    GArray *events;    /* struct event */
};

static void close_event(void *event)
{
    close(((struct event *)event)->descriptor);
}

struct reel_watch_registers *reel_watch_registers_new(void)
{
    struct reel_watch_registers *registers = g_new0(struct reel_watch_registers, 1);
    registers->processors = (unsigned)MAX(sysconf(_SC_NPROCESSORS_CONF), 1);
    registers->ring = g_new0(struct reel_watch_ring, registers->processors);
    registers->by_id = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    registers->points = g_ptr_array_new_with_free_func(g_free);
    registers->events = g_array_new(FALSE, FALSE, sizeof(struct event));
    g_array_set_clear_func(registers->events, close_event);
    return registers;
}

void reel_watch_registers_free(struct reel_watch_registers *registers)
{
    for (unsigned i = 0; i < registers->processors; i++)
        reel_watch_ring_unmap(&registers->ring[i]);
    g_array_free(registers->events, TRUE);
    g_hash_table_destroy(registers->by_id);
    g_ptr_array_unref(registers->points);
    g_free(registers->ring);
    g_free(registers);
}

static struct perf_event_attr attributes_of(const struct reel_watch_point *point)
{
    struct perf_event_attr attributes = {
        .type = PERF_TYPE_BREAKPOINT,
        .size = sizeof attributes,
        .bp_type = point->writes_only ? HW_BREAKPOINT_W : HW_BREAKPOINT_RW,
        .bp_addr = point->range.address,
        .bp_len = point->range.size,
        .sample_period = 1,
        .sample_type =
            PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ADDR | PERF_SAMPLE_ID,
        .sample_max_stack = REEL_WATCH_FRAMES,
        .sample_id_all = 1,
        .inherit = 1,
        .exclude_kernel = 1,
        .exclude_hv = 1,
        .exclude_callchain_kernel = 1,
        .use_clockid = 1,
        .clockid = CLOCK_MONOTONIC,
        .watermark = 1,
    };
    if (!point->writes_only) { /* one stack for an access is enough */
        attributes.sample_type |= PERF_SAMPLE_CALLCHAIN;
#if defined(__x86_64__)
        attributes.sample_type |= PERF_SAMPLE_REGS_USER;
        attributes.sample_regs_user = REEL_WATCH_GENERAL;
#endif
    }
    return attributes;
}

static int open_event(const struct reel_watch_point *point, pid_t tid, unsigned cpu)
{
    struct perf_event_attr attributes = attributes_of(point);
    return (int)syscall(SYS_perf_event_open, &attributes, tid, (int)cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

static int arm_thread(struct reel_watch_registers *registers, struct reel_watch_point *point,
                      pid_t tid)
{
    for (unsigned cpu = 0; cpu < registers->processors; cpu++) {
        struct reel_watch_ring *ring = &registers->ring[cpu];
        int opened = open_event(point, tid, cpu);
        if (opened < 0 && (errno == ESRCH || (errno == ENODEV && cpu > 0)))
            continue; /* it has ended; or that processor is offline */
        if (opened < 0)
            return -errno;
        uint64_t id;
        bool good = ring->page ? ioctl(opened, PERF_EVENT_IOC_SET_OUTPUT, ring->descriptor) == 0
                               : reel_watch_ring_map(ring, opened, RING_PAGES);
        int error = good ? 0 : ring->page ? errno : ENOMEM;
        struct event event = {opened, point};
        g_array_append_val(registers->events, event);
        if (good && ioctl(opened, PERF_EVENT_IOC_ID, &id) != 0)
            error = errno;
        if (error)
            return -error;
        g_hash_table_insert(registers->by_id, g_memdup2(&id, sizeof id), point);
    }
    return 0;
}

/* All threads there are. One that is made meanwhile inherits, or is found by looking again. */
static int arm_threads(struct reel_watch_registers *registers, pid_t pid, guint first_point)
{
    g_autoptr(GHashTable) done = g_hash_table_new(NULL, NULL);
    for (bool again = true; again;) {
        g_autoptr(GArray) tids = g_array_new(FALSE, FALSE, sizeof(pid_t));
        again = false;
        if (!reel_live_tasks(pid, tids))
            return 0; /* it has ended */
        for (guint i = 0; i < tids->len; i++) {
            pid_t tid = g_array_index(tids, pid_t, i);
            if (!g_hash_table_add(done, GINT_TO_POINTER(tid)))
                continue;
            again = true;
            for (guint p = first_point; p < registers->points->len; p++) {
                int error = arm_thread(registers, registers->points->pdata[p], tid);
                if (error)
                    return error;
            }
        }
    }
    return 0;
}

static gboolean is_of_point(void *id, void *point, void *wanted)
{
    (void)id;
    return point == wanted;
}

/* Takes back what was set since there were so many events and points. A buffer stays mapped though
 * its event is closed: the kernel keeps what is mapped, but nothing can be directed to it. */
static void disarm(struct reel_watch_registers *registers, guint events, guint points)
{
    for (unsigned i = 0; i < registers->processors; i++)
        for (guint k = events; k < registers->events->len; k++)
            if (registers->ring[i].page &&
                g_array_index(registers->events, struct event, k).descriptor ==
                    registers->ring[i].descriptor)
                reel_watch_ring_unmap(&registers->ring[i]);
    for (guint i = points; i < registers->points->len; i++)
        g_hash_table_foreach_remove(registers->by_id, is_of_point, registers->points->pdata[i]);
    g_array_set_size(registers->events, events);
    g_ptr_array_set_size(registers->points, (int)points);
}

int reel_watch_registers_arm(struct reel_watch_registers *registers, pid_t pid,
                             const struct reel_watch_range *ranges, unsigned count)
{
    guint events = registers->events->len, points = registers->points->len;
    for (unsigned i = 0; i < count; i++)
        for (int writes_only = 0; writes_only < 2; writes_only++) {
            struct reel_watch_point *point = g_new0(struct reel_watch_point, 1);
            *point = (struct reel_watch_point){
                .range = ranges[i], .before = ranges[i], .writes_only = writes_only, .index = i};
            g_ptr_array_add(registers->points, point);
        }
    int error = arm_threads(registers, pid, points);
    if (error)
        disarm(registers, events, points);
    return error;
}

void reel_watch_registers_move(struct reel_watch_registers *registers,
                               const struct reel_watch_range *ranges, unsigned count)
{
    for (guint i = 0; i < registers->points->len; i++) {
        struct reel_watch_point *point = registers->points->pdata[i];
        if (point->index >= count)
            continue;
        point->before = point->range;
        point->range = ranges[point->index];
    }
    for (guint i = 0; i < registers->events->len; i++) {
        const struct event *event = &g_array_index(registers->events, struct event, i);
        struct perf_event_attr attributes = attributes_of(event->point);
        if (event->point->index < count)
            ioctl(event->descriptor, PERF_EVENT_IOC_MODIFY_ATTRIBUTES, &attributes);
    }
}

const struct reel_watch_point *
reel_watch_registers_point(const struct reel_watch_registers *registers, uint64_t id)
{
    return g_hash_table_lookup(registers->by_id, &id);
}

unsigned reel_watch_registers_processors(const struct reel_watch_registers *registers)
{
    return registers->processors;
}

struct reel_watch_ring *reel_watch_registers_ring(struct reel_watch_registers *registers,
                                                  unsigned processor)
{
    return &registers->ring[processor];
}

char *reel_watch_registers_explain(int error)
{
    const char *help = "";
    switch (error) {
    case EACCES:
    case EPERM:
        help = ": the kernel does not let users do that; set /proc/sys/kernel/perf_event_paranoid "
               "to 2 or less";
        break;
    case ENOSPC:
    case EBUSY:
        help = ": the processor's debug registers are in use, by a debugger perhaps, or inherited "
               "by a program that another one ran";
        break;
    case ENOENT:
    case EOPNOTSUPP:
    case ENODEV:
    case EINVAL:
        help = ": there are no debug registers here; virtual machines often have none";
        break;
    case ENOMEM:
        help = ": the buffers do not fit the limit of locked memory (ulimit -l)";
        break;
    case EMFILE:
        help = ": a descriptor for every processor and register is needed (ulimit -n)";
        break;
    default:
        break;
    }
    return g_strdup_printf("%s%s", strerror(error), help);
}
