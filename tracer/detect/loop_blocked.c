/* Blocked event loops: a step (a callback, a task's turn) that ran longer than its budget while
 * something else was due. A step lies between two moments at which the loop is in control: a wait's
 * end or begin, a task's change of state, an annotated handler. It is told only if somebody was
 * late: another task ran at once behind it, or the next wait had nothing to wait for. */
#include "tracer/detect/describe.h"
#include "tracer/detect/detectors.h"

#define BUDGET_NS  100000000ull
#define AT_ONCE_NS 2000000ull

struct step {
    uint64_t start_ns, end_ns;
    uint64_t running_ns, waiting_ns, longest_wait_ns;
    uint64_t starved_ns; /* could run, and had no processor: none of its doing */
    uint32_t waited_for, wait_stack;
    uint32_t task, stack;
    enum reel_state waited_in;
};

struct loop_thread {
    uint32_t loop, wait_stack;
    uint64_t rounds;
    struct step step; /* under way */
    struct step late; /* a long one, until it is known who was late */
    uint64_t wait_ns; /* begin of the wait behind it */
    bool in_step, has_late;
};

struct loop_blocked {
    const struct reel_detect_context *context;
    GHashTable *thread; /* number → struct loop_thread */
};

static void *loop_new(const struct reel_detect_context *context)
{
    struct loop_blocked *loops = g_new0(struct loop_blocked, 1);
    loops->context = context;
    loops->thread = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    return loops;
}

static void loop_free(void *detector)
{
    struct loop_blocked *loops = detector;
    g_hash_table_unref(loops->thread);
    g_free(loops);
}

static void report(struct loop_blocked *loops, uint32_t thread, struct loop_thread *mine,
                   const char *late)
{
    const struct reel_detect_context *context = loops->context;
    const struct step *step = &mine->late;
    const char *name = reel_describe_object(context, mine->loop);
    const char *who = reel_describe_thread(context, thread);
    char length[32], running[32], longest[32];
    reel_describe_duration(step->end_ns - step->start_ns, length);
    reel_describe_duration(step->running_ns, running);
    reel_describe_duration(step->longest_wait_ns, longest);
    struct reel_finding *finding = reel_finding_new(
        REEL_FINDING_LOOP_BLOCKED, REEL_CONFIDENCE_OBSERVED, REEL_SEVERITY_WARNING);
    GString *what = g_string_new(NULL);
    if (step->task)
        g_string_printf(what, "A turn of %s", reel_describe_object(context, step->task));
    else
        g_string_assign(what, "A step");
    GString *text = g_string_new(NULL);
    g_string_printf(text, "%s took %s on %s, whose loop (%s) could do nothing else meanwhile. ",
                    what->str, length, who, name);
    if (step->waiting_ns > step->running_ns)
        g_string_append_printf(text, "Most of it waited: %s in %s for %s at %s. ", longest,
                               reel_state_name(step->waited_in),
                               reel_describe_object(context, step->waited_for),
                               reel_describe_site(context, step->wait_stack));
    else
        g_string_append_printf(text, "It computed for %s. ", running);
    g_string_append_printf(text, "%s.", late);
    reel_finding_title(finding, "event loop blocked for %s by %s%s", length,
                       step->task ? "the task " : "one step",
                       step->task ? reel_describe_object(context, step->task) : "");
    reel_finding_explain(finding, "%s", text->str);
    if (step->waiting_ns > step->running_ns)
        reel_finding_fix(finding, "Do not make blocking calls on the loop: use the non-blocking "
                                  "form and wait for the descriptor, or a thread for the call.");
    else
        reel_finding_fix(finding, "Cut the computation into slices with a yield between them, or "
                                  "give it to a thread (or process) and let the loop wait for it.");
    reel_finding_evidence(finding, step->start_ns, thread, step->task ? step->task : mine->loop,
                          step->stack, "the step begins");
    if (step->waited_for)
        reel_finding_evidence(finding, 0, thread, step->waited_for, step->wait_stack,
                              "waits longest, here");
    reel_finding_evidence(finding, step->end_ns, thread, mine->loop, mine->wait_stack,
                          "the loop is in control again");
    finding->time_ns = step->start_ns;
    finding->end_ns = step->end_ns;
    GString *key = g_string_new("loop-blocked|");
    reel_describe_key_object(context, mine->loop, key);
    g_string_append_c(key, '|');
    if (step->task)
        reel_describe_key_object(context, step->task, key);
    reel_finding_key(finding, "%s", key->str);
    g_string_free(key, TRUE);
    g_string_free(text, TRUE);
    g_string_free(what, TRUE);
    reel_finding_set_add(context->findings, finding);
    mine->has_late = false;
}

