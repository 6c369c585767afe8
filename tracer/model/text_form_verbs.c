/* The text form: what each verb means in events. One table at the end; one function for each shape
 * a statement can have. */
#include <errno.h>
#include <string.h>

#include "tracer/model/text_form_private.h"

struct verb {
    const char *word;
    bool (*understand)(struct reel_text_statement *statement, const struct verb *verb);
    enum reel_operation operation;
    enum reel_class class; /* of a name not seen before */
    uint32_t argument;
    uint8_t flags;
};

const char *reel_text_next(struct reel_text_statement *statement)
{
    return statement->next < statement->count ? statement->word[statement->next++] : NULL;
}

static bool next_is(struct reel_text_statement *statement, const char *word)
{
    if (statement->next == statement->count || strcmp(statement->word[statement->next], word))
        return false;
    statement->next++;
    return true;
}

/* An errno: a number, or a name of those a lock can return. */
static bool parse_error(const char *word, int64_t *number)
{
    static const struct {
        const char *name;
        int number;
    } names[] = {{"EBUSY", EBUSY},   {"ETIMEDOUT", ETIMEDOUT}, {"EDEADLK", EDEADLK},
                 {"EPERM", EPERM},   {"EAGAIN", EAGAIN},       {"EINTR", EINTR},
                 {"EINVAL", EINVAL}, {"ESRCH", ESRCH},         {"EOWNERDEAD", EOWNERDEAD},
                 {"EPIPE", EPIPE},   {"ENOENT", ENOENT}};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(word, names[i].name)) {
            *number = names[i].number;
            return true;
        }
    return reel_text_number(word, number);
}

/* The next word as a number, `otherwise` when there is none. */
bool reel_text_next_number(struct reel_text_statement *statement, int64_t otherwise,
                           int64_t *number)
{
    const char *word = reel_text_next(statement);
    *number = otherwise;
    if (word && !parse_error(word, number))
        return reel_text_fail(statement, "\"%s\" is no number", word);
    return true;
}

bool reel_text_done(struct reel_text_statement *statement)
{
    if (statement->next < statement->count)
        return reel_text_fail(statement, "what is \"%s\"?", statement->word[statement->next]);
    return true;
}

static struct reel_text_thread *self(struct reel_text_statement *statement)
{
    return &statement->form->thread[statement->thread];
}

/* lock A · unlock A · post S · signal C · fail A EBUSY · init A 3 · put Q 8 77 */
static bool on_object(struct reel_text_statement *statement, const struct verb *verb)
{
    struct reel_text_name *name =
        reel_text_object(statement, reel_text_next(statement), verb->class);
    int64_t argument, item;
    if (!name || !reel_text_next_number(statement, verb->argument, &argument))
        return false;
    bool moves = verb->operation == REEL_OP_PUT || verb->operation == REEL_OP_GET;
    bool has_item = moves && statement->next < statement->count;
    if ((has_item && !reel_text_next_number(statement, 0, &item)) || !reel_text_done(statement))
        return false;
    statement->flags |= verb->flags;
    struct reel_text_thread *thread = self(statement);
    if (verb->operation == REEL_OP_REQUEST) {
        if (name->class == REEL_CLASS_SEMAPHORE)
            argument = REEL_CALL_SEM_WAIT;
        else if (name->class == REEL_CLASS_RWLOCK)
            argument = statement->flags & REEL_FLAG_READ ? REEL_CALL_RDLOCK : REEL_CALL_WRLOCK;
        argument |= statement->timed ? REEL_CALL_TIMED : 0;
        thread->wanted = name->address;
    } else if (verb->operation == REEL_OP_ACQUIRE) {
        argument |= statement->owner_dead;
        if (thread->wanted == name->address)
            statement->flags |= REEL_FLAG_BLOCKED;
        thread->wanted = 0;
    }
    reel_text_emit(statement, verb->operation, name->class, name, 0, (uint32_t)argument);
    uint64_t extra = has_item ? (uint64_t)item : 0;
    return !has_item || reel_text_emit_extra(statement, &extra, 1);
}

