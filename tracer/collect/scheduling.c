#include "tracer/collect/scheduling.h"

#include <errno.h>
#include <glib.h>
#include <linux/perf_event.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define RING_PAGES 128u /* 512 KiB a processor: about 13,000 switches */

struct ring {
    int descriptor;
    struct perf_event_mmap_page *page;
};

struct reel_scheduling {
    GArray *rings;   /* struct ring */
    GArray *pending; /* struct reel_switch, not yet told */
    uint64_t lost;
};

static uint64_t monotonic(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int open_event(pid_t pid, int cpu)
{
    struct perf_event_attr attributes = {
        .type = PERF_TYPE_SOFTWARE,
        .size = sizeof attributes,
        .config = PERF_COUNT_SW_DUMMY,
        .sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU,
        .inherit = 1,
        .context_switch = 1,
        .sample_id_all = 1,
        .exclude_kernel = 1,
        .exclude_hv = 1,
        .use_clockid = 1,
        .clockid = CLOCK_MONOTONIC,
        .watermark = 1,
    };
    return (int)syscall(SYS_perf_event_open, &attributes, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

struct reel_scheduling *reel_scheduling_open(pid_t pid, char *why)
{
    struct reel_scheduling *scheduling = g_new0(struct reel_scheduling, 1);
    scheduling->rings = g_array_new(FALSE, TRUE, sizeof(struct ring));
    scheduling->pending = g_array_new(FALSE, TRUE, sizeof(struct reel_switch));
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    long processors = sysconf(_SC_NPROCESSORS_CONF);
    why[0] = '\0';
    for (int cpu = 0; cpu < processors; cpu++) {
        struct ring ring = {.descriptor = open_event(pid, cpu)};
        if (ring.descriptor < 0) {
            if (errno == ENODEV) /* a processor that is offline */
                continue;
            snprintf(why, 160, "perf_event_open: %s%s", strerror(errno),
                     errno == EACCES || errno == EPERM
                         ? " (see /proc/sys/kernel/perf_event_paranoid)"
                         : "");
            reel_scheduling_close(scheduling);
            return NULL;
        }
        void *memory = mmap(NULL, (RING_PAGES + 1) * page, PROT_READ | PROT_WRITE, MAP_SHARED,
                            ring.descriptor, 0);
        if (memory == MAP_FAILED) {
            snprintf(why, 160, "mapping perf buffers: %s (see ulimit -l)", strerror(errno));
            close(ring.descriptor);
            reel_scheduling_close(scheduling);
            return NULL;
        }
        ring.page = memory;
        g_array_append_val(scheduling->rings, ring);
    }
    return scheduling;
}

void reel_scheduling_close(struct reel_scheduling *scheduling)
{
    if (!scheduling)
        return;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (guint i = 0; i < scheduling->rings->len; i++) {
        struct ring *ring = &g_array_index(scheduling->rings, struct ring, i);
        munmap(ring->page, (RING_PAGES + 1) * page);
        close(ring->descriptor);
    }
    g_array_free(scheduling->rings, TRUE);
    g_array_free(scheduling->pending, TRUE);
    g_free(scheduling);
}

static void copy(const char *base, uint64_t size, uint64_t from, void *to, size_t bytes)
{
    uint64_t at = from & (size - 1);
    size_t first = bytes < size - at ? bytes : (size_t)(size - at);
    memcpy(to, base + at, first);
    memcpy((char *)to + first, base, bytes - first);
}

static void read_ring(struct reel_scheduling *scheduling, struct ring *ring)
{
    struct {
        struct perf_event_header header;
        char body[256];
    } record;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const char *base = (const char *)ring->page + page;
    uint64_t size = RING_PAGES * page;
    uint64_t head = ring->page->data_head, tail = ring->page->data_tail;
    atomic_thread_fence(memory_order_acquire); /* the kernel writes data before data_head */
    while (tail < head) {
        copy(base, size, tail, &record.header, sizeof record.header);
        uint32_t bytes = record.header.size;
        if (bytes < sizeof record.header || bytes > head - tail)
            break;
        if (bytes <= sizeof record)
            copy(base, size, tail, &record, bytes);
        tail += bytes;
        if (record.header.type == PERF_RECORD_LOST && bytes >= 24) {
            uint64_t count;
            memcpy(&count, record.body + 8, 8);
            scheduling->lost += count;
        }
        /* sample_id: pid, tid, time, cpu, reserved */
        if (record.header.type != PERF_RECORD_SWITCH || bytes < sizeof record.header + 24 ||
            bytes > sizeof record)
            continue;
        const char *id = (const char *)&record + bytes - 24;
        struct reel_switch change = {
            .in = !(record.header.misc & PERF_RECORD_MISC_SWITCH_OUT),
            .preempted = record.header.misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT,
        };
        memcpy(&change.tid, id + 4, 4);
        memcpy(&change.monotonic_ns, id + 8, 8);
        memcpy(&change.cpu, id + 16, 4);
        g_array_append_val(scheduling->pending, change);
    }
    atomic_thread_fence(memory_order_seq_cst);
    ring->page->data_tail = tail;
}

static gint by_time(gconstpointer a, gconstpointer b)
{
    uint64_t x = ((const struct reel_switch *)a)->monotonic_ns;
    uint64_t y = ((const struct reel_switch *)b)->monotonic_ns;
    return x < y ? -1 : x > y;
}

void reel_scheduling_drain(struct reel_scheduling *scheduling, bool final,
                           void (*each)(void *data, const struct reel_switch *change), void *data)
{
    /* A thread that moved is in two buffers: what is younger than this look may lack its other
     * half. */
    uint64_t begin = monotonic();
    for (guint i = 0; i < scheduling->rings->len; i++)
        read_ring(scheduling, &g_array_index(scheduling->rings, struct ring, i));
    g_array_sort(scheduling->pending, by_time);
    guint told = 0;
    for (; told < scheduling->pending->len; told++) {
        const struct reel_switch *change =
            &g_array_index(scheduling->pending, struct reel_switch, told);
        if (!final && change->monotonic_ns >= begin)
            break;
        each(data, change);
    }
    if (told)
        g_array_remove_range(scheduling->pending, 0, told);
}

uint64_t reel_scheduling_lost(const struct reel_scheduling *scheduling)
{
    return scheduling->lost;
}
