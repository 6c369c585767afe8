#include "tracer/model/state.h"

#include <string.h>

static const struct {
    const char *name, *meaning;
    enum reel_state_role role;
    bool waits;
} states[] = {
#define STATE(NAME, text, role, waits, meaning) {text, meaning, REEL_STATE_ROLE_##role, waits},
    REEL_STATES(STATE)
#undef STATE
};

static const char *const roles[] = {
#define ROLE(NAME, text) text,
    REEL_STATE_ROLES(ROLE)
#undef ROLE
};

const char *reel_state_name(enum reel_state state)
{
    return (unsigned)state < REEL_STATE_COUNT ? states[state].name : "?";
}

const char *reel_state_meaning(enum reel_state state)
{
    return (unsigned)state < REEL_STATE_COUNT ? states[state].meaning : "?";
}

enum reel_state_role reel_state_role(enum reel_state state)
{
    return (unsigned)state < REEL_STATE_COUNT ? states[state].role : REEL_STATE_ROLE_GAP;
}

const char *reel_state_role_name(enum reel_state_role role)
{
    return (unsigned)role < REEL_STATE_ROLE_COUNT ? roles[role] : "?";
}

bool reel_state_waits(enum reel_state state)
{
    return (unsigned)state < REEL_STATE_COUNT && states[state].waits;
}

bool reel_state_parse(const char *name, enum reel_state *state)
{
    for (unsigned i = 0; i < REEL_STATE_COUNT; i++)
        if (!strcmp(states[i].name, name)) {
            *state = (enum reel_state)i;
            return true;
        }
    return false;
}

enum reel_state reel_state_of_wait(enum reel_class class, unsigned call)
{
    switch (call & REEL_CALL_NUMBER) {
    case REEL_CALL_SLEEP:
        return REEL_STATE_SLEEP;
    case REEL_CALL_YIELD:
        return REEL_STATE_RUNNABLE;
    case REEL_CALL_WAITPID:
    case REEL_CALL_SYSTEM:
    case REEL_CALL_VFORK:
        return REEL_STATE_PROCESS_WAIT;
    case REEL_CALL_EPOLL_WAIT:
    case REEL_CALL_POLL:
    case REEL_CALL_SELECT:
        return REEL_STATE_LOOP_WAIT;
    default:
        break;
    }
    switch (class) {
    case REEL_CLASS_MUTEX:
    case REEL_CLASS_RWLOCK:
    case REEL_CLASS_SPINLOCK:
    case REEL_CLASS_FILE_LOCK:
    case REEL_CLASS_ONCE:
        return REEL_STATE_LOCK_WAIT;
    case REEL_CLASS_CONDITION:
    case REEL_CLASS_FUTEX:
    case REEL_CLASS_TASK:
        return REEL_STATE_COND_WAIT;
    case REEL_CLASS_SEMAPHORE:
        return REEL_STATE_SEM_WAIT;
    case REEL_CLASS_BARRIER:
        return REEL_STATE_BARRIER_WAIT;
    case REEL_CLASS_THREAD:
        return REEL_STATE_JOIN_WAIT;
    case REEL_CLASS_PROCESS:
        return REEL_STATE_PROCESS_WAIT;
    case REEL_CLASS_PIPE:
    case REEL_CLASS_QUEUE:
    case REEL_CLASS_MESSAGE_QUEUE:
        return REEL_STATE_QUEUE_WAIT;
    case REEL_CLASS_LOOP:
        return REEL_STATE_LOOP_WAIT;
    case REEL_CLASS_SIGNAL:
        return REEL_STATE_SIGNAL_WAIT;
    case REEL_CLASS_CLOCK:
        return REEL_STATE_SLEEP;
    default:
        return REEL_STATE_IO_WAIT;
    }
}

#define NAME_OF(NAME, number, text, ...)                                                           \
    case number:                                                                                   \
        return text;

const char *reel_call_name(unsigned call)
{
    switch (call & REEL_CALL_NUMBER) {
        REEL_CALLS(NAME_OF)
    default:
        return "?";
    }
}

const char *reel_operation_name(unsigned operation)
{
    switch (operation) {
        REEL_OPERATIONS(NAME_OF)
    default:
        return "?";
    }
}

const char *reel_class_name(unsigned class)
{
    switch (class) {
        REEL_CLASSES(NAME_OF)
    default:
        return "?";
    }
}
