/* Deadlocks that happened: circles in the wait-for graph, a lock taken twice by its holder, a lock
 * whose owner has ended or lives only in the parent process. Looked for whenever the world is
 * looked at; such a state is final, and so is what is reported. */
#include <glib.h>

#include "tracer/detect/describe.h"
#include "tracer/detect/detectors.h"
#include "tracer/detect/wait_graph.h"

struct observed {
    const struct reel_detect_context *context;
    struct reel_semaphores *semaphores;
    GHashTable *robust;   /* mutexes made so */
    GHashTable *reported; /* threads of a circle that has been told */
    GHashTable *kept;     /* object → struct reel_hold: its holder ended without letting it go */
    GString *text;
};

static void *observed_new(const struct reel_detect_context *context)
{
    struct observed *observed = g_new0(struct observed, 1);
    observed->context = context;
    observed->semaphores = reel_semaphores_new();
    observed->robust = g_hash_table_new(NULL, NULL);
    observed->reported = g_hash_table_new(NULL, NULL);
    observed->kept = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    observed->text = g_string_new(NULL);
    return observed;
}

static void observed_free(void *detector)
{
    struct observed *observed = detector;
    reel_semaphores_free(observed->semaphores);
    g_hash_table_unref(observed->robust);
    g_hash_table_unref(observed->reported);
    g_hash_table_unref(observed->kept);
    g_string_free(observed->text, TRUE);
    g_free(observed);
}

static void observed_event(void *detector, const struct reel_event *event, uint32_t object,
                           uint32_t other)
{
    struct observed *observed = detector;
    const uint32_t robust_kind = 16; /* glibc's kind, which INIT tells */
    reel_semaphores_event(observed->semaphores, event, object);
    if (event->operation == REEL_OP_INIT && event->class == REEL_CLASS_MUTEX &&
        event->argument & robust_kind)
        g_hash_table_add(observed->robust, GUINT_TO_POINTER(object));
}

static void observed_hold(void *detector, const struct reel_hold *hold)
{
    struct observed *observed = detector;
    if (!hold->released && !hold->shared)
        g_hash_table_insert(observed->kept, GUINT_TO_POINTER(hold->object),
                            g_memdup2(hold, sizeof *hold));
}

static bool is_robust(void *data, uint32_t object)
{
    const struct observed *observed = data;
    return g_hash_table_contains(observed->robust, GUINT_TO_POINTER(object));
}

/* Where `holder` took what `waiter` wants; false when it holds it in no way that has a place. */
static bool find_hold(const struct observed *observed, uint32_t holder, uint32_t object,
                      uint64_t *since_ns, uint32_t *stack)
{
    const struct reel_world_thread *thread = reel_world_thread(observed->context->world, holder);
    for (uint32_t i = 0; thread && i < thread->held_count; i++)
        if (thread->held[i].object == object) {
            *since_ns = thread->held[i].since_ns;
            *stack = thread->held[i].stack;
            return true;
        }
    const struct reel_semaphore *semaphore = reel_semaphores_find(observed->semaphores, object);
    for (size_t i = 0; semaphore && i < semaphore->units; i++)
        if (semaphore->unit[i].thread == holder) {
            *since_ns = semaphore->unit[i].since_ns;
            *stack = semaphore->unit[i].stack;
            return true;
        }
    return false;
}

static const char *action(const struct reel_wait *wait)
{
    switch (wait->class) {
    case REEL_CLASS_THREAD:
        return "waits for the end of";
    case REEL_CLASS_PROCESS:
        return "waits for the end of";
    default:
        return wait->flags & REEL_FLAG_READ ? "waits to read-lock" : "waits for";
    }
}

static void add_wait(const struct observed *observed, struct reel_finding *finding,
                     const struct reel_wait_node *node)
{
    reel_finding_evidence(finding, node->wait->since_ns, node->thread, node->wait->object,
                          node->wait->stack, "%s %s, here", action(node->wait),
                          reel_describe_object(observed->context, node->wait->object));
    if (node->wait->since_ns > finding->time_ns)
        finding->time_ns = node->wait->since_ns;
}

static void add_hold(const struct observed *observed, struct reel_finding *finding, uint32_t holder,
                     uint32_t object)
{
    uint64_t since_ns;
    uint32_t stack;
    if (find_hold(observed, holder, object, &since_ns, &stack))
        reel_finding_evidence(finding, since_ns, holder, object, stack, "holds %s, taken here",
                              reel_describe_object(observed->context, object));
}