static void end_step(struct loop_thread *mine, uint64_t now_ns)
{
    mine->step.end_ns = now_ns;
    if (mine->in_step && now_ns - mine->step.start_ns >= BUDGET_NS + mine->step.starved_ns) {
        mine->late = mine->step;
        mine->has_late = true;
    }
    mine->in_step = false;
}

static void begin_step(struct loop_thread *mine, const struct reel_event *event, uint32_t task)
{
    mine->step = (struct step){.start_ns = event->time_ns, .task = task, .stack = event->stack};
    mine->in_step = true;
}

static void loop_wakes(struct loop_blocked *loops, const struct reel_event *event,
                       struct loop_thread *mine)
{
    char late[96];
    if (mine->has_late && mine->rounds > 1 && event->time_ns - mine->wait_ns < AT_ONCE_NS) {
        if ((int32_t)event->argument > 0)
            g_snprintf(late, sizeof late, "Behind it %d descriptor%s had been ready",
                       event->argument, event->argument == 1 ? "" : "s");
        else
            g_snprintf(late, sizeof late, "Behind it a timer was overdue");
        report(loops, event->thread, mine, late);
    }
    mine->has_late = false;
    begin_step(mine, event, 0);
}

static void loop_event(void *detector, const struct reel_event *event, uint32_t object,
                       uint32_t other)
{
    struct loop_blocked *loops = detector;
    bool is_loop = event->class == REEL_CLASS_LOOP, is_task = event->class == REEL_CLASS_TASK;
    if (!is_loop && !is_task)
        return;
    struct loop_thread *mine = g_hash_table_lookup(loops->thread, GUINT_TO_POINTER(event->thread));
    if (!mine && !is_loop)
        return; /* tasks without a loop are a pool's */
    if (!mine) {
        mine = g_new0(struct loop_thread, 1);
        g_hash_table_insert(loops->thread, GUINT_TO_POINTER(event->thread), mine);
    }
    switch (event->operation) {
    case REEL_OP_WAIT:
        if (!is_loop)
            break;
        end_step(mine, event->time_ns);
        mine->loop = object;
        mine->wait_stack = event->stack;
        mine->wait_ns = event->time_ns;
        mine->rounds++;
        break;
    case REEL_OP_WAKE:
        if (is_loop)
            loop_wakes(loops, event, mine);
        break;
    case REEL_OP_SPAN_BEGIN:
        end_step(mine, event->time_ns);
        begin_step(mine, event, 0);
        break;
    case REEL_OP_SPAN_END:
        end_step(mine, event->time_ns);
        break;
    case REEL_OP_STATE:
        if (!mine->rounds)
            break;
        end_step(mine, event->time_ns);
        if (event->argument == REEL_TASK_RUNNING) {
            if (mine->has_late && mine->late.task != object)
                report(loops, event->thread, mine, "Another task was due behind it");
            begin_step(mine, event, object);
        }
        break;
    default:
        break;
    }
}

static void loop_interval(void *detector, const struct reel_interval *interval)
{
    struct loop_blocked *loops = detector;
    struct loop_thread *mine =
        g_hash_table_lookup(loops->thread, GUINT_TO_POINTER(interval->thread));
    if (!mine || !mine->in_step)
        return;
    uint64_t start_ns = MAX(interval->start_ns, mine->step.start_ns);
    if (interval->end_ns <= start_ns)
        return;
    uint64_t length = interval->end_ns - start_ns;
    if (interval->state == REEL_STATE_RUNNABLE) {
        mine->step.starved_ns += length;
        return;
    }
    if (!reel_state_waits(interval->state)) {
        mine->step.running_ns += length;
        return;
    }
    mine->step.waiting_ns += length;
    if (length > mine->step.longest_wait_ns) {
        mine->step.longest_wait_ns = length;
        mine->step.waited_for = interval->object;
        mine->step.wait_stack = interval->stack;
        mine->step.waited_in = interval->state;
    }
}

const struct reel_detector_class reel_loop_blocked = {
    .name = "loop blocked",
    .new = loop_new,
    .free = loop_free,
    .event = loop_event,
    .interval = loop_interval,
};
