/* Oversubscription: far more threads that could run than processors, and threads that live too
 * short to be worth making. How many could run is kept as time in equal slices of the run; when it
 * grows beyond the slices there are, each becomes twice as long. */
#include "tracer/detect/describe.h"
#include "tracer/detect/detectors.h"

#define SLICES         2048u
#define FIRST_SLICE_NS 100000ull /* 0.1 ms */
#define LEAST_THREADS  16u
#define LEAST_FACTOR   4u
#define LEAST_NS       20000000ull
#define MANY_THREADS   200u
#define SHORT_LIFE_NS  1000000ull

struct life {
    uint64_t start_ns;
    bool started, ended;
};

struct oversubscribed {
    const struct reel_detect_context *context;
    uint64_t slice_ns;
    uint64_t could_run_ns[SLICES];
    GArray *life; /* by thread */
    uint64_t short_lives;
    uint32_t create_stack, creator;
};

static void *over_new(const struct reel_detect_context *context)
{
    struct oversubscribed *over = g_new0(struct oversubscribed, 1);
    over->context = context;
    over->slice_ns = FIRST_SLICE_NS;
    over->life = g_array_new(FALSE, TRUE, sizeof(struct life));
    return over;
}

static void over_free(void *detector)
{
    struct oversubscribed *over = detector;
    g_array_unref(over->life);
    g_free(over);
}

static struct life *life_at(struct oversubscribed *over, uint32_t thread)
{
    if (over->life->len <= thread)
        g_array_set_size(over->life, thread + 1);
    return &g_array_index(over->life, struct life, thread);
}

static void over_event(void *detector, const struct reel_event *event, uint32_t object,
                       uint32_t other)
{
    struct oversubscribed *over = detector;
    if (event->class != REEL_CLASS_THREAD)
        return;
    if (event->operation == REEL_OP_CREATE) {
        over->create_stack = event->stack;
        over->creator = event->thread;
    } else if (event->operation == REEL_OP_START) {
        *life_at(over, event->thread) = (struct life){.start_ns = event->time_ns, .started = true};
    } else if (event->operation == REEL_OP_EXIT) {
        struct life *life = life_at(over, event->thread);
        if (life->started && !life->ended && event->argument < REEL_EXIT_PROCESS &&
            event->time_ns - life->start_ns < SHORT_LIFE_NS)
            over->short_lives++;
        life->ended = true;
    }
}

static void over_interval(void *detector, const struct reel_interval *interval)
{
    struct oversubscribed *over = detector;
    if (interval->state != REEL_STATE_RUNNING && interval->state != REEL_STATE_RUNNABLE &&
        interval->state != REEL_STATE_CALLBACK)
        return;
    while (interval->end_ns >= over->slice_ns * SLICES) {
        for (unsigned i = 0; i < SLICES / 2; i++)
            over->could_run_ns[i] = over->could_run_ns[2 * i] + over->could_run_ns[2 * i + 1];
        for (unsigned i = SLICES / 2; i < SLICES; i++)
            over->could_run_ns[i] = 0;
        over->slice_ns *= 2;
    }
    uint64_t at = interval->start_ns;
    while (at < interval->end_ns) {
        uint64_t slice = at / over->slice_ns;
        uint64_t end = MIN(interval->end_ns, (slice + 1) * over->slice_ns);
        over->could_run_ns[slice] += end - at;
        at = end;
    }
}

static void report_short_lives(struct oversubscribed *over)
{
    struct reel_finding *finding =
        reel_finding_new(REEL_FINDING_OVERSUBSCRIBED, REEL_CONFIDENCE_OBSERVED, REEL_SEVERITY_INFO);
    reel_finding_key(finding, "oversubscribed|short");
    reel_finding_title(finding, "%" G_GUINT64_FORMAT " threads lived less than a millisecond",
                       over->short_lives);
    reel_finding_explain(
        finding,
        "Making and joining a thread costs some tens of microseconds; %" G_GUINT64_FORMAT
        " threads of this program did so little that this is a good part of their "
        "work. They are made at %s.",
        over->short_lives, reel_describe_site(over->context, over->create_stack));
    reel_finding_fix(finding, "Use a pool: a few threads that take work from a queue.");
    reel_finding_evidence(finding, 0, over->creator, 0, over->create_stack, "makes threads here");
    reel_finding_set_add(over->context->findings, finding);
}

static void over_finish(void *detector)
{
    struct oversubscribed *over = detector;
    unsigned processors = MAX(over->context->processors, 1);
    uint64_t crowded_ns = 0, sum_ns = 0, first_ns = 0, last_ns = 0;
    double most = 0;
    for (unsigned i = 0; i < SLICES; i++) {
        double could_run = (double)over->could_run_ns[i] / (double)over->slice_ns;
        if (could_run < MAX(LEAST_THREADS, LEAST_FACTOR * processors))
            continue;
        if (!crowded_ns)
            first_ns = i * over->slice_ns;
        last_ns = (i + 1) * over->slice_ns;
        crowded_ns += over->slice_ns;
        sum_ns += over->could_run_ns[i];
        most = MAX(most, could_run);
    }
    if (over->short_lives >= MANY_THREADS)
        report_short_lives(over);
    if (crowded_ns < LEAST_NS)
        return;
    double mean = (double)sum_ns / (double)crowded_ns;
    char crowded[32];
    reel_describe_duration(crowded_ns, crowded);
    struct reel_finding *finding = reel_finding_new(
        REEL_FINDING_OVERSUBSCRIBED, REEL_CONFIDENCE_OBSERVED, REEL_SEVERITY_WARNING);
    reel_finding_key(finding, "oversubscribed");
    reel_finding_title(finding, "%.0f threads wanted to run on %u processor%s", most, processors,
                       processors == 1 ? "" : "s");
    reel_finding_explain(
        finding,
        "For %s, %.0f threads on average (%.0f at most) could run at the same time, on %u "
        "processors. Each gets a %.0fth of a processor and mostly waits for its turn; the "
        "switches, "
        "the stacks and the cold caches cost, and nothing is gained over %u threads.",
        crowded, mean, most, processors, mean / processors, processors);
    reel_finding_fix(finding,
                     "For work that computes, as many threads as processors are enough: a "
                     "pool of %u that takes pieces from a queue.",
                     processors);
    reel_finding_evidence(finding, first_ns, over->creator, 0, over->create_stack,
                          "makes threads here");
    finding->time_ns = first_ns;
    finding->end_ns = last_ns;
    reel_finding_set_add(over->context->findings, finding);
}

const struct reel_detector_class reel_oversubscribed = {
    .name = "oversubscribed",
    .new = over_new,
    .free = over_free,
    .event = over_event,
    .interval = over_interval,
    .finish = over_finish,
};