/* One edge of the circle for the key: what is held from where, what is wanted from where. */
static char *edge_key(const struct observed *observed, const struct reel_wait_node *node,
                      uint32_t held)
{
    const struct reel_detect_context *context = observed->context;
    GString *key = g_string_new(NULL);
    uint64_t since_ns;
    uint32_t stack = 0;
    if (held && find_hold(observed, node->thread, held, &since_ns, &stack)) {
        reel_describe_key_object(context, held, key);
        g_string_append_c(key, '@');
        reel_describe_key_site(context, stack, key);
    }
    g_string_append(key, ">");
    if (node->wait->class == REEL_CLASS_THREAD || node->wait->class == REEL_CLASS_PROCESS)
        g_string_append(key, reel_class_name(node->wait->class));
    else
        reel_describe_key_object(context, node->wait->object, key);
    g_string_append_c(key, '@');
    reel_describe_key_site(context, node->wait->stack, key);
    return g_string_free(key, FALSE);
}

static int compare_texts(const void *left, const void *right)
{
    return g_strcmp0(*(char *const *)left, *(char *const *)right);
}

static void set_key(struct reel_finding *finding, const char *what, GPtrArray *edges)
{
    g_ptr_array_sort(edges, compare_texts);
    GString *key = g_string_new(what);
    for (guint i = 0; i < edges->len; i++)
        if (i == 0 || g_strcmp0(edges->pdata[i], edges->pdata[i - 1]))
            g_string_append_printf(key, "|%s", (char *)edges->pdata[i]);
    reel_finding_key(finding, "%s", key->str);
    g_string_free(key, TRUE);
}

/* Those who wait for the ones in the circle, and are lost with them. */
static void add_victims(struct observed *observed, struct reel_finding *finding,
                        const struct reel_wait_graph *graph, GString *text)
{
    unsigned victims = 0;
    bool grew = true;
    while (grew) {
        grew = false;
        for (size_t i = 0; i < graph->count; i++) {
            const struct reel_wait_node *node = &graph->node[i];
            if (!node->stuck || !node->blocker || node->ownerless ||
                reel_finding_has_thread(finding, node->thread) ||
                !reel_finding_has_thread(finding, node->blocker))
                continue;
            add_wait(observed, finding, node);
            g_hash_table_add(observed->reported, GUINT_TO_POINTER(node->thread));
            if (victims++ < 4)
                g_string_append_printf(
                    text, " %s waits for %s, and so for ever.",
                    reel_describe_thread(observed->context, node->thread),
                    node->wait->class == REEL_CLASS_PROCESS
                        ? "that process"
                        : reel_describe_thread(observed->context, node->blocker));
            grew = true;
        }
    }
    if (victims > 4)
        g_string_append_printf(text, " So do %u more.", victims - 4);
}

static void say_self(const struct observed *observed, struct reel_finding *finding,
                     const struct reel_wait_node *node, GString *text)
{
    const char *thread = reel_describe_thread(observed->context, node->thread);
    const char *lock = reel_describe_object(observed->context, node->wait->object);
    uint64_t since_ns;
    uint32_t stack = 0;
    find_hold(observed, node->thread, node->wait->object, &since_ns, &stack);
    reel_finding_title(finding, "%s waits for %s, which it holds itself", thread, lock);
    g_string_printf(text, "%s took %s at %s and wants it again at %s.", thread, lock,
                    reel_describe_site(observed->context, stack),
                    reel_describe_site(observed->context, node->wait->stack));
    if (node->wait->class == REEL_CLASS_RWLOCK)
        reel_finding_fix(finding,
                         "A read lock cannot become a write lock while it is held: unlock it first "
                         "and check again what you read, or take the write lock from the start.");
    else
        reel_finding_fix(finding,
                         "Take %s in one place only: move the inner work into a function that "
                         "expects the lock to be held. A recursive lock would hide it.",
                         lock);
}

