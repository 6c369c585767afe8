/* Which event orders which: see happens_before.h. */
#include "tracer/detect/happens_before.h"

#include <glib.h>

#include "tracer/detect/describe.h"
#include "tracer/detect/semaphores.h"
#include "tracer/detect/socket_pairs.h"

/* What was let go: everything before position `position` of `thread`. */
struct release {
    struct reel_clock *clock;
    uint32_t thread, position;
};

/* What one who takes from an object hears. The last release is kept as it is, older ones of other
 * threads are joined: a channel that one thread feeds never costs a join. */
struct channel {
    struct reel_clock *heard;
    struct release last;
};

struct signal {
    uint64_t time_ns;
    struct release release;
};

/* What a thread had heard from that position on. */
struct moment {
    struct reel_clock *clock;
    uint32_t from;
};

#define MOMENTS (1u << 16) /* of a thread, at most */

struct thread {
    struct reel_clock *clock;
    uint32_t position, edges;
    bool ended;
    GArray *past; /* struct moment; NULL: not kept */
};

struct reel_happens_before {
    const struct reel_detect_context *context;
    unsigned order;
    bool remembers;       /* keeps what threads had heard when */
    GArray *thread;       /* struct thread, by number */
    GHashTable *channels; /* key → struct channel */
    GHashTable *signals;  /* condition → GArray of struct signal that woke somebody */
    GHashTable *members;  /* process → GArray of its threads */
    struct reel_semaphores *semaphores;
    struct reel_socket_pairs *pairs;
};

/* Channels of one object, and of what is no object. */
enum space {
    OBJECT,  /* by object */
    READERS, /* of a rwlock: what readers let go */
    ROUND,   /* of a barrier: those who came to the round that is not full */
    START,   /* by thread: from its creator */
    END,     /* by thread */
    FORK,    /* by process: its last fork */
    IMAGE,   /* by pid: exec */
    PROCESS, /* by process: its threads' ends */
};

static void *key_of(enum space space, uint64_t number)
{
    return GSIZE_TO_POINTER(number * 8 + (unsigned)space + 1);
}

static void drop_release(struct release *release)
{
    reel_clock_unref(release->clock);
    *release = (struct release){NULL, 0, 0};
}

static void free_channel(void *data)
{
    struct channel *channel = data;
    reel_clock_unref(channel->heard);
    drop_release(&channel->last);
    g_free(channel);
}

static void free_signals(void *data)
{
    GArray *signals = data;
    for (guint i = 0; i < signals->len; i++)
        drop_release(&g_array_index(signals, struct signal, i).release);
    g_array_unref(signals);
}

struct reel_happens_before *reel_happens_before_new(const struct reel_detect_context *context,
                                                    unsigned order)
{
    struct reel_happens_before *hb = g_new0(struct reel_happens_before, 1);
    hb->context = context;
    hb->order = order;
    hb->thread = g_array_new(FALSE, TRUE, sizeof(struct thread));
    hb->channels = g_hash_table_new_full(NULL, NULL, NULL, free_channel);
    hb->signals = g_hash_table_new_full(NULL, NULL, NULL, free_signals);
    hb->members = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_array_unref);
    hb->semaphores = reel_semaphores_new();
    hb->pairs = reel_socket_pairs_new();
    return hb;
}

void reel_happens_before_free(struct reel_happens_before *hb)
{
    if (!hb)
        return;
    for (guint i = 0; i < hb->thread->len; i++) {
        const struct thread *thread = &g_array_index(hb->thread, struct thread, i);
        reel_clock_unref(thread->clock);
        for (guint k = 0; thread->past && k < thread->past->len; k++)
            reel_clock_unref(g_array_index(thread->past, struct moment, k).clock);
        if (thread->past)
            g_array_unref(thread->past);
    }
    g_array_unref(hb->thread);
    g_hash_table_unref(hb->channels);
    g_hash_table_unref(hb->signals);
    g_hash_table_unref(hb->members);
    reel_semaphores_free(hb->semaphores);
    reel_socket_pairs_free(hb->pairs);
    g_free(hb);
}

static struct thread *thread_at(struct reel_happens_before *hb, uint32_t number)
{
    if (hb->thread->len <= number)
        g_array_set_size(hb->thread, number + 1);
    return &g_array_index(hb->thread, struct thread, number);
}

/* Every other moment goes, and what was heard at the next one counts for it. */
static void thin_out(GArray *past)
{
    guint kept = 0;
    for (guint i = 0; i < past->len; i += 2) {
        struct moment moment = g_array_index(past, struct moment, i);
        if (i + 1 < past->len) {
            reel_clock_unref(moment.clock);
            moment.clock = g_array_index(past, struct moment, i + 1).clock;
        }
        g_array_index(past, struct moment, kept++) = moment;
    }
    g_array_set_size(past, kept);
}

