/* The text form: calls that may block, whole (`read pipe P 100`) or in halves (`begin read pipe P`,
 * `end read pipe P 100`). */
#include <string.h>

#include "probes/event/address.h"
#include "tracer/model/text_form_private.h"

/* The calls that are a wait for something other than a descriptor. */
static bool waiting_call(struct reel_text_statement *statement, uint32_t call,
                         enum reel_text_half half)
{
    uint64_t object = 0, duration = 0;
    int64_t result = 0;
    enum reel_class class = REEL_CLASS_CLOCK;
    const char *word;
    switch (call) {
    case REEL_CALL_JOIN:
        class = REEL_CLASS_THREAD;
        if (!reel_text_thread_argument(statement, &object))
            return false;
        break;
    case REEL_CALL_WAITPID: {
        uint32_t process;
        class = REEL_CLASS_PROCESS;
        if (!reel_text_process_argument(statement, &process))
            return false;
        object = REEL_TEXT_FIRST_PID + process;
        break;
    }
    case REEL_CALL_SLEEP:
        word = half == REEL_TEXT_WHOLE ? reel_text_next(statement) : NULL;
        if (word && !reel_text_time(word, &duration))
            return reel_text_fail(statement, "\"%s\" is no time; say 5ms", word);
        break;
    default:
        class = REEL_CLASS_SIGNAL;
    }
    if (!reel_text_next_number(statement, 0, &result) || !reel_text_done(statement))
        return false;
    if (half != REEL_TEXT_END)
        reel_text_emit(statement, REEL_OP_WAIT, class, NULL, object,
                       call | (statement->timed ? REEL_CALL_TIMED : 0));
    if (duration > REEL_TEXT_TICK_NS)
        *statement->clock += duration - REEL_TEXT_TICK_NS;
    if (half != REEL_TEXT_BEGIN)
        reel_text_emit(statement, REEL_OP_WAKE, class, NULL, object, (uint32_t)result);
    return true;
}

static enum reel_class usual_class(uint32_t call)
{
    switch (call) {
    case REEL_CALL_ACCEPT:
    case REEL_CALL_CONNECT:
    case REEL_CALL_SEND:
    case REEL_CALL_RECV:
        return REEL_CLASS_SOCKET;
    case REEL_CALL_MQ_SEND:
    case REEL_CALL_MQ_RECEIVE:
        return REEL_CLASS_MESSAGE_QUEUE;
    case REEL_CALL_QUEUE_PUT:
    case REEL_CALL_QUEUE_GET:
        return REEL_CLASS_QUEUE;
    default:
        return REEL_CLASS_FILE;
    }
}

static bool takes_input(uint32_t call)
{
    return call == REEL_CALL_READ || call == REEL_CALL_RECV || call == REEL_CALL_ACCEPT ||
           call == REEL_CALL_MQ_RECEIVE || call == REEL_CALL_QUEUE_GET;
}

bool reel_text_call(struct reel_text_statement *statement, uint32_t call, enum reel_text_half half)
{
    if (call == REEL_CALL_JOIN || call == REEL_CALL_WAITPID || call == REEL_CALL_SLEEP ||
        call == REEL_CALL_SIGWAIT || call == REEL_CALL_PAUSE)
        return waiting_call(statement, call, half);
    const char *word = reel_text_next(statement);
    enum reel_class class = word ? reel_text_class(word) : REEL_CLASS_NONE;
    if (class)
        word = reel_text_next(statement);
    struct reel_text_name *name =
        reel_text_object(statement, word, class ? class : usual_class(call));
    int64_t result, port = 0;
    if (!name || !reel_text_next_number(statement, 0, &result))
        return false;
    bool has_address = (word = reel_text_next(statement)) != NULL;
    if (has_address && strcmp(word, "port"))
        return reel_text_fail(statement, "what is \"%s\"?", word);
    if ((has_address && !reel_text_next_number(statement, 0, &port)) || !reel_text_done(statement))
        return false;
    statement->flags |= takes_input(call) ? REEL_FLAG_READ : 0;
    if (half != REEL_TEXT_END)
        reel_text_emit(statement, REEL_OP_BEGIN, name->class, name, 0,
                       call | (statement->timed ? REEL_CALL_TIMED : 0));
    if (half != REEL_TEXT_BEGIN)
        reel_text_emit(statement, REEL_OP_END, name->class, name, 0, (uint32_t)result);
    uint64_t whose = call == REEL_CALL_CONNECT ? REEL_ADDRESS_OWN : REEL_ADDRESS_PEER;
    const uint64_t loopback[] = {whose | ((uint64_t)port & REEL_ADDRESS_PORT), 0, 0xffff7f000001};
    return !has_address || half == REEL_TEXT_BEGIN ||
           reel_text_emit_extra(statement, loopback, REEL_ADDRESS_WORDS);
}

/* The number of a call by its name; `_` and ` ` of the table are also written `-`. */
uint32_t reel_text_call_number(const char *word)
{
    static const struct {
        const char *name;
        uint32_t number;
    } calls[] = {
#define CALL(NAME, number, text) {text, number},
        REEL_CALLS(CALL)
#undef CALL
    };
    for (unsigned i = 1; word && i < sizeof calls / sizeof *calls; i++) {
        const char *a = calls[i].name, *b = word;
        while (*a && (*a == *b || ((*a == '_' || *a == ' ') && *b == '-')))
            a++, b++;
        if (!*a && !*b)
            return calls[i].number;
    }
    return 0;
}