/* wait C with A; for anything that is no condition, `wait A` is `want A`. */
static bool on_wait(struct reel_text_statement *statement, const struct verb *verb)
{
    static const struct verb want = {"want",           on_object,      REEL_OP_REQUEST,
                                     REEL_CLASS_MUTEX, REEL_CALL_LOCK, 0};
    const char *word = reel_text_next(statement);
    bool with = next_is(statement, "with");
    struct reel_text_name *known = reel_text_find(statement->form, word);
    if (!with &&
        !(known && (known->class == REEL_CLASS_CONDITION || known->class == REEL_CLASS_FUTEX))) {
        statement->next--;
        return on_object(statement, &want);
    }
    struct reel_text_name *condition = reel_text_object(statement, word, REEL_CLASS_CONDITION);
    struct reel_text_name *mutex =
        with ? reel_text_object(statement, reel_text_next(statement), REEL_CLASS_MUTEX) : NULL;
    if (!condition || (with && !mutex) || !reel_text_done(statement))
        return false;
    uint64_t extra = mutex ? mutex->address : 0;
    self(statement)->wait_mutex = extra;
    if (mutex) {
        self(statement)->wait_sequence = (uint32_t)(mutex - statement->form->name);
        uint8_t flags = statement->flags;
        statement->flags |= REEL_FLAG_IN_WAIT;
        reel_text_emit(statement, REEL_OP_RELEASE, mutex->class, mutex, 0, 0);
        statement->flags = flags;
    }
    uint32_t call =
        condition->class == REEL_CLASS_FUTEX ? REEL_CALL_FUTEX_WAIT : REEL_CALL_COND_WAIT;
    reel_text_emit(statement, REEL_OP_WAIT, condition->class, condition, 0,
                   call | (statement->timed ? REEL_CALL_TIMED : 0));
    return !mutex || reel_text_emit_extra(statement, &extra, 1);
}

static bool on_relock(struct reel_text_statement *statement, const struct verb *verb)
{
    struct reel_text_name *mutex =
        reel_text_object(statement, reel_text_next(statement), REEL_CLASS_MUTEX);
    statement->flags |= REEL_FLAG_IN_WAIT;
    return mutex && reel_text_done(statement) &&
           reel_text_emit(statement, REEL_OP_ACQUIRE, mutex->class, mutex, 0, 0);
}

static bool on_wake(struct reel_text_statement *statement, const struct verb *verb)
{
    struct reel_text_name *name =
        reel_text_object(statement, reel_text_next(statement), REEL_CLASS_CONDITION);
    int64_t result;
    if (!name || !reel_text_next_number(statement, 0, &result) || !reel_text_done(statement))
        return false;
    reel_text_emit(statement, REEL_OP_WAKE, name->class, name, 0, (uint32_t)result);
    struct reel_text_thread *thread = self(statement);
    if (verb->argument || !thread->wait_mutex)
        return true;
    struct reel_text_name *mutex = &statement->form->name[thread->wait_sequence];
    thread->wait_mutex = 0;
    statement->flags |= REEL_FLAG_IN_WAIT;
    return reel_text_emit(statement, REEL_OP_ACQUIRE, mutex->class, mutex, 0, 0);
}

static bool on_barrier(struct reel_text_statement *statement, const struct verb *verb)
{
    const char *word = reel_text_next(statement);
    struct reel_text_name *known = reel_text_find(statement->form, word);
    if (verb->operation == REEL_OP_LEAVE && known && known->class != REEL_CLASS_BARRIER) {
        static const struct verb leave = {"leave", on_wake, REEL_OP_WAKE, REEL_CLASS_CONDITION,
                                          1,       0};
        statement->next--;
        return on_wake(statement, &leave);
    }
    struct reel_text_name *name = reel_text_object(statement, word, REEL_CLASS_BARRIER);
    return name && reel_text_done(statement) &&
           reel_text_emit(statement, verb->operation, name->class, name, 0, verb->argument);
}

/* once O: asks, runs the routine, is done. */
static bool on_once(struct reel_text_statement *statement, const struct verb *verb)
{
    struct reel_text_name *name =
        reel_text_object(statement, reel_text_next(statement), REEL_CLASS_ONCE);
    return name && reel_text_done(statement) &&
           reel_text_emit(statement, REEL_OP_REQUEST, name->class, name, 0, REEL_CALL_ONCE) &&
           reel_text_emit(statement, REEL_OP_ACQUIRE, name->class, name, 0, 0) &&
           reel_text_emit(statement, REEL_OP_RELEASE, name->class, name, 0, 0);
}

bool reel_text_thread_argument(struct reel_text_statement *statement, uint64_t *number)
{
    const char *word = reel_text_next(statement);
    int64_t handle;
    *number = reel_text_index(word, 'T');
    if (!*number && word && word[0] == '0' && reel_text_number(word, &handle))
        *number = (uint64_t)handle;
    return *number || reel_text_fail(statement, "\"%s\" is no thread; say T2", word ? word : "");
}

