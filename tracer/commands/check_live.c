#include "tracer/commands/check_live.h"

#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "probes/event/kinds.h"
#include "tracer/collect/live_target.h"

#define NAMES_PATIENCE_MS 300   /* the first line of the notice is out already */
#define CORE_PATIENCE_MS  10000 /* for a core file to be written */

bool reel_on_deadlock_parse(const char *text, enum reel_on_deadlock *answer)
{
    static const char *const names[] = {"abort", "continue", "core", "debug"};
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(text, names[i]) == 0) {
            *answer = (enum reel_on_deadlock)i;
            return true;
        }
    return false;
}

static const char *class_name(uint8_t class)
{
#define CLASS_NAME(NAME, number, text, meaning) [number] = text,
    static const char *const names[] = {REEL_CLASSES(CLASS_NAME)};
    return class < G_N_ELEMENTS(names) && names[class] ? names[class] : "something";
}

/* Of `count` waits of a verdict the one at `index`; the others, to find the blocker's name in. */
static void describe(GString *out, const struct reel_live_wait *others, unsigned count,
                     unsigned index, const struct reel_check_names *names)
{
    const struct reel_live_wait *wait = &others[index];
    g_string_append_printf(out, "thread %u '%s' (process %d, thread id %d) ", wait->thread,
                           wait->name, (int)wait->pid, (int)wait->tid);
    if (!wait->blocked) {
        g_string_append(out, "is running, or in a call that is not followed");
        return;
    }
    const char *name = reel_check_names_at(names, index);
    if (wait->class == REEL_CLASS_THREAD)
        g_string_append(out, "joins a thread");
    else if (wait->class == REEL_CLASS_PROCESS)
        g_string_append(out, "waits for a child");
    else if (name)
        g_string_append_printf(out, "waits for the %s %s", class_name(wait->class), name);
    else
        g_string_append_printf(out, "waits for a %s", class_name(wait->class));
    if (!name && wait->class >= REEL_CLASS_MUTEX && wait->class <= REEL_CLASS_BARRIER)
        g_string_append_printf(out, " at 0x%" PRIx64, wait->object);
    if (wait->call & REEL_CALL_TIMED)
        g_string_append(out, " (with a time limit)");
    if (wait->owner_gone)
        g_string_append(out, ", whose owner is gone");
    else if (wait->blocker == wait->thread)
        g_string_append(out, ", which it holds itself");
    else if (wait->blocker) {
        g_string_append_printf(out, "%s thread %u",
                               wait->class == REEL_CLASS_THREAD ? ":" : ", held by", wait->blocker);
        for (unsigned i = 0; i < count; i++)
            if (others[i].thread == wait->blocker && others[i].name[0])
                g_string_append_printf(out, " '%s'", others[i].name);
    }
}

static void print_waits(const struct reel_live_verdict *verdict,
                        const struct reel_check_names *names)
{
    for (unsigned i = 0; i < verdict->count; i++) {
        g_autoptr(GString) line = g_string_new("reel:   ");
        describe(line, verdict->wait, verdict->count, i, names);
        if (verdict->wait[i].blocked && verdict->time_ns > verdict->wait[i].since_ns)
            g_string_append_printf(line, ", for %.3f s",
                                   (double)(verdict->time_ns - verdict->wait[i].since_ns) / 1e9);
        /* Names are the program's: nothing in them may steer a terminal. */
        for (char *at = line->str; *at; at++)
            if ((unsigned char)*at < 32)
                *at = '?';
        fprintf(stderr, "%s\n", line->str);
    }
}