static void remember(struct reel_happens_before *hb, uint32_t number)
{
    struct thread *thread = thread_at(hb, number);
    if (!thread->past)
        thread->past = g_array_new(FALSE, FALSE, sizeof(struct moment));
    struct moment *last = thread->past->len
                              ? &g_array_index(thread->past, struct moment, thread->past->len - 1)
                              : NULL;
    if (last && last->clock == thread->clock)
        return;
    if (last && last->from == thread->position) {
        reel_clock_unref(last->clock);
        last->clock = reel_clock_ref(thread->clock);
        return;
    }
    if (thread->past->len == MOMENTS)
        thin_out(thread->past);
    struct moment moment = {reel_clock_ref(thread->clock), thread->position};
    g_array_append_val(thread->past, moment);
}

static struct release release_of(struct reel_happens_before *hb, uint32_t number)
{
    struct thread *thread = thread_at(hb, number);
    thread->edges++;
    return (struct release){reel_clock_ref(thread->clock), number, thread->position};
}

static void hear(struct reel_happens_before *hb, uint32_t number, const struct release *release)
{
    if (!release->thread || release->thread == number)
        return;
    struct thread *thread = thread_at(hb, number);
    /* Who has heard of the release has heard of all that came before it. */
    if (reel_clock_at(thread->clock, release->thread) >= release->position)
        return;
    thread->clock =
        reel_clock_join(thread->clock, release->clock, release->thread, release->position);
}

static struct channel *channel_at(struct reel_happens_before *hb, void *key)
{
    struct channel *channel = g_hash_table_lookup(hb->channels, key);
    if (!channel) {
        channel = g_new0(struct channel, 1);
        g_hash_table_insert(hb->channels, key, channel);
    }
    return channel;
}

static void send_as(struct reel_happens_before *hb, void *key, struct release release)
{
    struct channel *channel = channel_at(hb, key);
    struct release *last = &channel->last;
    if (last->thread && last->thread != release.thread &&
        reel_clock_at(release.clock, last->thread) < last->position)
        channel->heard = reel_clock_join(channel->heard, last->clock, last->thread, last->position);
    if (last->thread == release.thread)
        release.position = MAX(release.position, last->position);
    drop_release(last);
    *last = release;
}

/* The thread's past goes into the channel. */
static void give(struct reel_happens_before *hb, enum space space, uint64_t number, uint32_t thread)
{
    send_as(hb, key_of(space, number), release_of(hb, thread));
}

/* The thread hears what is in the channel. */
static void take(struct reel_happens_before *hb, enum space space, uint64_t number, uint32_t thread)
{
    struct channel *channel = g_hash_table_lookup(hb->channels, key_of(space, number));
    if (!channel)
        return;
    struct thread *taker = thread_at(hb, thread);
    taker->clock = reel_clock_join(taker->clock, channel->heard, 0, 0);
    hear(hb, thread, &channel->last);
}

static void empty(struct reel_happens_before *hb, enum space space, uint64_t number)
{
    g_hash_table_remove(hb->channels, key_of(space, number));
}

/* Moves what came to the round into what those who leave it hear. */
static void complete_round(struct reel_happens_before *hb, uint32_t barrier)
{
    struct channel *round = g_hash_table_lookup(hb->channels, key_of(ROUND, barrier));
    if (!round)
        return;
    struct channel *done = channel_at(hb, key_of(OBJECT, barrier));
    done->heard = reel_clock_join(done->heard, round->heard, 0, 0);
    done->heard =
        reel_clock_join(done->heard, round->last.clock, round->last.thread, round->last.position);
    empty(hb, ROUND, barrier);
}

static void arrive(struct reel_happens_before *hb, const struct reel_event *event, uint32_t object)
{
    const struct reel_world_object *barrier = reel_world_object(hb->context->world, object);
    give(hb, ROUND, object, event->thread);
    if (!barrier || !barrier->capacity || barrier->arrived == 0)
        complete_round(hb, object);
}

/* Remembers a signal that the world says has woken a waiter: its wait will be told with this time.
 */