/* create T2 · detach T2 · cancel T2 · created T2 */
static bool on_thread(struct reel_text_statement *statement, const struct verb *verb)
{
    uint64_t number;
    int64_t argument;
    if (!reel_text_thread_argument(statement, &number) ||
        !reel_text_next_number(statement, 0, &argument) || !reel_text_done(statement))
        return false;
    if (verb->operation == REEL_OP_CREATE && number < REEL_TEXT_THREADS &&
        !statement->form->thread[number].process)
        statement->form->thread[number].process = statement->process;
    return reel_text_emit(statement, verb->operation, REEL_CLASS_THREAD, NULL, number,
                          (uint32_t)argument);
}

static bool on_start(struct reel_text_statement *statement, const struct verb *verb)
{
    uint64_t extra[3] = {0};
    const char *word;
    while ((word = reel_text_next(statement))) {
        int64_t number;
        if (!strcmp(word, "by")) {
            if (!reel_text_thread_argument(statement, &extra[2]))
                return false;
            continue;
        }
        unsigned place = !strcmp(word, "handle") ? 0 : !strcmp(word, "routine") ? 1 : 2;
        if (place == 2)
            return reel_text_fail(statement, "what is \"%s\"?", word);
        if (!reel_text_next_number(statement, 0, &number))
            return false;
        extra[place] = (uint64_t)number;
    }
    reel_text_emit(statement, REEL_OP_START, REEL_CLASS_THREAD, NULL, statement->thread,
                   10000 + statement->thread);
    return reel_text_emit_extra(statement, extra, 3);
}

static bool on_exit(struct reel_text_statement *statement, const struct verb *verb)
{
    bool process = next_is(statement, "process");
    int64_t reason;
    if (!reel_text_next_number(statement, 0, &reason) || !reel_text_done(statement))
        return false;
    return reel_text_emit(
        statement, REEL_OP_EXIT, process ? REEL_CLASS_PROCESS : REEL_CLASS_THREAD, NULL,
        process ? REEL_TEXT_FIRST_PID + statement->process : statement->thread, (uint32_t)reason);
}

bool reel_text_process_argument(struct reel_text_statement *statement, uint32_t *number)
{
    const char *word = reel_text_next(statement);
    *number = reel_text_index(word, 'P');
    return *number || reel_text_fail(statement, "\"%s\" is no process; say P2", word ? word : "");
}

static bool on_fork(struct reel_text_statement *statement, const struct verb *verb)
{
    uint32_t child;
    if (!reel_text_process_argument(statement, &child) || !reel_text_done(statement))
        return false;
    reel_text_emit(statement, REEL_OP_CREATE, REEL_CLASS_PROCESS, NULL, 0, REEL_CALL_FORK);
    return reel_text_emit(statement, REEL_OP_CREATED, REEL_CLASS_PROCESS, NULL,
                          REEL_TEXT_FIRST_PID + child, 0);
}

static bool on_attach(struct reel_text_statement *statement, const struct verb *verb)
{
    uint32_t parent = 0;
    if (next_is(statement, "by") && !reel_text_process_argument(statement, &parent))
        return false;
    uint64_t extra[3] = {REEL_TEXT_FIRST_PID + statement->process,
                         parent ? REEL_TEXT_FIRST_PID + parent : 1, statement->process};
    if (!reel_text_done(statement))
        return false;
    reel_text_emit(statement, REEL_OP_ATTACH, REEL_CLASS_PROCESS, NULL, statement->process, parent);
    return reel_text_emit_extra(statement, extra, 3);
}

static bool on_kill(struct reel_text_statement *statement, const struct verb *verb)
{
    uint32_t process;
    int64_t signal;
    return reel_text_process_argument(statement, &process) &&
           reel_text_next_number(statement, 15, &signal) && reel_text_done(statement) &&
           reel_text_emit(statement, REEL_OP_KILL, REEL_CLASS_PROCESS, NULL,
                          REEL_TEXT_FIRST_PID + process, (uint32_t)signal);
}

/* Takes the rest of the statement as text: words joined by single blanks. */
static bool rest_as_text(struct reel_text_statement *statement)
{
    char text[512] = "";
    const char *word;
    while ((word = reel_text_next(statement))) {
        if (strlen(text) + strlen(word) + 2 > sizeof text)
            return reel_text_fail(statement, "the text is too long");
        if (*text)
            strcat(text, " ");
        strcat(text, word);
    }
    return reel_text_emit_text(statement, text);
}