static bool on_verdict(void *data, const struct reel_live_verdict *verdict)
{
    struct reel_check_live *live = data;
    if (live->terminal)
        fputs("\r\033[K", stderr);
    double seconds = (double)verdict->time_ns / 1e9;
    switch (verdict->kind) {
    case REEL_LIVE_SUSPECT:
        fprintf(stderr,
                "reel: %.3f s: all %u threads wait and nothing outside can wake them: a hang, "
                "unless something moves within %.1f s\n",
                seconds, verdict->count, (double)live->hooks.grace_ns / 1e9);
        return false;
    case REEL_LIVE_DEADLOCK:
        fprintf(stderr, "reel: %.3f s: deadlock, since %.3f s:\n", seconds,
                (double)verdict->since_ns / 1e9);
        break;
    case REEL_LIVE_HANG:
        fprintf(stderr, "reel: %.3f s: hang: no thread can run again, since %.3f s:\n", seconds,
                (double)verdict->since_ns / 1e9);
        break;
    case REEL_LIVE_TIMEOUT:
        fprintf(stderr, "reel: %.3f s: the time limit is reached; the threads:\n", seconds);
        break;
    }
    reel_check_names_free(live->names);
    live->names = reel_check_names_look(verdict->wait, verdict->count);
    reel_check_names_wait(live->names, NAMES_PATIENCE_MS);
    print_waits(verdict, live->names);
    live->told = true;
    live->kind = verdict->kind;
    live->time_ns = verdict->time_ns;
    live->since_ns = verdict->since_ns;
    g_free(live->wait);
    live->wait = g_memdup2(verdict->wait, verdict->count * sizeof *verdict->wait);
    live->count = verdict->count;
    for (unsigned i = 0; i < live->count; i++)
        live->wait[i].object_name = NULL; /* was lent for the call */
    live->ended =
        verdict->kind == REEL_LIVE_TIMEOUT || live->on_deadlock != REEL_ON_DEADLOCK_CONTINUE;
    return live->ended;
}

static void signal_all(const GArray *pids, int number)
{
    for (guint i = 0; i < pids->len; i++)
        kill(g_array_index(pids, pid_t, i), number);
}

/* Waits for the first process, for a while or (ms < 0) until it ends. */
static bool wait_for(pid_t pid, int ms, int *status)
{
    for (int waited = 0; ms < 0 || waited <= ms; waited += 5) {
        pid_t found = waitpid(pid, status, ms < 0 ? 0 : WNOHANG);
        if (found == pid)
            return true;
        if (found < 0 && errno != EINTR)
            return false;
        if (ms >= 0)
            nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    return false;
}

static bool on_end(void *data, const pid_t *pids, unsigned count, int *wait_status)
{
    struct reel_check_live *live = data;
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(pid_t));
    pid_t first = live->pid ? *live->pid : 0;
    /* Also those that run without the probe: nothing of the program's is left behind. */
    if (first > 0)
        reel_live_descendants(first, all);
    for (unsigned i = 0; i < count; i++) {
        bool listed = false;
        for (guint k = 0; k < all->len && !listed; k++)
            listed = g_array_index(all, pid_t, k) == pids[i];
        if (!listed && pids[i] > 1)
            g_array_append_val(all, pids[i]);
    }
    bool timed_out = live->kind == REEL_LIVE_TIMEOUT;
    if (live->on_deadlock == REEL_ON_DEADLOCK_DEBUG && !timed_out) {
        signal_all(all, SIGSTOP);
        fprintf(stderr, "reel: the program is stopped. To look at it:\n");
        for (guint i = 0; i < all->len; i++)
            fprintf(stderr, "reel:   gdb -p %d -ex 'thread apply all bt'\n",
                    (int)g_array_index(all, pid_t, i));
        fprintf(stderr, "reel: To end it: kill -KILL");
        for (guint i = 0; i < all->len; i++)
            fprintf(stderr, " %d", (int)g_array_index(all, pid_t, i));
        fputc('\n', stderr);
        return false;
    }
    bool ended = false;
    if (live->on_deadlock == REEL_ON_DEADLOCK_CORE) {
        signal_all(all, SIGABRT);
        ended = first > 0 && wait_for(first, CORE_PATIENCE_MS, wait_status);
        for (int waited = 0; waited < CORE_PATIENCE_MS; waited += 5) {
            bool any = false;
            for (guint i = 0; i < all->len; i++) {
                pid_t pid = g_array_index(all, pid_t, i);
                char state = reel_live_task_state(pid, pid);
                any |= pid != first && state && state != 'Z';
            }
            if (!any)
                break;
            nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        }
    }
    for (guint i = 0; i < all->len; i++)
        if (!ended || g_array_index(all, pid_t, i) != first)
            kill(g_array_index(all, pid_t, i), SIGKILL);
    return ended || (first > 0 && wait_for(first, -1, wait_status));
}

void reel_check_live_init(struct reel_check_live *live, enum reel_on_deadlock on_deadlock,
                          uint64_t grace_ns, uint64_t timeout_ns)
{
    *live = (struct reel_check_live){
        .hooks = {.grace_ns = grace_ns,
                  .timeout_ns = timeout_ns,
                  .verdict = on_verdict,
                  .end = on_end,
                  .data = live},
        .on_deadlock = on_deadlock,
    };
}