static void signal_sent(struct reel_happens_before *hb, const struct reel_event *event,
                        uint32_t object)
{
    const struct reel_world_object *condition = reel_world_object(hb->context->world, object);
    GArray *signals = g_hash_table_lookup(hb->signals, GUINT_TO_POINTER(object));
    if (!condition || !condition->waiter_count) {
        if (signals)
            g_hash_table_remove(hb->signals, GUINT_TO_POINTER(object));
        return;
    }
    if (!signals) {
        signals = g_array_new(FALSE, FALSE, sizeof(struct signal));
        g_hash_table_insert(hb->signals, GUINT_TO_POINTER(object), signals);
    }
    struct signal signal = {event->time_ns, release_of(hb, event->thread)};
    g_array_append_val(signals, signal);
    /* Older ones than the oldest wait have woken whom they could. */
    if (signals->len > 64 && signals->len > 4 * condition->waiter_count) {
        guint drop = signals->len / 2;
        for (guint i = 0; i < drop; i++)
            drop_release(&g_array_index(signals, struct signal, i).release);
        g_array_remove_range(signals, 0, drop);
    }
}

void reel_happens_before_interval(struct reel_happens_before *hb,
                                  const struct reel_interval *interval)
{
    if (interval->state != REEL_STATE_COND_WAIT || !interval->ended_by)
        return;
    GArray *signals = g_hash_table_lookup(hb->signals, GUINT_TO_POINTER(interval->object));
    for (guint i = 0; signals && i < signals->len; i++) {
        const struct signal *signal = &g_array_index(signals, struct signal, i);
        if (signal->time_ns == interval->ended_event)
            hear(hb, interval->thread, &signal->release);
    }
    if (hb->remembers)
        remember(hb, interval->thread);
}

static bool carries_order(unsigned class)
{
    switch (class) {
    case REEL_CLASS_PIPE:
    case REEL_CLASS_SOCKET:
    case REEL_CLASS_EVENTFD:
    case REEL_CLASS_MESSAGE_QUEUE:
        return true;
    default:
        return false;
    }
}

static void call_begins(struct reel_happens_before *hb, const struct reel_event *event,
                        uint32_t object)
{
    if (!carries_order(event->class) || event->flags & REEL_FLAG_READ)
        return;
    /* What goes into one end of a socket pair comes out of the other. Where the other end is not
     * known, an answer that comes back is taken for one. */
    uint32_t peer = reel_socket_pairs_peer(hb->pairs, object);
    give(hb, OBJECT, peer ? peer : object, event->thread);
}

static void call_ends(struct reel_happens_before *hb, const struct reel_event *event,
                      uint32_t object)
{
    if (carries_order(event->class) && event->flags & REEL_FLAG_READ &&
        (int32_t)event->argument >= 0)
        take(hb, OBJECT, object, event->thread);
}

/* Both ends of a connection are known from here on. What was written before lies in the channel of
 * the end it was written to, and is read from the other. */
static void know_ends(struct reel_happens_before *hb, const struct reel_event *event,
                      uint32_t object)
{
    uint32_t peer = reel_socket_pairs_event(hb->pairs, event, object);
    if (!peer)
        return;
    void *mine = NULL, *theirs = NULL;
    g_hash_table_steal_extended(hb->channels, key_of(OBJECT, object), NULL, &mine);
    g_hash_table_steal_extended(hb->channels, key_of(OBJECT, peer), NULL, &theirs);
    if (mine)
        g_hash_table_insert(hb->channels, key_of(OBJECT, peer), mine);
    if (theirs)
        g_hash_table_insert(hb->channels, key_of(OBJECT, object), theirs);
    if (event->operation == REEL_OP_OPEN) /* accepted: the other end has connected */
        take(hb, OBJECT, object, event->thread);
}

/* Was this release one of a lock that its thread did not hold? Then the lock is used to signal. */
static bool is_foreign(const struct reel_happens_before *hb, const struct reel_event *event,
                       uint32_t object)
{
    const struct reel_world_thread *thread = reel_world_thread(hb->context->world, event->thread);
    return thread && thread->foreign_release == object &&
           thread->foreign_release_ns == event->time_ns;
}

static void release_lock(struct reel_happens_before *hb, const struct reel_event *event,
                         uint32_t object)
{
    if (hb->order & REEL_ORDER_LOCKS)
        give(hb, event->flags & REEL_FLAG_READ ? READERS : OBJECT, object, event->thread);
    else if (event->class == REEL_CLASS_ONCE || is_foreign(hb, event, object))
        give(hb, OBJECT, object, event->thread);
}

static void acquire_lock(struct reel_happens_before *hb, const struct reel_event *event,
                         uint32_t object)
{
    /* Without lock order there is something in the channel only if the lock was used to signal. */
    take(hb, OBJECT, object, event->thread);
    if (hb->order & REEL_ORDER_LOCKS && event->class == REEL_CLASS_RWLOCK &&
        !(event->flags & REEL_FLAG_READ))
        take(hb, READERS, object, event->thread);
}