/* name A accounts · mark hello there · exec /bin/true · load M libfoo.so */
static bool on_text(struct reel_text_statement *statement, const struct verb *verb)
{
    struct reel_text_name *name = NULL;
    enum reel_class class = verb->class;
    uint64_t object = 0;
    if (verb->operation == REEL_OP_NAME || verb->operation == REEL_OP_LOAD) {
        const char *word = reel_text_next(statement);
        object = reel_text_index(word, 'T');
        if (object) {
            class = REEL_CLASS_THREAD;
        } else {
            name = reel_text_object(statement, word, class);
            if (!name)
                return false;
            class = name->class;
        }
    }
    reel_text_emit(statement, verb->operation, class, name, object, 0);
    return rest_as_text(statement);
}

static bool on_plain(struct reel_text_statement *statement, const struct verb *verb)
{
    int64_t argument;
    return reel_text_next_number(statement, verb->argument, &argument) &&
           reel_text_done(statement) &&
           reel_text_emit(statement, verb->operation, verb->class, NULL, 0, (uint32_t)argument);
}

static bool on_yield(struct reel_text_statement *statement, const struct verb *verb)
{
    return reel_text_done(statement) &&
           reel_text_emit(statement, REEL_OP_WAIT, REEL_CLASS_CLOCK, NULL, 0, REEL_CALL_YIELD) &&
           reel_text_emit(statement, REEL_OP_WAKE, REEL_CLASS_CLOCK, NULL, 0, 0);
}

static bool on_switch(struct reel_text_statement *statement, const struct verb *verb)
{
    bool out = next_is(statement, "out");
    int64_t argument = 0;
    if (out)
        argument = next_is(statement, "preempted");
    else if (!next_is(statement, "in"))
        return reel_text_fail(statement, "say \"switch out\" or \"switch in\"");
    else if (!reel_text_next_number(statement, 0, &argument))
        return false;
    return reel_text_done(statement) &&
           reel_text_emit(statement, out ? REEL_OP_SWITCH_OUT : REEL_OP_SWITCH_IN, REEL_CLASS_CPU,
                          NULL, 0, (uint32_t)argument);
}

static bool on_gap(struct reel_text_statement *statement, const struct verb *verb)
{
    int64_t lost;
    uint64_t since = *statement->clock;
    if (!reel_text_next_number(statement, 1, &lost))
        return false;
    if (next_is(statement, "since")) {
        const char *word = reel_text_next(statement);
        if (!word || !reel_text_time(word, &since))
            return reel_text_fail(statement, "\"since\" wants a time, such as 1.5ms");
    }
    uint64_t extra[2] = {(uint64_t)lost, since};
    if (!reel_text_done(statement))
        return false;
    reel_text_emit(statement, REEL_OP_GAP, REEL_CLASS_RECORDER, NULL, 0, (uint32_t)lost);
    return reel_text_emit_extra(statement, extra, 2);
}

static bool on_loop(struct reel_text_statement *statement, const struct verb *verb)
{
    struct reel_text_name *loop =
        reel_text_object(statement, reel_text_next(statement), REEL_CLASS_LOOP);
    int64_t argument;
    if (!loop)
        return false;
    enum reel_operation operation = next_is(statement, "wait")    ? REEL_OP_WAIT
                                    : next_is(statement, "ready") ? REEL_OP_READY
                                    : next_is(statement, "wake")  ? REEL_OP_WAKE
                                                                  : REEL_OP_NONE;
    if (!operation)
        return reel_text_fail(statement, "say \"wait\", \"ready FD\" or \"wake N\" of a loop");
    uint32_t otherwise = operation == REEL_OP_WAIT
                             ? REEL_CALL_EPOLL_WAIT | (statement->timed ? REEL_CALL_TIMED : 0)
                             : 1;
    return reel_text_next_number(statement, otherwise, &argument) && reel_text_done(statement) &&
           reel_text_emit(statement, operation, loop->class, loop, 0, (uint32_t)argument);
}

