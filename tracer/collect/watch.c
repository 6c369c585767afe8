#include "tracer/collect/watch.h"

#include <glib.h>
#include <linux/perf_event.h>
#include <string.h>
#include <time.h>

#include "probes/event/clock.h"
#include "tracer/collect/watch_code.h"
#include "tracer/collect/watch_instruction.h"
#include "tracer/collect/watch_registers.h"

#define LOAD_LIMIT 65536u
#define TURN_NS    10000000u
#define PAIR_NS    100000u /* the two samples of one access are not further apart */
#define UPDATE     48u     /* bytes of code at most between a load and the store that it is for */

struct armed {
    pid_t pid;
    unsigned count;
    struct reel_watch_range range[REEL_WATCH_RANGES];
};

struct sample {
    uint64_t ns; /* CLOCK_MONOTONIC */
    int32_t pid, tid;
    const struct reel_watch_point *point; /* NULL: samples were lost */
    uint64_t lost, since_ns;
    uint64_t ip, address;
    uint32_t depth;
    uint64_t frame[REEL_WATCH_FRAMES];
    bool has_registers;
    uint64_t registers[REEL_INSTRUCTION_REGISTERS]; /* after the access, as instructions count */
};

struct reel_watch {
    const struct reel_watch_hooks *hooks;
    const struct reel_clock_map *clock;
    struct reel_watch_registers *registers;
    uint64_t *last_ns; /* by processor: of the newest sample in its buffer */
    GArray *armed;     /* struct armed */
    struct reel_watch_code *code;
    GHashTable *shared; /* set of addresses that an atomic instruction was seen at */
    GHashTable *loaded; /* thread and address → code address of its load, when that came last */
    GArray *samples;    /* struct sample: read, not yet hits */
    GArray *hits;       /* struct reel_watch_hit: not yet taken */
    uint64_t pair_tick, pair_ns;
    uint64_t turned_ns;
    uint64_t lost, told;
};