void reel_check_live_clear(struct reel_check_live *live)
{
    g_free(live->wait);
    live->wait = NULL;
    reel_check_names_free(live->names);
    live->names = NULL;
}

/* What the trace has of a thread's last wait. */
static void last_wait(struct reel_trace *trace, uint32_t thread, uint32_t *object, uint32_t *stack)
{
    sqlite3_stmt *statement;
    *object = *stack = 0;
    if (sqlite3_prepare_v2(reel_trace_database(trace),
                           "SELECT object, stack FROM interval WHERE thread = ? AND object IS NOT "
                           "NULL ORDER BY end_ns DESC, start_ns DESC LIMIT 1",
                           -1, &statement, NULL) != SQLITE_OK)
        return;
    sqlite3_bind_int64(statement, 1, thread);
    if (sqlite3_step(statement) == SQLITE_ROW) {
        *object = (uint32_t)sqlite3_column_int64(statement, 0);
        *stack = (uint32_t)sqlite3_column_int64(statement, 1);
    }
    sqlite3_finalize(statement);
}

static void add_finding(const struct reel_check_live *live, struct reel_trace *trace,
                        struct reel_finding_set *findings)
{
    bool deadlock = live->kind == REEL_LIVE_DEADLOCK;
    struct reel_finding *finding =
        reel_finding_new(deadlock ? REEL_FINDING_DEADLOCK : REEL_FINDING_HANG,
                         REEL_CONFIDENCE_OBSERVED, REEL_SEVERITY_ERROR);
    g_autoptr(GString) key = g_string_new("live"), text = g_string_new(NULL);
    for (unsigned i = 0; i < live->count; i++) {
        const struct reel_live_wait *wait = &live->wait[i];
        uint32_t object, stack;
        last_wait(trace, wait->thread, &object, &stack);
        g_string_append_printf(key, " %s %s", wait->name, class_name(wait->class));
        g_autoptr(GString) role = g_string_new(NULL);
        describe(role, live->wait, live->count, i, live->names);
        g_string_append_printf(text, "%s%s", i ? "; " : "", role->str);
        reel_finding_thread(finding, wait->thread);
        if (object)
            reel_finding_object(finding, object);
        reel_finding_evidence(finding, wait->since_ns, wait->thread, object, stack, "%s",
                              wait->class == REEL_CLASS_THREAD ? "joins here, for ever"
                                                               : "waits here, for ever");
    }
    reel_finding_key(finding, "%s", key->str);
    reel_finding_title(finding, "%u thread%s %s for ever", live->count, live->count == 1 ? "" : "s",
                       live->count == 1 ? "waits" : "wait");
    reel_finding_explain(finding, "Seen while the program ran: %s.", text->str);
    reel_finding_fix(finding, "Ask of each wait above who was to end it, and what kept that one "
                              "from doing so.");
    finding->time_ns = live->since_ns;
    reel_finding_set_add(findings, finding);
}

bool reel_check_live_note(const struct reel_check_live *live, struct reel_trace *trace,
                          struct reel_error *error)
{
    static const char *const names[] = {"suspect", "deadlock", "hang", "timeout"};
    static const char *const reasons[] = {"", "the program was deadlocked", "the program was hung",
                                          "the time limit was reached"};
    char number[32];
    snprintf(number, sizeof number, "%" PRIu64, live->hooks.grace_ns);
    if (!live->hooks.only_timeout && !reel_trace_set_meta(trace, "live_grace_ns", number, error))
        return false;
    if (!live->told)
        return true;
    snprintf(number, sizeof number, "%" PRIu64, live->time_ns);
    return reel_trace_set_meta(trace, "live_verdict", names[live->kind], error) &&
           reel_trace_set_meta(trace, "live_verdict_ns", number, error) &&
           (!live->ended || reel_trace_set_meta(trace, "stopped", reasons[live->kind], error));
}

void reel_check_live_settle(const struct reel_check_live *live, struct reel_trace *trace,
                            struct reel_finding_set *findings)
{
    if (!live->told || live->kind == REEL_LIVE_TIMEOUT)
        return;
    for (size_t i = 0; i < reel_finding_set_count(findings); i++) {
        const struct reel_finding *finding = reel_finding_set_at(findings, i);
        if (finding->confidence == REEL_CONFIDENCE_OBSERVED &&
            (finding->kind == REEL_FINDING_DEADLOCK || finding->kind == REEL_FINDING_HANG ||
             finding->kind == REEL_FINDING_LOST_WAKEUP))
            return;
    }
    add_finding(live, trace, findings);
}