/* Who joined it has heard all that it had: its own clock goes, for thousands may follow. */
static void join_thread(struct reel_happens_before *hb, uint32_t joined, uint32_t self)
{
    take(hb, END, joined, self);
    struct thread *thread = thread_at(hb, joined);
    if (!thread->ended || hb->remembers)
        return;
    empty(hb, END, joined);
    reel_clock_unref(thread->clock);
    thread->clock = NULL;
}

static void thread_event(struct reel_happens_before *hb, const struct reel_event *event,
                         uint32_t object)
{
    uint32_t self = event->thread;
    switch (event->operation) {
    case REEL_OP_CREATE:
        give(hb, START, event->object, self);
        break;
    case REEL_OP_START:
        take(hb, START, self, self);
        empty(hb, START, self); /* nobody else hears it: thousands of threads may follow */
        break;
    case REEL_OP_EXIT:
        give(hb, END, self, self);
        give(hb, PROCESS, event->process, self);
        thread_at(hb, self)->ended = true;
        break;
    case REEL_OP_WAKE:
        if (event->argument == 0)
            join_thread(hb, reel_thread_of(hb->context, object), self);
        break;
    default:
        break;
    }
}

static void join_process(struct reel_happens_before *hb, uint32_t process, uint32_t thread)
{
    GArray *members = g_hash_table_lookup(hb->members, GUINT_TO_POINTER(process));
    if (!members) {
        members = g_array_new(FALSE, FALSE, sizeof thread);
        g_hash_table_insert(hb->members, GUINT_TO_POINTER(process), members);
    }
    g_array_append_val(members, thread);
}

/* The process is over, and with it all that its threads did, though its end, which only the
 * recorder tells where it was sudden, may be told later. */
static void hear_process(struct reel_happens_before *hb, uint32_t process, uint32_t self)
{
    take(hb, PROCESS, process, self);
    const GArray *members = g_hash_table_lookup(hb->members, GUINT_TO_POINTER(process));
    for (guint i = 0; members && i < members->len; i++) {
        uint32_t number = g_array_index(members, uint32_t, i);
        const struct thread *thread = thread_at(hb, number);
        const struct release end = {thread->clock, number, thread->position};
        hear(hb, self, &end);
    }
}

static void process_event(struct reel_happens_before *hb, const struct reel_event *event,
                          uint32_t other)
{
    uint32_t self = event->thread;
    switch (event->operation) {
    case REEL_OP_CREATE:
        give(hb, FORK, event->process, self);
        break;
    case REEL_OP_ATTACH:
        if (event->argument)
            take(hb, FORK, event->argument, self);
        if (event->extra_words)
            take(hb, IMAGE, event->extra[0], self);
        break;
    case REEL_OP_EXEC:
        give(hb, IMAGE, event->object, self);
        break;
    case REEL_OP_EXIT:
        give(hb, PROCESS, event->process, self);
        break;
    case REEL_OP_WAKE:
        if (other)
            hear_process(hb, other, self);
        break;
    default:
        break;
    }
}

static void semaphore_event(struct reel_happens_before *hb, const struct reel_event *event,
                            uint32_t object)
{
    bool all = hb->order & REEL_ORDER_LOCKS;
    switch (reel_semaphores_event(hb->semaphores, event, object)) {
    case REEL_SEMAPHORE_SIGNAL:
        give(hb, OBJECT, object, event->thread);
        break;
    case REEL_SEMAPHORE_GAVE:
        if (all)
            give(hb, OBJECT, object, event->thread);
        break;
    case REEL_SEMAPHORE_TOOK:
        take(hb, OBJECT, object, event->thread);
        break;
    default:
        break;
    }
}

/* A plain atomic store ends what was heard there before; behind a release fence it lets go only of
 * what came before the fence. */
static void before(struct reel_happens_before *hb, const struct reel_event *event, uint32_t object)
{
    if (event->argument & REEL_EDGE_REPLACES)
        empty(hb, OBJECT, object);
    struct release release = release_of(hb, event->thread);
    if (event->extra_words && event->extra[0] < release.position)
        release.position = (uint32_t)event->extra[0];
    send_as(hb, key_of(OBJECT, object), release);
}