static void say_circle(const struct observed *observed, struct reel_finding *finding,
                       const struct reel_wait_graph *graph, const uint32_t *circle, size_t count,
                       GString *text)
{
    const struct reel_detect_context *context = observed->context;
    g_string_truncate(text, 0);
    bool processes = false;
    for (size_t i = 0; i < count; i++) {
        const struct reel_wait_node *node = reel_wait_graph_node(graph, circle[i]);
        const struct reel_wait_node *before =
            reel_wait_graph_node(graph, circle[(i + count - 1) % count]);
        uint64_t since_ns;
        uint32_t stack;
        processes |= node->process != before->process;
        const char *thread = reel_describe_thread(context, node->thread);
        if (find_hold(observed, node->thread, before->wait->object, &since_ns, &stack))
            g_string_append_printf(text, "%s holds %s (taken at %s) and %s %s at %s. ", thread,
                                   reel_describe_object(context, before->wait->object),
                                   reel_describe_site(context, stack), action(node->wait),
                                   reel_describe_object(context, node->wait->object),
                                   reel_describe_site(context, node->wait->stack));
        else
            g_string_append_printf(text, "%s %s %s at %s. ", thread, action(node->wait),
                                   reel_describe_object(context, node->wait->object),
                                   reel_describe_site(context, node->wait->stack));
    }
    g_string_append(text, "None of them can go on.");
    if (count == 2)
        reel_finding_title(
            finding, "%s and %s wait for each other%s", reel_describe_thread(context, circle[0]),
            reel_describe_thread(context, circle[1]), processes ? ", across processes" : "");
    else
        reel_finding_title(finding, "%zu threads wait for each other in a circle%s", count,
                           processes ? ", across processes" : "");
    reel_finding_fix(finding, "Take these locks in one order everywhere, or take the second one "
                              "with trylock and let go of the first when that fails.");
}

static void report_circle(struct observed *observed, const struct reel_wait_graph *graph,
                          const uint32_t *circle, size_t count)
{
    struct reel_finding *finding =
        reel_finding_new(REEL_FINDING_DEADLOCK, REEL_CONFIDENCE_OBSERVED, REEL_SEVERITY_ERROR);
    GPtrArray *edges = g_ptr_array_new_with_free_func(g_free);
    GString *text = observed->text;
    for (size_t i = 0; i < count; i++) {
        const struct reel_wait_node *node = reel_wait_graph_node(graph, circle[i]);
        uint32_t held = reel_wait_graph_node(graph, circle[(i + count - 1) % count])->wait->object;
        add_hold(observed, finding, node->thread, held);
        add_wait(observed, finding, node);
        g_ptr_array_add(edges, edge_key(observed, node, held));
        g_hash_table_add(observed->reported, GUINT_TO_POINTER(node->thread));
    }
    if (count == 1)
        say_self(observed, finding, reel_wait_graph_node(graph, circle[0]), text);
    else
        say_circle(observed, finding, graph, circle, count, text);
    add_victims(observed, finding, graph, text);
    reel_finding_explain(finding, "%s", text->str);
    set_key(finding, "deadlock", edges);
    g_ptr_array_unref(edges);
    reel_finding_set_add(observed->context->findings, finding);
}

/* Where the one who is gone took it, if that is known. */
static void add_kept(const struct observed *observed, struct reel_finding *finding, uint32_t holder,
                     uint32_t object)
{
    const struct reel_hold *kept = g_hash_table_lookup(observed->kept, GUINT_TO_POINTER(object));
    if (kept && kept->thread == holder)
        reel_finding_evidence(finding, kept->start_ns, holder, object, kept->stack,
                              "took %s here, and never let it go",
                              reel_describe_object(observed->context, object));
    else
        reel_finding_thread(finding, holder);
}

static void say_inherited(const struct observed *observed, struct reel_finding *finding,
                          const struct reel_wait_node *node, const char *name, const char *holder)
{
    const struct reel_detect_context *context = observed->context;
    reel_finding_title(finding, "%s is held by a thread that the fork left behind", name);
    g_string_printf(observed->text,
                    "When the process was forked, %s held %s. The child has a copy of the lock, "
                    "locked, but not of that thread: nobody can unlock it there. %s waits for "
                    "it at %s.",
                    holder, name, reel_describe_thread(context, node->thread),
                    reel_describe_site(context, node->wait->stack));
    reel_finding_fix(finding,
                     "Fork before threads are started, or use posix_spawn; or take %s before "
                     "the fork and release it on both sides with pthread_atfork.",
                     name);
}