static bool on_task(struct reel_text_statement *statement, const struct verb *verb)
{
    static const char *const states[] = {"created", "ready", "running",
                                         "waiting", "done",  "cancelled"};
    struct reel_text_name *task =
        reel_text_object(statement, reel_text_next(statement), REEL_CLASS_TASK);
    const char *word = reel_text_next(statement);
    for (unsigned i = 0; task && word && i < 6; i++)
        if (!strcmp(states[i], word))
            return reel_text_done(statement) &&
                   reel_text_emit(statement, REEL_OP_STATE, task->class, task, 0, i);
    return task ? reel_text_fail(statement, "\"%s\" is no state of a task", word ? word : "")
                : false;
}

/* open pipe P 5 · close P 5 */
static bool on_descriptor(struct reel_text_statement *statement, const struct verb *verb)
{
    const char *word = reel_text_next(statement);
    enum reel_class class = word ? reel_text_class(word) : REEL_CLASS_NONE;
    if (class)
        word = reel_text_next(statement);
    struct reel_text_name *name =
        reel_text_object(statement, word, class ? class : REEL_CLASS_FILE);
    int64_t argument;
    return name && reel_text_next_number(statement, 3, &argument) && reel_text_done(statement) &&
           reel_text_emit(statement, verb->operation, name->class, name, 0, (uint32_t)argument);
}

static bool on_half(struct reel_text_statement *statement, const struct verb *verb)
{
    const char *word = reel_text_next(statement);
    uint32_t call = reel_text_call_number(word);
    if (!call)
        return reel_text_fail(statement, "\"%s\" is no call", word ? word : "");
    return reel_text_call(statement, call, (enum reel_text_half)verb->argument);
}

/* read X 8 and write X 8 of annotated memory; with a descriptor they are calls. */
static bool on_access(struct reel_text_statement *statement, const struct verb *verb)
{
    const char *word = statement->next < statement->count ? statement->word[statement->next] : NULL;
    struct reel_text_name *known = reel_text_find(statement->form, word);
    const char *colon = word ? strchr(word, ':') : NULL;
    enum reel_class class = !word   ? REEL_CLASS_NONE
                            : colon ? reel_text_class(colon + 1)
                            : known ? known->class
                                    : reel_text_class(word);
    if (class && class != REEL_CLASS_MEMORY)
        return reel_text_call(statement, verb->argument, REEL_TEXT_WHOLE);
    struct verb memory = *verb;
    memory.argument = 8;
    return on_object(statement, &memory);
}

#define OBJECT(word, operation, class, argument, flags)                                            \
    {                                                                                              \
        word, on_object, REEL_OP_##operation, REEL_CLASS_##class, argument, flags                  \
    }
