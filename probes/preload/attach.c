/* How a process image joins a recording, and how a forked child does.
 *
 * At start: find the region by the path in REEL_REGION, map it, close the descriptor, claim a
 * process slot, take our two variables out of the environment (the program sees the environment its
 * user gave it; the exec wrappers put them back for the next image). No thread is started, no
 * handler installed, no destructor left behind; nothing is printed: a program that cannot be
 * recorded runs as if it were not. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "probes/preload/environment.h"
#include "probes/preload/probe.h"
#include "probes/preload/raw.h"
#include "probes/preload/stack.h"

struct reel_probe reel_probe;
struct reel_fork_page reel_fork_page __attribute__((aligned(4096)));

extern void *__libc_stack_end; /* of the dynamic loader: where the first thread's stack begins */

static _Atomic uint32_t initialised; /* 0 no, 1 under way, 2 done */

/* Maps the region at `path`; NULL when there is none, or it is not of this version. */
static struct reel_region *map_region(const char *path)
{
    int descriptor = (int)reel_raw4(SYS_openat, AT_FDCWD, (long)path, O_RDWR | O_CLOEXEC, 0);
    if (descriptor < 0)
        return NULL;
    struct reel_region *region = NULL;
    struct stat status;
    if (fstat(descriptor, &status) == 0 && (size_t)status.st_size >= sizeof *region) {
        void *memory =
            mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
        if (memory != MAP_FAILED) {
            region = memory;
            if (region->magic != REEL_REGION_MAGIC || region->version != REEL_REGION_VERSION ||
                region->bytes > (uint64_t)status.st_size) {
                munmap(memory, (size_t)status.st_size);
                region = NULL;
            }
        }
    }
    reel_raw4(SYS_close, descriptor, 0, 0, 0);
    return region;
}

static struct reel_process_slot *claim_process(struct reel_region *region, uint32_t *index)
{
    for (uint32_t i = 0; i < region->process_capacity; i++) {
        struct reel_process_slot *slot = reel_region_process(region, i);
        uint32_t free_state = REEL_SLOT_FREE;
        if (!atomic_compare_exchange_strong(&slot->state, &free_state, REEL_SLOT_CLAIMED))
            continue;
        uint32_t high = atomic_load(&region->process_high);
        while (high < i + 1 && !atomic_compare_exchange_weak(&region->process_high, &high, i + 1))
            ;
        *index = i;
        return slot;
    }
    return NULL;
}

/* Claims a process slot, gives the image its identity and lets this thread begin to record. */
static void join_recording(uint32_t parent_number)
{
    struct reel_region *region = reel_probe.region;
    struct reel_process_slot *slot = claim_process(region, &reel_probe.process_index);
    if (!slot) {
        /* More live processes than slots: this one is not recorded, and the loss is counted. */
        atomic_fetch_add(&region->lost, 1);
        return;
    }
    reel_probe.pid = (int32_t)reel_raw(SYS_getpid);
    slot->number = atomic_fetch_add(&region->next_process, 1) + 1;
    slot->pid = reel_probe.pid;
    slot->parent_pid = (int32_t)reel_raw(SYS_getppid);
    slot->parent_number = parent_number;
    slot->image = REEL_SEQUENCE_IMAGE(slot->number);
    slot->start = reel_now();
    atomic_store(&slot->lost, 0);
    reel_probe.process = slot;
    reel_probe.image_prefix = (uint64_t)slot->image << 48;
    atomic_store_explicit(&slot->state, REEL_SLOT_LIVE, memory_order_release);

    struct reel_tls *tls = &reel_tls;
    uint64_t words[3] = {(uint32_t)slot->pid, (uint32_t)slot->parent_pid, slot->image};
    reel_emit_words(tls, REEL_KIND(REEL_OP_ATTACH, REEL_CLASS_PROCESS, 0), slot->number, 0,
                    parent_number, 0, words, 3);
    reel_fork_page.attached = 1;
    reel_fork_page.active = region->families;
}

/* Says what runs, for an image too short-lived for anybody to look at it from outside. */
static void tell_image(int argc, char **argv)
{
    char line[1000];
    size_t used = 0;
    for (int i = 0; i < argc && argv[i] && used + 2 < sizeof line; i++) {
        size_t length = strnlen(argv[i], sizeof line - 2 - used);
        if (i)
            line[used++] = ' ';
        memcpy(line + used, argv[i], length);
        used += length;
    }
    line[used] = '\0';
    struct reel_tls *tls = &reel_tls;
    const char *path = (const char *)getauxval(AT_EXECFN);
    reel_emit_text(tls, REEL_KIND(REEL_OP_NAME, REEL_CLASS_PROCESS, 0), reel_probe.process->number,
                   0, 0, path);
    reel_emit_text(tls, REEL_KIND(REEL_OP_NAME, REEL_CLASS_PROCESS, 0), reel_probe.process->number,
                   1, 0, line);
}

/* The kernel thread id sits at a fixed place in glibc's struct pthread. Knowing it saves a system
 * call per thread; when the place does not hold our own id, we ask the kernel. */
static ptrdiff_t find_tid_offset(void)
{
#if defined(__x86_64__)
    const ptrdiff_t usual = 0x2d0;
    if (*(int32_t *)((char *)pthread_self() + usual) == (int32_t)reel_raw(SYS_gettid))
        return usual;
#endif
    return 0;
}