static void say_ended(const struct observed *observed, struct reel_finding *finding,
                      const struct reel_wait_node *node, const char *name, const char *holder,
                      bool process)
{
    const struct reel_detect_context *context = observed->context;
    reel_finding_title(finding, "%s is held by a %s that has ended", name,
                       process ? "process" : "thread");
    g_string_printf(observed->text,
                    "%s%s ended while it held %s. %s waits for it at %s, and nobody is left who "
                    "could unlock it.",
                    holder, process ? "'s process" : "", name,
                    reel_describe_thread(context, node->thread),
                    reel_describe_site(context, node->wait->stack));
    reel_finding_fix(finding,
                     "Release %s on every way out of the %s, or make it robust "
                     "(PTHREAD_MUTEX_ROBUST)%s.",
                     name, process ? "process" : "thread",
                     process ? ": then the next one to lock it is told that its owner died"
                             : ". For cancellation: a cleanup handler");
}

static void report_ownerless(struct observed *observed, const struct reel_wait_graph *graph,
                             const struct reel_wait_node *node)
{
    const struct reel_detect_context *context = observed->context;
    const struct reel_world_object *lock = reel_world_object(context->world, node->wait->object);
    const struct reel_world_thread *owner = reel_world_thread(context->world, lock->owner);
    const char *name = reel_describe_object(context, node->wait->object);
    const char *holder = reel_describe_thread(context, lock->owner);
    bool elsewhere = owner && owner->process != node->process;
    bool inherited = elsewhere && !(node->wait->flags & REEL_FLAG_SHARED_OBJECT);
    struct reel_finding *finding =
        reel_finding_new(REEL_FINDING_DEADLOCK, REEL_CONFIDENCE_OBSERVED, REEL_SEVERITY_ERROR);
    GPtrArray *edges = g_ptr_array_new_with_free_func(g_free);
    add_kept(observed, finding, lock->owner, node->wait->object);
    add_wait(observed, finding, node);
    g_hash_table_add(observed->reported, GUINT_TO_POINTER(node->thread));
    if (inherited)
        say_inherited(observed, finding, node, name, holder);
    else
        say_ended(observed, finding, node, name, holder, elsewhere);
    g_ptr_array_add(edges, edge_key(observed, node, 0));
    set_key(finding, inherited ? "deadlock|fork" : "deadlock|owner ended", edges);
    g_ptr_array_unref(edges);
    add_victims(observed, finding, graph, observed->text);
    reel_finding_explain(finding, "%s", observed->text->str);
    reel_finding_set_add(context->findings, finding);
}

/* Live, a lock that refuses (an error-checking one) has not yet had time to say so. */
static bool is_settled(const struct observed *observed, const struct reel_wait_graph *graph,
                       const uint32_t *thread, size_t count, uint64_t now_ns)
{
    const uint64_t settled_ns = 50000000;
    for (size_t i = 0; observed->context->live && i < count; i++) {
        const struct reel_wait_node *node = reel_wait_graph_node(graph, thread[i]);
        if (node->wait->since_ns + settled_ns > now_ns)
            return false;
    }
    return true;
}

static void observed_look(void *detector, uint64_t now_ns)
{
    struct observed *observed = detector;
    struct reel_wait_graph *graph =
        reel_wait_graph_new(observed->context, observed->semaphores, is_robust, observed);
    uint32_t *circle = g_new(uint32_t, graph->count + 1);
    for (size_t i = 0; i < graph->count; i++) {
        const struct reel_wait_node *node = &graph->node[i];
        if (!node->stuck ||
            g_hash_table_contains(observed->reported, GUINT_TO_POINTER(node->thread)))
            continue;
        if (node->ownerless) {
            if (is_settled(observed, graph, &node->thread, 1, now_ns))
                report_ownerless(observed, graph, node);
            continue;
        }
        size_t count = reel_wait_graph_circle(graph, node->thread, circle);
        if (count && is_settled(observed, graph, circle, count, now_ns) &&
            !g_hash_table_contains(observed->reported, GUINT_TO_POINTER(circle[0])))
            report_circle(observed, graph, circle, count);
    }
    g_free(circle);
    reel_wait_graph_free(graph);
}

const struct reel_detector_class reel_deadlock_observed = {
    .name = "deadlock (observed)",
    .new = observed_new,
    .free = observed_free,
    .event = observed_event,
    .hold = observed_hold,
    .look = observed_look,
};