static uint64_t monotonic(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void take_pair(const struct reel_watch *watch, uint64_t *tick, uint64_t *ns)
{
    uint64_t best = UINT64_MAX;
    *tick = *ns = 0;
    for (int i = 0; i < 8; i++) {
        uint64_t before = reel_clock_map_ticks(watch->clock), now = monotonic();
        uint64_t after = reel_clock_map_ticks(watch->clock);
        if (after - before < best) {
            best = after - before;
            *tick = before + (after - before) / 2;
            *ns = now;
        }
    }
}

struct reel_watch *reel_watch_new(const struct reel_watch_hooks *hooks,
                                  const struct reel_clock_map *clock)
{
    struct reel_watch *watch = g_new0(struct reel_watch, 1);
    watch->hooks = hooks;
    watch->clock = clock;
    watch->registers = reel_watch_registers_new();
    watch->last_ns = g_new0(uint64_t, reel_watch_registers_processors(watch->registers));
    watch->armed = g_array_new(FALSE, FALSE, sizeof(struct armed));
    watch->code = reel_watch_code_new();
    watch->shared = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    watch->loaded = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    watch->samples = g_array_new(FALSE, FALSE, sizeof(struct sample));
    watch->hits = g_array_new(FALSE, FALSE, sizeof(struct reel_watch_hit));
    take_pair(watch, &watch->pair_tick, &watch->pair_ns);
    return watch;
}

void reel_watch_free(struct reel_watch *watch)
{
    if (!watch)
        return;
    reel_watch_registers_free(watch->registers);
    g_free(watch->last_ns);
    g_array_free(watch->armed, TRUE);
    reel_watch_code_free(watch->code);
    g_hash_table_destroy(watch->shared);
    g_hash_table_destroy(watch->loaded);
    g_array_free(watch->samples, TRUE);
    g_array_free(watch->hits, TRUE);
    g_free(watch);
}

static const struct armed *find_armed(const struct reel_watch *watch, pid_t pid)
{
    for (guint i = 0; pid && i < watch->armed->len; i++)
        if (g_array_index(watch->armed, struct armed, i).pid == pid)
            return &g_array_index(watch->armed, struct armed, i);
    return NULL;
}

/* Sets registers for these words. */
static bool arm(struct reel_watch *watch, pid_t pid, const struct reel_watch_range *ranges,
                unsigned count)
{
    if (!count)
        return false;
    int error = reel_watch_registers_arm(watch->registers, pid, ranges, count);
    if (error) {
        g_autofree char *why = reel_watch_registers_explain(-error);
        watch->hooks->refused(watch->hooks->data, pid, why);
        return false;
    }
    uint64_t now_ns = reel_clock_map_ns(watch->clock, reel_clock_map_ticks(watch->clock));
    for (unsigned i = 0; !watch->hooks->turn && i < count; i++) {
        struct reel_watch_hit begun = {.time_ns = now_ns,
                                       .pid = pid,
                                       .tid = pid,
                                       .address = ranges[i].address,
                                       .size = ranges[i].size,
                                       .access = REEL_WATCH_BEGUN};
        g_array_append_val(watch->hits, begun);
    }
    return true;
}

void reel_watch_attach(struct reel_watch *watch, pid_t pid, pid_t parent)
{
    struct armed armed = {.pid = pid};
    for (guint i = watch->armed->len; i-- > 0;) /* what exec replaced */
        if (g_array_index(watch->armed, struct armed, i).pid == pid)
            g_array_remove_index(watch->armed, i);
    reel_watch_code_map(watch->code, pid);
    const struct armed *forked = find_armed(watch, parent);
    if (forked) {
        armed = *forked;
        armed.pid = pid;
        g_array_append_val(watch->armed, armed);
        return;
    }
    armed.count = watch->hooks->ranges(watch->hooks->data, pid, armed.range);
    if (arm(watch, pid, armed.range, armed.count))
        g_array_append_val(watch->armed, armed);
}

void reel_watch_block(struct reel_watch *watch, pid_t pid, uint64_t address, uint64_t bytes)
{
    struct reel_watch_range fresh[REEL_WATCH_RANGES];
    struct armed none = {.pid = pid};
    unsigned count = watch->hooks->announced(watch->hooks->data, pid, address, bytes, fresh);
    if (!find_armed(watch, pid))
        g_array_append_val(watch->armed, none);
    struct armed *armed = (struct armed *)find_armed(watch, pid);
    count = MIN(count, REEL_WATCH_RANGES - armed->count);
    if (!arm(watch, pid, fresh, count))
        return;
    memcpy(armed->range + armed->count, fresh, count * sizeof *fresh);
    armed->count += count;
}

/* Whether there are any, then they themselves, in an order of perf's. */
static void take_registers(struct sample *sample, const char *from, size_t bytes)
{
    static const uint8_t numbers[REEL_INSTRUCTION_REGISTERS] = {0, 3, 1,  2,  6,  7,  5,  4,
                                                                8, 9, 10, 11, 12, 13, 14, 15};
    uint64_t kind;
    if (bytes < sizeof kind + sizeof sample->registers)
        return;
    memcpy(&kind, from, sizeof kind);
    if (kind != PERF_SAMPLE_REGS_ABI_64)
        return;
    for (unsigned i = 0; i < REEL_INSTRUCTION_REGISTERS; i++)
        memcpy(&sample->registers[numbers[i]], from + sizeof kind + i * 8, 8);
    sample->has_registers = true;
}

/* ip, pid and tid, time, address, id, callchain, registers: in the order of perf_event_open(2). */
static void take_sample(struct reel_watch *watch, uint64_t *last_ns, const char *body, size_t bytes)
{
    struct sample sample = {0};
    uint64_t id, count;
    if (bytes < 40)
        return;
    memcpy(&sample.ip, body, 8);
    memcpy(&sample.pid, body + 8, 4);
    memcpy(&sample.tid, body + 12, 4);
    memcpy(&sample.ns, body + 16, 8);
    memcpy(&sample.address, body + 24, 8);
    memcpy(&id, body + 32, 8);
    sample.point = reel_watch_registers_point(watch->registers, id);
    *last_ns = sample.ns;
    if (!sample.point)
        return;
    if (bytes >= 48)
        memcpy(&count, body + 40, 8);
    else
        count = 0;
    sample.frame[sample.depth++] = sample.ip;
    bool innermost = true; /* the chain repeats the place itself */
    for (uint64_t i = 0; i < count && 48 + (i + 1) * 8 <= bytes; i++) {
        uint64_t frame;
        memcpy(&frame, body + 48 + i * 8, 8);
        if (frame >= PERF_CONTEXT_MAX)
            continue; /* a marker */
        if (!innermost && sample.depth < REEL_WATCH_FRAMES)
            sample.frame[sample.depth++] = frame;
        innermost = false;
    }
    if (bytes >= 48 && count <= (bytes - 48) / 8)
        take_registers(&sample, body + 48 + count * 8, bytes - 48 - count * 8);
    g_array_append_val(watch->samples, sample);
}

/* id, count; then who ran when that was told, and when: pid and tid, time. */
static void take_loss(struct reel_watch *watch, const uint64_t *last_ns, const char *body,
                      size_t bytes)
{
    struct sample sample = {.since_ns = *last_ns};
    if (bytes < 32)
        return;
    memcpy(&sample.lost, body + 8, 8);
    memcpy(&sample.pid, body + 16, 4);
    memcpy(&sample.tid, body + 20, 4);
    memcpy(&sample.ns, body + 24, 8);
    watch->lost += sample.lost;
    g_array_append_val(watch->samples, sample);
}

/* Whose record it is, of what buffer. */
struct reading {
    struct reel_watch *watch;
    uint64_t *last_ns;
};

static void take_record(void *data, uint32_t type, const char *body, size_t bytes)
{
    const struct reading *reading = data;
    if (type == PERF_RECORD_SAMPLE)
        take_sample(reading->watch, reading->last_ns, body, bytes);
    else if (type == PERF_RECORD_LOST)
        take_loss(reading->watch, reading->last_ns, body, bytes);
}

static gint by_thread_and_time(gconstpointer a, gconstpointer b)
{
    const struct sample *x = a, *y = b;
    if (x->tid != y->tid)
        return x->tid < y->tid ? -1 : 1;
    return x->ns < y->ns ? -1 : x->ns > y->ns;
}

void reel_watch_turn(struct reel_watch *watch)
{
    struct reel_watch_range fresh[REEL_WATCH_RANGES];
    uint64_t now_ns = monotonic();
    if (!watch->hooks->turn || !watch->armed->len || now_ns - watch->turned_ns < TURN_NS)
        return;
    watch->turned_ns = now_ns;
    unsigned count = watch->hooks->turn(watch->hooks->data, fresh);
    reel_watch_registers_move(watch->registers, fresh, count);
}

bool reel_watch_is_armed(const struct reel_watch *watch, pid_t pid, uint64_t address)
{
    bool any = watch->hooks->turn; /* what had its turn a moment ago is not remembered */
    for (guint i = 0; i < watch->armed->len; i++) {
        const struct armed *armed = &g_array_index(watch->armed, struct armed, i);
        for (unsigned r = 0; armed->pid == pid && r < armed->count; r++)
            if (any || armed->range[r].address == address)
                return true;
    }
    return false;
}

/* Of an access that writes there are two samples, one of each register. */
static bool is_other_half(const struct sample *one, const struct sample *other)
{
    return one->point && other->point && one->tid == other->tid && one->ip == other->ip &&
           one->address == other->address && one->point->writes_only != other->point->writes_only &&
           other->ns - one->ns < PAIR_NS;
}

/* A thread that loads a word and then stores it, from a register and close behind, updates it in
 * two steps: whatever comes in between is lost. */
static bool completes_update(struct reel_watch *watch, const struct sample *sample, bool writes,
                             const struct reel_instruction *instruction)
{
    const uint64_t key = (uint64_t)(uint32_t)sample->tid << 47 ^ sample->address;
    const uint64_t *load = g_hash_table_lookup(watch->loaded, &key);
    bool completes = writes && load && !instruction->has_immediate && sample->ip - *load <= UPDATE;
    if (writes)
        g_hash_table_remove(watch->loaded, &key);
    else if (g_hash_table_size(watch->loaded) < LOAD_LIMIT || load)
        g_hash_table_insert(watch->loaded, g_memdup2(&key, sizeof key),
                            g_memdup2(&sample->ip, sizeof sample->ip));
    return completes;
}

/* What the instruction did, and with what value. */
static void look_at_instruction(struct reel_watch *watch, const struct sample *sample,
                                const struct reel_watch_code_bytes *code,
                                struct reel_watch_hit *hit, bool writes)
{
    struct reel_instruction instruction = {0};
    if (code->known)
        instruction =
            reel_instruction_before(code->bytes, sizeof code->bytes, sample->ip, sample->address,
                                    sample->has_registers ? sample->registers : NULL);
    bool fits = instruction.kind == (writes ? REEL_INSTRUCTION_STORE : REEL_INSTRUCTION_LOAD);
    bool updates = completes_update(watch, sample, writes, &instruction);
    hit->single = fits && !updates && instruction.size && instruction.size <= 8;
    hit->has_value = fits && instruction.size == hit->size && sample->has_registers &&
                     reel_instruction_value(&instruction, sample->registers, &hit->value);
}

static void add_hit(struct reel_watch *watch, const struct sample *sample, bool writes,
                    uint64_t tick)
{
    const struct reel_watch_point *point = sample->point;
    const struct reel_watch_range *range =
        sample->address == point->range.address ? &point->range : &point->before;
    const struct reel_watch_code_bytes code =
        reel_watch_code_before(watch->code, sample->pid, sample->ip);
    bool step = code.is_atomic;
    /* Ordinary loads and stores of it are then meant to be atomic, too. */
    if (step && !g_hash_table_contains(watch->shared, &sample->address))
        g_hash_table_add(watch->shared, g_memdup2(&sample->address, sizeof sample->address));
    bool orders = step || range->atomic || g_hash_table_contains(watch->shared, &sample->address);
    uint32_t depth = sample->depth > 0;
    while (depth < sample->depth &&
           reel_watch_code_before(watch->code, sample->pid, sample->frame[depth]).is_call)
        depth++;
    struct reel_watch_hit hit = {
        .time_ns = reel_clock_map_ns(watch->clock, tick),
        .pid = sample->pid,
        .tid = sample->tid,
        .address = sample->address,
        .size = range->size,
        .access = orders   ? REEL_WATCH_SYNC
                  : writes ? REEL_WATCH_WRITE
                           : REEL_WATCH_READ,
        .reads = step || !writes,
        .writes = writes,
        .depth = depth,
    };
    memcpy(hit.frame, sample->frame, sizeof hit.frame);
    if (!orders)
        look_at_instruction(watch, sample, &code, &hit, writes);
    g_array_append_val(watch->hits, hit);
    watch->told++;
}

/* The tick of a moment between two pairs of clocks. */
static uint64_t tick_of(const struct reel_watch *watch, uint64_t ns, uint64_t tick_now,
                        uint64_t ns_now)
{
    if (watch->clock->clock == REEL_CLOCK_MONOTONIC || ns_now <= watch->pair_ns)
        return watch->clock->clock == REEL_CLOCK_MONOTONIC ? ns : tick_now;
    double part =
        (double)((int64_t)ns - (int64_t)watch->pair_ns) / (double)(ns_now - watch->pair_ns);
    return watch->pair_tick + (uint64_t)(int64_t)(part * (double)(tick_now - watch->pair_tick));
}

void reel_watch_look(struct reel_watch *watch, int32_t ended)
{
    uint64_t begin = monotonic();
    guint kept = 0;
    uint64_t tick_now, ns_now;
    for (unsigned i = 0; i < reel_watch_registers_processors(watch->registers); i++) {
        struct reading reading = {watch, &watch->last_ns[i]};
        reel_watch_ring_read(reel_watch_registers_ring(watch->registers, i), take_record, &reading);
    }
    take_pair(watch, &tick_now, &ns_now);
    g_array_sort(watch->samples, by_thread_and_time);
    GArray *samples = watch->samples;
    for (guint i = 0; i < samples->len; i++) {
        const struct sample *sample = &g_array_index(samples, struct sample, i);
        const struct sample *next =
            i + 1 < samples->len ? &g_array_index(samples, struct sample, i + 1) : NULL;
        bool over = ended == REEL_WATCH_ALL || sample->tid == ended;
        bool pair = next && is_other_half(sample, next);
        bool newest = !pair && (!next || next->tid != sample->tid);
        /* One before it may be in a buffer already read, or its other half be on its way. */
        if (!over && (sample->ns >= begin || (newest && sample->ns + PAIR_NS > begin))) {
            g_array_index(samples, struct sample, kept++) = *sample;
            continue;
        }
        if (!sample->point) {
            struct reel_watch_hit loss = {
                .time_ns =
                    reel_clock_map_ns(watch->clock, tick_of(watch, sample->ns, tick_now, ns_now)),
                .since_ns = reel_clock_map_monotonic(watch->clock, sample->since_ns),
                .pid = sample->pid,
                .tid = sample->tid,
                .access = REEL_WATCH_LOST,
                .lost = sample->lost};
            g_array_append_val(watch->hits, loss);
            continue;
        }
        /* The stack is with the register that sees all accesses. */
        if (pair && sample->point->writes_only)
            sample = next;
        add_hit(watch, sample, pair || sample->point->writes_only,
                tick_of(watch, sample->ns, tick_now, ns_now));
        i += pair;
    }
    g_array_set_size(samples, kept);
    watch->pair_tick = tick_now;
    watch->pair_ns = ns_now;
}

void reel_watch_offer(struct reel_watch *watch,
                      bool (*take)(void *data, const struct reel_watch_hit *hit), void *data)
{
    guint kept = 0;
    for (guint i = 0; i < watch->hits->len; i++) {
        struct reel_watch_hit *hit = &g_array_index(watch->hits, struct reel_watch_hit, i);
        if (!take(data, hit))
            g_array_index(watch->hits, struct reel_watch_hit, kept++) = *hit;
    }
    g_array_set_size(watch->hits, kept);
}

uint64_t reel_watch_lost(const struct reel_watch *watch)
{
    return watch->lost;
}

uint64_t reel_watch_hits(const struct reel_watch *watch)
{
    return watch->told;
}