/* A filter set before the exec that brought us here is still in force. Asked of a file, which any
 * program that can be started may open: prctl may be what the filter forbids. */
static bool is_filtered(void)
{
    char text[4096];
    const char *line = NULL;
    long file = reel_raw4(SYS_openat, AT_FDCWD, (long)"/proc/self/status", O_RDONLY | O_CLOEXEC, 0);
    if (file < 0)
        return false;
    long bytes = reel_raw4(SYS_read, file, (long)text, sizeof text - 1, 0);
    reel_raw4(SYS_close, file, 0, 0, 0);
    if (bytes > 0) {
        text[bytes] = '\0';
        line = strstr(text, "\nSeccomp:\t");
    }
    return line && line[sizeof "\nSeccomp:\t" - 1] != '0';
}

/* False: it is too early. A sanitizer's runtime calls us before the C library knows the
 * environment; such calls are passed on, and a later one starts the recording. */
static bool initialise_once(void)
{
    reel_tls.inside++;
    int saved_errno = errno;
    reel_real_resolve();
    if (!environ) {
        errno = saved_errno;
        reel_tls.inside--;
        return false;
    }
    const char *path = reel_environment_take(reel_probe.environment, reel_probe.preload_original);
    if (path)
        reel_probe.region = map_region(path);
    struct reel_region *region = reel_probe.region;
    if (region) {
        reel_probe.clock = region->clock;
        reel_probe.sequences = reel_region_sequence(region);
        reel_probe.sequence_mask = ((uint64_t)1 << region->sequence_bits) - 1;
        reel_probe.sequence_shift = 64 - region->sequence_bits;
        reel_probe.stripes =
            (_Atomic uint32_t *)(reel_probe.sequences + reel_probe.sequence_mask + 1);
        reel_probe.stack_mode = region->stack_mode;
        reel_probe.stack_depth = region->stack_depth;
        reel_probe.tid_offset = find_tid_offset();
        reel_probe.filtered |= is_filtered();
        madvise(&reel_fork_page, sizeof reel_fork_page, MADV_WIPEONFORK);
        reel_probe.key_made = reel_real.pthread_key_create(&reel_probe.key, reel_thread_end) == 0;
        if (reel_raw(SYS_getpid) == reel_raw(SYS_gettid))
            reel_stack_mark_top(&reel_tls, __libc_stack_end);
        join_recording(0);
    }
    errno = saved_errno;
    reel_tls.inside--;
    return true;
}

/* May be called by a wrapper before our constructor has run: constructors of other libraries come
 * first where the linker says so. */
void reel_initialise(void)
{
    uint32_t never = 0;
    if (atomic_load_explicit(&initialised, memory_order_acquire) == 2)
        return;
    if (atomic_compare_exchange_strong(&initialised, &never, 1)) {
        bool done = initialise_once();
        atomic_store_explicit(&initialised, done ? 2 : 0, memory_order_release);
        return;
    }
    /* Under way: by this thread (we are called from within), or by another for some microseconds.
     */
    while (!reel_tls.inside && atomic_load_explicit(&initialised, memory_order_acquire) != 2)
        ;
}

/* A program may be over in a millisecond, and what it had mapped can no longer be asked then. So
 * the first image, for which the collector is looking out, waits until it was seen: mostly not at
 * all, some 200 ms at most, where the collector gets no processor.
 * So does one whose accesses are followed: of it, every place is worth its name. */
static void await_collector(void)
{
    const struct reel_region *region = reel_probe.region;
    if (reel_probe.process->parent_pid != region->collector_pid && !reel_probe.follow)
        return;
    const struct timespec moment = {.tv_nsec = 50000};
    for (int round = 0; round < 2000; round++) {
        if (atomic_load_explicit(&reel_probe.process->seen, memory_order_acquire) ||
            reel_raw4(SYS_nanosleep, (long)&moment, 0, 0, 0) != 0)
            return;
    }
}

/* glibc hands constructors what main gets. */
__attribute__((constructor)) static void reel_constructor(int argc, char **argv)
{
    reel_initialise();
    if (reel_probe.process) {
        reel_tls.inside++;
        tell_image(argc, argv);
        await_collector();
        reel_tls.inside--;
    }
}

void reel_attach_forked(uint32_t parent_number)
{
    struct reel_tls *tls = &reel_tls;
    const struct reel_tls parents = *tls;
    memset(tls, 0, sizeof *tls);
    tls->inside = parents.inside + 1;
    tls->forked_from = parents.tid;
    tls->stack_top = parents.stack_top;
    reel_probe.process = NULL;
    if (reel_probe.region && reel_probe.region->follow) {
        int saved_errno = errno;
        join_recording(parent_number);
        errno = saved_errno;
    } else {
        reel_probe.region = NULL;
        reel_fork_page.attached = 1;
    }
    tls->inside = parents.inside;
}

struct reel_tls *reel_enter_slow(enum reel_family family)
{
    struct reel_tls *tls = &reel_tls;
    if (REEL_UNLIKELY(atomic_load_explicit(&initialised, memory_order_acquire) != 2)) {
        reel_initialise();
    } else if (!reel_fork_page.attached && reel_probe.region && !tls->inside) {
        /* The kernel wiped the page: we are a child that no wrapper of ours saw being made. */
        reel_attach_forked(reel_probe.process ? reel_probe.process->number : 0);
    }
    if (!(reel_fork_page.active >> family & 1) || tls->inside)
        return NULL;
    return tls;
}