static void object_event(struct reel_happens_before *hb, const struct reel_event *event,
                         uint32_t object)
{
    switch (event->operation) {
    case REEL_OP_ACQUIRE:
        acquire_lock(hb, event, object);
        break;
    case REEL_OP_RELEASE:
        release_lock(hb, event, object);
        break;
    case REEL_OP_SIGNAL:
    case REEL_OP_BROADCAST:
        signal_sent(hb, event, object);
        break;
    case REEL_OP_WAKE:
        if (event->class == REEL_CLASS_ONCE)
            take(hb, OBJECT, object, event->thread);
        break;
    case REEL_OP_ARRIVE:
        arrive(hb, event, object);
        break;
    case REEL_OP_LEAVE:
    case REEL_OP_GET:
    case REEL_OP_AFTER:
        take(hb, OBJECT, object, event->thread);
        break;
    case REEL_OP_PUT:
        give(hb, OBJECT, object, event->thread);
        break;
    case REEL_OP_BEFORE:
        before(hb, event, object);
        break;
    case REEL_OP_OPEN:
        know_ends(hb, event, object);
        break;
    case REEL_OP_BEGIN:
        call_begins(hb, event, object);
        break;
    case REEL_OP_END:
        know_ends(hb, event, object);
        call_ends(hb, event, object);
        break;
    case REEL_OP_WRITE:
        if (hb->order & REEL_ORDER_READS) { /* a read sees the last write, not those before */
            empty(hb, OBJECT, object);
            give(hb, OBJECT, object, event->thread);
        }
        break;
    case REEL_OP_READ:
        if (hb->order & REEL_ORDER_READS)
            take(hb, OBJECT, object, event->thread);
        break;
    default:
        break;
    }
}

/* It read what that thread wrote before its event at that position. */
static void see(struct reel_happens_before *hb, const struct reel_event *event)
{
    if (event->argument >= REEL_MODEL_NUMBER_LIMIT || !event->extra_words ||
        event->extra[0] >= UINT32_MAX)
        return;
    uint32_t position = (uint32_t)event->extra[0];
    const struct release seen = {reel_happens_before_clock_at(hb, event->argument, position),
                                 event->argument, position};
    hear(hb, event->thread, &seen);
}

/* Instrumented code tells positions, which count all events of a thread. */
static void followed(struct reel_happens_before *hb, const struct reel_event *event)
{
    struct thread *thread = thread_at(hb, event->thread);
    thread->position = MAX(thread->position, event->argument);
    hb->remembers = hb->order & REEL_ORDER_READS;
}

void reel_happens_before_event(struct reel_happens_before *hb, const struct reel_event *event,
                               uint32_t object, uint32_t other)
{
    if (!event->thread || event->operation == REEL_OP_SWITCH_IN ||
        event->operation == REEL_OP_SWITCH_OUT)
        return;
    if (thread_at(hb, event->thread)->position++ == 0)
        join_process(hb, event->process, event->thread);
    if (event->class == REEL_CLASS_THREAD)
        thread_event(hb, event, object);
    else if (event->class == REEL_CLASS_PROCESS)
        process_event(hb, event, other);
    else if (event->class == REEL_CLASS_SEMAPHORE)
        semaphore_event(hb, event, object);
    else if (event->operation == REEL_OP_SEEN && hb->order & REEL_ORDER_READS)
        see(hb, event);
    else if (event->operation == REEL_OP_FOLLOWED)
        followed(hb, event);
    else if (object)
        object_event(hb, event, object);
    if (hb->remembers)
        remember(hb, event->thread);
}

uint32_t reel_happens_before_position(const struct reel_happens_before *hb, uint32_t thread)
{
    return thread < hb->thread->len ? g_array_index(hb->thread, struct thread, thread).position : 0;
}

struct reel_clock *reel_happens_before_clock(const struct reel_happens_before *hb, uint32_t thread)
{
    return thread < hb->thread->len ? g_array_index(hb->thread, struct thread, thread).clock : NULL;
}

struct reel_clock *reel_happens_before_clock_at(const struct reel_happens_before *hb,
                                                uint32_t number, uint32_t position)
{
    const struct thread *thread =
        number < hb->thread->len ? &g_array_index(hb->thread, struct thread, number) : NULL;
    if (!thread || !thread->past || !thread->past->len)
        return thread ? thread->clock : NULL;
    guint low = 0, high = thread->past->len;
    while (high - low > 1) {
        guint middle = low + (high - low) / 2;
        if (g_array_index(thread->past, struct moment, middle).from <= position)
            low = middle;
        else
            high = middle;
    }
    return g_array_index(thread->past, struct moment, low).clock;
}

uint32_t reel_happens_before_edges(const struct reel_happens_before *hb, uint32_t thread)
{
    return thread < hb->thread->len ? g_array_index(hb->thread, struct thread, thread).edges : 0;
}