static const struct verb verbs[] = {
    OBJECT("lock", ACQUIRE, MUTEX, 0, 0),
    OBJECT("trylock", ACQUIRE, MUTEX, 0, REEL_FLAG_TRY),
    OBJECT("timedlock", ACQUIRE, MUTEX, 0, 0),
    OBJECT("rdlock", ACQUIRE, RWLOCK, 0, REEL_FLAG_READ),
    OBJECT("wrlock", ACQUIRE, RWLOCK, 0, 0),
    OBJECT("tryrdlock", ACQUIRE, RWLOCK, 0, REEL_FLAG_READ | REEL_FLAG_TRY),
    OBJECT("trywrlock", ACQUIRE, RWLOCK, 0, REEL_FLAG_TRY),
    OBJECT("unlock", RELEASE, MUTEX, 0, 0),
    OBJECT("want", REQUEST, MUTEX, REEL_CALL_LOCK, 0),
    OBJECT("fail", FAIL, MUTEX, EBUSY, 0),
    OBJECT("timeout", FAIL, MUTEX, ETIMEDOUT, 0),
    OBJECT("unlock-failed", RELEASE_FAILED, MUTEX, EPERM, 0),
    OBJECT("consistent", CONSISTENT, MUTEX, 0, 0),
    OBJECT("init", INIT, MUTEX, 0, 0),
    OBJECT("destroy", DESTROY, MUTEX, 0, 0),
    OBJECT("signal", SIGNAL, CONDITION, 0, 0),
    OBJECT("broadcast", BROADCAST, CONDITION, 0, 0),
    OBJECT("post", POST, SEMAPHORE, 0, 0),
    OBJECT("take", ACQUIRE, SEMAPHORE, 0, 0),
    OBJECT("put", PUT, QUEUE, 0, 0),
    OBJECT("get", GET, QUEUE, 0, 0),
    OBJECT("before", BEFORE, MEMORY, 0, 0),
    OBJECT("after", AFTER, MEMORY, 0, 0),
    OBJECT("span-begin", SPAN_BEGIN, SPAN, 0, 0),
    OBJECT("span-end", SPAN_END, SPAN, 0, 0),
    OBJECT("unload", UNLOAD, MODULE, 0, 0),
    OBJECT("watch", WATCH, LOOP, 0, 0),
    {"wait", on_wait, REEL_OP_WAIT, REEL_CLASS_CONDITION, 0, 0},
    {"wake", on_wake, REEL_OP_WAKE, REEL_CLASS_CONDITION, 0, 0},
    {"relock", on_relock, REEL_OP_ACQUIRE, REEL_CLASS_MUTEX, 0, 0},
    {"arrive", on_barrier, REEL_OP_ARRIVE, REEL_CLASS_BARRIER, REEL_CALL_BARRIER_WAIT, 0},
    {"leave", on_barrier, REEL_OP_LEAVE, REEL_CLASS_BARRIER, 0, 0},
    {"once", on_once, REEL_OP_REQUEST, REEL_CLASS_ONCE, 0, 0},
    {"create", on_thread, REEL_OP_CREATE, REEL_CLASS_THREAD, 0, 0},
    {"created", on_thread, REEL_OP_CREATED, REEL_CLASS_THREAD, 0, 0},
    {"detach", on_thread, REEL_OP_DETACH, REEL_CLASS_THREAD, 0, 0},
    {"cancel", on_thread, REEL_OP_CANCEL, REEL_CLASS_THREAD, 0, 0},
    {"start", on_start, REEL_OP_START, REEL_CLASS_THREAD, 0, 0},
    {"exit", on_exit, REEL_OP_EXIT, REEL_CLASS_THREAD, 0, 0},
    {"fork", on_fork, REEL_OP_CREATE, REEL_CLASS_PROCESS, 0, 0},
    {"attach", on_attach, REEL_OP_ATTACH, REEL_CLASS_PROCESS, 0, 0},
    {"kill", on_kill, REEL_OP_KILL, REEL_CLASS_PROCESS, 0, 0},
    {"name", on_text, REEL_OP_NAME, REEL_CLASS_MUTEX, 0, 0},
    {"mark", on_text, REEL_OP_MARK, REEL_CLASS_NONE, 0, 0},
    {"exec", on_text, REEL_OP_EXEC, REEL_CLASS_PROCESS, 0, 0},
    {"load", on_text, REEL_OP_LOAD, REEL_CLASS_MODULE, 0, 0},
    {"exec-failed", on_plain, REEL_OP_EXEC_FAILED, REEL_CLASS_PROCESS, ENOENT, 0},
    {"stall", on_plain, REEL_OP_STALL, REEL_CLASS_RECORDER, 0, 0},
    {"yield", on_yield, REEL_OP_WAIT, REEL_CLASS_CLOCK, 0, 0},
    {"switch", on_switch, REEL_OP_SWITCH_OUT, REEL_CLASS_CPU, 0, 0},
    {"gap", on_gap, REEL_OP_GAP, REEL_CLASS_RECORDER, 0, 0},
    {"loop", on_loop, REEL_OP_WAIT, REEL_CLASS_LOOP, 0, 0},
    {"task", on_task, REEL_OP_STATE, REEL_CLASS_TASK, 0, 0},
    {"open", on_descriptor, REEL_OP_OPEN, REEL_CLASS_FILE, 0, 0},
    {"close", on_descriptor, REEL_OP_CLOSE, REEL_CLASS_FILE, 0, 0},
    {"begin", on_half, REEL_OP_BEGIN, REEL_CLASS_NONE, REEL_TEXT_BEGIN, 0},
    {"end", on_half, REEL_OP_END, REEL_CLASS_NONE, REEL_TEXT_END, 0},
    {"read", on_access, REEL_OP_READ, REEL_CLASS_MEMORY, REEL_CALL_READ, 0},
    {"write", on_access, REEL_OP_WRITE, REEL_CLASS_MEMORY, REEL_CALL_WRITE, 0},
};

bool reel_text_verb(struct reel_text_statement *statement)
{
    const char *word = reel_text_next(statement);
    for (unsigned i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (!strcmp(verbs[i].word, word))
            return verbs[i].understand(statement, &verbs[i]);
    uint32_t call = reel_text_call_number(word);
    if (call)
        return reel_text_call(statement, call, REEL_TEXT_WHOLE);
    return reel_text_fail(statement, "unknown operation \"%s\"", word);
}
